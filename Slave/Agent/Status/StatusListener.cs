using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using Bootstrap.Agent.Discovery;
using Bootstrap.Board.Sampling;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Agent.Status;

/// <summary>
/// Serves the node's status to browsers and programs, without the appliance between: TLS with the node's status certificate, and a
/// WebSocket for whoever brings a token. Offered in discovery as service <see cref="Service.StatusMonitor"/> once it can be served.
/// </summary>
/// <param name="port">TCP; 0: any that is free.</param>
/// <param name="identity">The certificate.</param>
/// <param name="tokens">Who may watch.</param>
/// <param name="feed">What is told.</param>
/// <param name="registry">Where the service is offered.</param>
/// <param name="log">The node's log.</param>
/// <param name="clock">Times connections.</param>
/// <param name="metrics">Writes all values as Prometheus takes them; null: there are none.</param>
public sealed class StatusListener(
    int port, StatusIdentity identity, StatusTokens tokens, StatusFeed feed, ServiceRegistry registry, Action<string> log,
    TimeProvider clock, Action<IBufferWriter<byte>>? metrics = null)
{
    /// <summary>Path of the WebSocket; behind a question mark, <c>metrics=a,b</c> names the only ones wanted.</summary>
    public const string Path = "/status";

    /// <summary>Path of the values as Prometheus takes them; the token comes as <c>Authorization: Bearer …</c>.</summary>
    public const string MetricsPath = "/metrics";

    /// <summary>What the protocol within the WebSocket is called. A watcher offers it, and the token behind <see cref="TokenPrefix"/> as a
    /// second one: browsers cannot set other fields, and an address would be kept in logs.</summary>
    public const string Protocol = "bootstrap.status.1", TokenPrefix = "token.";

    /// <summary>Those who watch, in all and of one holder; and those who have not shown a token yet.</summary>
    public const int MostWatchers = 64, MostOfHolder = 16, MostStrangers = 32;

    private static readonly TimeSpan s_introductionLimit = TimeSpan.FromSeconds(10), s_keepAlive = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly StrangerRoom _strangers = new(MostStrangers);
    private readonly List<StatusSocket> _watchers = [];

    /// <summary>The port that is listened on; 0 before.</summary>
    public int Port { get; private set; }

    /// <summary>Whoever watches by a token of this holder's watches no longer.</summary>
    public void End(string holder)
    {
        StatusSocket[] ended;
        lock (_lock)
        {
            ended = [.. _watchers.Where(socket => socket.Holder == holder)];
        }
        foreach (StatusSocket socket in ended)
        {
            socket.End(StatusSocket.HolderEnded, "the holder of this token is shut out");
        }
    }

    /// <summary>Listens and serves until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var listener = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        var served = new List<Task>();
        try
        {
            listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            listener.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
            listener.Listen();
            Port = ((IPEndPoint)listener.LocalEndPoint!).Port;
            identity.Changed += Offer;
            Offer();
            while (true)
            {
                Socket socket = await listener.AcceptAsync(cancellation).ConfigureAwait(false);
                served.RemoveAll(task => task.IsCompleted);
                served.Add(ServeAsync(socket, cancellation));
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Asked to stop.
        }
        catch (SocketException e)
        {
            log($"this node's status cannot be served on TCP port {port}: {e.Message}");
        }
        identity.Changed -= Offer;
        registry.Unpublish(Service.StatusMonitor, this);
        await Task.WhenAll(served).ConfigureAwait(false);
    }

    private void Offer()
    {
        var service = new Service(Service.StatusMonitor, new Dictionary<string, string> { ["port"] = $"{Port}" });
        if (identity.Current is not null && registry.Publish(service, this) is { } fault)
        {
            log($"this node's status is not offered in discovery: {fault}");
        }
    }

    private async Task ServeAsync(Socket socket, CancellationToken cancellation)
    {
        using Socket owned = socket;
        if (identity.Current is not { } own || socket.RemoteEndPoint is not IPEndPoint source)
        {
            return;
        }
        _strangers.Enter(socket, source.Address);
        try
        {
            socket.NoDelay = true;
            await using var stream = new SslStream(new NetworkStream(socket));
            await AnswerAsync(socket, stream, own, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or AuthenticationException or OperationCanceledException or
            WebSocketException or ObjectDisposedException)
        {
            // Strangers come, go, and are put out for others: nothing of it is worth a line of the log each.
        }
        finally
        {
            _strangers.Leave(socket);
        }
    }

    private async Task AnswerAsync(Socket socket, SslStream stream, Link.NodeIdentity own, CancellationToken cancellation)
    {
        RequestHead? head;
        using (var limit = new CancellationTokenSource(s_introductionLimit, clock))
        using (var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation))
        {
            await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
            {
                // Given whole, so that .NET neither searches the machine's store nor downloads issuers.
                ServerCertificateContext = SslStreamCertificateContext.Create(own.Certificate, null, offline: true),
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            }, either.Token).ConfigureAwait(false);
            head = await RequestHead.ReadAsync(stream, either.Token).ConfigureAwait(false);
        }
        switch (head)
        {
            case null:
                await RefuseAsync(stream, "400 Bad Request", "That is no request for a node's status.", cancellation).ConfigureAwait(false);
                break;
            case { Method: not "GET" }:
                await RefuseAsync(stream, "405 Method Not Allowed", "A node's status is read, and not changed.", cancellation)
                    .ConfigureAwait(false);
                break;
            case { Path: Path } when head.HasWord("Upgrade", "websocket") && head.Field("Sec-WebSocket-Version") == "13"
                && head.HasWord("Sec-WebSocket-Protocol", Protocol) && head.Field("Sec-WebSocket-Key").Length > 0:
                await WatchAsync(socket, stream, head, cancellation).ConfigureAwait(false);
                break;
            case { Path: Path }:
                await RefuseAsync(stream, "426 Upgrade Required", $"This is a WebSocket of the protocol {Protocol}.", cancellation)
                    .ConfigureAwait(false);
                break;
            case { Path: MetricsPath } when metrics is not null:
                await TellMetricsAsync(stream, head, cancellation).ConfigureAwait(false);
                break;
            default:
                await RefuseAsync(stream, "404 Not Found", $"A node has {Path} and {MetricsPath}.", cancellation).ConfigureAwait(false);
                break;
        }
    }

    private async Task WatchAsync(Socket connection, SslStream stream, RequestHead head, CancellationToken cancellation)
    {
        string? text = head.Words("Sec-WebSocket-Protocol")
            .FirstOrDefault(word => word.StartsWith(TokenPrefix, StringComparison.Ordinal));
        string? fault = "a token is needed";
        if (text is null || tokens.Use(text[TokenPrefix.Length..], out fault) is not { } token)
        {
            await RefuseAsync(stream, "401 Unauthorized", $"Refused: {fault}.", cancellation).ConfigureAwait(false);
            return;
        }
        if (!_strangers.Leave(connection))
        {
            return;
        }
        string answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
            $"Sec-WebSocket-Accept: {AcceptOf(head.Field("Sec-WebSocket-Key"))}\r\nSec-WebSocket-Protocol: {Protocol}\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), cancellation).ConfigureAwait(false);
        using WebSocket socket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions
        {
            IsServer = true,
            SubProtocol = Protocol,
            KeepAliveInterval = s_keepAlive,
            KeepAliveTimeout = s_keepAlive,
        });
        var watcher = new StatusSocket(socket, token, WantedOf(head.Query), feed, tokens, clock);
        if (!Add(watcher))
        {
            watcher.End(StatusSocket.TooMany, "too many watch this node");
        }
        try
        {
            await watcher.RunAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock)
            {
                _watchers.Remove(watcher);
            }
        }
    }

    private bool Add(StatusSocket watcher)
    {
        lock (_lock)
        {
            if (_watchers.Count >= MostWatchers || _watchers.Count(other => other.Holder == watcher.Holder) >= MostOfHolder)
            {
                return false;
            }
            _watchers.Add(watcher);
            return true;
        }
    }

    private async Task TellMetricsAsync(SslStream stream, RequestHead head, CancellationToken cancellation)
    {
        const string bearer = "Bearer ";
        string? fault = "a token is needed";
        string field = head.Field("Authorization");
        string text = field.StartsWith(bearer, StringComparison.OrdinalIgnoreCase) ? field[bearer.Length..].Trim() : "";
        if (text.Length == 0 || (!tokens.MayScrape(text) && tokens.Use(text, out fault) is null))
        {
            await RefuseAsync(stream, "401 Unauthorized", $"Refused: {fault}.", cancellation).ConfigureAwait(false);
            return;
        }
        var values = new ArrayBufferWriter<byte>();
        metrics!(values);
        await AnswerAsync(stream, "200 OK", MetricsText.ContentType, values.WrittenMemory, cancellation).ConfigureAwait(false);
    }

    private static HashSet<string>? WantedOf(string query) =>
        query.StartsWith("metrics=", StringComparison.Ordinal) ? [.. Uri.UnescapeDataString(query["metrics=".Length..]).Split(',')]
            : null;

    /// <summary>Proves that the request was understood as one for a WebSocket (RFC 6455, 4.2.2, 5.4); no secret, and no
    /// signature.</summary>
    private static string AcceptOf(string key) =>
#pragma warning disable CA5350 // The RFC asks for SHA-1.
        Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350

    private static Task RefuseAsync(SslStream stream, string status, string sentence, CancellationToken cancellation) =>
        AnswerAsync(stream, status, "text/plain", Encoding.ASCII.GetBytes(sentence + "\n"), cancellation);

    private static async Task AnswerAsync(
        SslStream stream, string status, string type, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        string head = $"HTTP/1.1 {status}\r\nContent-Type: {type}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), cancellation).ConfigureAwait(false);
        await stream.WriteAsync(body, cancellation).ConfigureAwait(false);
        await stream.ShutdownAsync().ConfigureAwait(false);
    }
}
