using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Agent.Discovery;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Agent.Relay;

/// <summary>
/// Keeps the connections to the other relays: dials those whose address is known and takes those who dial. TLS with certificates on both
/// sides, from the appliance's CA and of a node that is named as a peer; anybody else is refused.
/// </summary>
/// <param name="file">The peers.</param>
/// <param name="authority">The appliance's CA.</param>
/// <param name="identity">This node's, asked anew for each connection.</param>
/// <param name="revocations">Whose certificate is none any more: a relay whose key is revoked is cut off at once.</param>
/// <param name="log">The node's log.</param>
/// <param name="clock">Times connections.</param>
public sealed class RelayLinks(RelayFile file, X509Certificate2 authority, Func<NodeIdentity> identity, Revocations revocations,
    Action<string> log, TimeProvider clock)
{
    private const int MaximumHandshakes = 16;

    private static readonly TimeSpan s_handshakeTime = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private IReadOnlyList<RelayLink> _current = [];

    /// <summary>Those who are connected now. Two relays that dial each other have two.</summary>
    public IReadOnlyList<RelayLink> Current => Volatile.Read(ref _current);

    /// <summary>Connects and serves until cancelled.</summary>
    /// <param name="serve">Does what is to be done with a link as long as it lasts.</param>
    /// <param name="cancellation">Ends all of them.</param>
    public Task RunAsync(Func<RelayLink, CancellationToken, Task> serve, CancellationToken cancellation) =>
        Supervisor.RunAsync(cancellation, [new("listening for relays", stop => ListenAsync(serve, stop)),
        .. file.Peers.Where(p => p.EndPoint is not null).Select(p =>
            new Component($"the connection to {p.Node}", stop => DialAsync(p, serve, stop)))]);

    private async Task DialAsync(RelayPeer peer, Func<RelayLink, CancellationToken, Task> serve, CancellationToken cancellation)
    {
        string last = "";
        for (int failures = 0; !cancellation.IsCancellationRequested; failures++)
        {
            try
            {
                if (Current.All(link => link.Peer != peer.Node))
                {
                    var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                    await TalkAsync(socket, peer, async link =>
                    {
                        (failures, last) = (0, "");
                        await serve(link, cancellation).ConfigureAwait(false);
                    }, cancellation).ConfigureAwait(false);
                }
            }
            catch (Exception e) when (e is IOException or SocketException or AuthenticationException or OperationCanceledException)
            {
                string why = e is OperationCanceledException ? "it did not answer" : e.Message;
                if (why != last && !cancellation.IsCancellationRequested)
                {
                    last = why;
                    log($"relay: no connection to {peer.Node} at {peer.EndPoint}: {why}");
                }
            }
            await Task.Delay(BackOff.Delay(Math.Min(failures, 3), Random.Shared.NextDouble()), clock, cancellation)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ListenAsync(Func<RelayLink, CancellationToken, Task> serve, CancellationToken cancellation)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var talks = new List<Task>();
        try
        {
            listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            listener.Bind(new IPEndPoint(IPAddress.Any, file.Port));
            listener.Listen();
            while (true)
            {
                Socket socket = await listener.AcceptAsync(cancellation).ConfigureAwait(false);
                talks.RemoveAll(talk => talk.IsCompleted);
                if (talks.Count >= file.Peers.Count + MaximumHandshakes)
                {
                    socket.Dispose();
                    continue;
                }
                socket.NoDelay = true;
                talks.Add(AnswerAsync(socket, serve, cancellation));
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Asked to stop.
        }
        catch (SocketException e)
        {
            log($"relay: other relays cannot connect to TCP port {file.Port}: {e.Message}");
        }
        await Task.WhenAll(talks).ConfigureAwait(false);
    }

    private async Task AnswerAsync(Socket socket, Func<RelayLink, CancellationToken, Task> serve, CancellationToken cancellation)
    {
        string from = socket.RemoteEndPoint?.ToString() ?? "somebody";
        try
        {
            await TalkAsync(socket, null, link => serve(link, cancellation), cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Asked to stop, or a handshake that took too long.
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            log($"relay: the connection from {from} ended: {e.Message}");
        }
    }

    /// <summary>Shakes hands and serves.</summary>
    /// <param name="socket">Closed at the end.</param>
    /// <param name="dialled">Who must be at the other end; null: one of the peers has dialled us.</param>
    private async Task TalkAsync(Socket socket, RelayPeer? dialled, Func<RelayLink, Task> serve, CancellationToken cancellation)
    {
        using Socket owned = socket;
        using var patience = new CancellationTokenSource(s_handshakeTime, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
        if (dialled is not null)
        {
            await socket.ConnectAsync(dialled.EndPoint!, either.Token).ConfigureAwait(false);
        }
        string? peer = null;
        Digest key = default;
        bool Accept(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
        {
            peer = certificate is X509Certificate2 shown && Trust.IsIssuedBy(shown, authority) &&
                revocations.Stands(key = Trust.FingerprintOf(shown.PublicKey), Trust.NumberOf(shown.SerialNumber),
                    shown.NotAfter.ToUniversalTime())
                ? shown.GetNameInfo(X509NameType.SimpleName, forIssuer: false)
                : null;
            return peer is not null && (dialled is null ? file.Peers.Any(p => p.Node == peer) : dialled.Node == peer);
        }
        await using var stream = new SslStream(new NetworkStream(socket));
        // Given whole, so that .NET neither searches the machine's store nor downloads issuers.
        SslStreamCertificateContext own = SslStreamCertificateContext.Create(identity().Certificate, null, offline: true);
        if (dialled is null)
        {
            await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
            {
                ServerCertificateContext = own,
                ClientCertificateRequired = true,
                RemoteCertificateValidationCallback = Accept,
            }, either.Token).ConfigureAwait(false);
        }
        else
        {
            await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = dialled.Node,
                ClientCertificateContext = own,
                RemoteCertificateValidationCallback = Accept,
            }, either.Token).ConfigureAwait(false);
        }
        var link = new RelayLink(stream, peer!, clock);
        Change(links => [.. links, link]);
        log($"relay: connected to {peer}");
        void CutIfRevoked()
        {
            if (revocations.Contains(key))
            {
                socket.Dispose();
            }
        }
        revocations.Changed += CutIfRevoked;
        try
        {
            CutIfRevoked();
            await serve(link).ConfigureAwait(false);
        }
        finally
        {
            revocations.Changed -= CutIfRevoked;
            Change(links => [.. links.Where(other => other != link)]);
        }
    }

    private void Change(Func<IReadOnlyList<RelayLink>, IReadOnlyList<RelayLink>> change)
    {
        lock (_lock)
        {
            Volatile.Write(ref _current, change(_current));
        }
    }
}
