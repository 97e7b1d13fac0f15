using Bootstrap.Agent;
using Bootstrap.Agent.Discovery;
using Bootstrap.Agent.Commands;
using Bootstrap.Board;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>The Slave's daemon as its program puts it together, on a board that is none. What it is ordered to run is run on this
/// machine.</summary>
internal sealed class SlaveUnderTest : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly IdentityKeeper _keeper;
    private readonly Task _running;
    private readonly Daemon? _daemon;
    private volatile int _welcomes;

    public SlaveUnderTest(NodeId id, IdentityKeeper keeper, ApplianceInfo appliance, string tasks, TimeProvider clock,
        ISystemPower? power = null, NodeSystem? system = null, string bootId = "boot")
    {
        _keeper = keeper;
        Inventory inventory = SimulatedNode.InventoryOf(id, "arm64");
        var health = new Health(12, 0.42, 3_100_000_000, 48.3, 0);
        var link = new NodeLink(new ApplianceTls(appliance.Authority),
            new ApplianceLocator("under-test", () => [appliance.Link.ToString()], clock), keeper.Current, keeper.RefusedAsync,
            () => new Hello(NodeRole.Slave, "test", bootId, null, inventory, health, _daemon?.CurrentTask is { } task ? [task] : []), () =>
                health, _ => { }, clock)
        {
            Accepted = keeper.Accepted,
        };
        var runner = new TaskRunner(new TaskJournal(tasks), bootId, new NetInstStaging(tasks, tasks, () => keeper.Current),
            power ?? new SystemPower(), link.Outbox, _ => { }, clock, system);
        _daemon = new Daemon(link, runner, keeper, new LedBlinker(tasks, null, clock), Revocations,
            line => _welcomes += line.StartsWith("this node is ", StringComparison.Ordinal) ? 1 : 0, clock);
        _running = RunAsync(runner);
    }

    /// <summary>What it has heard of revoked keys.</summary>
    public Revocations Revocations { get; } = new(null, _ => { });

    /// <summary>How often the appliance has welcomed it.</summary>
    public int Welcomes => _welcomes;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
        _keeper.Dispose();
    }

    private async Task RunAsync(TaskRunner runner)
    {
        await runner.EndLeftoversAsync();
        await _daemon!.RunAsync(_stop.Token);
    }
}
