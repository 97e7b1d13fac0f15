using Bootstrap.Link;
using Bootstrap.Protocol.Link;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Bench;

/// <summary>What nodes tell of themselves by way of the appliance, once it asks: each second another temperature, and all else as a Slave
/// tells it.</summary>
internal sealed class StatusLoad(TimeProvider clock)
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<NodeLink, Watched> _watched = [];
    private int _readings;

    private sealed record Watched(WatchStatus Asked, StatusChanges Changes)
    {
        public int Due { get; set; }
    }

    /// <summary>A node is asked, or told that nobody watches it any more.</summary>
    public void Hear(NodeLink link, WatchStatus asked)
    {
        lock (_lock)
        {
            _watched.Remove(link);
            if (asked.Seconds > 0)
            {
                _watched[link] = new Watched(asked, new StatusChanges());
            }
        }
    }

    /// <summary>Tells until cancelled.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(s_interval, clock);
        while (await timer.WaitForNextTickAsync(stop))
        {
            StatusReading reading = Read();
            lock (_lock)
            {
                foreach ((NodeLink link, Watched watched) in _watched)
                {
                    if (watched.Due-- > 0)
                    {
                        continue;
                    }
                    watched.Due = watched.Asked.IntervalSeconds - 1;
                    if (watched.Changes.Next(reading, watched.Asked.Metrics?.ToHashSet()) is { } message)
                    {
                        link.Outbox.Add(new StatusReport(message));
                    }
                }
            }
        }
    }

    private StatusReading Read()
    {
        int second = _readings++;
        var values = new Dictionary<string, double>
        {
            [Metrics.Temperature] = 45 + (second % 30),
            [Metrics.Busy] = second * 7 % 100,
            [Metrics.Load1] = 0.5 + (second % 10),
            [Metrics.Memory] = 3_980_000_000,
            [Metrics.MemoryUsed] = 1_000_000_000 + (second % 60 * 10_000_000d),
            [Metrics.Clock] = 1500,
            [Metrics.Throttled] = 0,
            [Metrics.UnderVoltage] = 0,
        };
        return new StatusReading(clock.GetUtcNow().ToUnixTimeMilliseconds(), values,
            new Dictionary<string, string> { [StatusFact.Kernel] = "6.1.0-35-arm64" }, []);
    }
}
