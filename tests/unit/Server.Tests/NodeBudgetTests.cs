using System.Net.WebSockets;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Http;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>What a node, and who watches, may cost the appliance.</summary>
public sealed class NodeBudgetTests : ApplianceTest
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_node_that_sends_too_much_is_cut_off_and_the_largest_log_of_a_node_is_heard()
    {
        await using SimulatedNode node = await ConnectAsync("10000000abcdef01");
        // Each of these characters is six bytes in JSON.
        await node.SendAsync(new LogLines(null, [.. Enumerable.Repeat(new string('\u65e5', 500), 100)]), s_end);
        await Poll.UntilAsync(() => Api.GetStringAsync("nodes/10000000abcdef01/log", s_end),
            log => log.Contains("\u65e5\u65e5", StringComparison.Ordinal)
            || log.Contains("\\u65E5\\u65E5", StringComparison.OrdinalIgnoreCase), s_end);
        await node.SendAsync(new InventoryReport(node.Inventory with { Model = new string('x', 900_000) }), s_end);
        await Assert.ThrowsAsync<InvalidOperationException>(() => node.ReceiveAsync<StartTask>(s_end));
    }

    [Fact]
    public async Task A_node_has_so_many_connections_and_no_more_and_loses_none_of_those_that_work()
    {
        await using SimulatedNode node = await ConnectAsync("10000000abcdef03");
        using var invoker = new HttpMessageInvoker(new ApplianceTls(Appliance.Info.Authority).CreateHandler(node.Identity, _ => { }));
        var open = new List<ClientWebSocket>();
        int refused = 0;
        for (int i = 0; i < ConnectionBudget.OfNode + 20; i++)
        {
            var socket = new ClientWebSocket();
            open.Add(socket);
            try
            {
                await socket.ConnectAsync(new Uri($"wss://{Appliance.Info.Link}{LinkMessage.Path}"), invoker, s_end);
            }
            catch (WebSocketException)
            {
                refused++;
            }
        }
        Assert.Equal(21, refused); // its link is one of them
        await using SimulatedNode other = await ConnectAsync("10000000abcdef04");
        await node.SendAsync(new InventoryReport(node.Inventory with { Model = "still here" }), s_end);
        await Poll.UntilAsync(() => Api.GetStringAsync("nodes/10000000abcdef03", s_end),
            seen => seen.Contains("still here", StringComparison.Ordinal), s_end);
        open.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public async Task A_board_whose_first_message_is_longer_than_an_inventory_is_cut_off()
    {
        Inventory small = SimulatedNode.InventoryOf(NodeId.Parse("10000000abcdef02"), "arm64");
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(Appliance.Info, small, NodeRole.NetInst, s_end);
        node.Inventory = small with { Model = new string('x', 100_000) };
        await Assert.ThrowsAsync<InvalidOperationException>(() => node.RestartAsync(NodeRole.NetInst, cancellation: s_end));
    }

    [Fact]
    public async Task What_is_kept_for_watchers_is_bounded_in_bytes_and_who_missed_more_reads_anew()
    {
        var hub = new EventHub(TimeProvider.System);
        await using IAsyncEnumerator<ApplianceEvent?> slow = hub.WatchAsync(null, s_end).GetAsyncEnumerator(s_end);
        ValueTask<bool> next = slow.MoveNextAsync();
        const int Events = 100;
        for (int i = 0; i < Events; i++)
        {
            hub.Publish("node", new { text = new string('x', 1 << 20) });
        }
        var seen = new List<long>();
        while (await next)
        {
            seen.Add(slow.Current!.Id);
            next = slow.MoveNextAsync();
        }
        // He was cut off. The newest are there when he comes back; what he missed is too much by far, and he is told.
        Assert.InRange(seen.Count, 1, 16);
        long last = seen[0] + Events - 1;
        await using IAsyncEnumerator<ApplianceEvent?> soon = hub.WatchAsync(last - 2, s_end).GetAsyncEnumerator(s_end);
        Assert.True(await soon.MoveNextAsync());
        Assert.Equal(last - 1, soon.Current!.Id);
        await using IAsyncEnumerator<ApplianceEvent?> late = hub.WatchAsync(seen[^1], s_end).GetAsyncEnumerator(s_end);
        Assert.True(await late.MoveNextAsync());
        Assert.Null(late.Current);
    }
}
