using System.Collections.Concurrent;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Cli.Doctor;

/// <summary>Tries discovery on one interface: asks by multicast, by broadcast and one by one, and listens.</summary>
/// <param name="i">The interface.</param>
/// <param name="meshes">Those that are asked.</param>
/// <param name="alone">A machine to ask alone, besides the neighbours that the kernel knows.</param>
/// <param name="front">Sees what comes to the interface; null: nobody can.</param>
/// <param name="clock">Measures the windows.</param>
internal sealed class InterfaceExam(NetworkInterface i, IReadOnlyList<string> meshes, IPEndPoint? alone, FrontWatch? front,
    TimeProvider clock)
{
    /// <summary>Each way is tried so often: a wire may lose one datagram.</summary>
    private const int Tries = 3;

    private const int MaximumNeighbours = 256;

    /// <summary>Kept of answers and beats; more are a flood.</summary>
    private const int MaximumHeard = 1 << 14;

    private static readonly TimeSpan s_grace = TimeSpan.FromMilliseconds(300);

    private static readonly IPEndPoint s_group = new(IPAddress.Parse(DiscoveryMessage.Group), ServicePorts.Discovery);

    private readonly Dictionary<Way, string> _nonces = Enum.GetValues<Way>().ToDictionary(way => way, _ => Query.NewNonce());
    private readonly ConcurrentDictionary<(Way, IPEndPoint, string), HeardAnswer> _answers = new();
    private readonly ConcurrentDictionary<HeardBeat, bool> _beats = new();
    private readonly ConcurrentDictionary<(Socket By, IPAddress From), bool> _senders = new();
    private SocketError? _sendError;
    private volatile bool _hearsItself;

    /// <summary>Tries everything, then listens until the end.</summary>
    /// <exception cref="SocketException">The interface went away.</exception>
    public async Task<InterfaceFacts> RunAsync(Task end, CancellationToken cancellation)
    {
        using Socket asking = DiscoverySocket.Ask(i);
        using Socket? listening = TryListen(out SocketError? listenError);
        long started = clock.GetTimestamp();
        var own = (IPEndPoint)asking.LocalEndPoint!;
        Task[] loops = [ReceiveAsync(asking, TakeAnswer), .. listening is null ? (Task[])[] : [ReceiveAsync(listening, TakeOther)]];
        TimeSpan window = AnswerWindow.For(new Search().Expected, AnswerWindow.PerAnswer(asking.ReceiveBufferSize));
        await AskAsync(asking, Way.Multicast, [s_group], window, cancellation);
        await AskAsync(asking, Way.Broadcast, DiscoverySocket.Broadcast(i) is { } broadcast ? [broadcast] : [], window, cancellation);
        IPEndPoint[] silent = [.. Known().Where(known => !_answers.Keys.Any(a => a.Item2.Address.Equals(known.Address)))
            .Take(MaximumNeighbours)];
        await AskAsync(asking, Way.Alone, silent, window, cancellation);
        await end;
        int index = i.GetIPProperties().GetIPv4Properties().Index;
        IReadOnlyList<IPAddress>? toAsking = front?.SendersTo(index, own.Port, started),
            toListening = front?.SendersTo(index, ServicePorts.Discovery, started);
        // What the interface had a moment ago is on its way to the socket.
        await Task.Delay(s_grace, clock, cancellation);
        // The kernel counts drops only as long as the socket is open.
        long lost = KernelTables.Drops(KernelTables.Read("/proc/net/udp"), own.Port);
        var facts = new InterfaceFacts(i.Name, LinkState.Usable, own.Address)
        {
            ListenError = listenError,
            SendError = _sendError,
            HearsItself = _hearsItself,
            AskedAlone = silent.Length,
            Answers = [.. _answers.Values],
            Beats = [.. _beats.Keys],
            Stopped = StoppedFor(asking, toAsking),
            StoppedForGroup = listening is null ? null : StoppedFor(listening, toListening),
            Querier = front?.QuerierOn(index),
            ReversePathFilter = (int)Math.Max(KernelTables.Number("/proc/sys/net/ipv4/conf/all/rp_filter"),
                KernelTables.Number($"/proc/sys/net/ipv4/conf/{i.Name}/rp_filter")),
            Lost = lost,
            Buffer = asking.ReceiveBufferSize,
            Bridge = KernelTables.BridgeOf(i.Name),
        };
        asking.Dispose();
        listening?.Dispose();
        await Task.WhenAll(loops);
        return facts;
    }

    private IReadOnlyList<IPAddress>? StoppedFor(Socket socket, IReadOnlyList<IPAddress>? senders) =>
        senders is null ? null : [.. senders.Where(from => !_senders.ContainsKey((socket, from)))];

    private Socket? TryListen(out SocketError? error)
    {
        error = null;
        try
        {
            return DiscoverySocket.Listen(i);
        }
        catch (SocketException e)
        {
            error = e.SocketErrorCode;
            return null;
        }
    }

    private IEnumerable<IPEndPoint> Known()
    {
        IEnumerable<IPEndPoint> neighbours = KernelTables.Neighbours(KernelTables.Read("/proc/net/arp"), i.Name)
            .Select(a => new IPEndPoint(a, ServicePorts.Discovery));
        return alone is null ? neighbours : neighbours.Prepend(alone);
    }

    private async Task AskAsync(Socket socket, Way way, IReadOnlyList<IPEndPoint> to, TimeSpan window, CancellationToken cancellation)
    {
        byte[] question = new Query(_nonces[way], (int)window.TotalMilliseconds, meshes).ToPaddedBytes();
        for (int n = 0; n < Tries && to.Count > 0; n++)
        {
            foreach (IPEndPoint address in to)
            {
                try
                {
                    await socket.SendToAsync(question, address, cancellation);
                }
                catch (SocketException e)
                {
                    // A single machine may be gone; the group has no way to be.
                    _sendError ??= way == Way.Multicast ? e.SocketErrorCode : null;
                }
            }
            await Task.Delay(window + s_grace, clock, cancellation);
        }
    }

    private async Task ReceiveAsync(Socket socket, Action<DiscoveryMessage, IPEndPoint> take)
    {
        byte[] buffer = new byte[DiscoveryMessage.MaximumBytes + 1];
        try
        {
            while (true)
            {
                SocketReceiveFromResult received = await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0));
                var from = (IPEndPoint)received.RemoteEndPoint;
                if (_senders.Count < MaximumHeard)
                {
                    _senders.TryAdd((socket, from.Address), true);
                }
                if (DiscoveryMessage.Read(buffer.AsSpan(0, received.ReceivedBytes)) is { } message)
                {
                    take(message, from);
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The examination is over, or the interface went down.
        }
    }

    private void TakeAnswer(DiscoveryMessage message, IPEndPoint from)
    {
        if (MessageVerifier.Read(message) is not { } answer || _answers.Count >= MaximumHeard)
        {
            return;
        }
        foreach ((Way way, string nonce) in _nonces.Where(n => n.Value == answer.Nonce))
        {
            NodeDescription node = answer.Node;
            IReadOnlyDictionary<string, string>? backend = node.Services.FirstOrDefault(s => s.Id == Service.Backend)?.Parameters;
            IPEndPoint place = message.OriginOr(from);
            _answers.TryAdd((way, place, node.Id), new HeardAnswer(way, place, Words.Plain(node.Id), Words.Plain(node.HostName))
            {
                Meshes = answer.Meshes,
                IsRelayed = message.RelayOf(from) is not null,
                Process = answer.Presence is { } presence ? Convert.ToHexStringLower(presence.Goodbye) : null,
                Certificate = message is Signed signed ? TimesOf(signed.Certificate) : null,
                Authority = backend?.GetValueOrDefault("ca") is { } authority ? Words.Plain(authority) : null,
                HttpPort = int.TryParse(backend?.GetValueOrDefault("http"), out int port) && port is > 0 and < 65536 ? port : null,
            });
        }
    }

    private void TakeOther(DiscoveryMessage message, IPEndPoint from)
    {
        switch (message)
        {
            case Query query when query.Nonce == _nonces[Way.Multicast]:
                _hearsItself = true;
                break;
            case Beat beat when _beats.Count < MaximumHeard:
                _beats.TryAdd(new HeardBeat(Words.Plain(beat.Id), Words.Plain(beat.Mesh), from.Address), true);
                break;
        }
    }

    private static (DateTimeOffset, DateTimeOffset)? TimesOf(byte[] certificate)
    {
        try
        {
            using X509Certificate2 read = X509CertificateLoader.LoadCertificate(certificate);
            return (read.NotBefore, read.NotAfter);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
