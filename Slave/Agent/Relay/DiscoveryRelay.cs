using System.Net;
using System.Threading.Channels;
using Bootstrap.Agent.Discovery;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Agent.Relay;

/// <summary>
/// Joins networks that multicast does not cross: what is asked and told on this node's wires is said again on those of its peers, and
/// answers find their way back. Nothing goes in circles, for each message names the relays that have carried it; and of several relays
/// between the same networks each waits a moment of its own and keeps silent where another one was faster: so any of them may fail at any
/// time.
/// </summary>
/// <param name="id">This node's id.</param>
/// <param name="meshes">What of other meshes is said stays where it is.</param>
/// <param name="wires">This node's network; the relay is to be added to them.</param>
/// <param name="links">To the other relays.</param>
/// <param name="registry">Gets the service <see cref="Service"/> while there is a link.</param>
/// <param name="clock">Times the waiting.</param>
public sealed class DiscoveryRelay(
    string id, IReadOnlyList<string> meshes, Wires wires, RelayLinks links, ServiceRegistry registry, TimeProvider clock) : IWireListener
{
    /// <summary>A relay's service. Parameter: <c>peers</c>, the ids of those that it is connected with.</summary>
    public const string Service = "relay";

    /// <summary>Questions in a second of one source that are carried on: twice as many as who watches a thousand new nodes has.</summary>
    private const int QuestionsPerSource = 160;

    /// <summary>Questions whose answers are awaited, and messages that wait for their moment.</summary>
    private const int MaximumOpen = 4096;

    /// <summary>Answers that come later find nobody any more.</summary>
    private static readonly TimeSpan s_answerTime = TimeSpan.FromSeconds(15);

    /// <summary>Whatever was heard on the own wires in the last seconds is not said there again.</summary>
    private readonly RecentKeys _heard = new(TimeSpan.FromSeconds(2), clock);
    private readonly Lock _publishing = new();
    private readonly SourceLimit _limit = new(QuestionsPerSource, clock);
    private readonly Dictionary<string, Asker> _askers = [];
    private readonly TimeSpan _moment = TimeSpan.FromMilliseconds(2 + 30 * Random.Shared.NextDouble());
    private readonly Channel<(DiscoveryMessage Message, int Length, RelayLink From, long At)> _waiting =
        Channel.CreateBounded<(DiscoveryMessage, int, RelayLink, long)>(
        new BoundedChannelOptions(MaximumOpen) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    /// <summary>Who wants the answers to a question: somebody on a wire, or another relay. Nobody gets an answer that is longer than his
    /// question.</summary>
    private readonly record struct Asker(Wire? Wire, IPEndPoint? Address, RelayLink? Link, int Length, long At);

    /// <summary>Relays until cancelled.</summary>
    public Task RunAsync(CancellationToken cancellation) =>
        Supervisor.RunAsync(cancellation, new("connecting relays", stop => links.RunAsync(ServeAsync, stop)), new("relaying", SayAsync));

    /// <inheritdoc/>
    public void Joined(Wire wire)
    {
        // It has nothing to say of its own.
    }

    /// <inheritdoc/>
    public void Receive(in Datagram datagram)
    {
        if (MessageVerifier.Read(datagram.Message) is { } answer)
        {
            AskerOf(answer.Nonce).Link?.Send(
                (datagram.Message with { Origin = datagram.Message.OriginOr(datagram.From).ToString(), Relayed = true }).ToBytes());
            return;
        }
        if (datagram.Message.Path?.Contains(id) == true || KeyOf(datagram.Message) is not { } key)
        {
            return;
        }
        _heard.Add(key);
        if (datagram.Message is Query query)
        {
            // One question brings the answers of a whole network: nobody elsewhere is to have them sent to an address that he made up.
            if (!datagram.Wire.IsOnLink(datagram.From.Address) ||
                !_limit.Allows(BitConverter.ToUInt32(datagram.From.Address.GetAddressBytes())))
            {
                return;
            }
            Remember(query.Nonce, new Asker(datagram.Wire, datagram.From, null, datagram.Bytes.Length, clock.GetTimestamp()),
                isSaid: false);
        }
        Carry(datagram.Message, datagram.Bytes.Length, null);
    }

    private async Task ServeAsync(RelayLink link, CancellationToken cancellation)
    {
        try
        {
            Publish();
            await link.RunAsync((message, length) => Receive(link, message, length), cancellation).ConfigureAwait(false);
        }
        finally
        {
            Publish(gone: link);
        }
    }

    /// <summary>A message came from another relay.</summary>
    private void Receive(RelayLink link, DiscoveryMessage message, int length)
    {
        if (MessageVerifier.Read(message) is { } answer)
        {
            Asker asker = AskerOf(answer.Nonce);
            // What is said, and not what came: the same message may be written in more bytes.
            byte[] said = message.ToBytes();
            if (said.Length <= asker.Length)
            {
                asker.Wire?.Send(said, asker.Address!);
                asker.Link?.Send(said);
            }
        }
        else if (KeyOf(message) is not null && message.Path?.Contains(id) == false)
        {
            Carry(message, length, link);
            _waiting.Writer.TryWrite((message, length, link, clock.GetTimestamp()));
        }
    }

    /// <summary>Sends it to all relays but the one that it came from.</summary>
    private void Carry(DiscoveryMessage message, int length, RelayLink? from)
    {
        RelayLink[] others = [.. links.Current.Where(link => link.Peer != from?.Peer).DistinctBy(link => link.Peer)];
        if (others.Length > 0 && Mark(message, length) is { } carried)
        {
            Array.ForEach(others, link => link.Send(carried));
        }
    }

    /// <summary>Says on the own wires what came from elsewhere, each after its moment.</summary>
    private async Task SayAsync(CancellationToken cancellation)
    {
        try
        {
            await foreach ((DiscoveryMessage message, int length, RelayLink from, long at) in _waiting.Reader.ReadAllAsync(cancellation)
                .ConfigureAwait(false))
            {
                TimeSpan rest = _moment - clock.GetElapsedTime(at);
                if (rest > TimeSpan.Zero)
                {
                    await Task.Delay(rest, clock, cancellation).ConfigureAwait(false);
                }
                if (_heard.Contains(KeyOf(message)!) || Mark(message, length) is not { } said)
                {
                    continue;
                }
                if (message is Query query)
                {
                    Remember(query.Nonce, new Asker(null, null, from, length, clock.GetTimestamp()), isSaid: true);
                }
                wires.SendToGroup(said);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Asked to stop.
        }
    }

    /// <summary>What makes a message the same wherever it is heard, and a repetition another one; null for what is not relayed.</summary>
    private string? KeyOf(DiscoveryMessage message) => message switch
    {
        Query query when query.Meshes.Intersect(meshes).Any() => $"{query.Nonce} {query.Round} {query.Known?.Part}",
        Beat beat when meshes.Contains(beat.Mesh) => $"beat {beat.Id} {beat.Mesh} {beat.Sequence}",
        Farewell farewell when meshes.Contains(farewell.Mesh) => $"bye {farewell.Id} {farewell.Mesh} {Convert.ToHexString(farewell.Key)}",
        _ => null,
    };

    /// <summary>The message with this relay's name on it; null where it has come far enough. A question stays as long as it was, where it
    /// had room to spare.</summary>
    private byte[]? Mark(DiscoveryMessage message, int length)
    {
        string[] path = [.. message.Path ?? [], id];
        if (path.Length > DiscoveryMessage.MaximumPath)
        {
            return null;
        }
        return message is Query query
            ? (query with { Meshes = [.. query.Meshes.Intersect(meshes)], Path = path }).ToPaddedBytes(length)
            : (message with { Path = path }).ToBytes();
    }

    /// <summary>
    /// Notes who wants the answers. Whoever says a question gets its answers, and carries them to where it came from; to hear that another
    /// relay has said it as well, at the same moment, changes nothing of that: or each would give its answers to the other.
    /// </summary>
    private void Remember(string nonce, Asker asker, bool isSaid)
    {
        lock (_askers)
        {
            if (_askers.Count >= MaximumOpen)
            {
                foreach (string old in _askers.Where(a => clock.GetElapsedTime(a.Value.At) > s_answerTime).Select(a => a.Key).ToArray())
                {
                    _askers.Remove(old);
                }
            }
            if (!isSaid && _askers.TryGetValue(nonce, out Asker earlier) && clock.GetElapsedTime(earlier.At) <= s_answerTime &&
                earlier.Address?.Equals(asker.Address) != true)
            {
                return;
            }
            if (_askers.Count < MaximumOpen || _askers.ContainsKey(nonce))
            {
                _askers[nonce] = asker;
            }
        }
    }

    private Asker AskerOf(string nonce)
    {
        lock (_askers)
        {
            return _askers.TryGetValue(nonce, out Asker asker) && clock.GetElapsedTime(asker.At) <= s_answerTime ? asker : default;
        }
    }

    private void Publish(RelayLink? gone = null)
    {
        // Links come and go on several threads: what is published last is what is so last.
        using Lock.Scope one = _publishing.EnterScope();
        string[] peers = [.. links.Current.Where(link => link != gone).Select(link => link.Peer).Distinct().Order(StringComparer.Ordinal)];
        if (peers.Length > 0)
        {
            registry.Publish(new Service(Service, new Dictionary<string, string> { ["peers"] = string.Join(',', peers) }), this);
        }
        else
        {
            registry.Unpublish(Service, this);
        }
    }
}
