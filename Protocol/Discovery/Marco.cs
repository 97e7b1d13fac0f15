using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Bootstrap.Protocol.Discovery;

/// <summary>The asking role of discovery.</summary>
/// <param name="interfaceNames">Interfaces to ask on; null or empty: all physical ones.</param>
/// <param name="clock">Measures the windows.</param>
/// <param name="verifier">
/// Where it can prove answers, a node that is proven is given at once, and an unproven answer under the same id is dropped; nodes without
/// any proof come at the end. Null: whoever answers first under an id is given.
/// </param>
public sealed class Marco(IReadOnlyCollection<string>? interfaceNames, TimeProvider clock, MessageVerifier? verifier = null)
{
    /// <summary>Time for the way there and back, and for machines that are slow to wake: after so long without an answer a round is
    /// over.</summary>
    private static readonly TimeSpan s_grace = TimeSpan.FromMilliseconds(60);

    /// <summary>How often it is waited so long for the very first answer.</summary>
    private const int MaximumGraces = 4;

    /// <summary>Answers that wait to be looked at, and unproven nodes; more are a flood.</summary>
    private const int MaximumWaiting = 1 << 16;

    private static readonly IPEndPoint s_group = new(IPAddress.Parse(DiscoveryMessage.Group), ServicePorts.Discovery);

    private readonly MessageVerifier _verifier = verifier ?? new MessageVerifier(null);
    private int _answers;

    private readonly record struct Reply(Answer Answer, DiscoveryMessage Message, Proof Proof, IPEndPoint From);

    /// <summary>Bytes that each socket asks for to hold answers in; the windows follow from what it gets.</summary>
    public int ReceiveBuffer { get; init; } = DiscoverySocket.ReceiveBufferBytes;

    /// <summary>How many questions were sent by the last search, on all interfaces together.</summary>
    public int Questions { get; private set; }

    /// <summary>How many answers came to the last search, those that were told twice included.</summary>
    public int Answers => Volatile.Read(ref _answers);

    /// <summary>
    /// Asks on every interface, again and again for those who were not heard yet, and gives each node once, as it answers.
    /// </summary>
    public async IAsyncEnumerable<Found> FindAsync(Search search, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        (Questions, _answers) = (0, 0);
        string nonce = Query.NewNonce();
        var replies = new Replies(_verifier);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        List<Asker> askers = [.. DiscoverySocket.Interfaces(interfaceNames).Select(i => Asker.TryOpen(i, ReceiveBuffer)).OfType<Asker>()];
        Task[] receivers = [.. askers.Select(asker => ReceiveAsync(asker, nonce, replies, stop.Token))];
        Task proving = replies.ProveAsync(stop.Token);
        try
        {
            long started = clock.GetTimestamp();
            var sieve = new Sieve(search, _verifier);
            double perAnswer = askers.Select(asker => AnswerWindow.PerAnswer(asker.Socket.ReceiveBufferSize)).DefaultIfEmpty().Max();
            int given = 0, fruitless = 0, expected = search.Expected;
            for (int round = 0; ; round++)
            {
                TimeSpan window = AnswerWindow.For(expected, perAnswer);
                var query = new Query(nonce, (int)window.TotalMilliseconds, search.Meshes, search.Filter, Round: round);
                Ask(askers, query, sieve.Known, search.Address, orBroadcast: fruitless > 0 && sieve.Count == 0);
                int before = sieve.Count;
                await foreach (Reply reply in RoundAsync(replies, window, search.Timeout - clock.GetElapsedTime(started), cancellation)
                    .ConfigureAwait(false))
                {
                    if (sieve.Take(reply) is { } found)
                    {
                        yield return found;
                        if (++given >= search.MaximumNodes)
                        {
                            yield break;
                        }
                    }
                }
                int news = sieve.Count - before;
                fruitless = news == 0 ? fruitless + 1 : 0;
                if (fruitless >= search.Retries || search.Retries == 0 || clock.GetElapsedTime(started) >= search.Timeout)
                {
                    break;
                }
                // Who was not heard is a small part of those who are there, unless the first guess was far off.
                expected = news / 4;
            }
            foreach (Found found in sieve.Unproven.Take(search.MaximumNodes - given))
            {
                yield return found;
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            askers.ForEach(asker => asker.Socket.Dispose());
            await Task.WhenAll([.. receivers, proving]).ConfigureAwait(false);
        }
    }

    /// <summary>All services of one node, asked for by unicast, however many datagrams they take.</summary>
    /// <param name="found">The node.</param>
    /// <param name="timeout">For each question; it is asked three times within it.</param>
    /// <param name="cancellation">Ends the asking.</param>
    /// <returns>The node with all its services; null if it did not answer.</returns>
    public async Task<NodeDescription?> ServicesAsync(Found found, TimeSpan timeout, CancellationToken cancellation = default)
    {
        NodeDescription? node = null;
        List<Service> services = [];
        do
        {
            var query = new Query(Query.NewNonce(), 0, found.Meshes, new NodeFilter(Nodes: [found.Node.Id]), Skip: services.Count);
            if (await AskOnceAsync(query, found.Discovery, timeout, cancellation).ConfigureAwait(false) is not { } answer)
            {
                return null;
            }
            node = answer.Node;
            services.AddRange(answer.Node.Services);
            if (services.Count >= answer.ServiceCount || answer.Node.Services.Count == 0)
            {
                return node with { Services = services };
            }
        }
        while (true);
    }

    private async Task<Answer?> AskOnceAsync(Query query, IPEndPoint address, TimeSpan timeout, CancellationToken cancellation)
    {
        const int tries = 3;
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        byte[] buffer = new byte[DiscoveryMessage.MaximumBytes + 1];
        for (int i = 0; i < tries; i++)
        {
            using var end = new CancellationTokenSource(timeout / tries, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(end.Token, cancellation);
            try
            {
                await socket.SendToAsync((query with { Round = i }).ToPaddedBytes(), address, either.Token).ConfigureAwait(false);
                while (true)
                {
                    SocketReceiveFromResult received = await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), either.Token)
                        .ConfigureAwait(false);
                    DiscoveryMessage? message = DiscoveryMessage.Read(buffer.AsSpan(0, received.ReceivedBytes));
                    if (MessageVerifier.Read(message) is { } answer && answer.Nonce == query.Nonce &&
                        _verifier.Prove(message!, answer) != Proof.Fails)
                    {
                        return answer;
                    }
                }
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                // Lost: once more.
            }
            catch (SocketException)
            {
                // Nobody there, or no way there.
            }
        }
        return null;
    }

