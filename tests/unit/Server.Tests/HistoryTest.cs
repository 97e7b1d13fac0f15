using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Status;
using Bootstrap.Server.Features.Monitoring.History;
using Bootstrap.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bootstrap.Server.Tests;

/// <summary>A test that has a history of its own, by a clock that it sets.</summary>
public abstract class HistoryTest : IDisposable
{
    private protected static readonly NodeId Node = NodeId.Parse("10000000abcdef01"), Other = NodeId.Parse("10000000abcdef02");

    private readonly string _folder = Directory.CreateTempSubdirectory("test-history-").FullName;

    private protected HistoryTest() => Store = Open(Path);

    private protected string Path => System.IO.Path.Combine(_folder, "history.db");

    /// <summary>Half past ten.</summary>
    private protected SettableClock Clock { get; } = new() { Now = new DateTimeOffset(2026, 3, 1, 10, 30, 20, TimeSpan.Zero) };

    private protected HistoryStore Store { get; private set; }

    private protected long Minute => Clock.Now.ToUnixTimeSeconds() / 60;

    public void Dispose()
    {
        Store.Dispose();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected HistoryStore Open(string path)
    {
        var store = new HistoryStore(path, Clock, NullLogger<HistoryStore>.Instance);
        store.Open();
        return store;
    }

    private protected void Reopen(Action? meanwhile = null)
    {
        Store.Dispose();
        meanwhile?.Invoke();
        Store = Open(Path);
    }

    /// <summary>All that is due.</summary>
    private protected void LookAfter()
    {
        Store.Flush();
        while (Store.Fold())
        {
        }
        while (!Store.Sweep())
        {
        }
    }

    private protected static MinuteSummary Of(long minute, string metric, double min, double mean, double max) =>
        new(minute, new Dictionary<string, Spread> { [metric] = new(min, mean, max) });

    private protected void Heat(long minute, double celsius, NodeId? node = null) =>
        Assert.Null(Store.Add(node ?? Node, Of(minute, Metrics.Temperature, celsius - 1, celsius, celsius + 1)));

    /// <summary>A day of minutes, or what more is asked for of quarters, until now.</summary>
    private protected IReadOnlyList<HistoryPoint> Read(string metric = Metrics.Temperature, double hours = 24, int points = int.MaxValue,
        NodeId? node = null, HistoryStore? store = null) => Assert.Single((store ?? Store).Read(node ?? Node, [Metrics.Find(metric)!],
            Clock.Now.AddHours(-hours), Clock.Now.AddMinutes(1), points).Series).Points;

    /// <summary>Minutes and means.</summary>
    private protected static IEnumerable<(long Minute, double Mean)> Means(IEnumerable<HistoryPoint> points) =>
        points.Select(point => (point.At / 60_000, point.Spread.Mean));
}
