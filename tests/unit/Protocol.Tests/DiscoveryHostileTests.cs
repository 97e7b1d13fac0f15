using System.Net;
using System.Net.Sockets;
using System.Text;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Protocol.Tests;

/// <summary>Strangers on the wire: what they say is not believed, and what they ask costs them at least as much as it gives.</summary>
public sealed class DiscoveryHostileTests
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private static readonly Service s_slave = new(Service.Slave, new Dictionary<string, string> { ["port"] = "1" });

    [Fact]
    public async Task Whoever_answers_for_a_node_neither_takes_its_name_nor_moves_it()
    {
        string mesh = TestPolo.NewMesh();
        using var authority = new TestAuthority();
        using var others = new TestAuthority();
        MessageSigner thief = others.Signer("node-a"), neighbour = authority.Signer("node-b");
        await using var polo = await TestPolo.StartAsync("node-a", [mesh], [s_slave], signer: authority.Signer("node-a"));
        IPEndPoint place = polo.Wires.Current.Single().Place;
        using var stop = new CancellationTokenSource();
        Task<int> lying = LieAsync(mesh, place, (nonce, earlier) =>
        {
            Answer lie = new(nonce, [mesh], TestPolo.Describe("node-a", []), 0, Address: "192.0.2.66:66");
            return
            [
                lie.ToBytes(),
                (lie with { Origin = "192.0.2.66:66", Relayed = true }).ToBytes(),
                thief.Sign(lie).ToBytes(),
                neighbour.Sign(lie).ToBytes(),
                // What the node has truly signed for other questions, as it was and under this one's nonce.
                .. earlier.Select(signed => signed.ToBytes()),
                .. earlier.Select(signed =>
                (signed with { Body = Replace(signed.Body, MessageVerifier.Read(signed)!.Nonce, nonce) }).ToBytes()),
            ];
        }, stop.Token);
        for (int i = 0; i < 3; i++)
        {
            var found = new List<Found>();
            await foreach (Found f in new Marco(TestPolo.Loopback, TimeProvider.System, authority.Verifier)
                .FindAsync(new Search { Meshes = [mesh] }, s_end))
            {
                found.Add(f);
            }
            Found only = Assert.Single(found);
            Assert.Equal(("node-a", true, place), (only.Node.Id, only.IsProven, new IPEndPoint(only.Address, only.Port)));
            Assert.Single(only.Node.Services);
        }
        await stop.CancelAsync();
        Assert.True(await lying > 0, "the liar has heard no question");
    }

    [Theory]
    [InlineData("10.2.0.9")]
    [InlineData("[fe80::1]:1337")]
    [InlineData("10.2.0.9:0")]
    [InlineData("nowhere:1")]
    [InlineData("")]
    public void An_origin_that_is_no_address_and_port_is_not_looked_at(string origin)
    {
        var sender = new IPEndPoint(IPAddress.Loopback, 7);
        Assert.Equal(sender, (new Answer(Query.NewNonce(), ["m"], TestPolo.Describe("x", []), 0) { Origin = origin }).OriginOr(sender));
    }

    private static readonly string[] s_noAddresses = ["::1", "255.255.255.255", "0.0.0.0", "nowhere"];

    public static TheoryData<string> Noise =>
    [
        "", "{", "\0\0\0\0", "\"query\"", "{\"t\":\"query\"", "{\"v\":2,\"t\":", new string('[', DiscoveryMessage.MaximumBytes),
            new string('{', DiscoveryMessage.MaximumBytes),
        string.Concat(Enumerable.Repeat("{\"t\":", 200)) + "1" + new string('}', 200),
        "{\"t\":\"query\",\"v\":2,\"nonce\":\"0123456789abcdef\",\"windowMilliseconds\":1,\"meshes\":[\"m\"],\"padding\":" +
        new string('[', 300) + new string(']', 300) + "}",
        "{\"t\":\"query\",\"v\":2,\"nonce\":\"0123456789abcdef\",\"windowMilliseconds\":1,\"meshes\":[\"m\"],\"padding\":\"" +
        new string('x', DiscoveryMessage.MaximumBytes) + "\"}",
        "{\"t\":\"query\",\"v\":2,\"nonce\":\"0123456789abcdef\",\"windowMilliseconds\":99999999999999999999,\"meshes\":[\"m\"]}",
        "{\"t\":\"query\",\"v\":2,\"nonce\":\"0123456789abcdef\",\"windowMilliseconds\":1,\"meshes\":[\"m\"],\"skip\":-1}",
        "{\"t\":\"query\",\"v\":2,\"nonce\":\"0123456789abcdef\",\"windowMilliseconds\":1,\"meshes\":[\"m\"]," +
        "\"known\":{\"salt\":\"AAAAAAAAAAA=\",\"bits\":\"AA==\",\"part\":0,\"parts\":-1}}",
        "{\"t\":\"signed\",\"v\":2,\"body\":\"e30=\",\"certificate\":\"AA==\",\"signature\":\"AA==\"}",
        "{\"t\":\"beat\",\"v\":2,\"id\":\"x\",\"mesh\":\"m\",\"sequence\":-1,\"key\":\"AAAAAAAAAAAAAAAAAAAAAA==\",\"state\":1}",
        "{\"t\":\"beat\",\"v\":2,\"id\":\"x\",\"mesh\":\"m\",\"sequence\":1,\"key\":\"AAAA\",\"state\":1}",
        "{\"t\":\"probe\",\"v\":2,\"nonce\":\"0123456789abcdef\",\"mesh\":\"m\",\"id\":\"x\",\"address\":\"10.0.0.1\",\"port\":70000}",
        "{\"t\":\"probe\",\"v\":2,\"nonce\":\"0123456789abcdef\",\"mesh\":\"m\",\"id\":\"x\",\"address\":null,\"port\":1}",
        "{\"t\":\"bye\",\"v\":2,\"id\":\"\",\"mesh\":\"m\",\"key\":\"AAAAAAAAAAAAAAAAAAAAAA==\"}",
    ];

    [Theory]
    [MemberData(nameof(Noise), DisableDiscoveryEnumeration = true)]
    public void Too_long_too_deep_and_broken_messages_are_no_messages(string text) =>
        Assert.Null(DiscoveryMessage.Read(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public async Task A_node_that_was_sent_all_of_that_answers_the_next_question()
    {
        string mesh = TestPolo.NewMesh();
        await using var polo = await TestPolo.StartAsync("steady", [mesh], [s_slave]);
        using Socket socket = DiscoverySocket.Ask(DiscoverySocket.Interfaces(TestPolo.Loopback).Single());
        byte[][] noise =
        [
            .. Noise.Select(row => Encoding.UTF8.GetBytes(row.Data)), new byte[60_000],
            .. s_noAddresses.Select(address => new ProbeRequest(Query.NewNonce(), mesh, "x", address, 1).ToPaddedBytes()),
        ];
        foreach (byte[] bytes in noise)
        {
            socket.SendTo(bytes, new IPEndPoint(IPAddress.Parse(DiscoveryMessage.Group), ServicePorts.Discovery));
            socket.SendTo(bytes, polo.Wires.Current.Single().Place);
        }
        Assert.NotNull(await DiscoveryTests.AskAsync(
            new Query("fedcba9876543210", 0, [mesh]).ToPaddedBytes(), TimeSpan.FromSeconds(30), IPAddress.Parse("127.0.0.78"),
            again: TimeSpan.FromMilliseconds(200)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_form_of_a_question_gets_more_bytes_than_it_has(bool signed)
    {
        string mesh = TestPolo.NewMesh();
        using var authority = new TestAuthority();
        Service[] services = [
            .. Enumerable.Range(0, 20).Select(i => new Service($"s{i}", new Dictionary<string, string> { ["text"] = new('ü', 40) }))];
        await using var polo =
            await TestPolo.StartAsync("talkative", [mesh], services, signer: signed ? authority.Signer("talkative") : null);
        await using var probed = await TestPolo.StartAsync("other", [mesh], services, signer: signed ? authority.Signer("other") : null);
        IPEndPoint place = polo.Wires.Current.Single().Place, target = probed.Wires.Current.Single().Place;
        List<byte[]> questions = [];
        foreach (int length in (int[])[0, 300, 600, 900, 1200, DiscoveryMessage.MaximumBytes])
        {
            var query = new Query(Query.NewNonce(), 0, [mesh]);
            Query[] forms =
            [
                query, query with { Filter = new NodeFilter("s3") }, query with { Filter = new NodeFilter(Nodes: ["talkative"]) },
                    query with { Skip = 5 },
                query with { Known = KnownNodes.Of(["somebody"], 8)[0] }, query with { Path = ["relay"] },
            ];
            questions.AddRange(forms.Select(form => (form with { Nonce = Query.NewNonce() }).ToPaddedBytes(length)));
            questions.Add(new ProbeRequest(
                Query.NewNonce(), mesh, "other", target.Address.ToString(), target.Port, new string('.', length / 2)).ToBytes());
        }
        int[] answers = await Task.WhenAll(questions.Select(question => SumAsync(question, place)));
        Assert.All(answers.Zip(questions), pair => Assert.InRange(pair.First, 0, pair.Second.Length));
        Assert.Contains(answers, bytes => bytes > 0);
    }

    [Fact]
    public async Task A_question_that_comes_by_several_ways_is_answered_once()
    {
        string mesh = TestPolo.NewMesh();
        await using var polo = await TestPolo.StartAsync("once", [mesh], [s_slave]);
        byte[] question = new Query(Query.NewNonce(), 200, [mesh]).ToPaddedBytes();
        IPEndPoint place = polo.Wires.Current.Single().Place;
        int once = await SumAsync(question, place);
        Assert.NotEqual(0, once);
        // One that comes after the answer has left is a new question, which a busy machine may make of the last ones: not every time.
        int sum = 0;
        for (int attempt = 0; attempt < 5 && sum != once; attempt++)
        {
            sum = await SumAsync(question, place, times: 5);
            Assert.InRange(sum, once, 4 * once);
        }
        Assert.Equal(once, sum);
    }

    [Fact]
    public async Task A_helper_passes_on_no_more_than_it_was_asked_with()
    {
        string mesh = TestPolo.NewMesh();
        await using var helper = await TestPolo.StartAsync("helper", [mesh], []);
        using Socket accomplice = Bound("127.0.0.1"), victim = Bound("127.0.0.79");
        byte[] buffer = new byte[2000];
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(s_end);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        var answer = new Answer("", [mesh], TestPolo.Describe("x", []), 0);
        foreach (bool isLong in (bool[])[true, false])
        {
            string nonce = Query.NewNonce();
            var at = (IPEndPoint)accomplice.LocalEndPoint!;
            byte[] request = new ProbeRequest(nonce, mesh, "x", at.Address.ToString(), at.Port, new string('.', 400)).ToBytes();
            await victim.SendToAsync(request, helper.Wires.Current.Single().Place, patience.Token);
            SocketReceiveFromResult question = await accomplice.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), patience.Token);
            Assert.InRange(question.ReceivedBytes, 1, request.Length);
            Service[] services = isLong ? [new Service("long", new Dictionary<string, string> { ["text"] = new('x', 700) })] : [];
            byte[] reply = (answer with { Nonce = nonce, Node = answer.Node with { Services = services } }).ToBytes();
            Assert.True(DiscoveryMessage.Read(reply) is Answer && reply.Length > request.Length == isLong,
                $"{reply.Length} bytes to {request.Length}");
            await accomplice.SendToAsync(reply, question.RemoteEndPoint, patience.Token);
        }
        // The second one arrives, and it is the first that does.
        DiscoveryMessage? heard = DiscoveryMessage.Read(buffer.AsSpan(0, await victim.ReceiveAsync(buffer, patience.Token)));
        Assert.Empty(Assert.IsType<Answer>(heard).Node.Services);
    }

    [Fact]
    public async Task Two_meshes_on_one_wire_never_see_each_other()
    {
        (string mine, string other) = (TestPolo.NewMesh(), TestPolo.NewMesh());
        PresenceTiming fast = PresenceTiming.Faster(20);
        using var stop = new CancellationTokenSource();
        (PresenceWatcher Watcher, Wires Wires)[] watching = [.. ((string[])[mine, other]).Select(mesh =>
        {
            var wires = new Wires(TestPolo.Loopback, TimeProvider.System);
            var watcher = new PresenceWatcher(mesh, wires, new MessageVerifier(null), TimeProvider.System, fast);
            wires.Add(watcher);
            return (watcher, wires);
        })];
        var events = new List<string>();
        watching[1].Watcher.Happened += e =>
        {
            lock (events)
            {
                events.Add(e.Id);
            }
        };
        Task running = Task.WhenAll(watching.SelectMany(w => (Task[])[w.Wires.RunAsync(stop.Token), w.Watcher.RunAsync(stop.Token)]));
        TestPolo first = await TestPolo.StartAsync([mine], () => TestPolo.Describe("first", [s_slave]), timing: fast);
        await using TestPolo second = await TestPolo.StartAsync([other], () => TestPolo.Describe("second", [s_slave]), timing: fast);
        await UntilAsync(() => watching.All(w => w.Watcher.Records.Count(r => r.State == PresenceState.Alive) == 1));
        // A question for one mesh by unicast to a node of the other, and a request to look for a node of it: silence.
        IPEndPoint place = second.Wires.Current.Single().Place;
        Assert.Equal(0, await SumAsync(new Query(Query.NewNonce(), 0, [mine]).ToPaddedBytes(), place));
        Assert.Equal(0, await SumAsync(
            new ProbeRequest(Query.NewNonce(), mine, "second", place.Address.ToString(), place.Port).ToPaddedBytes(), place));
        await first.DisposeAsync();
        await UntilAsync(() => watching[0].Watcher.Records.Single().State == PresenceState.Gone);
        Assert.Equal("first", watching[0].Watcher.Records.Single().Node.Id);
        Assert.Equal("second", watching[1].Watcher.Records.Single().Node.Id);
        lock (events)
        {
            Assert.DoesNotContain("first", events);
        }
        await stop.CancelAsync();
        await running;
    }

    private static async Task UntilAsync(Func<bool> isSo)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(s_end);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (!isSo())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, patience.Token);
        }
    }

    private static Socket Bound(string address)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        return socket;
    }

    private static int s_asker;

    /// <summary>All bytes that come back to one question until there is silence, asked from an address of its own since each has its
    /// share.</summary>
    private static async Task<int> SumAsync(byte[] question, IPEndPoint place, int times = 1)
    {
        using Socket socket = Bound($"127.7.0.{Interlocked.Increment(ref s_asker) % 250 + 1}");
        byte[] buffer = new byte[4000];
        int sum = 0;
        for (int i = 0; i < times; i++)
        {
            await socket.SendToAsync(question, place, s_end);
        }
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(s_end);
        silence.CancelAfter(TimeSpan.FromSeconds(2));
        try
        {
            while (true)
            {
                sum += await socket.ReceiveAsync(buffer, silence.Token);
            }
        }
        catch (OperationCanceledException) when (!s_end.IsCancellationRequested)
        {
            return sum;
        }
    }

    /// <summary>
    /// Answers each question that is heard with lies, at once; then asks the node the same, with the same nonce, and passes its true answer
    /// on as if it had come from elsewhere.
    /// </summary>
    /// <returns>How many questions were heard.</returns>
    private static async Task<int> LieAsync(
        string mesh, IPEndPoint node, Func<string, IReadOnlyList<Signed>, IReadOnlyList<byte[]>> lies, CancellationToken stop)
    {
        using Socket group = DiscoverySocket.Listen(DiscoverySocket.Interfaces(TestPolo.Loopback).Single()), own = Bound("127.0.0.66");
        byte[] buffer = new byte[2000];
        List<Signed> earlier = [];
        int heard = 0;
        try
        {
            while (true)
            {
                SocketReceiveFromResult received = await group.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), stop);
                if (DiscoveryMessage.Read(buffer.AsSpan(0, received.ReceivedBytes)) is not Query query || !query.Meshes.Contains(mesh))
                {
                    continue;
                }
                heard++;
                foreach (byte[] lie in lies(query.Nonce, earlier))
                {
                    own.SendTo(lie, received.RemoteEndPoint);
                }
                own.SendTo(new Query(query.Nonce, 0, [mesh]).ToPaddedBytes(), node);
                if (DiscoveryMessage.Read(buffer.AsSpan(0, await own.ReceiveAsync(buffer, stop))) is Signed signed)
                {
                    own.SendTo((signed with { Origin = "192.0.2.66:66", Relayed = true }).ToBytes(), received.RemoteEndPoint);
                    earlier.Add(signed);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return heard;
        }
    }

    private static byte[] Replace(byte[] body, string old, string now) =>
        Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(body).Replace(old, now, StringComparison.Ordinal));
}
