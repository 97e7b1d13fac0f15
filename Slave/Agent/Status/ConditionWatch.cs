using Bootstrap.Protocol.Status;

namespace Bootstrap.Agent.Status;

/// <summary>Whether one condition is met on this machine. It begins when it has held for its time, and ends when it has not held for
/// <see cref="Settling"/>: what comes and goes all the time is one thing, not many.</summary>
/// <param name="condition">A sound one.</param>
/// <param name="clock">Times it.</param>
internal sealed class ConditionWatch(AlertCondition condition, TimeProvider clock)
{
    /// <summary>A condition that is not met for so long has ended.</summary>
    public static readonly TimeSpan Settling = TimeSpan.FromSeconds(30);

    private readonly RiseWatch? _rise = condition.Comparison == AlertComparison.RisesBy ? new(condition, clock) : null;
    private readonly TimeSpan _duration =
        condition.Comparison == AlertComparison.RisesBy ? TimeSpan.Zero : TimeSpan.FromSeconds(condition.ForSeconds);

    private long? _holdsSince, _restsSince;
    private double _value;
    private string? _part;
    private long _metAt;

    public AlertCondition Condition => condition;

    public bool IsMet { get; private set; }

    /// <summary>Takes a reading. A value that is unknown meets nothing.</summary>
    /// <returns>True: it has begun or ended to be met.</returns>
    public bool Add(StatusReading reading)
    {
        bool isKnown = reading.Values.TryGetValue(condition.Metric, out double value) && StatusMessage.IsSound(value);
        bool holds = isKnown && (_rise is null ? condition.IsMetBy(value) : _rise.Add(value));
        long now = clock.GetTimestamp();
        _holdsSince = holds ? _holdsSince ?? now : null;
        _restsSince = holds ? null : _restsSince ?? now;
        if (!IsMet && _holdsSince is { } since && clock.GetElapsedTime(since, now) >= _duration)
        {
            (IsMet, _metAt, _value, _part) = (true, since, _rise?.Risen ?? value, PartOf(reading, value));
            return true;
        }
        if (IsMet && _restsSince is { } rest && clock.GetElapsedTime(rest, now) >= Settling)
        {
            IsMet = false;
            return true;
        }
        return false;
    }

    /// <summary>What is told of it.</summary>
    public MetCondition As(string rule) => new(rule, _value, _part, (long)clock.GetElapsedTime(_metAt).TotalSeconds);

    /// <summary>Which part has the whole's value: the fullest file system, the hottest sensor.</summary>
    private string? PartOf(StatusReading reading, double whole) => MetricKey.PartOf(condition.Metric) ?? reading.Values
        .Where(value => value.Value.Equals(whole) && value.Key.Length > condition.Metric.Length
            && MetricKey.MetricOf(value.Key) == condition.Metric)
        .Select(value => MetricKey.PartOf(value.Key)).FirstOrDefault();
}

/// <summary>By how much a counter has risen within a condition's time.</summary>
internal sealed class RiseWatch(AlertCondition condition, TimeProvider clock)
{
    /// <summary>Of a counter that rises all the time, the earliest of these are forgotten.</summary>
    private const int MostSteps = 1_000;

    private readonly Queue<(long At, double Value)> _steps = [];
    private double? _last;

    /// <summary>Within the time, as of the last value.</summary>
    public double Risen { get; private set; }

    /// <summary>Takes the counter's value.</summary>
    /// <returns>It has risen by more than the threshold.</returns>
    public bool Add(double value)
    {
        long now = clock.GetTimestamp();
        if (value < _last)
        {
            _steps.Clear(); // it counts from 0 again
        }
        else if (_last is { } before && value > before)
        {
            // What it was until now: it has risen from there.
            _steps.Enqueue((now, before));
        }
        _last = value;
        while (_steps.TryPeek(out (long At, double Value) first) &&
            (_steps.Count > MostSteps || clock.GetElapsedTime(first.At, now).TotalSeconds > condition.ForSeconds))
        {
            _steps.Dequeue();
        }
        Risen = _steps.TryPeek(out (long At, double Value) from) ? value - from.Value : 0;
        return Risen > condition.Threshold;
    }
}
