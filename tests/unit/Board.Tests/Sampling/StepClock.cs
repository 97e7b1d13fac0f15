namespace Bootstrap.Board.Tests.Sampling;

/// <summary>A clock that stands still until it is told how far to go.</summary>
public sealed class StepClock : TimeProvider
{
    private TimeSpan _elapsed;

    public override long GetTimestamp() => (long)(_elapsed.TotalSeconds * TimestampFrequency);

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + TimeSpan.FromDays(20_000) + _elapsed;

    public void Step(double seconds) => _elapsed += TimeSpan.FromSeconds(seconds);
}
