using System.Text.RegularExpressions;
using Bootstrap.Server.Features.Jobs.Api;

namespace Bootstrap.Server.Features.Schedules;

/// <summary>What becomes of a run that was due while the appliance was off.</summary>
public enum MissedRuns
{
    /// <summary>Nothing: the next one comes.</summary>
    Skip,

    /// <summary>One run for all that were missed, as soon as the appliance is there.</summary>
    RunOnce,
}

/// <summary>When a job may begin on its nodes: what has not begun when it closes is skipped. A run outside waits for the next
/// opening.</summary>
/// <param name="Start">"22:00", in the schedule's time zone.</param>
/// <param name="Minutes">How long.</param>
public sealed partial record MaintenanceWindow(string Start, int Minutes)
{
    private const int LongestMinutes = 24 * 60;

    /// <summary>What is wrong with it, in one sentence; null: nothing.</summary>
    internal string? Validate() =>
        !DayTime().IsMatch(Start) ? $"The window's start is a time such as 22:00, not '{Start}'."
        : Minutes is < 1 or > LongestMinutes ? $"The window's length is 1 to {LongestMinutes} minutes, not {Minutes}."
        : null;

    /// <summary>The opening that a run falls into, or the next one.</summary>
    internal (DateTimeOffset Opens, DateTimeOffset Closes) For(DateTimeOffset run, string zone)
    {
        var length = TimeSpan.FromMinutes(Minutes);
        CronLine line = CronLine.Read($"{Start[3..]} {Start[..2]} * * *", zone, run, out _)
            ?? throw new InvalidOperationException($"window {Start} in {zone}");
        // An opening that began less than its length ago is open still.
        DateTimeOffset opens = line.After(run - length).First();
        return (opens, opens + length);
    }

    [GeneratedRegex(@"\A([01][0-9]|2[0-3]):[0-5][0-9]\z")]
    private static partial Regex DayTime();
}

/// <summary>A job that is made again and again.</summary>
/// <param name="Name">Of a-z, 0-9, '-' and '_'.</param>
/// <param name="Cron">Five fields.</param>
/// <param name="Job">What is made. A selector and an image's name are looked up at each run; nodes and a digest stay as they are.</param>
/// <param name="Zone">IANA name of the time zone that the line is read in.</param>
internal sealed partial record Schedule(
    string Name, string Cron, JobEndpoints.NewJob Job, string Zone = "UTC", MissedRuns Missed = MissedRuns.Skip,
    MaintenanceWindow? Window = null,
    bool Enabled = true)
{
    /// <summary>What is wrong with when it runs, in one sentence; null: nothing.</summary>
    public string? Validate(DateTimeOffset now) =>
        !ProperName().IsMatch(Name) ? $"'{Name}' is no name for a schedule: use 1 to 64 of a-z, 0-9, '-' and '_'."
        : CronLine.Read(Cron, Zone, now, out string fault) is null ? fault
        : Job.NotBefore is not null ? "A schedule's job has no notBefore: its cron line says when."
        : Job.After is not null ? "A schedule's job comes after no other: its cron line says when."
        : Job.Frozen ? "A schedule's job is not frozen: its selector is asked at each run."
        : Job.HoldSeconds != 0 ? "A schedule's job has no holdSeconds: its cron line says when."
        : Window?.Validate();

    /// <summary>Its line, which was found good when it was stored; null where the machine has lost its time zone or it never comes
    /// again.</summary>
    public CronLine? Line(DateTimeOffset now) => CronLine.Read(Cron, Zone, now, out _);

    [GeneratedRegex(@"\A[a-z0-9_-]{1,64}\z")]
    private static partial Regex ProperName();
}

/// <summary>A schedule as people see it.</summary>
/// <param name="Next">When it runs next, Unix milliseconds; null: never, or it is not enabled.</param>
/// <param name="LastJob">What it made last.</param>
/// <param name="LastAt">When that was, Unix milliseconds.</param>
internal sealed record ScheduleView(
    string Name, string Cron, string Zone, JobEndpoints.NewJob Job, MissedRuns Missed, MaintenanceWindow? Window, bool Enabled,
    long? Next, Guid? LastJob, long? LastAt);
