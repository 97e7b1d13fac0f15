using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;

namespace Bootstrap.Protocol.Discovery;

/// <summary>
/// The answering role of discovery: answers questions for its meshes that fit what it is and offers, and tells by beats that it is
/// still there. A source gets at most 10 answers a second, and none longer than its question.
/// </summary>
/// <param name="meshes">The meshes that it belongs to.</param>
/// <param name="node">What it is and offers, asked anew for every answer.</param>
/// <param name="wires">Where it listens, with whoever else was added to them. They run as long as it does.</param>
/// <param name="clock">Times the answers and beats.</param>
/// <param name="signer">Proves the answers; null: they are sent unproven.</param>
/// <param name="timing">How often it beats.</param>
public sealed class Polo(
    IReadOnlyList<string> meshes, Func<NodeDescription> node, Wires wires, TimeProvider clock, MessageSigner? signer = null,
    PresenceTiming? timing = null) : IWireListener
{
    /// <summary>Replies that wait for their moment; more questions at once are a flood.</summary>
    private const int MaximumPendingReplies = 256;

    /// <summary>Questions of others that are passed on at the same time.</summary>
    private const int MaximumProbes = 64;

    private static readonly TimeSpan s_probeTime = TimeSpan.FromSeconds(2);

    private readonly PresenceTiming _timing = timing ?? PresenceTiming.Standard;
    private readonly SourceLimit _limit = new(SourceLimit.Answers, clock);
    private readonly ConcurrentDictionary<string, (IPEndPoint Asker, int Room)> _probes = new();
    private readonly ConcurrentDictionary<(string Nonce, IPEndPoint Asker), bool> _pending = new();
    private readonly SemaphoreSlim _changed = new(0);
    private readonly Lock _lock = new();
    private readonly byte[] _goodbye = RandomNumberGenerator.GetBytes(BeatChain.KeyBytes);
    private BeatChain _chain = new(0);
    private long _sequence;
    private int _state;
    private string _told = "";

    /// <summary>How often a question was left without an answer because its source had had its share.</summary>
    public long Refusals => _limit.Refusals;

    /// <summary>Says that what the node offers has changed: it is told at once.</summary>
    public void Changed() => _changed.Release();

    /// <summary>Beats until cancelled, then says goodbye.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        wires.Add(this);
        using var stopWires = new CancellationTokenSource();
        Task running = wires.RunAsync(stopWires.Token);
        try
        {
            while (true)
            {
                TimeSpan pause = _timing.Beat * (0.8 + 0.4 * Random.Shared.NextDouble());
                using var beat = new CancellationTokenSource(pause, clock);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(beat.Token, cancellation);
                try
                {
                    await _changed.WaitAsync(either.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
                {
                    // Time for a beat.
                }
                SendBeat(wires.SendToGroup);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            SayGoodbye();
        }
        finally
        {
            await stopWires.CancelAsync().ConfigureAwait(false);
            await running.ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public void Joined(Wire wire) => SendBeat(wire.SendToGroup);

    /// <inheritdoc/>
    public void Receive(in Datagram datagram)
    {
        switch (datagram.Message)
        {
            case Query query:
                Answer(query, datagram);
                break;
            case ProbeRequest request:
                Probe(request, datagram);
                break;
            case Signed signed when !_probes.IsEmpty && DiscoveryMessage.Read(signed.Body) is Answer answer:
                PassOn(answer, datagram);
                break;
            case Answer answer when !_probes.IsEmpty:
                PassOn(answer, datagram);
                break;
        }
    }

    private delegate void SendMessage(ReadOnlySpan<byte> message);

    private void SendBeat(SendMessage send)
    {
        foreach (string mesh in meshes)
        {
            byte[] beat;
            lock (_lock)
            {
                NodeDescription description = node();
                NoticeChange(description);
                if (!_chain.Reaches(++_sequence))
                {
                    _chain = new BeatChain(_sequence);
                }
                beat = new Beat(description.Id, mesh, _sequence, _chain.KeyOf(_sequence), _state).ToBytes();
            }
            send(beat);
        }
    }

    private void NoticeChange(NodeDescription description)
    {
        string now = description.ToText();
        if (now != _told)
        {
            _told = now;
            _state++;
        }
    }

    private void SayGoodbye()
    {
        foreach (string mesh in meshes)
        {
            byte[] goodbye = new Farewell(node().Id, mesh, _goodbye).ToBytes();
            // Twice: nobody acknowledges it.
            wires.SendToGroup(goodbye);
            wires.SendToGroup(goodbye);
        }
    }

    private void Answer(Query query, in Datagram datagram)
    {
        NodeDescription description = node();
        string[] common = [.. query.Meshes.Intersect(meshes)];
        if (common.Length == 0 || query.Known?.Excludes(description.Id) == true)
        {
            return;
        }
        // Who gets no answer asks by multicast and by broadcast: as long as the answer to one of them is still to come, the other one is
        // the same question.
        if (query.Filter?.Matches(In(common, description)) == false || _pending.Count >= MaximumPendingReplies ||
            _pending.ContainsKey((query.Nonce, datagram.From)) ||
            !_limit.Allows(SourceOf(datagram.From)) || !_pending.TryAdd((query.Nonce, datagram.From), true))
        {
            return;
        }
        _ = ReplyAsync(query, common, datagram.Wire, datagram.From, datagram.Bytes.Length);
    }

    /// <summary>What the node offers in some meshes.</summary>
    private static NodeDescription In(string[] common, NodeDescription description) =>
        description with { Services = [.. description.Services.Where(s => s.Meshes is null || s.Meshes.Intersect(common).Any())] };

    private async Task ReplyAsync(Query query, string[] common, Wire wire, IPEndPoint asker, int room)
    {
        try
        {
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.NextDouble() * query.WindowMilliseconds), clock).ConfigureAwait(false);
            if (Compose(query, common, wire, room) is { } answer)
            {
                wire.Send(answer, asker);
            }
        }
        finally
        {
            _pending.TryRemove((query.Nonce, asker), out _);
        }
    }

    /// <summary>The answer with as many services as have room; null where not even the bare one has.</summary>
    private byte[]? Compose(Query query, string[] common, Wire wire, int room)
    {
        NodeDescription offered;
        PresenceAnchor anchor;
        lock (_lock)
        {
            // As it is now, not as it was when the question came: the state that is told is that of what is told.
            NodeDescription description = node();
            offered = In(common, description);
            NoticeChange(description);
            anchor = new PresenceAnchor(_sequence, _chain.KeyOf(_sequence), BeatChain.Hash(_goodbye), _state);
        }
        if (query.Filter?.Service is { } wanted)
        {
            offered = offered with { Services = [.. offered.Services.Where(s => s.Id == wanted)] };
        }
        Service[] services = [.. offered.Services.Skip(query.Skip)];
        for (int count = services.Length; count >= 0; count--)
        {
            var answer = new Answer(
                query.Nonce, common, offered with { Services = services[..count] }, offered.Services.Count, anchor, wire.Place.ToString());
            byte[] bytes = signer is null ? answer.ToBytes() : signer.Sign(answer).ToBytes();
            if (bytes.Length <= Math.Min(room, DiscoveryMessage.MaximumBytes) - DiscoveryMessage.OriginRoom)
            {
                return bytes;
            }
        }
        return null;
    }

    /// <summary>Asks another node for somebody who cannot reach it: with his question's nonce, so that the answer is for him.</summary>
    private void Probe(ProbeRequest request, in Datagram datagram)
    {
        if (!meshes.Contains(request.Mesh) || !IPAddress.TryParse(request.Address, out IPAddress? address) ||
            _probes.Count >= MaximumProbes || !_limit.Allows(SourceOf(datagram.From)))
        {
            return;
        }
        var question = new Query(request.Nonce, 0, [request.Mesh], new NodeFilter(Nodes: [request.Id]));
        byte[] bytes = question.ToPaddedBytes(datagram.Bytes.Length);
        if (bytes.Length > datagram.Bytes.Length || !_probes.TryAdd(request.Nonce, (datagram.From, datagram.Bytes.Length)))
        {
            return;
        }
        datagram.Wire.Send(bytes, new IPEndPoint(address, request.Port));
        _ = ForgetAsync(request.Nonce);
    }

    private async Task ForgetAsync(string nonce)
    {
        await Task.Delay(s_probeTime, clock).ConfigureAwait(false);
        _probes.TryRemove(nonce, out _);
    }

    private void PassOn(Answer answer, in Datagram datagram)
    {
        if (_probes.TryRemove(answer.Nonce, out (IPEndPoint Asker, int Room) probe) &&
            (datagram.Message with { Origin = datagram.From.ToString() }).ToBytes() is var bytes && bytes.Length <= probe.Room)
        {
            datagram.Wire.Send(bytes, probe.Asker);
        }
    }

    private static uint SourceOf(IPEndPoint source) => BitConverter.ToUInt32(source.Address.GetAddressBytes());
}
