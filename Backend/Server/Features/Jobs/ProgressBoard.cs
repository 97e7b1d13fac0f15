using System.Collections.Concurrent;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Server.Features.Jobs;

/// <summary>How far a task is within its phase.</summary>
/// <param name="Rate">Units a second, smoothed over some seconds; 0 where it is not known.</param>
public readonly record struct TaskMeasure(long Done, long Total, string Unit, double Rate);

/// <summary>What nodes report several times a second. It stays in memory: a restart loses it and the next report brings it back.</summary>
public sealed class ProgressBoard(TimeProvider clock)
{
    /// <summary>A new measurement counts this much against the rate so far.</summary>
    private const double Weight = 0.3;

    private readonly ConcurrentDictionary<Guid, (TaskProgress Report, long At, double Rate)> _reports = new();

    public TaskMeasure Find(Guid task) => _reports.TryGetValue(task, out (TaskProgress Report, long At, double Rate) last)
        ? new TaskMeasure(last.Report.Done, last.Report.Total, last.Report.Unit, last.Rate)
        : new TaskMeasure(0, 0, "", 0);

    public void Report(TaskProgress report)
    {
        long now = clock.GetTimestamp();
        _reports.AddOrUpdate(report.TaskId, _ => (report, now, 0), (_, last) =>
        {
            double seconds = clock.GetElapsedTime(last.At, now).TotalSeconds;
            bool follows = last.Report.Phase == report.Phase && report.Done >= last.Report.Done && seconds > 0.01;
            double current = follows ? (report.Done - last.Report.Done) / seconds : 0;
            double rate = !follows ? 0 : last.Rate == 0 ? current : last.Rate + Weight * (current - last.Rate);
            return (report, now, rate);
        });
    }

    public void Forget(Guid task) => _reports.TryRemove(task, out _);
}
