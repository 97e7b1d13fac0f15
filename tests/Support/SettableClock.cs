namespace Bootstrap.Support;

/// <summary>A clock that moves when the test says so. Short waits are real; those of <see cref="LongWait"/> and more end by its own
/// time.</summary>
public sealed class SettableClock : TimeProvider
{
    public static readonly TimeSpan LongWait = TimeSpan.FromMinutes(10);

    private readonly Lock _lock = new();
    private readonly List<(DateTimeOffset Due, Action Fire)> _waits = [];
    private TimeSpan _skipped;
    private long? _frozenAt;

    /// <summary>What it shows.</summary>
    public DateTimeOffset Now { get; set; } = System.GetUtcNow();

    public override DateTimeOffset GetUtcNow() => Now;

    public override long GetTimestamp() => (_frozenAt ?? base.GetTimestamp()) + (long)(_skipped.TotalSeconds * TimestampFrequency);

    /// <summary>What is measured between two moments is what it was advanced by, however slow the machine is.</summary>
    public void Freeze() => _frozenAt = base.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime < LongWait)
        {
            return base.CreateTimer(callback, state, dueTime, period);
        }
        lock (_lock)
        {
            _waits.Add((Now + dueTime, () => callback(state)));
        }
        return base.CreateTimer(static _ => { }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Lets time pass: ends the long waits that are over by then.</summary>
    public void Advance(TimeSpan by)
    {
        List<Action> due;
        lock (_lock)
        {
            Now += by;
            _skipped += by;
            due = [.. _waits.Where(wait => wait.Due <= Now).Select(wait => wait.Fire)];
            _waits.RemoveAll(wait => wait.Due <= Now);
        }
        due.ForEach(fire => fire());
    }
}
