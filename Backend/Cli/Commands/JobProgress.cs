using Bootstrap.Cli.Api;
using Bootstrap.Protocol;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Bootstrap.Cli.Commands;

/// <summary>
/// A job under way, as a terminal shows it: one bar for all of it, what has failed, and who is slowest, in a few lines however many nodes
/// there are. In a file or pipe it says what has failed, once.
/// </summary>
internal static class JobProgress
{
    private const int SlowestShown = 5, FailuresShown = 5, BarCells = 40;

    private static readonly TimeSpan s_lookPeriod = TimeSpan.FromMilliseconds(500);

    private static int Cells => AnsiConsole.Profile.Width;

    /// <summary>Shows it until it has ended.</summary>
    /// <param name="quiet">Nothing is shown.</param>
    public static async Task<JobDetail> FollowAsync(ApplianceClient client, JobDetail job, bool quiet, CancellationToken cancellation)
    {
        if (quiet || Console.IsOutputRedirected)
        {
            HashSet<Guid> told = [];
            return await UntilEndedAsync(client, job, shown =>
            {
                foreach (JobTask task in quiet ? [] : shown.Tasks.Where(t => HasFailed(t) && told.Add(t.Id)))
                {
                    Console.WriteLine(Failure(task));
                }
            }, cancellation);
        }
        return await AnsiConsole.Live(new Rows(Lines(job, Cells))).AutoClear(true).Overflow(VerticalOverflow.Crop)
            .StartAsync(live => UntilEndedAsync(client, job, shown =>
            {
                live.UpdateTarget(new Rows(Lines(shown, Cells)));
                live.Refresh();
            }, cancellation));
    }

    private static async Task<JobDetail> UntilEndedAsync(ApplianceClient client, JobDetail job, Action<JobDetail> show,
        CancellationToken cancellation)
    {
        while (true)
        {
            show(job);
            if (job.Job.Ended)
            {
                return job;
            }
            await Task.Delay(s_lookPeriod, TimeProvider.System, cancellation);
            job = await client.GetAsync<JobDetail>($"jobs/{job.Job.Id}", cancellation);
        }
    }

    /// <summary>What a terminal shows: at most as many lines as <see cref="SlowestShown"/> and <see cref="FailuresShown"/> say, and three
    /// more.</summary>
    /// <param name="cells">Of a terminal's line.</param>
    internal static IEnumerable<IRenderable> Lines(JobDetail job, int cells)
    {
        JobTask[] ended = [.. job.Tasks.Where(t => t.EndedAt is not null)], failed = [.. job.Tasks.Where(HasFailed)];
        double all = job.Tasks.Sum(FractionOf) / Math.Max(1, job.Tasks.Count);
        int filled = (int)(all * BarCells);
        yield return Line($"{new string('━', filled)}{new string('─', BarCells - filled)} {Output.Percent(all)}  " +
            $"{ended.Length} of {job.Tasks.Count} nodes{(failed.Length > 0 ? $", {failed.Length} failed" : "")}", cells);
        foreach (JobTask task in failed.OrderByDescending(t => t.EndedAt).Take(FailuresShown))
        {
            yield return Line(Failure(task), cells, Color.Red);
        }
        if (failed.Length > FailuresShown)
        {
            yield return Line($"and {failed.Length - FailuresShown} more failed", cells, Color.Red);
        }
        JobTask[] open = [.. job.Tasks.Where(t => t.EndedAt is null)];
        foreach (JobTask task in open.OrderByDescending(t => t.State is "sent" or "running").ThenBy(FractionOf).Take(SlowestShown))
        {
            string rate = task.Rate > 0 && task.Unit == "bytes" ? $" {Output.Bytes(task.Rate)}/s" : "";
            yield return Line($"{task.NodeName} {(task.Phase.Length > 0 ? task.Phase : task.State)}" +
                $"{(task.Fraction is { } fraction ? $" {Output.Percent(fraction)}" : "")}{rate} {task.Stall}", cells);
        }
        if (open.Length > SlowestShown)
        {
            yield return Line($"and {open.Length - SlowestShown} more nodes", cells);
        }
    }

    private static double FractionOf(JobTask task) => task.EndedAt is not null ? 1 : task.Fraction ?? 0;

    private static bool HasFailed(JobTask task) => task.State is "failed" or "timed-out";

    private static string Failure(JobTask task) => PlainText.Line($"{task.NodeName}: {task.State}: {task.Cause}");

    /// <summary>One line, which ends where the terminal does.</summary>
    private static Text Line(string text, int cells, Color? colour = null)
    {
        string plain = PlainText.Line(text).TrimEnd();
        return new Text(plain[..Math.Min(plain.Length, cells)], new Style(colour));
    }
}
