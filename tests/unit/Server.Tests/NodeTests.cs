using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

public sealed class NodeTests : ApplianceTest
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_board_waits_for_a_person_and_shows_its_inventory()
    {
        await using SimulatedNode node = await ConnectAsync("10000000aaaa0001");
        Wait wait = await node.ReceiveAsync<Wait>(s_end);
        Assert.Contains("person", wait.Reason);
        JsonNode seen = await GetAsync("nodes/10000000aaaa0001");
        Assert.Equal("new", seen["lifecycle"]!.ToString());
        Assert.Equal("Raspberry Pi 4 Model B Rev 1.4", seen["inventory"]!["model"]!.ToString());
        Assert.Equal("[]", await Api.GetStringAsync("jobs", s_end));
    }

    [Theory]
    [InlineData("""{"type":"dream","of":["electric sheep"]}""")]
    [InlineData("""{"type":"heartbeat2"}""")]
    public async Task A_message_of_a_newer_program_is_passed_over_and_the_node_stays_connected(string message)
    {
        await using SimulatedNode node = await ConnectAsync("10000000aaaa0011");
        await node.SendAsync(message, s_end);
        await node.SendAsync(message, s_end);
        await node.SendAsync(new InventoryReport(node.Inventory with { System = "Debian of tomorrow" }), s_end);
        JsonNode seen = await Poll.UntilAsync(() => GetAsync("nodes/10000000aaaa0011"),
            n => n["inventory"]!["system"]!.ToString() == "Debian of tomorrow", s_end);
        Assert.Equal("net-inst", seen["link"]!.ToString());
    }

    [Theory]
    [InlineData("all", "where nodes are chosen")]
    [InlineData("localhost", "where nodes are chosen")]
    public async Task What_means_something_else_is_no_name_of_a_node(string name, string reason)
    {
        await using SimulatedNode node = await ConnectAsync("10000000aaaa0012");
        using HttpResponseMessage refused = await Api.PatchAsJsonAsync("nodes/10000000aaaa0012", new { name }, s_end);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains(reason, await refused.Content.ReadAsStringAsync(s_end), StringComparison.Ordinal);
        using HttpResponseMessage tag = await Api.PatchAsJsonAsync("nodes/10000000aaaa0012", new { tags = new[] { "none" } }, s_end);
        Assert.Contains("tag:none chooses the nodes that have no tag", await tag.Content.ReadAsStringAsync(s_end),
            StringComparison.Ordinal);
        (await Api.PatchAsJsonAsync("nodes/10000000aaaa0012", new { name = $"{name}-1" }, s_end)).EnsureSuccessStatusCode();
    }

    [Fact]
    public async Task A_wrong_join_token_is_refused()
    {
        ApplianceInfo wrong = Appliance.Info with { JoinToken = new string('0', 64) };
        await Assert.ThrowsAsync<HttpRequestException>(() =>
            SimulatedNode.ConnectAsync(wrong, NodeId.Parse("10000000aaaa0002"), NodeRole.NetInst, "arm64", s_end));
        Assert.Equal("[]", await Api.GetStringAsync("nodes", s_end));
    }

    [Fact]
    public async Task A_certificate_of_another_authority_or_none_is_refused()
    {
        await using TestAppliance other = await TestAppliance.StartAsync();
        using ECDsa key = NodeIdentity.CreateKey();
        var id = NodeId.Parse("10000000aaaa0004");
        EnrolResponse foreign = await SimulatedNode.EnrolAsync(other.Info, key, SimulatedNode.InventoryOf(id, "arm64"), s_end);
        using NodeIdentity identity = NodeIdentity.Create(foreign.Certificate!, key);
        foreach (NodeIdentity? shown in new[] { identity, null })
        {
            using var socket = new ClientWebSocket();
            using var invoker = new HttpMessageInvoker(new ApplianceTls(Appliance.Info.Authority).CreateHandler(shown, _ => { }));
            await Assert.ThrowsAnyAsync<WebSocketException>(() =>
                socket.ConnectAsync(new Uri($"wss://{Appliance.Info.Link}{LinkMessage.Path}"), invoker, s_end));
        }
    }

    [Fact]
    public async Task A_forgotten_node_is_cut_off_at_once_and_its_certificate_is_void()
    {
        await using SimulatedNode node = await ConnectAsync("10000000aaaa0005");
        Assert.Equal(HttpStatusCode.NoContent, (await Api.DeleteAsync($"nodes/{node.Id}", s_end)).StatusCode);
        await Assert.ThrowsAnyAsync<Exception>(() => node.ReceiveAsync<StartTask>(s_end));
        await Assert.ThrowsAnyAsync<WebSocketException>(() => node.RestartAsync(NodeRole.NetInst, cancellation: s_end));
    }

    [Fact]
    public async Task A_node_that_claims_to_be_another_or_talks_nonsense_is_cut_off()
    {
        await using SimulatedNode node = await ConnectAsync("10000000aaaa0006");
        await node.SendAsync(new Welcome("", 0, 0), s_end); // the appliance's own words are ignored
        await node.SendAsync(new TaskEnded(Guid.NewGuid(), true, false, "", DiskState.Installed), s_end); // no such task
        Assert.Equal("net-inst", (await GetAsync($"nodes/{node.Id}"))["link"]!.ToString());
    }

    [Fact]
    public async Task What_makes_no_sense_is_refused_and_counted()
    {
        await using SimulatedNode node = await ConnectAsync("10000000aaaa000a");
        using var stranger = new HttpClient(new ApplianceTls(Appliance.Info.Authority).CreateHandler(null, _ => { }));
        using HttpResponseMessage refused = await stranger.PostAsync(
            $"https://{Appliance.Info.Link}{EnrolRequest.Path}", new StringContent("{\"joinToken\":1}"), s_end);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        using Socket udp = DiscoverySocket.Ask(DiscoverySocket.Interfaces(["lo"]).Single());
        var group = new IPEndPoint(IPAddress.Parse(DiscoveryMessage.Group), ServicePorts.Discovery);
        JsonNode status = await Poll.UntilAsync(async () =>
        {
            await udp.SendToAsync("no discovery"u8.ToArray(), group, s_end);
            return await GetAsync("status");
        }, s => s["malformed"]!["discovery"] is not null, s_end);
        Assert.Equal(1, (int)status["malformed"]!["enrolment"]!);
    }

    [Fact]
    public async Task Names_are_host_names_and_unique()
    {
        await using SimulatedNode one = await ConnectAsync("10000000aaaa0007");
        await using SimulatedNode two = await ConnectAsync("10000000aaaa0008");
        Assert.Equal(HttpStatusCode.OK, (await RenameAsync(one, "front-row-1")).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await RenameAsync(two, "front-row-1")).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await RenameAsync(two, "Front Row")).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await RenameAsync(two, "front-row-1\n")).StatusCode);
        Assert.Equal("front-row-1", (await GetAsync("nodes/front-row-1"))["name"]!.ToString());
    }

    [Fact]
    public async Task A_heartbeat_tells_those_who_watch_of_the_health_alone()
    {
        await using SimulatedNode node = await ConnectAsync("10000000cccc0001");
        using HttpClient watcher = Appliance.CreateClient();
        using HttpResponseMessage events = await watcher.GetAsync("events", HttpCompletionOption.ResponseHeadersRead, s_end);
        using var lines = new StreamReader(await events.Content.ReadAsStreamAsync(s_end));
        await node.SendAsync(new Heartbeat(new Health(60, 0.25, 1_000_000, 41.5, 0)), s_end);
        while (await lines.ReadLineAsync(s_end) is not "event: health")
        {
            // The node's connection, which is told of as well.
        }
        JsonNode told = JsonNode.Parse((await lines.ReadLineAsync(s_end))!["data:".Length..])!;
        Assert.Equal((node.Id.ToString(), 41.5), (told["id"]!.ToString(), told["health"]!["temperatureCelsius"]!.GetValue<double>()));
        Assert.Equal(["id", "health"], told.AsObject().Select(member => member.Key));
        Assert.Equal(0.25, (await GetAsync($"nodes/{node.Id}"))["health"]!["load"]!.GetValue<double>());
    }

    [Fact]
    public async Task What_a_node_logs_can_be_read_by_node_and_by_task()
    {
        await using SimulatedNode node = await SlaveAsync("10000000aaaa0009");
        Guid task = await OrderAsync(node);
        await node.SendAsync(new LogLines(null, ["hello"]), s_end);
        await node.SendAsync(new LogLines(task, ["working", new string('x', 5000)]), s_end);
        JsonArray lines = await Poll.UntilAsync(async () => (await GetAsync($"nodes/{node.Id}/log")).AsArray(), l => l.Count == 3, s_end);
        Assert.Equal("hello", lines[0]!["line"]!.ToString());
        Assert.True(lines[2]!["line"]!.ToString().Length < 2100);
        Assert.Equal(2, (await GetAsync($"tasks/{task}/log")).AsArray().Count);
    }

    [Fact]
    public async Task What_all_nodes_of_a_job_say_is_read_as_it_came_and_nothing_of_another_job()
    {
        await using SimulatedNode one = await SlaveAsync("10000000aaaa000c");
        await using SimulatedNode two = await SlaveAsync("10000000aaaa000d");
        await using SimulatedNode other = await SlaveAsync("10000000aaaa000e");
        using HttpResponseMessage made = await Api.PostAsJsonAsync("jobs",
            new { kind = "reboot", nodes = new[] { one.Id.ToString(), two.Id.ToString() } }, s_end);
        string log = $"jobs/{(await made.Content.ReadFromJsonAsync<JsonNode>(s_end))!["job"]!["id"]}/log";
        (Guid first, Guid second) = ((await one.AcceptTaskAsync(s_end)).TaskId, (await two.AcceptTaskAsync(s_end)).TaskId);
        await other.SendAsync(new LogLines(await OrderAsync(other), ["of another job"]), s_end);
        await one.SendAsync(new LogLines(null, ["of no job"]), s_end);
        (SimulatedNode Node, Guid Task, string Line)[] said = [(one, first, "a"), (two, second, "b"), (one, first, "c")];
        for (int i = 0; i < said.Length; i++)
        {
            await said[i].Node.SendAsync(new LogLines(said[i].Task, [said[i].Line]), s_end);
            await Poll.UntilAsync(async () => (await GetAsync(log)).AsArray(), lines => lines.Count == i + 1, s_end);
        }
        JsonArray all = (await GetAsync(log)).AsArray();
        Assert.Equal(said.Select(s => (s.Task.ToString(), s.Line)), all.Select(l => (l!["task"]!.ToString(), l["line"]!.ToString())));
        Assert.Equal(["c"], (await GetAsync($"{log}?after={all[1]!["id"]}")).AsArray().Select(l => l!["line"]!.ToString()));
    }

    [Fact]
    public async Task A_node_that_names_the_task_of_another_writes_into_its_own_log_alone()
    {
        await using SimulatedNode node = await SlaveAsync("10000000aaaa000a");
        await using SimulatedNode liar = await SlaveAsync("10000000aaaa000b");
        Guid task = await OrderAsync(node);
        await liar.SendAsync(new LogLines(task, ["all is well"]), s_end);
        JsonNode line = (await Poll.UntilAsync(async () => (await GetAsync($"nodes/{liar.Id}/log")).AsArray(), l => l.Count == 1,
            s_end))[0]!;
        Assert.Equal(("all is well", null), (line["line"]!.ToString(), line["task"]));
        Assert.Empty((await GetAsync($"tasks/{task}/log")).AsArray());
        Assert.Empty((await GetAsync($"nodes/{node.Id}/log")).AsArray());
    }

    [Fact]
    public async Task Of_a_flood_of_lines_no_more_are_written_than_are_kept_and_the_rest_is_counted()
    {
        const int lines = 60_000;
        await using SimulatedNode node = await SlaveAsync("10000000aaaa000c");
        await node.SendAsync(new LogLines(null, [.. Enumerable.Repeat("", lines)]), s_end);
        JsonArray kept = await Poll.UntilAsync(async () => (await GetAsync($"nodes/{node.Id}/log")).AsArray(), l => l.Count > 0, s_end);
        Assert.InRange((long)kept[^1]!["id"]!, 1, NodeLog.Kept);
        JsonArray later = await Poll.UntilAsync(async () =>
        {
            await node.SendAsync(new LogLines(null, ["after"]), s_end);
            return (await GetAsync($"nodes/{node.Id}/log")).AsArray();
        }, l => l[^1]!["line"]!.ToString() == "after", s_end);
        Assert.Contains(later,
            line => line!["line"]!.ToString().EndsWith(" lines that came too fast were left out)", StringComparison.Ordinal));
    }

    private async Task<SimulatedNode> SlaveAsync(string id) =>
        await SimulatedNode.ConnectAsync(Appliance.Info, NodeId.Parse(id), NodeRole.Slave, "arm64", s_end);

    /// <summary>Gives the node a task.</summary>
    private async Task<Guid> OrderAsync(SimulatedNode node)
    {
        (await Api.PostAsJsonAsync("jobs", new { kind = "reboot", nodes = new[] { node.Id.ToString() } }, s_end)).EnsureSuccessStatusCode();
        return (await node.AcceptTaskAsync(s_end)).TaskId;
    }

    private Task<HttpResponseMessage> RenameAsync(SimulatedNode node, string name) =>
        Api.PatchAsJsonAsync($"nodes/{node.Id}", new { name }, s_end);

    private async Task<JsonNode> GetAsync(string path) => (await Api.GetFromJsonAsync<JsonNode>(path, s_end))!;
}
