using Bootstrap.Protocol.Link;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Agent.Status;

/// <summary>Tells the node's status over its link, for those who cannot reach the node itself, as long as the appliance asks for
/// it.</summary>
/// <param name="feed">What is told.</param>
/// <param name="send">Puts a message on the link.</param>
/// <param name="clock">Measures how long it was asked for.</param>
public sealed class StatusRelay(StatusFeed feed, Action<LinkMessage> send, TimeProvider clock) : IDisposable
{
    private const int LongestSeconds = 300;

    private readonly Lock _lock = new();
    private Watch? _watch;

    /// <summary>The appliance asks, or ends it.</summary>
    public void Hear(WatchStatus asked)
    {
        lock (_lock)
        {
            if (asked.Seconds <= 0)
            {
                End();
                return;
            }
            if (_watch is null)
            {
                feed.Read += Tell;
            }
            _watch?.Processes?.Dispose();
            _watch = new Watch(asked, clock.GetTimestamp(), asked.Metrics is null ? null : [.. asked.Metrics],
                asked.Metrics is null ? feed.Watch() : null);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            End();
        }
    }

    private void Tell(StatusReading reading)
    {
        lock (_lock)
        {
            if (_watch is not { } watch)
            {
                return;
            }
            if (clock.GetElapsedTime(watch.Since).TotalSeconds > Math.Min(watch.Asked.Seconds, LongestSeconds))
            {
                End();
                return;
            }
            // A reading may come a little early: half of one is forgiven.
            if (watch.ToldAt is { } told
                && clock.GetElapsedTime(told) < TimeSpan.FromSeconds(watch.Asked.IntervalSeconds) - (StatusFeed.Interval / 2))
            {
                return;
            }
            if (watch.Changes.Next(reading, watch.Wanted) is { } message)
            {
                watch.ToldAt = clock.GetTimestamp();
                send(new StatusReport(message));
            }
        }
    }

    private void End()
    {
        if (_watch is { } watch)
        {
            watch.Processes?.Dispose();
            _watch = null;
            feed.Read -= Tell;
        }
    }

    private sealed record Watch(WatchStatus Asked, long Since, HashSet<string>? Wanted, IDisposable? Processes)
    {
        public StatusChanges Changes { get; } = new();

        public long? ToldAt { get; set; }
    }
}
