using System.Net;
using System.Net.Sockets;
using System.Text;
using Bootstrap.Protocol.Discovery;
using CsCheck;

namespace Bootstrap.Protocol.Tests;

public sealed class DiscoveryTests
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private static readonly Service s_slave = new(Service.Slave, new Dictionary<string, string> { ["port"] = "1" });

    [Fact]
    public void Messages_come_back_from_their_bytes()
    {
        NodeDescription node = TestPolo.Describe("node-1", [s_slave]);
        DiscoveryMessage[] messages =
        [
            new Query("0123456789abcdef", 500, ["default"], new NodeFilter(
                "backend", Parameters: new Dictionary<string, string> { ["a"] = "b" }), KnownNodes.Of(["x"], 8)[0], 3, 5, "...."),
            new Answer("0123456789abcdef", ["default"], node, 1,
            new PresenceAnchor(1, new byte[16], new byte[16], 2)) { Origin = "10.2.0.9:40213", Relayed = true },
            new Signed([1], [2], new byte[64]),
            new Beat("node-1", "default", 7, new byte[16], 1) { Path = ["relay-1", "relay-2"] },
            new Farewell("node-1", "default", new byte[16]),
            new ProbeRequest("0123456789abcdef", "default", "node-1", "10.0.0.1", 1337, ""),
        ];
        Assert.All(messages, message => Assert.Equal(message.ToBytes(), DiscoveryMessage.Read(message.ToBytes())!.ToBytes()));
    }

    [Fact]
    public async Task A_wire_knows_the_addresses_of_its_own_subnet()
    {
        await using TestPolo polo = await TestPolo.StartAsync("node", [TestPolo.NewMesh()], []);
        Wire wire = polo.Wires.Current.Single();
        Assert.Equal((true, true, false),
            (wire.IsOnLink(wire.Address), wire.IsOnLink(IPAddress.Parse("127.250.1.2")), wire.IsOnLink(IPAddress.Parse("192.0.2.1"))));
    }

    [Fact]
    public void Any_bytes_are_a_message_or_they_are_not_but_nothing_is_thrown() =>
        Gen.Byte.Array[0, 2000].Sample(bytes => { _ = DiscoveryMessage.Read(bytes); });

    [Fact]
    public void Messages_with_damage_are_read_or_not_but_nothing_is_thrown()
    {
        byte[] whole = new Query("0123456789abcdef", 500, ["default"], new NodeFilter("backend"), KnownNodes.Of(["x"], 8)[0]).ToBytes();
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte).Array[1, 4].Sample(damage =>
        {
            byte[] bytes = [.. whole];
            Array.ForEach(damage, d => bytes[d.Item1] = d.Item2);
            (DiscoveryMessage.Read(bytes) as Query)?.Known?.Excludes("x");
        });
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"t\":\"query\",\"v\":3,\"nonce\":\"0123456789abcdef\",\"windowMilliseconds\":1,\"meshes\":[\"m\"]}")]
    [InlineData("{\"t\":\"query\",\"v\":2,\"nonce\":\"short\",\"windowMilliseconds\":1,\"meshes\":[\"m\"]}")]
    [InlineData("{\"t\":\"query\",\"v\":2,\"nonce\":\"0123456789abcdef\",\"windowMilliseconds\":9999999,\"meshes\":[\"m\"]}")]
    [InlineData("{\"t\":\"query\",\"v\":2,\"nonce\":null,\"windowMilliseconds\":1,\"meshes\":[\"m\"]}")]
    [InlineData("{\"t\":\"query\",\"v\":2,\"nonce\":\"0123456789abcdef\",\"windowMilliseconds\":1,\"meshes\":[null]}")]
    [InlineData("{\"t\":\"query\",\"v\":2,\"nonce\":\"0123456789abcdef\",\"windowMilliseconds\":1,\"meshes\":[\"m\"]," +
        "\"known\":{\"salt\":\"\",\"bits\":\"\",\"part\":0,\"parts\":0}}")]
    [InlineData("{\"t\":\"answer\",\"v\":2,\"nonce\":\"0123456789abcdef\",\"meshes\":[\"m\"]," +
        "\"node\":{\"id\":\"x\",\"hostName\":\"x\",\"identity\":{\"role\":\"\",\"kind\":\"\",\"instance\":\"\"},\"parameters\":{}," +
        "\"services\":[null]},\"serviceCount\":0}")]
    [InlineData("{\"t\":\"other\",\"v\":2}")]
    [InlineData("[[[[[[[[[[[[]]]]]]]]]]]]")]
    [InlineData("null")]
    public void What_is_no_message_of_version_2_is_silently_ignored(string json) =>
        Assert.Null(DiscoveryMessage.Read(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public async Task Marco_finds_the_Polos_of_his_meshes_that_have_the_service_each_once()
    {
        (string mine, string other) = (TestPolo.NewMesh(), TestPolo.NewMesh());
        await using var wanted = await TestPolo.StartAsync("wanted", [mine, other], [s_slave]);
        await using var stranger = await TestPolo.StartAsync("other-mesh", [other], [s_slave]);
        await using var different =
            await TestPolo.StartAsync("other-service", [mine], [new Service("else", new Dictionary<string, string>())]);
        Assert.Equal(["wanted"], await FindAsync(new Search { Meshes = [mine], Filter = new NodeFilter(Service.Slave) }));
        Assert.Equal(["other-service", "wanted"], await FindAsync(new Search { Meshes = [mine] }));
        Assert.Equal(["other-mesh", "other-service", "wanted"], await FindAsync(new Search { Meshes = [mine, other] }));
    }

    [Fact]
    public async Task Every_option_of_a_search_acts()
    {
        string mesh = TestPolo.NewMesh();
        await using var first =
            await TestPolo.StartAsync("n1", [mesh], [new Service(
            "web", new Dictionary<string, string> { ["port"] = "80", ["tls"] = "no" })], new Identity("slave", "raspberry-pi-4", "alpha"));
        await using var second = await TestPolo.StartAsync("n2", [mesh],
            [new Service("web", new Dictionary<string, string> { ["port"] = "81" })], new Identity("slave", "raspberry-pi-5", "beta"));
        await using var third = await TestPolo.StartAsync("n3", [mesh], [], new Identity("netinst", "raspberry-pi-5", "gamma"));
        var all = new Search { Meshes = [mesh] };

        Assert.Equal(["n1", "n2"], await FindAsync(all with { Filter = new NodeFilter(Role: "slave") }));
        Assert.Equal(["n2", "n3"], await FindAsync(all with { Filter = new NodeFilter(Kind: "raspberry-pi-5") }));
        Assert.Equal(["n2"], await FindAsync(all with { Filter = new NodeFilter(Role: "slave", Kind: "raspberry-pi-5") }));
        Assert.Equal(["n3"], await FindAsync(all with { Filter = new NodeFilter(Instance: "gamma") }));
        Assert.Equal(["n1"], await FindAsync(
            all with { Filter = new NodeFilter("web", Parameters: new Dictionary<string, string> { ["port"] = "80" }) }));
        Assert.Equal(["n2"], await FindAsync(
            all with { Filter = new NodeFilter(Parameters: new Dictionary<string, string> { ["port"] = "81" }) }));
        Assert.Empty(await FindAsync(
            all with { Filter = new NodeFilter("web", Parameters: new Dictionary<string, string> { ["port"] = "80", ["tls"] = "yes" }) }));
        Assert.Equal(["n1", "n3"], await FindAsync(all with { Filter = new NodeFilter(Nodes: ["n1", "N3"]) }));
        Assert.Equal(["n1", "n3"], await FindAsync(all with { Exclude = ["n2"] }));
        Assert.Equal(["n3"], await FindAsync(all with { Exclude = ["n1", "host-of-n2"] }));
        Assert.Equal(2, (await FindAsync(all with { MaximumNodes = 2 })).Length);
        Assert.Empty(await FindAsync(all with { Timeout = TimeSpan.Zero }));

        var once = new Marco(TestPolo.Loopback, TimeProvider.System);
        await foreach (Found _ in once.FindAsync(all with { Retries = 0 }, s_end))
        {
        }
        Assert.Equal(1, once.Questions);
        var often = new Marco(TestPolo.Loopback, TimeProvider.System);
        await foreach (Found _ in often.FindAsync(all with { Meshes = [TestPolo.NewMesh()], Retries = 4 }, s_end))
        {
        }
        Assert.True(often.Questions >= 4, $"asked {often.Questions} times");
    }

    [Fact]
    public async Task A_search_that_is_told_an_address_asks_there_alone()
    {
        string mesh = TestPolo.NewMesh();
        await using var near = await TestPolo.StartAsync("near", [mesh], [s_slave]);
        await using var far = await TestPolo.StartAsync("far", [mesh], [s_slave]);
        Found one = await FirstAsync(new Search { Meshes = [mesh], Filter = new NodeFilter(Nodes: ["near"]) });
        Assert.Equal(["near"], await FindAsync(new Search { Meshes = [mesh], Address = new IPEndPoint(one.Address, one.Port) }));
    }

    [Fact]
    public async Task All_services_of_a_node_are_told_even_where_no_datagram_holds_them()
    {
        string mesh = TestPolo.NewMesh();
        Service[] many = [.. Enumerable.Range(0, 60)
            .Select(i => new Service($"service-{i}", new Dictionary<string, string> { ["text"] = new('x', 80) }))];
        await using var polo = await TestPolo.StartAsync("talkative", [mesh], many);
        Found found = await FirstAsync(new Search { Meshes = [mesh] });
        Assert.Equal(60, found.ServiceCount);
        Assert.True(found.Node.Services.Count < 60);
        NodeDescription? node = await new Marco(TestPolo.Loopback, TimeProvider.System)
            .ServicesAsync(found, TimeSpan.FromSeconds(5), s_end);
        Assert.Equal(many.Select(s => s.Id), node!.Services.Select(s => s.Id));
        Assert.All(node.Services, s => Assert.Equal(80, s.Parameters["text"].Length));
    }

    [Fact]
    public async Task A_service_of_one_mesh_is_not_told_in_another()
    {
        (string open, string closed) = (TestPolo.NewMesh(), TestPolo.NewMesh());
        await using var polo = await TestPolo.StartAsync("node", [open, closed], [s_slave with { Meshes = [closed] }]);
        Assert.Empty((await FirstAsync(new Search { Meshes = [open] })).Node.Services);
        Assert.Single((await FirstAsync(new Search { Meshes = [closed] })).Node.Services);
        Assert.Empty(await FindAsync(new Search { Meshes = [open], Filter = new NodeFilter(Service.Slave) }));
    }

    [Fact]
    public async Task No_answer_is_longer_than_its_question()
    {
        string mesh = TestPolo.NewMesh();
        await using var polo =
            await TestPolo.StartAsync("talkative", [mesh], [new Service("x", new Dictionary<string, string> { ["long"] = new('y', 600) })]);
        byte[] bare = new Query("0123456789abcdef", 0, [mesh]).ToBytes();
        Assert.Null(await AskAsync(bare, TimeSpan.FromMilliseconds(500)));
        byte[] longer = new Query("0123456789abcdef", 0, [mesh], Padding: new string('.', 500)).ToBytes();
        byte[]? answer = await AskAsync(longer, TimeSpan.FromSeconds(20));
        Assert.InRange(answer!.Length, 1, longer.Length);
    }

    [Fact]
    public void One_source_gets_ten_answers_a_second_and_others_still_theirs()
    {
        var limit = new SourceLimit(SourceLimit.Answers, TimeProvider.System);
        Assert.Equal(SourceLimit.Answers, Enumerable.Range(0, 50).Count(_ => limit.Allows(1)));
        Assert.True(limit.Allows(2));
        Assert.Equal(40, limit.Refusals);
    }

    [Fact]
    public void Known_nodes_are_excluded_and_hardly_any_other_and_another_one_each_time()
    {
        string[] known = [.. Enumerable.Range(0, 5000).Select(i => $"1000000{i:x9}")];
        string[] unknown = [.. Enumerable.Range(5000, 5000).Select(i => $"1000000{i:x9}")];
        IReadOnlyList<KnownNodes> first = KnownNodes.Of(known, 900), second = KnownNodes.Of(known, 900);
        Assert.All(known, id => Assert.True(first.All(part => part.Excludes(id))));
        string[] missed = [.. unknown.Where(id => first.All(part => part.Excludes(id)))];
        Assert.InRange(missed.Length, 0, 5000 * 6 / 100);
        Assert.InRange(missed.Count(id => second.All(part => part.Excludes(id))), 0, 40);
        Assert.All(unknown, id => Assert.InRange(first.Count(part => !part.Excludes(id)), 0, 1));
    }

    [Fact]
    public void Questions_that_name_the_known_nodes_fit_a_datagram()
    {
        foreach (int count in (int[])[1, 100, 1000, 5000])
        {
            IReadOnlyList<byte[]> questions = [.. Marco.QuestionsFor(new Query(Query.NewNonce(), 500, ["default"], new NodeFilter("slave")),
                [.. Enumerable.Range(0, count).Select(i => $"{i}")])];
            Assert.All(questions, question => Assert.Equal(DiscoveryMessage.MaximumBytes, question.Length));
            Assert.All(questions, question => Assert.IsType<Query>(DiscoveryMessage.Read(question)));
            Assert.InRange(questions.Count, 1, 1 + count / 900);
        }
    }

    [Fact]
    public async Task Who_proves_himself_is_told_from_who_does_not_and_a_false_one_does_not_silence_the_true_one()
    {
        string mesh = TestPolo.NewMesh();
        using var authority = new TestAuthority();
        using var others = new TestAuthority();
        await using var proven = await TestPolo.StartAsync("node-a", [mesh], [s_slave], signer: authority.Signer("node-a"));
        await using var double1 = await TestPolo.StartAsync("node-a", [mesh], []);
        await using var unproven = await TestPolo.StartAsync("node-b", [mesh], []);
        await using var stranger = await TestPolo.StartAsync("node-c", [mesh], [], signer: others.Signer("node-c"));
        await using var impostor = await TestPolo.StartAsync("node-d", [mesh], [], signer: authority.Signer("node-a"));
        var found = new List<Found>();
        await foreach (Found f in new Marco(TestPolo.Loopback, TimeProvider.System, authority.Verifier)
            .FindAsync(new Search { Meshes = [mesh] }, s_end))
        {
            found.Add(f);
        }
        Assert.Equal([("node-a", true), ("node-b", false)], found.Select(f => (f.Node.Id, f.IsProven)).Order());
        Assert.Single(found[0].Node.Services);
    }

    private static async Task<string[]> FindAsync(Search search)
    {
        var found = new List<string>();
        await foreach (Found answer in new Marco(TestPolo.Loopback, TimeProvider.System).FindAsync(search, s_end))
        {
            found.Add(answer.Node.Id);
        }
        return [.. found.Order(StringComparer.Ordinal)];
    }

    private static async Task<Found> FirstAsync(Search search)
    {
        await foreach (Found answer in new Marco(TestPolo.Loopback, TimeProvider.System).FindAsync(search, s_end))
        {
            return answer;
        }
        throw new InvalidOperationException("nobody answered");
    }

    internal static async Task<byte[]?> AskAsync(byte[] question, TimeSpan patience, IPAddress? from = null, TimeSpan? again = null)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, IPAddress.HostToNetworkOrder(1));
        socket.Bind(new IPEndPoint(from ?? IPAddress.Loopback, 0));
        using var end = new CancellationTokenSource(patience);
        byte[] buffer = new byte[2000];
        while (true)
        {
            await socket.SendToAsync(question, new IPEndPoint(IPAddress.Parse(DiscoveryMessage.Group), ServicePorts.Discovery), s_end);
            using var wait = CancellationTokenSource.CreateLinkedTokenSource(end.Token);
            wait.CancelAfter(again ?? patience);
            try
            {
                return buffer[..await socket.ReceiveAsync(buffer, wait.Token)];
            }
            catch (OperationCanceledException) when (!end.IsCancellationRequested)
            {
                // Lost in the flood: once more.
            }
            catch (OperationCanceledException)
            {
                return null;
            }
        }
    }
}
