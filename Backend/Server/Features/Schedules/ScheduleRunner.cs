using Bootstrap.Server.Features.Jobs;
using Bootstrap.Server.Features.Jobs.Api;
using Bootstrap.Server.Features.Jobs.Engine;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.Jobs.Rollouts;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;

namespace Bootstrap.Server.Features.Schedules;

/// <summary>
/// Makes the jobs that are due. What is due comes from the database and the clock alone, and a run's job and the note that it was made are
/// one transaction: however often the appliance is killed, there is one job for each run.
/// </summary>
internal sealed class ScheduleRunner(ScheduleStore schedules, JobEngine engine, NodeDirectory nodes, JobSources sources, TimeProvider clock)
{
    /// <summary>A run that is found this late was not missed: the appliance was busy, or started again.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();

    /// <summary>Runs that were due when the disk was full: they are late, and were not missed.</summary>
    private readonly HashSet<(string Schedule, long At)> _held = [];

    /// <summary>Looks at the time: which runs are due?</summary>
    internal void Tick()
    {
        lock (_lock)
        {
            DateTimeOffset now = clock.GetUtcNow();
            foreach ((Schedule schedule, long seenUntil) in schedules.All().Where(s => s.Schedule.Enabled))
            {
                var seen = DateTimeOffset.FromUnixTimeMilliseconds(seenUntil);
                if (seen > now)
                {
                    // The clock was set back. Runs that come a second time now are known by their jobs.
                    schedules.See(schedule, now.ToUnixTimeMilliseconds());
                }
                else if (schedule.Line(seen) is { } line && line.After(seen).TakeWhile(at => at <= now).Select(at => (DateTimeOffset?)at)
                    .LastOrDefault() is { } due)
                {
                    Deal(schedule, due, now);
                }
            }
        }
    }

    /// <summary>Makes a schedule's job now.</summary>
    /// <param name="due">The run that it is; null: a person asked for it, and no window holds it back.</param>
    public Guid Run(Schedule schedule, DateTimeOffset? due)
    {
        JobEndpoints.NewJob job = schedule.Job;
        NodeSelector? selector = job.Select is { } words ? NodeSelector.Parse(words) : null;
        List<NodeView> targets = [.. selector is not null
            ? nodes.Select(selector)
            : nodes.List().Where(n => job.Nodes!.Contains(n.Id.ToString()))];
        Fitting fitting = Fitting.Of(job.Kind, job.Image, job.Parameters, targets, sources);
        DateTimeOffset now = clock.GetUtcNow();
        (DateTimeOffset Opens, DateTimeOffset Closes)? window = due is null ? null : schedule.Window?.For(now, schedule.Zone);
        JobPlan plan = job.Plan with
        {
            NotBefore = window is { } opening && opening.Opens > now ? opening.Opens.ToUnixTimeMilliseconds() : null,
            BeginBy = window?.Closes.ToUnixTimeMilliseconds(),
            Run = new ScheduledRun(schedule.Name, due?.ToUnixTimeMilliseconds(), c =>
            {
                if (due is { } at)
                {
                    ScheduleStore.See(c, schedule.Name, at.ToUnixTimeMilliseconds());
                }
            }),
            Unfit = fitting.Unfit,
            Note = targets.Count > 0 ? "" : selector is not null ? $"no node was taken by '{selector.Text}'{selector.Why}"
                : "its nodes were all forgotten",
        };
        Guid made = engine.Create(fitting.Spec ?? new JobSpec(job.Kind, Parameters: job.Parameters?.GetRawText() ?? "{}"),
            [.. targets.OrderBy(n => fitting.Unfit.ContainsKey(n.Id)).Select(n => n.Id)], "schedule", plan);
        schedules.Publish(schedule);
        return made;
    }

    private void Deal(Schedule schedule, DateTimeOffset due, DateTimeOffset now)
    {
        long at = due.ToUnixTimeMilliseconds();
        bool missed = now - due > Tolerance && !_held.Contains((schedule.Name, at));
        if (schedules.HasRun(schedule.Name, at) || (missed && schedule.Missed == MissedRuns.Skip))
        {
            schedules.See(schedule, at);
            return;
        }
        try
        {
            Run(schedule, due);
            _held.Remove((schedule.Name, at));
        }
        catch (Exception e) when (DataDisk.Says(e) is not null)
        {
            _held.Add((schedule.Name, at));
            throw;
        }
    }
}
