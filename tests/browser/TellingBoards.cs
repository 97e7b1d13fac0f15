using System.Net.Http.Json;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Protocol.Status;
using Bootstrap.Support;

namespace Bootstrap.Browser.Tests;

/// <summary>Boards that tell their status over their links, as long as somebody watches.</summary>
internal sealed class TellingBoards(TestAppliance appliance) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<(SimulatedNode Node, Dictionary<string, double> Values, Task Telling)> _boards = [];

    public IReadOnlyList<SimulatedNode> Nodes => [.. _boards.Select(board => board.Node)];

    /// <summary>Does what a board is ordered, by its number; null: nothing is.</summary>
    public Func<int, SimulatedNode, StartTask, Task>? Ordered { get; set; }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async Task<SimulatedNode> AddAsync(int number, string location, double temperature, string[] flags)
    {
        SimulatedNode node = await SimulatedNode.ConnectAsync(
            appliance.Info, NodeId.Parse($"10000000a1{number:x6}"), NodeRole.Slave, "arm64", Cancelled);
        using HttpClient api = appliance.CreateClient();
        var edit = new { name = $"rack-{number:00}", location };
        (await api.PatchAsJsonAsync($"nodes/{node.Id}", edit, Cancelled)).EnsureSuccessStatusCode();
        var values = new Dictionary<string, double>
        {
            [Metrics.Temperature] = temperature,
            [Metrics.Busy] = number,
            [Metrics.Clock] = 1500,
            [Metrics.NominalClock] = 1500,
            [Metrics.MemoryUsed] = 40,
            [Metrics.Uptime] = 90_000,
            [MetricKey.Of(Metrics.FileSystemUsed, "/")] = 63,
            [MetricKey.Of(Metrics.FileSystemSize, "/")] = 31e9,
            [MetricKey.Of(Metrics.LinkSpeed, "eth0")] = 1000,
            [Metrics.UnderVoltage] = 0,
            [Metrics.Throttled] = 0,
        };
        for (int core = 0; core < 4; core++)
        {
            values[MetricKey.Of(Metrics.Busy, $"{core}")] = core == 3 ? number + 3 : 20 * core;
        }
        foreach (string flag in flags)
        {
            values[flag] = 1;
        }
        _boards.Add((node, values, TellAsync(_boards.Count, node, values)));
        return node;
    }

    public void Set(int number, string metric, double value)
    {
        lock (_boards[number].Values)
        {
            _boards[number].Values[metric] = value;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach ((SimulatedNode node, _, Task telling) in _boards)
        {
            await telling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await node.DisposeAsync();
        }
        _stop.Dispose();
    }

    private async Task TellAsync(int number, SimulatedNode node, Dictionary<string, double> values)
    {
        WatchStatus? asked = null;
        var changes = new StatusChanges();
        Task<LinkMessage> next = node.ReceiveAsync<LinkMessage>(_stop.Token);
        while (true)
        {
            await Task.WhenAny(next, Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, _stop.Token));
            if (next.IsCompleted)
            {
                LinkMessage message = await next;
                next = node.ReceiveAsync<LinkMessage>(_stop.Token);
                if (message is WatchStatus watch)
                {
                    (asked, changes) = (watch, new StatusChanges());
                }
                else if (message is StartTask start && Ordered is { } does)
                {
                    await node.SendAsync(new TaskAccepted(start.TaskId), _stop.Token);
                    await does(number, node, start);
                }
            }
            if (asked is { Seconds: > 0 } && changes.Next(Read(values), asked.Metrics?.ToHashSet()) is { } status)
            {
                await node.SendAsync(new StatusReport(status), _stop.Token);
            }
        }
    }

    private static StatusReading Read(Dictionary<string, double> values)
    {
        lock (values)
        {
            return new(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), new Dictionary<string, double>(values),
                new Dictionary<string, string> { [StatusFact.Governor] = "ondemand" }, [new ProcessReading(812, "stress", 97, 12 << 20)]);
        }
    }
}
