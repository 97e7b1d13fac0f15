using System.Net;
using System.Threading.Channels;

namespace Bootstrap.Protocol.Discovery;

/// <summary>
/// Watches who is there: hears beats and farewells on the wires, asks whoever is new, changed or missing, and tells what happened. It
/// believes only what the appliance's CA vouches for, where it has one.
/// </summary>
/// <param name="mesh">The mesh that is watched.</param>
/// <param name="wires">Where it listens; it is to be added to them, and somebody else runs them.</param>
/// <param name="verifier">Proves answers.</param>
/// <param name="clock">Times the looking.</param>
/// <param name="timing">When a node is missed; null: <see cref="PresenceTiming.Standard"/>.</param>
/// <param name="lastSequence">Number of the last event of an earlier run.</param>
public sealed class PresenceWatcher(
    string mesh, Wires wires, MessageVerifier verifier, TimeProvider clock, PresenceTiming? timing = null, long lastSequence = 0)
    : IWireListener
{
    /// <summary>Nodes that are to be asked who they are; more announce themselves at their next beat.</summary>
    private const int MaximumUnknown = 8192;

    /// <summary>How many are asked by one question, and how many questions are sent at a time.</summary>
    private const int IdsAtOnce = 12, QuestionsAtOnce = 20;

    /// <summary>Datagrams that wait to be looked at.</summary>
    private const int MaximumWaiting = 4096;

    /// <summary>Questions whose answers count: those of the last seconds. An answer that somebody kept for later is worth
    /// nothing.</summary>
    private const int OpenQuestions = 12;

    private static readonly TimeSpan s_askPeriod = TimeSpan.FromMilliseconds(250);

    /// <summary>Who cannot prove himself, such as the nodes of another appliance, is asked again after this time, and then after twice as
    /// long each time.</summary>
    private static readonly TimeSpan s_firstPause = TimeSpan.FromSeconds(1), s_longestPause = TimeSpan.FromMinutes(5);

    private readonly PresenceTiming _timing = timing ?? PresenceTiming.Standard;
    private readonly PresenceTable _table = new(timing ?? PresenceTiming.Standard, clock, lastSequence);
    private readonly HashSet<string> _unknown = [];
    private readonly SemaphoreSlim _unknownCame = new(0);
    private readonly Dictionary<string, (long At, TimeSpan Pause)> _asked = [];
    private readonly Lock _lock = new();
    private readonly Channel<(DiscoveryMessage Message, IPEndPoint From)> _received =
        Channel.CreateBounded<(DiscoveryMessage, IPEndPoint)>(
        new BoundedChannelOptions(MaximumWaiting) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly Queue<string> _nonces = new();
    private readonly ServiceRests _rests = new(clock);

    /// <summary>Told of every event, in order, on one thread.</summary>
    public event Action<PresenceEvent>? Happened;

    /// <summary>All nodes that are there or were.</summary>
    public IReadOnlyList<PresenceRecord> Records
    {
        get
        {
            lock (_lock)
            {
                return _table.Records;
            }
        }
    }

    /// <summary>Puts back what an earlier run knew; before <see cref="RunAsync"/>.</summary>
    public void Restore(IEnumerable<PresenceRecord> records)
    {
        lock (_lock)
        {
            _table.Restore(records);
        }
    }

    /// <inheritdoc/>
    public void Receive(in Datagram datagram)
    {
        // A thousand nodes beat a hundred times a second: what they usually say is not worth waking another thread for.
        if (datagram.Message is Beat beat && HearUsual(beat))
        {
            return;
        }
        if (datagram.Message is Beat or Farewell or Signed or Answer)
        {
            _received.Writer.TryWrite((datagram.Message, datagram.From));
        }
    }

    private bool HearUsual(Beat beat)
    {
        lock (_lock)
        {
            return beat.Mesh == mesh && _table.HearUsual(beat);
        }
    }

    /// <inheritdoc/>
    public void Joined(Wire wire) => wire.SendToGroup(new Query(NewNonce(), 2000, [mesh]).ToPaddedBytes());

    /// <summary>Watches until cancelled.</summary>
    public Task RunAsync(CancellationToken cancellation) =>
        Supervisor.RunAsync(cancellation, new("reading beats", ReadAsync), new("looking who is silent", LookAsync),
            new("asking", AskAsync));

    private async Task ReadAsync(CancellationToken cancellation)
    {
        try
        {
            await foreach ((DiscoveryMessage message, IPEndPoint from) in _received.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
            {
                // Signatures are checked outside of the lock, and only on answers to questions of ours.
                if (MessageVerifier.Read(message) is not { } answer)
                {
                    Tell(() => Hear(message));
                }
                else if (IsOurs(answer.Nonce) && verifier.Prove(message, answer) is var proof &&
                    proof == (verifier.CanProve ? Proof.Holds : Proof.None))
                {
                    Tell(() => Hear(answer, answer.PlaceOf(message, from, proof), message.RelayOf(from)));
                    AskForRests();
                }
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Asked to stop.
        }
    }

    private void Hear(DiscoveryMessage message)
    {
        switch (message)
        {
            case Beat beat when beat.Mesh == mesh && !_table.Hear(beat) && _unknown.Count < MaximumUnknown && MayAsk(beat.Id):
                _unknown.Add(beat.Id);
                if (_unknown.Count == 1)
                {
                    _unknownCame.Release();
                }
                break;
            case Farewell farewell when farewell.Mesh == mesh:
                _table.Hear(farewell);
                break;
        }
    }

    private void Hear(Answer answer, IPEndPoint address, IPEndPoint? relay)
    {
        if (answer.Presence is { } anchor && answer.Meshes.Contains(mesh))
        {
            _unknown.Remove(answer.Node.Id);
            _asked.Remove(answer.Node.Id);
            NodeDescription node = answer.Node with { Services = _rests.Take(answer, _table.Find(answer.Node.Id), relay ?? address) };
            _table.Hear(node, mesh, anchor, address, relay);
        }
    }

    /// <summary>Asks nodes for those of their services that their answers had no room for.</summary>
    private void AskForRests()
    {
        IReadOnlyList<(IPEndPoint To, Query Question)> questions;
        lock (_lock)
        {
            questions = _rests.Questions(mesh);
        }
        foreach ((IPEndPoint to, Query question) in questions)
        {
            byte[] bytes = question.ToPaddedBytes();
            foreach (Wire wire in wires.Current)
            {
                wire.Send(bytes, to);
            }
        }
    }

    private async Task LookAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(_timing.Tick, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false))
            {
                IReadOnlyList<PresenceTable.Doubt> doubts = [];
                Tell(() => doubts = _table.Tick());
                AskForRests();
                if (doubts.Count > 0)
                {
                    string nonce = NewNonce();
                    foreach (PresenceTable.Doubt doubt in doubts)
                    {
                        Ask(doubt, nonce);
                    }
                }
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Asked to stop.
        }
    }

    private void Ask(PresenceTable.Doubt doubt, string nonce)
    {
        byte[] question = new Query(nonce, 0, [doubt.Mesh], new NodeFilter(Nodes: [doubt.Id])).ToPaddedBytes();
        foreach (Wire wire in wires.Current)
        {
            wire.Send(question, doubt.Relay ?? doubt.Address);
        }
        if (doubt.Helpers.Count == 0)
        {
            return;
        }
        // It may have another address by now, or unicast may be what is broken.
        wires.SendToGroup(question);
        foreach (IPEndPoint helper in doubt.Helpers)
        {
            byte[] bytes = new ProbeRequest(nonce, doubt.Mesh, doubt.Id, doubt.Address.Address.ToString(), doubt.Address.Port)
                .ToPaddedBytes();
            foreach (Wire wire in wires.Current)
            {
                wire.Send(bytes, helper);
            }
        }
    }

    /// <summary>
    /// Asks those who announced themselves and are not known, a few at a time and by multicast: an announcement with a false sender makes
    /// nobody receive more than that, and many false ones do not make more questions.
    /// </summary>
    private async Task AskAsync(CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                await _unknownCame.WaitAsync(cancellation).ConfigureAwait(false);
                await Task.Delay(s_askPeriod, clock, cancellation).ConfigureAwait(false);
                string[] ids;
                lock (_lock)
                {
                    ids = [.. _unknown.Take(IdsAtOnce * QuestionsAtOnce)];
                    _unknown.ExceptWith(ids);
                    Array.ForEach(ids, Asked);
                    if (_unknown.Count > 0)
                    {
                        _unknownCame.Release();
                    }
                }
                string nonce = NewNonce();
                foreach (string[] some in ids.Chunk(IdsAtOnce))
                {
                    wires.SendToGroup(new Query(nonce, (int)s_askPeriod.TotalMilliseconds / 2, [mesh], new NodeFilter(Nodes: some))
                        .ToPaddedBytes());
                }
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Asked to stop.
        }
    }

    private bool MayAsk(string id) =>
        !_asked.TryGetValue(id, out (long At, TimeSpan Pause) last) || clock.GetElapsedTime(last.At) >= last.Pause;

    private void Asked(string id)
    {
        if (_asked.Count >= MaximumUnknown)
        {
            _asked.Clear();
        }
        TimeSpan pause = _asked.TryGetValue(id, out (long At, TimeSpan Pause) last) ? 2 * last.Pause : s_firstPause;
        _asked[id] = (clock.GetTimestamp(), pause < s_longestPause ? pause : s_longestPause);
    }

    private bool IsOurs(string nonce)
    {
        lock (_lock)
        {
            return _nonces.Contains(nonce) || _rests.IsAsked(nonce);
        }
    }

    private void Tell(Action change)
    {
        IReadOnlyList<PresenceEvent> events;
        lock (_lock)
        {
            change();
            events = _table.TakeEvents();
        }
        foreach (PresenceEvent e in events)
        {
            Happened?.Invoke(e);
        }
    }

    private string NewNonce()
    {
        string nonce = Query.NewNonce();
        lock (_lock)
        {
            _nonces.Enqueue(nonce);
            if (_nonces.Count > OpenQuestions)
            {
                _nonces.Dequeue();
            }
        }
        return nonce;
    }
}
