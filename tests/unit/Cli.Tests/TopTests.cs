using System.Text.Json.Nodes;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Protocol.Status;
using Bootstrap.Support;

namespace Bootstrap.Cli.Tests;

/// <summary><c>bootstrap top</c>, of a node that this machine cannot reach itself.</summary>
public sealed class TopTests
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_node_is_shown_by_way_of_the_appliance_and_one_that_lies_is_named()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode good = await ConnectAsync(line, 1), bad = await ConnectAsync(line, 2);
        Task<(int Code, string Output, string Errors)> top = line.RunAsync("top", "--once", "--json");
        await TellAsync(good, new() { [Metrics.Temperature] = 61.5, [Metrics.Busy] = 7 });
        await TellAsync(bad, new() { [Metrics.Temperature] = 1e300 });
        (int code, string output, string errors) = await top;
        Assert.Equal((0, ""), (code, errors));
        JsonArray nodes = JsonNode.Parse(output)!.AsArray();
        JsonNode Of(SimulatedNode node) => nodes.Single(n => n!["node"]!.ToString() == node.Id.ToString())!;
        Assert.Equal(("relayed", 61.5), (Of(good)["way"]!.ToString(), Of(good)["values"]![Metrics.Temperature]!.GetValue<double>()));
        Assert.Equal("a value that no machine has", Of(bad)["fault"]!.ToString());
    }

    [Fact]
    public async Task Where_nothing_can_be_shown_it_is_said_why()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        (int code, _, string errors) = await line.RunAsync("top", "--once");
        Assert.Equal(1, code);
        Assert.Equal("bootstrap: no node tells its status: Slaves do, once they are connected", errors);
        (code, _, errors) = await line.RunAsync("top", "--by", "warmth");
        Assert.Equal(2, code);
        Assert.StartsWith("bootstrap: There is no metric 'warmth': they are cpu.busy, ", errors, StringComparison.Ordinal);
        (code, _, errors) = await line.RunAsync("top", "--data", line.Folder);
        Assert.Equal(2, code);
        Assert.Contains("its authority cannot be read", errors, StringComparison.Ordinal);
    }

    private static Task<SimulatedNode> ConnectAsync(CommandLine line, int number) => SimulatedNode.ConnectAsync(
        line.Appliance.Info, NodeId.Parse($"10000000cccc{number:d4}"), NodeRole.Slave, "arm64", s_end);

    private static async Task TellAsync(SimulatedNode node, Dictionary<string, double?> values)
    {
        await node.ReceiveAsync<WatchStatus>(s_end);
        await node.SendAsync(new StatusReport(new StatusMessage(0, 1000, true, values)), s_end);
    }
}
