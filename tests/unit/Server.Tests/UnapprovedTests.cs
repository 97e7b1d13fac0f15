using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

/// <summary>Enrolled is not trusted: a board whose key nobody has approved gets nothing and is part of nothing. A node is its
/// key.</summary>
public sealed class UnapprovedTests : IAsyncLifetime
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;
    private static readonly NodeId s_id = NodeId.Parse("10000000eeee0001");

    private readonly ECDsa _key = NodeIdentity.CreateKey(), _other = NodeIdentity.CreateKey();
    private TestAppliance _appliance = null!;
    private HttpClient _api = null!;

    public async ValueTask InitializeAsync()
    {
        _appliance = await TestAppliance.StartAsync(approve: false);
        _api = _appliance.CreateClient();
    }

    public async ValueTask DisposeAsync()
    {
        _api.Dispose();
        await _appliance.DisposeAsync();
        _key.Dispose();
        _other.Dispose();
    }

    [Fact]
    public async Task The_join_token_allows_to_ask_and_nothing_else()
    {
        EnrolResponse answer = await AskAsync(_key);
        Assert.Empty(answer.Certificate);
        Assert.Contains("approve", answer.Reason);
        Assert.Contains(Fingerprint(_key)[..16], answer.Reason); // a person can compare it with the board's console
        JsonNode waiting = Assert.Single((await GetAsync("unapproved")).AsArray())!;
        Assert.Equal((s_id.ToString(), Fingerprint(_key)), (waiting["id"]!.ToString(), waiting["key"]!.ToString()));
        Assert.Null(waiting["claims"]);
    }

    [Theory]
    [InlineData("nodes")]
    [InlineData("nodes?select=all")]
    [InlineData("nodes.json")]
    [InlineData("nodes.csv")]
    public async Task An_unapproved_board_is_in_no_list_of_nodes(string list)
    {
        await AskAsync(_key);
        Assert.DoesNotContain(s_id.ToString(), await _api.GetStringAsync(list, s_end));
        Assert.Equal(HttpStatusCode.NotFound, (await _api.GetAsync($"nodes/{s_id}", s_end)).StatusCode);
        HttpResponseMessage order = await _api.PostAsJsonAsync("jobs", new { kind = "reboot", nodes = new[] { s_id.ToString() } }, s_end);
        Assert.Equal(HttpStatusCode.BadRequest, order.StatusCode);
    }

    [Fact]
    public async Task A_person_approves_the_key_that_was_shown_and_only_that_one()
    {
        await AskAsync(_key);
        await AskAsync(_other); // says that it is the same board
        Assert.Equal(2, (await GetAsync("unapproved")).AsArray().Count);
        Assert.Equal(HttpStatusCode.BadRequest, (await ApproveAsync(_key, _other)).StatusCode);
        Assert.Equal("[]", await _api.GetStringAsync("nodes", s_end));
        Assert.Equal(HttpStatusCode.OK, (await ApproveAsync(_key)).StatusCode);

        Assert.Empty((await AskAsync(_other)).Certificate);
        using NodeIdentity identity = NodeIdentity.Create((await AskAsync(_key)).Certificate, _key);
        Assert.Equal((s_id.ToString(), "node-ee0001"), (identity.Name, Protocol.Trust.NodeNameOf(identity.Certificate)));
        JsonNode node = await GetAsync($"nodes/{s_id}");
        Assert.Equal((Fingerprint(_key), "true"), (node["key"]!.ToString(), node["wantsApproval"]!.ToString()));
    }

    [Fact]
    public async Task A_key_that_does_not_ask_now_cannot_be_approved()
    {
        await AskAsync(_key);
        Assert.Equal(HttpStatusCode.NotFound, (await ApproveAsync(_key, _other)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await ApproveAsync()).StatusCode);
        Assert.Equal("[]", await _api.GetStringAsync("nodes", s_end));
        HttpResponseMessage part = await _api.PostAsJsonAsync("unapproved/approve", Choice([Fingerprint(_key)[..16]]), s_end);
        Assert.Equal(HttpStatusCode.BadRequest, part.StatusCode);
    }

    [Fact]
    public async Task A_board_that_says_meanwhile_that_it_is_another_node_is_not_approved_as_that()
    {
        await using SimulatedNode node = await InstallAsync();
        var shown = NodeId.Parse("10000000eeee0009");
        await AskAsync(_other, SimulatedNode.InventoryOf(shown, "arm64"));
        await AskAsync(_other); // a moment before the person's click
        HttpResponseMessage answer = await _api.PostAsJsonAsync("unapproved/approve", Choice([Fingerprint(_other)], shown), s_end);
        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
        Assert.Equal(Fingerprint(_key), (await GetAsync($"nodes/{s_id}"))["key"]!.ToString());
        Assert.Equal(HttpStatusCode.NotFound, (await _api.GetAsync($"nodes/{shown}", s_end)).StatusCode);
    }

    [Fact]
    public async Task Viewers_see_who_waits_and_approve_nobody()
    {
        await AskAsync(_key);
        using HttpClient viewer = _appliance.CreateClient(Role.Viewer);
        Assert.Single((await viewer.GetFromJsonAsync<JsonArray>("unapproved", s_end))!);
        Assert.Equal(HttpStatusCode.Forbidden,
            (await viewer.PostAsJsonAsync("unapproved/approve", Choice([Fingerprint(_key)]), s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await viewer.DeleteAsync($"unapproved/{Fingerprint(_key)}", s_end)).StatusCode);
    }

    [Fact]
    public async Task A_rejected_board_is_not_listed_again_and_its_name_is_free_for_the_true_one()
    {
        await AskAsync(_other);
        Assert.Equal(HttpStatusCode.NoContent, (await _api.DeleteAsync($"unapproved/{Fingerprint(_other)}", s_end)).StatusCode);
        Assert.Empty((await AskAsync(_other)).Certificate);
        await AskAsync(_key);
        Assert.Equal(Fingerprint(_key), Assert.Single((await GetAsync("unapproved")).AsArray())!["key"]!.ToString());
    }

    [Fact]
    public async Task A_board_with_another_key_takes_nothing_of_a_node_and_people_see_both()
    {
        await using SimulatedNode node = await InstallAsync();
        NodeId secret = node.Id;
        await node.DisconnectAsync(s_end);
        // An installation waits for the node, which is away: the moment of the attack.
        await _api.PostAsJsonAsync("jobs", new { kind = "install", nodes = new[] { s_id.ToString() }, image = "tiny" }, s_end);
        EnrolResponse answer = await AskAsync(_other);
        Assert.Empty(answer.Certificate);

        JsonNode claim = Assert.Single((await GetAsync("unapproved")).AsArray())!;
        Assert.Equal((Fingerprint(_other), Fingerprint(_key)), (claim["key"]!.ToString(), claim["claims"]!["key"]!.ToString()));
        Assert.Equal(secret.ToString(), claim["claims"]!["id"]!.ToString());
        Assert.Equal("Raspberry Pi 4 Model B Rev 1.4", claim["claims"]!["inventory"]!["model"]!.ToString());
        Assert.Contains((await GetAsync("audit")).AsArray(),
            e => e!["what"]!.ToString() == "Claim a node with another key" && e["subject"]!.ToString().Contains(Fingerprint(_other)));

        // The true one comes back and gets what was meant for it.
        await node.RestartAsync(NodeRole.NetInst, cancellation: s_end);
        Assert.IsType<InstallOrder>((await node.ReceiveAsync<StartTask>(s_end)).Order);
    }

    [Fact]
    public async Task A_new_key_that_a_person_approves_makes_the_old_one_a_strangers()
    {
        await using SimulatedNode node = await InstallAsync();
        await AskAsync(_other);
        // Who approves has seen the key that it had: by a list from before it was a node, nothing is replaced.
        Assert.Equal(HttpStatusCode.Conflict, (await ApproveAsync(_other)).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict,
            (await _api.PostAsJsonAsync("unapproved/approve", Choice([Fingerprint(_other)], replaces: Fingerprint(_other)), s_end))
            .StatusCode);
        Assert.Equal(HttpStatusCode.OK,
            (await _api.PostAsJsonAsync("unapproved/approve", Choice([Fingerprint(_other)], replaces: Fingerprint(_key)), s_end))
            .StatusCode);
        await Assert.ThrowsAnyAsync<Exception>(() => node.ReceiveAsync<StartTask>(s_end)); // cut off at once
        await Assert.ThrowsAnyAsync<WebSocketException>(() => node.RestartAsync(NodeRole.Slave, cancellation: s_end));

        NodeIdentity swapped = NodeIdentity.Create((await AskAsync(_other)).Certificate, _other);
        await using SimulatedNode replaced = await SimulatedNode.ConnectAsync(_appliance.Info, swapped, node.Inventory, NodeRole.NetInst,
            s_end);
        JsonNode seen = await GetAsync($"nodes/{s_id}");
        Assert.Equal(("installed", Fingerprint(_other)), (seen["lifecycle"]!.ToString(), seen["key"]!.ToString()));
        Assert.Contains((await GetAsync("audit")).AsArray(), e =>
            e!["what"]!.ToString() == "Tie a key to a node" && e["who"]!.ToString() == "admin" &&
            e["subject"]!.ToString() == $"{s_id}: key {Fingerprint(_other)}, before: {Fingerprint(_key)}");
        Assert.Contains(Protocol.Trust.FingerprintOf(Public(_key)), _appliance.Services.GetRequiredService<NodeKeys>().Revoked.Keys);
    }

    [Fact]
    public async Task A_key_that_was_replaced_gets_nothing_by_a_connection_that_it_has_kept_open()
    {
        await using SimulatedNode node = await InstallAsync();
        NodeIdentity stolen = NodeIdentity.Create((await AskAsync(_key)).Certificate, Copy(_key, NodeIdentity.CreateKey()));
        await node.DisconnectAsync(s_end);
        using var invoker = new HttpMessageInvoker(new ApplianceTls(_appliance.Info.Authority).CreateHandler(stolen, _ => { }));
        using var open = new ClientWebSocket();
        await open.ConnectAsync(new Uri($"wss://{_appliance.Info.Link}{LinkMessage.Path}"), invoker, s_end);
        await AskAsync(_other);
        (await _api.PostAsJsonAsync("unapproved/approve", Choice([Fingerprint(_other)], replaces: Fingerprint(_key)), s_end))
            .EnsureSuccessStatusCode();
        await _api.PostAsJsonAsync("jobs", new { kind = "install", nodes = new[] { s_id.ToString() }, image = "tiny" }, s_end);

        byte[] hello = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(
            new Hello(NodeRole.NetInst, "test", "boot", null, node.Inventory, new Health(1, 0, 1, null, null), []),
            ProtocolJson.Default.LinkMessage);
        await open.SendAsync(hello, WebSocketMessageType.Text, true, s_end);
        byte[] buffer = new byte[64 << 10];
        // It is cut, in whichever way, before one word has come.
        Exception? cut = await Record.ExceptionAsync(async () =>
            Assert.Equal(WebSocketMessageType.Close, (await open.ReceiveAsync(buffer.AsMemory(), s_end)).MessageType));
        Assert.True(cut is null or WebSocketException, cut?.ToString());
        Assert.Equal("offline", (await GetAsync($"nodes/{s_id}"))["link"]!.ToString());
    }

    [Fact]
    public async Task A_node_that_the_appliance_has_forgotten_is_listed_when_it_comes_and_can_be_approved_again()
    {
        await using SimulatedNode node = await InstallAsync();
        await _api.DeleteAsync($"nodes/{s_id}", s_end);
        await Assert.ThrowsAnyAsync<WebSocketException>(() => node.RestartAsync(NodeRole.Slave, cancellation: s_end));
        JsonNode waiting = Assert.Single((await GetAsync("unapproved")).AsArray())!;
        Assert.Equal((s_id.ToString(), Fingerprint(_key), ""),
            (waiting["id"]!.ToString(), waiting["key"]!.ToString(), waiting["inventory"]!["model"]!.ToString()));
        Assert.Equal(HttpStatusCode.OK, (await ApproveAsync(_key)).StatusCode);
        await node.RestartAsync(NodeRole.Slave, cancellation: s_end);
        Assert.Equal("Raspberry Pi 4 Model B Rev 1.4", (await GetAsync($"nodes/{s_id}"))["inventory"]!["model"]!.ToString());
    }

    [Theory]
    [InlineData(null, "from an earlier version of the appliance")]
    [InlineData(86_400_000L, "tied to it on 1970-01-02 and not renewed since")]
    public async Task Of_a_node_whose_key_is_old_is_said_what_is_known(long? keyAt, string said)
    {
        await using SimulatedNode node = await InstallAsync();
        await node.DisconnectAsync(s_end);
        _appliance.Services.GetRequiredService<Storage.Database>()
            .Write(c => Dapper.SqlMapper.Execute(c, "UPDATE nodes SET key_at = @keyAt", new { keyAt }));
        Assert.Contains(said, (await AskAsync(_key)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_card_in_another_board_waits_for_a_person_and_is_that_board_afterwards()
    {
        await using SimulatedNode node = await InstallAsync();
        NodeIdentity identity = NodeIdentity.Create((await AskAsync(_key)).Certificate, NodeIdentity.CreateKey() is var own
            ? Copy(_key, own) : _key);
        await node.DisconnectAsync(s_end);
        Inventory board = SimulatedNode.InventoryOf(NodeId.Parse("10000000eeee0002"), "arm64");
        Task<SimulatedNode> held = SimulatedNode.ConnectAsync(_appliance.Info, identity, board, NodeRole.Slave, s_end);
        JsonNode waiting = (await Poll.UntilAsync(async () => (await GetAsync("unapproved")).AsArray().SingleOrDefault(),
            one => one is not null, s_end))!;
        Assert.Equal((board.Id.ToString(), s_id.ToString(), Fingerprint(_key)),
            (waiting["id"]!.ToString(), waiting["holder"]!.ToString(), waiting["key"]!.ToString()));
        Assert.Equal("offline", (await GetAsync($"nodes/{s_id}"))["link"]!.ToString());

        Assert.Equal(HttpStatusCode.OK,
            (await _api.PostAsJsonAsync("unapproved/approve", Choice([Fingerprint(_key)], board.Id), s_end)).StatusCode);
        await Assert.ThrowsAnyAsync<Exception>(() => held); // it comes anew
        identity = NodeIdentity.Create((await AskAsync(_key, board)).Certificate, Copy(_key, NodeIdentity.CreateKey()));
        await using SimulatedNode moved = await SimulatedNode.ConnectAsync(_appliance.Info, identity, board, NodeRole.Slave, s_end);
        Assert.Equal("slave", (await GetAsync($"nodes/{board.Id}"))["link"]!.ToString());
        Assert.Null((await GetAsync($"nodes/{s_id}"))["key"]);
    }

    [Fact]
    public async Task New_boards_are_approved_by_the_policy_alone_and_never_in_a_nodes_name()
    {
        await AskAsync(_key);
        (await _api.PutAsJsonAsync("policy",
            new { installNewBoards = new { }, authorizedKeys = Array.Empty<string>(), approveNewBoards = true },
            s_end)).EnsureSuccessStatusCode();
        Inventory board = SimulatedNode.InventoryOf(s_id, "arm64");
        using (ECDsa first = NodeIdentity.CreateKey())
        {
            // A board that is restarted before its installation has begun has its key in memory alone: it comes with another one, and has
            // nothing that any new board would not get.
            Assert.NotEmpty((await AskAsync(first)).Certificate);
        }
        NodeIdentity identity = NodeIdentity.Create((await AskAsync(_key)).Certificate, Copy(_key, NodeIdentity.CreateKey()));
        Assert.Equal("[]", await _api.GetStringAsync("unapproved", s_end));
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(_appliance.Info, identity, board, NodeRole.NetInst, s_end);
        Assert.Empty((await AskAsync(_other)).Certificate); // the true one is there
        await InstallAsync(node);
        await node.DisconnectAsync(s_end);
        Assert.Empty((await AskAsync(_other)).Certificate); // the true one has something
        // Nor does the policy take back what people have forgotten, or did not want.
        await _api.DeleteAsync($"unapproved/{Fingerprint(_other)}", s_end);
        await _api.DeleteAsync($"nodes/{s_id}", s_end);
        Assert.Empty((await AskAsync(_key)).Certificate);
        Assert.Empty((await AskAsync(_other)).Certificate);
        Assert.Contains((await GetAsync("audit")).AsArray(),
            e => e!["who"]!.ToString() == "policy"
            && e["subject"]!.ToString().StartsWith($"{s_id}: key {Fingerprint(_key)}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task No_board_can_have_the_appliances_own_id()
    {
        Inventory appliance = SimulatedNode.InventoryOf(NodeId.Parse(_appliance.Services.GetRequiredService<CertificateAuthority>()
            .Fingerprint.ToString()[..8].Insert(0, "appliance-")), "arm64");
        HttpRequestException refused = await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(_key, appliance));
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
    }

    [Fact]
    public async Task A_request_that_is_too_large_is_refused_before_it_is_parsed()
    {
        using var http = new HttpClient(new ApplianceTls(_appliance.Info.Authority).CreateHandler(null, _ => { }));
        using var content = new ByteArrayContent(new byte[1 << 20]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        Assert.Equal(HttpStatusCode.BadRequest,
            (await http.PostAsync($"https://{_appliance.Info.Link}{EnrolRequest.Path}", content, s_end)).StatusCode);
    }

    [Fact]
    public async Task A_stranger_with_many_keys_fills_his_own_places_alone()
    {
        for (int i = 0; i < UnapprovedBoards.MaximumOfAddress + 3; i++)
        {
            using ECDsa key = NodeIdentity.CreateKey();
            EnrolResponse answer = await AskAsync(key, SimulatedNode.InventoryOf(NodeId.Parse($"10000000ffff{i:x4}"), "arm64"));
            Assert.Equal(i < UnapprovedBoards.MaximumOfAddress, answer.Reason.Contains("approve the board", StringComparison.Ordinal));
            Assert.Empty(answer.Certificate);
        }
        Assert.Equal(UnapprovedBoards.MaximumOfAddress, (await GetAsync("unapproved")).AsArray().Count);
        Assert.Equal("[]", await _api.GetStringAsync("nodes", s_end));
    }

    [Fact]
    public async Task A_node_renews_its_certificate_whoever_asks_without_a_pause_at_its_address()
    {
        Inventory said = SimulatedNode.InventoryOf(s_id, "arm64");
        await AskAsync(_key, said);
        (await ApproveAsync(_key)).EnsureSuccessStatusCode();
        using ECDsa stranger = NodeIdentity.CreateKey();
        EnrolResponse told;
        do
        {
            told = await AskAsync(stranger, said); // in the node's own name
            Assert.Empty(told.Certificate);
        }
        while (told.Reason != "this address asks more often than it was told to");
        Assert.InRange(told.RetryAfterSeconds, 1, UnapprovedBoards.LongestRetrySeconds);
        Assert.NotEmpty((await AskAsync(_key, said)).Certificate);
    }

    [Fact]
    public async Task What_a_board_says_is_kept_without_what_does_something_to_a_terminal()
    {
        Inventory said = SimulatedNode.InventoryOf(s_id, "arm64") with
        {
            Model = "Pi\u001b]0;owned\u0007\u202Eevil",
            Serial = new string('x', 5000),
            Disks = [.. Enumerable.Repeat(SimulatedNode.InventoryOf(s_id, "arm64").Disks[0], 80)],
        };
        await AskAsync(_key, said);
        JsonNode kept = Assert.Single((await GetAsync("unapproved")).AsArray())!["inventory"]!;
        Assert.Equal("Pi\uFFFD]0;owned\uFFFD\uFFFDevil", kept["model"]!.ToString());
        Assert.Equal((200, 64), (kept["serial"]!.ToString().Length, kept["disks"]!.AsArray().Count));
    }

    private static ECDsa Copy(ECDsa key, ECDsa into)
    {
        into.ImportParameters(key.ExportParameters(includePrivateParameters: true));
        return into;
    }

    private static System.Security.Cryptography.X509Certificates.PublicKey Public(ECDsa key) => new(key);

    private static string Fingerprint(ECDsa key) => Protocol.Trust.FingerprintOf(Public(key)).ToString();

    private Task<EnrolResponse> AskAsync(ECDsa key, Inventory? inventory = null) =>
        SimulatedNode.EnrolAsync(_appliance.Info, key, inventory ?? SimulatedNode.InventoryOf(s_id, "arm64"), s_end);

    private Task<HttpResponseMessage> ApproveAsync(params ECDsa[] keys) =>
        _api.PostAsJsonAsync("unapproved/approve", Choice(keys.Select(Fingerprint)), s_end);

    private static object Choice(IEnumerable<string> keys, NodeId? id = null, string? replaces = null) =>
        new { boards = keys.Select(key => new { key, id = (id ?? s_id).ToString(), replaces }) };

    /// <summary>A node with the first key, which runs what was installed on it.</summary>
    private async Task<SimulatedNode> InstallAsync()
    {
        Inventory inventory = SimulatedNode.InventoryOf(s_id, "arm64");
        await AskAsync(_key);
        (await ApproveAsync(_key)).EnsureSuccessStatusCode();
        NodeIdentity identity = NodeIdentity.Create((await AskAsync(_key)).Certificate, Copy(_key, NodeIdentity.CreateKey()));
        SimulatedNode node = await SimulatedNode.ConnectAsync(_appliance.Info, identity, inventory, NodeRole.NetInst, s_end);
        await InstallAsync(node);
        return node;
    }

    private async Task InstallAsync(SimulatedNode node)
    {
        await _api.PostAsync("images?name=tiny&architecture=arm64", new ByteArrayContent(TinyImage.Create()), s_end);
        (await _api.PostAsJsonAsync("jobs", new { kind = "install", nodes = new[] { s_id.ToString() }, image = "tiny" }, s_end))
            .EnsureSuccessStatusCode();
        StartTask start = await node.AcceptTaskAsync(s_end);
        await node.SendAsync(new TaskEnded(start.TaskId, true, false, "", DiskState.Installed), s_end);
        await node.RestartAsync(NodeRole.Slave, start.TaskId, cancellation: s_end);
        await Poll.UntilAsync(() => GetAsync($"nodes/{s_id}"), n => n["lifecycle"]!.ToString() == "installed", s_end);
    }

    private async Task<JsonNode> GetAsync(string path) => (await _api.GetFromJsonAsync<JsonNode>(path, s_end))!;
}