    private void Ask(List<Asker> askers, Query query, IReadOnlyCollection<string> known, IPEndPoint? address, bool orBroadcast)
    {
        foreach (byte[] question in QuestionsFor(query, known))
        {
            foreach (Asker asker in askers)
            {
                asker.Send(question, address ?? s_group);
                Questions++;
                if (orBroadcast && address is null && asker.Broadcast is { } broadcast)
                {
                    asker.Send(question, broadcast);
                    Questions++;
                }
            }
        }
    }

    /// <summary>The question, in as many parts as it takes to name those who need not answer.</summary>
    internal static IEnumerable<byte[]> QuestionsFor(Query query, IReadOnlyCollection<string> known)
    {
        if (known.Count == 0)
        {
            return [query.ToPaddedBytes()];
        }
        // Base64 takes four letters for three bytes; the numbers of the part may grow by some digits.
        int bare = (query with { Known = new KnownNodes(new byte[8], [], 0, 1), Padding = "" }).ToBytes().Length;
        int room = (DiscoveryMessage.MaximumBytes - DiscoveryMessage.PathRoom - bare - 8) / 4 * 3;
        return room < 16 ? [query.ToPaddedBytes()]
            : KnownNodes.Of(known, room).Select(part => (query with { Known = part }).ToPaddedBytes());
    }

    private async Task ReceiveAsync(Asker asker, string nonce, Replies replies, CancellationToken stop)
    {
        byte[] buffer = new byte[DiscoveryMessage.MaximumBytes + 1];
        try
        {
            while (true)
            {
                SocketReceiveFromResult received = await asker.Socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), stop)
                    .ConfigureAwait(false);
                DiscoveryMessage? message = DiscoveryMessage.Read(buffer.AsSpan(0, received.ReceivedBytes));
                if (MessageVerifier.Read(message) is { } answer && answer.Nonce == nonce)
                {
                    Interlocked.Increment(ref _answers);
                    replies.Add(new Reply(answer, message!, Proof.None, (IPEndPoint)received.RemoteEndPoint));
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The search is over.
        }
        catch (SocketException)
        {
            // The interface went down: the others go on asking.
        }
    }

    /// <summary>
    /// What comes within the window, and for as long as more comes: to ask again would only make more answers of those who are late. Where
    /// nobody at all has answered yet, a busy machine gets more time.
    /// </summary>
    private async IAsyncEnumerable<Reply> RoundAsync(
        Replies replies, TimeSpan window, TimeSpan left, [EnumeratorCancellation] CancellationToken cancellation)
    {
        long started = clock.GetTimestamp();
        for (int i = 0, heard = 0; (i < 2 || Answers > heard || (Answers == 0 && i <= MaximumGraces)) &&
            clock.GetElapsedTime(started) < left; i++)
        {
            heard = Answers;
            using var end = new CancellationTokenSource(Shorter(i == 0 ? window : s_grace, left - clock.GetElapsedTime(started)), clock);
            await foreach (Reply reply in replies.UntilAsync(end.Token, cancellation).ConfigureAwait(false))
            {
                yield return reply;
            }
        }
    }

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b > TimeSpan.Zero ? b : TimeSpan.Zero;

