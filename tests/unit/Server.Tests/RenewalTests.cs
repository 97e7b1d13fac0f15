using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Bootstrap.Agent;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>Nodes' certificates live 90 days, and are renewed by themselves after 60.</summary>
public sealed class RenewalTests : IAsyncLifetime
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;
    private static readonly NodeId s_id = NodeId.Parse("10000000bbbb0001");

    private readonly string _folder = Directory.CreateTempSubdirectory("test-renewal-").FullName;
    private readonly SettableClock _applianceClock = new();

    // A board without a battery: what it takes for the time has no say.
    private readonly SettableClock _nodeClock = new() { Now = DateTimeOffset.UnixEpoch };

    private TestAppliance _appliance = null!;
    private HttpClient _api = null!;

    private string IdentityFile => Path.Combine(_folder, NodeFiles.Identity);

    private string NextFile => Path.Combine(_folder, NodeFiles.NextIdentity);

    public async ValueTask InitializeAsync()
    {
        _appliance = await TestAppliance.StartAsync(clock: _applianceClock);
        _api = _appliance.CreateClient();
    }

    public async ValueTask DisposeAsync()
    {
        _api.Dispose();
        await _appliance.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_node_that_runs_for_months_stays_connected_with_ever_newer_certificates()
    {
        using NodeIdentity first = await EnrolAsync();
        await using (SlaveUnderTest slave = Start())
        {
            await ConnectedAsync();
            for (int i = 0; i < 3; i++)
            {
                // It knows the appliance's time, from which on it counts, with the welcome of this connection.
                await Poll.UntilAsync(() => Task.FromResult(slave.Welcomes), welcomes => welcomes > i, s_end);
                string serial = Serial();
                Pass(TimeSpan.FromDays(61));
                await Poll.UntilAsync(() => Task.FromResult(Serial()), s => s != serial, s_end);
                await ConnectedAsync();
            }
        }
        Assert.False(File.Exists(NextFile));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(IdentityFile));
        await Assert.ThrowsAnyAsync<WebSocketException>(() => ConnectAsync(first));
        await using SlaveUnderTest restarted = Start();
        await ConnectedAsync();
    }

    [Theory]
    [InlineData(88)] // with days left
    [InlineData(103)] // run out, and still within the 14 days of grace
    public async Task A_node_that_was_away_is_given_a_new_certificate_as_soon_as_it_is_back(int days)
    {
        using NodeIdentity first = await EnrolAsync();
        Pass(TimeSpan.FromDays(days));
        await using SlaveUnderTest slave = Start();
        await Poll.UntilAsync(() => Task.FromResult(Serial()), s => s != first.Certificate.SerialNumber, s_end);
        await ConnectedAsync();
        Pass(TimeSpan.FromDays(3)); // the first one has run out by now
        using NodeIdentity renewed = NodeIdentity.Load(IdentityFile)!;
        await ConnectAsync(renewed);
    }

    [Fact]
    public async Task A_node_away_for_longer_than_the_grace_waits_for_a_person_and_keeps_its_key()
    {
        using NodeIdentity first = await EnrolAsync();
        Pass(TimeSpan.FromDays(90 + 14) + TimeSpan.FromMinutes(1));
        await using SlaveUnderTest slave = Start();
        JsonNode waiting = await Poll.UntilAsync(
            async () => (await _api.GetFromJsonAsync<JsonArray>("unapproved", s_end))!.SingleOrDefault(), one => one is not null,
            s_end) ?? throw new InvalidOperationException();
        Assert.Equal((s_id.ToString(), Fingerprint(first)), (waiting["id"]!.ToString(), waiting["key"]!.ToString()));
        Assert.Contains("ended on", waiting["reason"]!.ToString());
        Assert.Contains("the 14 days in which it renews it are over", waiting["reason"]!.ToString());
        await Assert.ThrowsAnyAsync<WebSocketException>(() => ConnectAsync(first));
        Assert.Equal("offline", (await _api.GetFromJsonAsync<JsonNode>($"nodes/{s_id}", s_end))!["link"]!.ToString());

        (await _api.PostAsJsonAsync("unapproved/approve",
            new { boards = new[] { new { key = Fingerprint(first), id = s_id.ToString(), replaces = Fingerprint(first) } } },
            s_end)).EnsureSuccessStatusCode();
        await ConnectedAsync();
        await Poll.UntilAsync(() => Task.FromResult(Serial()), s => s != first.Certificate.SerialNumber, s_end);
        await ConnectedAsync();
    }

    [Fact]
    public async Task A_key_approved_after_its_certificates_end_is_good_until_the_next_one_has_come()
    {
        NodeIdentity identity = await EnrolAsync();
        Inventory inventory = SimulatedNode.InventoryOf(s_id, "arm64");
        Pass(TimeSpan.FromDays(105));
        await Assert.ThrowsAnyAsync<WebSocketException>(() => ConnectAsync(identity));
        var shown = new { key = Fingerprint(identity), id = s_id.ToString(), replaces = Fingerprint(identity) };
        (await _api.PostAsJsonAsync("unapproved/approve", new { boards = new[] { shown } }, s_end)).EnsureSuccessStatusCode();

        await using SimulatedNode node = await SimulatedNode.ConnectAsync(_appliance.Info, identity, inventory, NodeRole.Slave, s_end);
        using ECDsa next = NodeIdentity.CreateKey();
        await node.SendAsync(new RenewCertificate(NodeIdentity.CreateSigningRequest(next, s_id)), s_end);
        await node.ReceiveAsync<NodeCertificate>(s_end);
        // The power goes before it is on the disk; a look at the time passes before.
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, s_end);
        await node.SendAsync(new InventoryReport(inventory with { Model = "still here" }), s_end);
        await Poll.UntilAsync(() => _api.GetStringAsync($"nodes/{s_id}", s_end),
            seen => seen.Contains("still here", StringComparison.Ordinal), s_end);
        await node.RestartAsync(NodeRole.Slave, cancellation: s_end);

        // It does not last for ever.
        Pass(TimeSpan.FromDays(15));
        await Assert.ThrowsAnyAsync<WebSocketException>(() => ConnectAsync(identity));
    }

    [Fact]
    public async Task A_link_that_is_open_ends_when_its_certificates_grace_has_passed()
    {
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(_appliance.Info, s_id, NodeRole.Slave, "arm64", s_end);
        Pass(TimeSpan.FromDays(103));
        // Within the grace it is heard; a look at the time passes in between.
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, s_end);
        await node.SendAsync(new InventoryReport(node.Inventory with { Model = "still here" }), s_end);
        await Poll.UntilAsync(() => _api.GetStringAsync($"nodes/{s_id}", s_end),
            seen => seen.Contains("still here", StringComparison.Ordinal), s_end);
        Pass(TimeSpan.FromDays(1.1));
        await CutOffAsync(node);
        await Assert.ThrowsAnyAsync<WebSocketException>(() => node.RestartAsync(NodeRole.Slave, cancellation: s_end));
    }

    [Fact]
    public async Task A_node_that_people_call_otherwise_gets_a_certificate_that_says_so_for_the_same_key()
    {
        using NodeIdentity first = await EnrolAsync();
        await using SlaveUnderTest slave = Start();
        await ConnectedAsync();
        (await _api.PatchAsJsonAsync($"nodes/{s_id}", new { name = "front-row-7" }, s_end)).EnsureSuccessStatusCode();
        await Poll.UntilAsync(() => Task.FromResult(NameOnDisk()), name => name == "front-row-7", s_end);
        using NodeIdentity renamed = NodeIdentity.Load(IdentityFile)!;
        Assert.Equal(Fingerprint(first), Fingerprint(renamed));
    }

    [Fact]
    public async Task What_was_revoked_is_told_to_nodes_that_are_connected_and_to_those_that_come()
    {
        using NodeIdentity first = await EnrolAsync();
        await using SlaveUnderTest slave = Start();
        await ConnectedAsync();
        var other = NodeId.Parse("10000000bbbb0009");
        using ECDsa key = NodeIdentity.CreateKey();
        EnrolResponse answer = await SimulatedNode.EnrolAsync(_appliance.Info, key, SimulatedNode.InventoryOf(other, "arm64"), s_end);
        using NodeIdentity gone = NodeIdentity.Create(answer.Certificate, key);
        Assert.False(slave.Revocations.Contains(Protocol.Trust.FingerprintOf(gone.Certificate.PublicKey)));
        (await _api.DeleteAsync($"nodes/{other}", s_end)).EnsureSuccessStatusCode();
        await Poll.UntilAsync(() => Task.FromResult(slave.Revocations.Contains(Protocol.Trust.FingerprintOf(gone.Certificate.PublicKey))),
            told => told, s_end);

        await _appliance.RestartAsync();
        await using SimulatedNode late = await SimulatedNode.ConnectAsync(_appliance.Info, NodeId.Parse("10000000bbbb000a"),
            NodeRole.Slave, "arm64", s_end);
        Assert.Equal(Fingerprint(gone), Assert.Single((await late.ReceiveAsync<RevokedKeys>(s_end)).Keys).ToString());
        using var anybody = new HttpClient(new ApplianceTls(_appliance.Info.Authority).CreateHandler(null, _ => { }));
        Assert.Equal(Fingerprint(gone) + "\n",
            await anybody.GetStringAsync($"https://{_appliance.Info.Link}{RevokedKeys.PublicPath}", s_end));
    }

    [Fact]
    public async Task The_old_certificate_is_good_until_the_new_one_was_used_and_no_longer()
    {
        Inventory inventory = SimulatedNode.InventoryOf(s_id, "arm64");
        await using SimulatedNode old = await SimulatedNode.ConnectAsync(_appliance.Info, await EnrolAsync(), inventory, NodeRole.Slave,
            s_end);
        ECDsa key = NodeIdentity.CreateKey();
        // Whatever name a request has, the node gets its own.
        await old.SendAsync(new RenewCertificate(NodeIdentity.CreateSigningRequest(key, NodeId.Parse("10000000bbbb0002"))), s_end);
        NodeCertificate answer = await old.ReceiveAsync<NodeCertificate>(s_end);
        await old.RestartAsync(NodeRole.Slave, cancellation: s_end);
        await old.DisconnectAsync(s_end);

        NodeIdentity identity = NodeIdentity.Create(answer.Certificate, key);
        Assert.Equal(s_id.ToString(), identity.Name);
        // Before it has come with the new one, it may not have that on its disk; from then on, nobody believes the old one.
        var former = Protocol.Trust.FingerprintOf(old.Identity.Certificate.PublicKey);
        await using SimulatedNode other = await SimulatedNode.ConnectAsync(_appliance.Info, NodeId.Parse("10000000bbbb000b"),
            NodeRole.Slave, "arm64", s_end);
        Assert.DoesNotContain(former, (await other.ReceiveAsync<RevokedKeys>(s_end)).Keys);
        await using SimulatedNode renewed = await SimulatedNode.ConnectAsync(_appliance.Info, identity, inventory, NodeRole.Slave, s_end);
        Assert.Contains(former, (await other.ReceiveAsync<RevokedKeys>(s_end)).Keys);
        await Assert.ThrowsAnyAsync<WebSocketException>(() => old.RestartAsync(NodeRole.Slave, cancellation: s_end));
    }

    [Fact]
    public async Task A_node_that_asks_for_a_certificate_for_another_nodes_key_is_cut_off()
    {
        using ECDsa key = NodeIdentity.CreateKey();
        Inventory other = SimulatedNode.InventoryOf(NodeId.Parse("10000000bbbb0002"), "arm64");
        Assert.NotEmpty((await SimulatedNode.EnrolAsync(_appliance.Info, key, other, s_end)).Certificate);
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(_appliance.Info, s_id, NodeRole.NetInst, "arm64", s_end);
        await node.SendAsync(new RenewCertificate(NodeIdentity.CreateSigningRequest(key, s_id)), s_end);
        await CutOffAsync(node);
    }

    [Fact]
    public async Task A_request_that_is_not_sound_ends_the_connection_and_is_counted()
    {
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(_appliance.Info, s_id, NodeRole.Slave, "arm64", s_end);
        await node.SendAsync(new RenewCertificate([1, 2, 3]), s_end);
        await CutOffAsync(node);
        Assert.Equal(1, (int)(await _api.GetFromJsonAsync<JsonNode>("status", s_end))!["malformed"]!["link"]!);
    }

    [Fact]
    public async Task A_node_asks_when_a_third_of_its_certificates_life_is_left_by_the_appliances_clock()
    {
        using NodeIdentity identity = await EnrolAsync();
        using IdentityKeeper keeper = Open();
        Assert.Null(keeper.Ask()); // nobody has told the time yet
        keeper.Hear(new Welcome("", 0, _applianceClock.Now.ToUnixTimeSeconds()));
        Assert.Null(keeper.Ask());
        _nodeClock.Advance(TimeSpan.FromDays(59.9));
        Assert.Null(keeper.Ask());
        _nodeClock.Advance(TimeSpan.FromDays(0.2));
        Assert.NotNull(keeper.Ask());
    }

    [Fact]
    public async Task A_certificate_of_another_name_or_authority_is_not_taken()
    {
        using NodeIdentity identity = await EnrolAsync();
        using IdentityKeeper keeper = Open();
        Assert.Null(keeper.Take(new NodeCertificate(identity.Certificate.RawData))); // nobody asked
        RenewCertificate request = AskAtDay61(keeper);
        CertificateAuthority other = CertificateAuthority.Open(Path.Combine(_folder, "other"), TimeProvider.System);
        PublicKey asked = CertificateAuthority.KeyOf(request.Request)!;
        foreach (X509Certificate2 bad in new[] { other.IssueNode(s_id, "node",
            asked), Authority.IssueNode(NodeId.Parse("10000000bbbb0002"), "node", asked) })
        {
            using (bad)
            {
                Assert.Null(keeper.Take(new NodeCertificate(bad.RawData)));
            }
        }
        Assert.Null(keeper.Take(new NodeCertificate(identity.Certificate.RawData))); // for another key
        Assert.Null(keeper.Take(new NodeCertificate([1, 2, 3])));
        Assert.False(File.Exists(NextFile));
        Assert.Equal(identity.Certificate.SerialNumber, keeper.Current.Certificate.SerialNumber);
    }

    [Fact]
    public async Task Whenever_the_power_goes_one_identity_is_there_that_works()
    {
        using NodeIdentity old = await EnrolAsync();
        string renewed;
        using (IdentityKeeper keeper = Open())
        {
            using X509Certificate2 certificate = Authority.IssueNode(s_id, "node", CertificateAuthority.KeyOf(AskAtDay61(keeper).Request)!);
            renewed = keeper.Take(new NodeCertificate(certificate.RawData))!.Certificate.SerialNumber;
            Assert.Equal(old.Certificate.SerialNumber, Serial()); // unproven: the old one is still in its place
        }
        using (IdentityKeeper keeper = Open())
        {
            // Tried first after the restart; the appliance does not know it, and the old one goes on.
            Assert.Equal(renewed, keeper.Current.Certificate.SerialNumber);
            NodeIdentity next = await keeper.RefusedAsync(keeper.Current, s_end);
            Assert.Equal(old.Certificate.SerialNumber, next.Certificate.SerialNumber);
            // Nothing is thrown away: each is tried in its turn, until the appliance takes one.
            Assert.Equal(renewed, (await keeper.RefusedAsync(next, s_end)).Certificate.SerialNumber);
            Assert.True(File.Exists(NextFile));
            Assert.Equal(next, await keeper.RefusedAsync(keeper.Current, s_end));
        }
        using (IdentityKeeper keeper = Open())
        {
            using X509Certificate2 certificate = Authority.IssueNode(s_id, "node", CertificateAuthority.KeyOf(AskAtDay61(keeper).Request)!);
            renewed = keeper.Take(new NodeCertificate(certificate.RawData))!.Certificate.SerialNumber;
            keeper.Accepted(keeper.Current);
        }
        Assert.Equal((renewed, false), (Serial(), File.Exists(NextFile)));
    }

    private CertificateAuthority Authority => (CertificateAuthority)_appliance.Services.GetService(typeof(CertificateAuthority))!;

    private RenewCertificate AskAtDay61(IdentityKeeper keeper)
    {
        keeper.Hear(new Welcome("", 0, _applianceClock.Now.AddDays(61).ToUnixTimeSeconds()));
        return keeper.Ask()!;
    }

    private void Pass(TimeSpan time)
    {
        _applianceClock.Advance(time);
        _nodeClock.Advance(time);
    }

    /// <summary>Makes the board a node, with its identity on its disk.</summary>
    private async Task<NodeIdentity> EnrolAsync()
    {
        ECDsa key = NodeIdentity.CreateKey();
        EnrolResponse answer = await SimulatedNode.EnrolAsync(_appliance.Info, key, SimulatedNode.InventoryOf(s_id, "arm64"), s_end);
        NodeIdentity identity = NodeIdentity.Create(answer.Certificate, key);
        identity.Save(IdentityFile);
        return identity;
    }

    /// <summary>The connection ends, by whichever of the ways that a connection is cut, before a certificate came.</summary>
    private static async Task CutOffAsync(SimulatedNode node) => Assert.True(
        await Record.ExceptionAsync(() => node.ReceiveAsync<NodeCertificate>(s_end)) is WebSocketException or InvalidOperationException
            or IOException);

    private IdentityKeeper Open() => IdentityKeeper.Open(_folder, _appliance.Info.Authority, _ => { }, _nodeClock);

    private SlaveUnderTest Start() => new(s_id, Open(), _appliance.Info, Path.Combine(_folder, "tasks"), _nodeClock);

    private string Serial()
    {
        using NodeIdentity identity = NodeIdentity.Load(IdentityFile)!;
        return identity.Certificate.SerialNumber;
    }

    private string? NameOnDisk()
    {
        using NodeIdentity identity = NodeIdentity.Load(IdentityFile)!;
        return Protocol.Trust.NodeNameOf(identity.Certificate);
    }

    private static string Fingerprint(NodeIdentity identity) => Protocol.Trust.FingerprintOf(identity.Certificate.PublicKey).ToString();

    private Task ConnectedAsync() => Poll.UntilAsync(
        async () => (await _api.GetFromJsonAsync<JsonNode>($"nodes/{s_id}", s_end))!["link"]!.ToString(), link => link == "slave", s_end);

    private async Task ConnectAsync(NodeIdentity identity)
    {
        using var socket = new ClientWebSocket();
        using var invoker = new HttpMessageInvoker(new ApplianceTls(_appliance.Info.Authority).CreateHandler(identity, _ => { }));
        await socket.ConnectAsync(new Uri($"wss://{_appliance.Info.Link}{LinkMessage.Path}"), invoker, s_end);
    }
}
