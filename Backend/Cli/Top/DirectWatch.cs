using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Link;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Cli.Top;

/// <summary>Hears a node straight from itself (docs/monitoring.md, "Live").</summary>
/// <param name="node">Where what it says goes.</param>
/// <param name="url">Of its WebSocket.</param>
/// <param name="authority">The appliance's CA: nothing else is believed.</param>
/// <param name="tokens">Lets in.</param>
internal sealed class DirectWatch(WatchedNode node, Uri url, X509Certificate2 authority, ITokenSource tokens)
{
    private const string Protocol = "bootstrap.status.1";

    private static readonly TimeSpan s_connectLimit = TimeSpan.FromSeconds(5), s_pause = TimeSpan.FromSeconds(5),
        s_renewal = StatusToken.Lifetime - TimeSpan.FromMinutes(1);

    /// <summary>It has been tried, and the node cannot be reached: the appliance may.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Watches until cancelled, and tries again where it breaks off.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                await WatchAsync(cancellation);
            }
            catch (Exception e) when (e is WebSocketException or JsonException
                || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
            {
                HasFailed = true;
            }
            await Task.Delay(s_pause, TimeProvider.System, cancellation);
        }
    }

    private async Task WatchAsync(CancellationToken cancellation)
    {
        using var socket = new ClientWebSocket();
        socket.Options.Proxy = null;
        socket.Options.AddSubProtocol(Protocol);
        socket.Options.AddSubProtocol("token." + await NewTokenAsync(cancellation));
        socket.Options.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            certificate is X509Certificate2 shown && IsOfNode(shown);
        using (var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation))
        {
            limit.CancelAfter(s_connectLimit);
            await socket.ConnectAsync(url, limit.Token);
        }
        HasFailed = false;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task renewing = RenewAsync(socket, stop.Token);
        try
        {
            await HearAsync(socket, cancellation);
        }
        finally
        {
            await stop.CancelAsync();
            await renewing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private bool IsOfNode(X509Certificate2 certificate) => Bootstrap.Protocol.Trust.IsIssuedBy(certificate, authority) &&
        certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false) == StatusCertificate.NameOf(node.Id);

    private async Task HearAsync(ClientWebSocket socket, CancellationToken cancellation)
    {
        byte[] buffer = new byte[StatusMessage.MaximumBytes];
        int length = 0;
        while (true)
        {
            ValueWebSocketReceiveResult part = await socket.ReceiveAsync(buffer.AsMemory(length), cancellation);
            length += part.Count;
            if (part.MessageType == WebSocketMessageType.Close)
            {
                return;
            }
            if (!part.EndOfMessage)
            {
                if (length == buffer.Length)
                {
                    node.Refuse($"a message is longer than {StatusMessage.MaximumBytes} bytes");
                    return;
                }
                continue;
            }
            StatusMessage? message = JsonSerializer.Deserialize(buffer.AsSpan(0, length), ProtocolJson.Default.StatusMessage);
            length = 0;
            if (message is null || !node.Take(message, Way.Direct))
            {
                return;
            }
        }
    }

    private async Task RenewAsync(ClientWebSocket socket, CancellationToken cancellation)
    {
        while (true)
        {
            await Task.Delay(s_renewal, TimeProvider.System, cancellation);
            byte[] renewal = JsonSerializer.SerializeToUtf8Bytes(new StatusRenewal(await NewTokenAsync(cancellation)),
                ProtocolJson.Default.StatusRenewal);
            await socket.SendAsync(renewal, WebSocketMessageType.Text, true, cancellation);
        }
    }

    private async Task<string> NewTokenAsync(CancellationToken cancellation) =>
        (await tokens.CreateAsync([node.Id], cancellation))[node.Id];
}