    /// <summary>The socket that asks on one interface.</summary>
    private sealed record Asker(Socket Socket, IPEndPoint? Broadcast)
    {
        public static Asker? TryOpen(NetworkInterface i, int receiveBuffer)
        {
            try
            {
                return new Asker(DiscoverySocket.Ask(i, receiveBuffer), DiscoverySocket.Broadcast(i));
            }
            catch (Exception e) when (e is SocketException or NetworkInformationException)
            {
                // It went down a moment ago.
                return null;
            }
        }

        public void Send(byte[] question, IPEndPoint to)
        {
            try
            {
                Socket.SendTo(question, to);
            }
            catch (SocketException)
            {
                // No way there from this interface: the others ask as well.
            }
        }
    }

    /// <summary>What was received, on its way from the sockets past the proving to the search.</summary>
    private sealed class Replies(MessageVerifier verifier)
    {
        private readonly Channel<Reply> _received = Channel.CreateBounded<Reply>(MaximumWaiting);
        private readonly Channel<Reply> _proven = Channel.CreateUnbounded<Reply>();
        private int _waiting;

        /// <summary>Takes one, or drops it where there are too many.</summary>
        public void Add(Reply reply)
        {
            Interlocked.Increment(ref _waiting);
            if (!_received.Writer.TryWrite(reply))
            {
                Interlocked.Decrement(ref _waiting);
            }
        }

        /// <summary>Proves them on all processors: a signature takes longer than all the rest.</summary>
        public Task ProveAsync(CancellationToken stop) =>
            Task.WhenAll(Enumerable.Range(0, verifier.CanProve ? Environment.ProcessorCount : 1)
            .Select(_ => Task.Run(() => WorkAsync(stop), CancellationToken.None)));

        /// <summary>What comes until the round ends, and what had come by then and was not proven yet: nobody is asked twice for our
        /// slowness.</summary>
        public async IAsyncEnumerable<Reply> UntilAsync(CancellationToken end, [EnumeratorCancellation] CancellationToken cancellation)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(end, cancellation);
            while (!end.IsCancellationRequested || Volatile.Read(ref _waiting) > 0)
            {
                try
                {
                    await _proven.Reader.WaitToReadAsync(end.IsCancellationRequested ? cancellation : either.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
                {
                    continue;
                }
                while (_proven.Reader.TryRead(out Reply reply))
                {
                    Interlocked.Decrement(ref _waiting);
                    yield return reply;
                }
            }
        }

        private async Task WorkAsync(CancellationToken stop)
        {
            try
            {
                await foreach (Reply reply in _received.Reader.ReadAllAsync(stop).ConfigureAwait(false))
                {
                    _proven.Writer.TryWrite(reply with { Proof = verifier.Prove(reply.Message, reply.Answer) });
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // The search is over.
            }
        }
    }

    /// <summary>Gives each node once.</summary>
    private sealed class Sieve(Search search, MessageVerifier verifier)
    {
        private readonly HashSet<string> _known = [.. search.Exclude];
        private readonly Dictionary<string, Found> _unproven = [];
        private int _taken;

        /// <summary>
        /// Ids that need not answer again. Unproven ones are not among them: a false answer must not silence the true node of that id.
        /// </summary>
        public IReadOnlyCollection<string> Known => _known;

        /// <summary>Those under whose id nobody has proven himself.</summary>
        public IEnumerable<Found> Unproven => _unproven.Values;

        /// <summary>How many nodes there were so far.</summary>
        public int Count => _taken + _unproven.Count;

        /// <summary>The node to give now, if it is one.</summary>
        public Found? Take(Reply reply)
        {
            NodeDescription node = reply.Answer.Node;
            if (reply.Proof == Proof.Fails || _known.Contains(node.Id) ||
                search.Exclude.Any(name => NodeFilter.IsNamed(node, name)) || search.Filter?.Matches(node) == false)
            {
                return null;
            }
            IPEndPoint place = reply.Answer.PlaceOf(reply.Message, reply.From, reply.Proof);
            var found = new Found(
                place.Address, place.Port, node, reply.Answer.Meshes, reply.Answer.ServiceCount, reply.Proof == Proof.Holds,
                reply.Proof == Proof.Holds ? verifier.SignerOf(reply.Message)?.Name : null, reply.Answer.Presence,
                reply.Message.RelayOf(reply.From));
            if (verifier.CanProve && !found.IsProven)
            {
                if (_unproven.Count < MaximumWaiting)
                {
                    _unproven.TryAdd(node.Id, found);
                }
                return null;
            }
            _unproven.Remove(node.Id);
            _known.Add(node.Id);
            _taken++;
            return found;
        }
    }
}
