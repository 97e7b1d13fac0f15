using Bootstrap.Protocol.Link;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Agent.Status;

/// <summary>Puts each minute's readings together, for the history that the appliance keeps. Not thread-safe: readings come one at a
/// time.</summary>
/// <param name="time">The appliance's; null: it has not told it yet, and this machine's own clock may be anywhere.</param>
/// <param name="send">Puts a message on the link.</param>
public sealed class MinuteSummaries(Func<DateTimeOffset?> time, Action<LinkMessage> send)
{
    private static readonly Metric[] s_kept = [.. Metrics.All.Where(metric => metric.IsKept)];

    private readonly Dictionary<string, (double Min, double Sum, double Max, int Readings)> _values = [];
    private long? _minute;

    /// <summary>Takes a reading.</summary>
    public void Add(StatusReading reading)
    {
        long? minute = time()?.ToUnixTimeSeconds() / 60;
        if (minute != _minute)
        {
            if (_minute is { } over && _values.Count > 0)
            {
                var summary = new MinuteSummary(over, _values.ToDictionary(value => value.Key, value => SpreadOf(value.Value)));
                send(new StatusMinutes([summary]));
            }
            _values.Clear();
            _minute = minute;
        }
        if (minute is null)
        {
            return;
        }
        foreach (Metric metric in s_kept)
        {
            if (reading.Values.TryGetValue(metric.Name, out double value) && Math.Abs(value) <= Spread.Largest)
            {
                _values[metric.Name] = _values.TryGetValue(metric.Name, out (double Min, double Sum, double Max, int Readings) so)
                    ? (Math.Min(so.Min, value), so.Sum + value, Math.Max(so.Max, value), so.Readings + 1)
                    : (value, value, value, 1);
            }
        }
    }

    /// <summary>A mean is rounded: it is never beyond what it is the mean of.</summary>
    private static Spread SpreadOf((double Min, double Sum, double Max, int Readings) so) =>
        new(so.Min, Math.Clamp(so.Sum / so.Readings, so.Min, so.Max), so.Max);
}
