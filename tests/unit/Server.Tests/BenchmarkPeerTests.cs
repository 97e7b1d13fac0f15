using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

/// <summary>The appliance as the other end of benchmarks of the network.</summary>
public sealed class BenchmarkPeerTests : JobTest
{
    [Fact]
    public async Task A_node_that_waits_to_be_quiet_may_still_measure_when_the_appliance_has_restarted()
    {
        await using SimulatedNode node = await ConnectAsync();
        await OrderAsync(new { kind = "benchmark", nodes = new[] { "all" }, parameters = new { benchmark = "network-send" } });
        StartTask start = await node.AcceptTaskAsync(s_end);
        byte[] told = ((BenchmarkOrder)start.Order).Plan.Peer!.Secret;
        await node.ReportAsync(start.TaskId, "waiting until the node is quiet", 0, 0, s_end);
        Assert.True(Secrets.Any);

        await Appliance.RestartAsync();
        Assert.False(Secrets.Any);
        await node.RestartAsync(NodeRole.Slave, activeTasks: [start.TaskId], cancellation: s_end);
        await Poll.UntilAsync(() => Task.FromResult(Secrets.Any), any => any, s_end);
        Secrets.Remove(told);
        Assert.False(Secrets.Any);
    }

    [Fact]
    public async Task Who_works_on_nothing_that_the_appliance_knows_may_measure_nothing()
    {
        await using SimulatedNode node = await ConnectAsync();
        string job = await OrderAsync(new { kind = "benchmark", nodes = new[] { "all" }, parameters = new { benchmark = "network-send" } });
        StartTask start = await node.AcceptTaskAsync(s_end);
        await node.SendAsync(new TaskEnded(start.TaskId, false, false, "no network", DiskState.Untouched), s_end);
        await UntilAsync(job, "failed");
        await node.RestartAsync(NodeRole.Slave, activeTasks: [start.TaskId, Guid.NewGuid()], cancellation: s_end);
        // Its next order comes when all that concerns its connection is done.
        await OrderAsync(new { kind = "reboot", nodes = new[] { "all" } });
        await node.AcceptTaskAsync(s_end);
        Assert.False(Secrets.Any);
    }

    private async Task<SimulatedNode> ConnectAsync()
    {
        SimulatedNode node = await ConnectAsync("10000000cccc0001");
        await node.RestartAsync(NodeRole.Slave, cancellation: s_end);
        return node;
    }

    private PeerSecrets Secrets => Appliance.Services.GetRequiredService<BenchmarkPeers>().Secrets;
}
