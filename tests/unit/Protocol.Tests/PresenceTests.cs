using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Protocol.Tests;

/// <summary>Presence over real sockets on loopback, twenty times as fast as it is for users.</summary>
public sealed class PresenceTests : IAsyncDisposable
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;
    private static readonly PresenceTiming s_fast = PresenceTiming.Faster(20);

    private readonly string _mesh = TestPolo.NewMesh();
    private readonly TestAuthority _authority = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<PresenceEvent> _events = Channel.CreateUnbounded<PresenceEvent>();
    private readonly List<PresenceEvent> _heard = [];
    private readonly PresenceWatcher _watcher;
    private readonly Task _watching;

    public PresenceTests()
    {
        var wires = new Wires(TestPolo.Loopback, TimeProvider.System);
        _watcher = new PresenceWatcher(_mesh, wires, _authority.Verifier, TimeProvider.System, s_fast);
        _watcher.Happened += e => _events.Writer.TryWrite(e);
        wires.Add(_watcher);
        _watching = Task.WhenAll(wires.RunAsync(_stop.Token), _watcher.RunAsync(_stop.Token));
    }

    [Fact]
    public async Task A_node_joins_changes_and_says_goodbye()
    {
        var services = new List<Service>();
        var identity = new Identity("slave", "raspberry-pi-4", "one");
        TestPolo polo = await StartAsync("node-1", () => TestPolo.Describe("node-1", [.. services], identity));
        PresenceEvent join = await NextAsync("node-1", PresenceKind.Join);
        services.Add(new Service("statusmonitor", new Dictionary<string, string>()));
        polo.Polo.Changed();
        PresenceEvent change = await NextAsync("node-1", PresenceKind.Change);
        Assert.Equal("statusmonitor", Assert.Single(_watcher.Records.Single().Node.Services).Id);
        identity = identity with { Instance = "two" };
        polo.Polo.Changed();
        PresenceEvent renamed = await NextAsync("node-1", PresenceKind.Identity);
        await polo.DisposeAsync();
        PresenceEvent leave = await NextAsync("node-1", PresenceKind.Leave);
        Assert.Equal("said goodbye", leave.Reason);
        Assert.Equal([1, 2, 3, 4], [join.Sequence, change.Sequence, renamed.Sequence, leave.Sequence]);
    }

    [Fact]
    public async Task A_node_with_more_services_than_a_datagram_holds_is_known_with_all_of_them()
    {
        List<Service> services = [.. Enumerable.Range(0, 20).Select(i =>
            new Service($"service-{i:00}-of-a-long-name", new Dictionary<string, string> { ["port"] = $"{8000 + i}" }))];
        await using TestPolo polo = await StartAsync("node-1", () => TestPolo.Describe("node-1", [.. services]));
        await NextAsync("node-1", PresenceKind.Join);
        async Task IsKnownAsync()
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(s_end);
            patience.CancelAfter(TimeSpan.FromSeconds(30));
            while (!_watcher.Records.Single().Node.Services.Select(s => s.Id).SequenceEqual(services.Select(s => s.Id)))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, patience.Token);
            }
        }
        await IsKnownAsync();
        services.Add(new Service("statusmonitor", new Dictionary<string, string>()));
        polo.Polo.Changed();
        await IsKnownAsync();
        Assert.DoesNotContain(_heard, e => e.Kind is PresenceKind.Leave or PresenceKind.Identity);
    }

    [Fact]
    public async Task An_answer_that_comes_after_a_change_has_the_state_and_the_services_of_one_moment()
    {
        List<Service> services = [];
        await using TestPolo polo = await TestPolo.StartAsync([_mesh], () => TestPolo.Describe("node-1", [.. services]));
        using Socket asker = DiscoverySocket.Ask(DiscoverySocket.Interfaces(TestPolo.Loopback).Single());
        var group = new IPEndPoint(IPAddress.Parse(DiscoveryMessage.Group), ServicePorts.Discovery);
        const int questions = 8;
        for (int i = 0; i < questions; i++)
        {
            asker.SendTo(new Query(Query.NewNonce(), 600, [_mesh]).ToPaddedBytes(), group);
        }
        await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, s_end);
        services.Add(new Service("statusmonitor", new Dictionary<string, string>()));
        polo.Polo.Changed();
        List<Answer> answers = [];
        byte[] buffer = new byte[2000];
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(s_end);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (answers.Count < questions)
        {
            int length = await asker.ReceiveAsync(buffer, patience.Token);
            if (DiscoveryMessage.Read(buffer.AsSpan(0, length)) is Answer { Node.Id: "node-1" } answer)
            {
                answers.Add(answer);
            }
        }
        Assert.Contains(answers, answer => answer.Node.Services.Count == 1);
        int first = answers.Min(answer => answer.Presence!.State), last = answers.Max(answer => answer.Presence!.State);
        Assert.All(answers, answer => Assert.Equal(answer.Node.Services.Count == 1 ? last : first, answer.Presence!.State));
    }

    [Fact]
    public async Task A_node_that_dies_is_suspected_and_then_down_and_the_others_are_not()
    {
        TestPolo[] polos = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => StartAsync($"node-{i}")));
        foreach (int i in Enumerable.Range(0, 6))
        {
            await NextAsync($"node-{i}", PresenceKind.Join);
        }
        polos[3].Kill();
        await NextAsync("node-3", PresenceKind.Suspect);
        PresenceEvent down = await NextAsync("node-3", PresenceKind.Leave);
        Assert.StartsWith("not heard", down.Reason, StringComparison.Ordinal);
        Assert.Equal(5, _watcher.Records.Count(r => r.State == PresenceState.Alive));
        await using TestPolo again = await StartAsync("node-3");
        Assert.Equal("is back", (await NextAsync("node-3", PresenceKind.Join)).Reason);
        foreach (TestPolo polo in polos)
        {
            await polo.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_node_that_starts_anew_without_a_goodbye_is_taken_for_the_same_one()
    {
        TestPolo first = await StartAsync("node-1");
        await NextAsync("node-1", PresenceKind.Join);
        first.Kill();
        // With keys of its own, and another service that shows who is heard.
        await using TestPolo second =
            await StartAsync("node-1", () => TestPolo.Describe("node-1", [new Service("new", new Dictionary<string, string>())]));
        await NextAsync("node-1", PresenceKind.Change);
        Assert.Equal(PresenceState.Alive, _watcher.Records.Single().State);
        await first.DisposeAsync();
    }

    [Fact]
    public async Task Made_up_and_replayed_announcements_make_no_node_and_end_none()
    {
        using Socket recorder = DiscoverySocket.Listen(DiscoverySocket.Interfaces(TestPolo.Loopback).Single());
        await using TestPolo polo = await StartAsync("node-1");
        TestPolo gone = await StartAsync("node-2");
        await NextAsync("node-1", PresenceKind.Join);
        await NextAsync("node-2", PresenceKind.Join);
        // What it truly signed, for a question of somebody else.
        byte[] signed = (await DiscoveryTests.AskAsync(
            new Query(Query.NewNonce(), 0, [_mesh], new NodeFilter(Nodes: ["node-2"])).ToPaddedBytes(), TimeSpan.FromSeconds(30),
            again: TimeSpan.FromSeconds(1)))!;
        await gone.DisposeAsync();
        await NextAsync("node-2", PresenceKind.Leave);
        List<byte[]> recorded = [];
        byte[] buffer = new byte[2000];
        while (recorder.Poll(0, SelectMode.SelectRead))
        {
            recorded.Add(buffer[..recorder.Receive(buffer)]);
        }
        Assert.Contains(recorded, bytes => DiscoveryMessage.Read(bytes) is Beat { Id: "node-2" });

        using Socket attacker = DiscoverySocket.Ask(DiscoverySocket.Interfaces(TestPolo.Loopback).Single());
        var group = new IPEndPoint(IPAddress.Parse(DiscoveryMessage.Group), ServicePorts.Discovery);
        byte[][] lies =
        [
            .. recorded.Where(bytes => DiscoveryMessage.Read(bytes) is Beat or Farewell or Signed),
            signed,
            new Beat("node-x", _mesh, 5, new byte[16], 1).ToBytes(),
            new Beat("node-2", _mesh, 999, new byte[16], 1).ToBytes(),
            new Farewell("node-1", _mesh, new byte[16]).ToBytes(),
            new Answer(Query.NewNonce(), [_mesh], TestPolo.Describe("node-y", []), 0, new PresenceAnchor(1, new byte[16], new byte[16], 1))
            .ToBytes(),
            .. Enumerable.Range(0, 300).Select(i => new Beat($"false-{i}", _mesh, 1, new byte[16], 1).ToBytes()),
        ];
        foreach (byte[] lie in lies)
        {
            attacker.SendTo(lie, group);
        }
        // A true node that comes after all of them is heard, and nothing else was.
        await using TestPolo last = await StartAsync("node-3");
        await NextAsync("node-3", PresenceKind.Join);
        Assert.Equal(["node-1", "node-2", "node-3"], _watcher.Records.Select(r => r.Node.Id).Order());
        Assert.Equal(["node-1", "node-3"], _watcher.Records.Where(r => r.State == PresenceState.Alive).Select(r => r.Node.Id).Order());
    }

    [Fact]
    public void A_watcher_that_stood_still_blames_nobody_and_a_restored_one_gives_everybody_the_full_time()
    {
        var clock = new SteppedClock();
        var table = new PresenceTable(PresenceTiming.Standard, clock);
        var chain = new BeatChain(0);
        table.Hear(TestPolo.Describe("n", []), "m", new PresenceAnchor(0, chain.KeyOf(0), new byte[16], 1),
            new IPEndPoint(IPAddress.Loopback, 1));
        Assert.Equal(PresenceKind.Join, table.TakeEvents().Single().Kind);

        clock.Advance(TimeSpan.FromSeconds(60));
        Assert.Empty(table.Tick());
        Seconds(21, table, clock);
        Assert.Empty(table.TakeEvents());
        Assert.True(table.Hear(new Beat("n", "m", 3, chain.KeyOf(3), 1)));
        Seconds(21, table, clock);
        Assert.Empty(table.TakeEvents());
        Seconds(10, table, clock);
        Assert.Equal(PresenceKind.Suspect, table.TakeEvents().Single().Kind);

        var restored = new PresenceTable(PresenceTiming.Standard, clock, table.Sequence);
        restored.Restore(table.Records);
        Seconds(20, restored, clock);
        Assert.Empty(restored.TakeEvents());
        Assert.True(restored.Hear(new Beat("n", "m", 4, chain.KeyOf(4), 1)));
        Assert.Equal((PresenceKind.Alive, 3), restored.TakeEvents().Select(e => (e.Kind, e.Sequence)).Single());
        Seconds(31, restored, clock);
        Assert.Equal(PresenceKind.Suspect, restored.TakeEvents().Single().Kind);
        Seconds(1, restored, clock);
        Assert.Equal((PresenceKind.Leave, 5), restored.TakeEvents().Select(e => (e.Kind, e.Sequence)).Single());
    }

    [Fact]
    public void Nobody_is_called_down_in_ten_minutes_on_wires_that_lose_a_twentieth()
    {
        var chance = new Random(13);
        bool Arrives(int ways) => Enumerable.Range(0, ways).All(_ => chance.NextDouble() >= 0.05);
        var clock = new SteppedClock();
        var table = new PresenceTable(PresenceTiming.Standard, clock);
        BeatChain[] chains = [.. Enumerable.Range(0, 50).Select(_ => new BeatChain(0))];
        void Answer(int i, int second) => table.Hear(
            TestPolo.Describe($"{i}", []), "m", new PresenceAnchor(second / 10, chains[i].KeyOf(second / 10), new byte[16], 1),
            new IPEndPoint(IPAddress.Loopback, 100 + i));
        foreach (int i in Enumerable.Range(0, chains.Length))
        {
            Answer(i, 0);
        }
        for (int second = 1; second <= 600; second++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            for (int i = second % 10; i < chains.Length && second >= 10; i += 10)
            {
                if (Arrives(1))
                {
                    table.Hear(new Beat($"{i}", "m", second / 10, chains[i].KeyOf(second / 10), 1));
                }
            }
            foreach (PresenceTable.Doubt doubt in table.Tick())
            {
                // There and back; by a helper that is twice as far.
                if (Arrives(2) || doubt.Helpers.Any(_ => Arrives(4)))
                {
                    Answer(int.Parse(doubt.Id, CultureInfo.InvariantCulture), second);
                }
            }
        }
        IReadOnlyList<PresenceEvent> events = table.TakeEvents();
        Assert.Contains(events, e => e.Kind == PresenceKind.Suspect);
        Assert.DoesNotContain(events, e => e.Kind == PresenceKind.Leave);
    }

    [Fact]
    public void A_missing_node_is_asked_directly_and_then_through_three_others()
    {
        var clock = new SteppedClock();
        var table = new PresenceTable(PresenceTiming.Standard, clock);
        foreach (int i in Enumerable.Range(0, 6))
        {
            table.Hear(TestPolo.Describe($"n{i}", []), "m", new PresenceAnchor(0, new byte[16], new byte[16], 1),
                new IPEndPoint(IPAddress.Loopback, 100 + i));
        }
        Seconds(20, table, clock);
        foreach (int i in Enumerable.Range(1, 5))
        {
            table.Hear(TestPolo.Describe($"n{i}", []), "m", new PresenceAnchor(0, new byte[16], new byte[16], 1),
                new IPEndPoint(IPAddress.Loopback, 100 + i));
        }
        Seconds(1, table, clock);
        PresenceTable.Doubt[] doubts = [.. Enumerable.Range(0, 5).Select(_ => Seconds(1, table, clock).Single())];
        Assert.All(doubts, doubt => Assert.Equal("n0", doubt.Id));
        Assert.Equal([0, 0, 3, 3, 3], doubts.Select(doubt => doubt.Helpers.Count));
        Assert.All(doubts[4].Helpers, helper => Assert.NotEqual(100, helper.Port));
    }

    [Fact]
    public async Task A_node_asks_another_one_for_somebody_who_cannot_reach_it()
    {
        await using TestPolo helper = await StartAsync("helper"), missing = await StartAsync("missing");
        var marco = new Marco(TestPolo.Loopback, TimeProvider.System);
        var found = new Dictionary<string, Found>();
        await foreach (Found f in marco.FindAsync(new Search { Meshes = [_mesh] }, s_end))
        {
            found[f.Node.Id] = f;
        }
        using Socket socket = DiscoverySocket.Ask(DiscoverySocket.Interfaces(TestPolo.Loopback).Single());
        string nonce = Query.NewNonce();
        Found target = found["missing"];
        byte[] request = new ProbeRequest(nonce, _mesh, "missing", target.Address.ToString(), target.Port).ToPaddedBytes();
        socket.SendTo(request, new IPEndPoint(found["helper"].Address, found["helper"].Port));
        byte[] buffer = new byte[2000];
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        int length = await socket.ReceiveAsync(buffer, patience.Token);
        Assert.InRange(length, 1, request.Length);
        DiscoveryMessage message = DiscoveryMessage.Read(buffer.AsSpan(0, length))!;
        Answer answer = MessageVerifier.Read(message)!;
        Assert.Equal(("missing", nonce, Proof.Holds), (answer.Node.Id, answer.Nonce, _authority.Verifier.Prove(message, answer)));
        // Whoever carried it, the node is where it is.
        Assert.Equal(new IPEndPoint(target.Address, target.Port), message.OriginOr(new IPEndPoint(IPAddress.None, 1)));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
        _authority.Dispose();
    }

    private Task<TestPolo> StartAsync(string id, Func<NodeDescription>? node = null) =>
        TestPolo.StartAsync([_mesh], node ?? (() => TestPolo.Describe(id, [])), _authority.Signer(id), s_fast);

    /// <summary>The next event of this kind for this node, whatever else happens before.</summary>
    private async Task<PresenceEvent> NextAsync(string id, PresenceKind kind)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(s_end);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        PresenceEvent? wanted;
        while ((wanted = _heard.Find(e => e.Id == id && e.Kind == kind)) is null)
        {
            _heard.Add(await _events.Reader.ReadAsync(patience.Token));
        }
        _heard.Remove(wanted);
        return wanted;
    }

    private static IReadOnlyList<PresenceTable.Doubt> Seconds(int seconds, PresenceTable table, SteppedClock clock)
    {
        IReadOnlyList<PresenceTable.Doubt> doubts = [];
        for (int i = 0; i < seconds; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            doubts = table.Tick();
        }
        return doubts;
    }

    /// <summary>Time stands still between steps.</summary>
    private sealed class SteppedClock : TimeProvider
    {
        private DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan time) => _now += time;

        public override DateTimeOffset GetUtcNow() => _now;

        public override long GetTimestamp() => _now.Ticks;
    }
}
