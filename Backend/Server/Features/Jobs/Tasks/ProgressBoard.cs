using System.Collections.Concurrent;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Server.Features.Jobs.Tasks;

/// <summary>How far a task is within its phase.</summary>
/// <param name="Rate">Units a second, smoothed over some seconds; 0 where it is not known.</param>
/// <param name="Stall">That it does not get on, in a few words; empty: it does.</param>
public readonly record struct TaskMeasure(long Done, long Total, string Unit, double Rate, string Stall);

/// <summary>What nodes report several times a second. It stays in memory: a restart loses it and the next report brings it back.</summary>
public sealed class ProgressBoard(TimeProvider clock)
{
    /// <summary>A new measurement counts this much against what was before.</summary>
    private const double Weight = 0.3;

    /// <param name="At">Timestamp of the report.</param>
    /// <param name="MovedAt">Timestamp of the last report that told of progress.</param>
    /// <param name="Pause">Seconds between two of those, smoothed; 0 where it is not known.</param>
    private readonly record struct Known(TaskProgress Report, long At, double Rate, long MovedAt, double Pause);

    private readonly ConcurrentDictionary<Guid, Known> _reports = new();
    private readonly ConcurrentDictionary<Guid, string> _stalls = new();

    public TaskMeasure Find(Guid task)
    {
        string stall = _stalls.GetValueOrDefault(task, "");
        return _reports.TryGetValue(task, out Known last)
            ? new TaskMeasure(last.Report.Done, last.Report.Total, last.Report.Unit, last.Rate, stall)
            : new TaskMeasure(0, 0, "", 0, stall);
    }

    public void Report(TaskProgress report)
    {
        long now = clock.GetTimestamp();
        _reports.AddOrUpdate(report.TaskId, _ => new Known(report, now, 0, now, 0), (_, last) =>
        {
            double seconds = clock.GetElapsedTime(last.At, now).TotalSeconds;
            bool samePhase = last.Report.Phase == report.Phase;
            bool follows = samePhase && report.Done >= last.Report.Done && seconds > 0.01;
            double current = follows ? (report.Done - last.Report.Done) / seconds : 0;
            double rate = !follows ? 0 : last.Rate == 0 ? current : Smoothed(last.Rate, current);
            if (samePhase && report.Done == last.Report.Done)
            {
                return last with { Report = report, At = now, Rate = rate };
            }
            double pause = clock.GetElapsedTime(last.MovedAt, now).TotalSeconds;
            return new Known(report, now, rate, now, !samePhase ? 0 : last.Pause == 0 ? pause : Smoothed(last.Pause, pause));
        });
    }

    /// <summary>Since a task's last progress, and what is usual between two reports of it; null where its phase has no measure, or all of
    /// it is done.</summary>
    public (TimeSpan Now, TimeSpan Usual)? PauseOf(Guid task) =>
        _reports.TryGetValue(task, out Known last) && last.Report.Done < last.Report.Total
        ? (clock.GetElapsedTime(last.MovedAt), TimeSpan.FromSeconds(last.Pause))
        : null;

    /// <returns>True if a stall has begun or ended with this.</returns>
    public bool SetStall(Guid task, string stall)
    {
        bool was = _stalls.ContainsKey(task);
        if (stall.Length > 0)
        {
            _stalls[task] = stall;
        }
        else if (was)
        {
            _stalls.TryRemove(task, out _);
        }
        return was != stall.Length > 0;
    }

    public void Forget(Guid task)
    {
        _reports.TryRemove(task, out _);
        _stalls.TryRemove(task, out _);
    }

    private static double Smoothed(double before, double now) => before + Weight * (now - before);
}
