using System.Buffers;
using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Link;

/// <summary>What a node does with what the appliance says; it returns at once and leaves long work to others.</summary>
/// <param name="message">The message.</param>
/// <param name="appliance">Who sent it: programs, manifests and chunks are on the same address.</param>
public delegate void LinkHandler(LinkMessage message, ApplianceEndpoint appliance);

/// <summary>
/// The node's one connection to its appliance: finds it, says hello, sends what the outbox holds, hands on what comes, and
/// starts anew whenever the connection is lost.
/// </summary>
/// <param name="tls">Who is believed.</param>
/// <param name="locator">Where to look.</param>
/// <param name="identity">Who this node is.</param>
/// <param name="refused">The appliance does not take this identity: gives the one to go on with.</param>
/// <param name="hello">Makes the first message of each connection.</param>
/// <param name="health">Read for every heartbeat.</param>
/// <param name="log">The node's log.</param>
/// <param name="clock">Times heartbeats and back-off.</param>
public sealed class NodeLink(
    ApplianceTls tls, ApplianceLocator locator, NodeIdentity identity, Func<NodeIdentity, CancellationToken, Task<NodeIdentity>> refused,
    Func<Hello> hello, Func<Health> health, Action<string> log, TimeProvider clock)
{
    private static readonly TimeSpan s_attemptTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_farewellTimeout = TimeSpan.FromSeconds(2);

    private readonly RefusalLog _refusals = new(log);
    private TaskCompletionSource _reconnect = new();

    /// <summary>The last word is on its way; how the connection ends then is of no interest.</summary>
    private volatile bool _saidGoodbye;

    private bool _saidUnknown;

    /// <summary>What waits to be sent. A <see cref="Goodbye"/> is the last: once it is sent, <see cref="RunAsync"/> returns.</summary>
    public Outbox Outbox { get; } = new();

    /// <summary>Who this node is at present.</summary>
    public NodeIdentity Identity { get; private set; } = identity;

    /// <summary>Told of each identity that the appliance accepted a connection with.</summary>
    public Action<NodeIdentity>? Accepted { get; set; }

    private enum Outcome
    {
        NotReached,
        Refused,
        Lost,
        Left,
    }

    /// <summary>Holds the connection until a goodbye was sent, or it is cancelled.</summary>
    public async Task RunAsync(LinkHandler handle, CancellationToken cancellation)
    {
        int failures = 0;
        while (true)
        {
            Outcome outcome = Outcome.NotReached;
            NodeIdentity shown = Identity;
            await foreach (ApplianceEndpoint endpoint in locator.FindAsync(cancellation).ConfigureAwait(false))
            {
                outcome = await TalkAsync(endpoint, shown, handle, cancellation).ConfigureAwait(false);
                if (outcome != Outcome.NotReached)
                {
                    break;
                }
            }
            if (outcome == Outcome.Left)
            {
                return;
            }
            if (outcome == Outcome.Refused)
            {
                Identity = await refused(shown, cancellation).ConfigureAwait(false);
            }
            failures = outcome == Outcome.Lost ? 0 : failures + 1;
            TimeSpan delay = BackOff.Delay(failures, Random.Shared.NextDouble());
            if (outcome == Outcome.NotReached)
            {
                log($"no appliance of ours can be reached; looking again in {delay.TotalSeconds:0.0} s");
            }
            await Task.Delay(delay, clock, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Connects anew with another identity. Nothing that waits in the outbox is lost.</summary>
    public void Reconnect(NodeIdentity identity)
    {
        Identity = identity;
        _reconnect.TrySetResult();
    }

    private async Task<Outcome> TalkAsync(
        ApplianceEndpoint endpoint, NodeIdentity shown, LinkHandler handle, CancellationToken cancellation)
    {
        using var socket = new ClientWebSocket();
        // WebSocket pings show the silence of either side: no pong for two more periods ends the connection.
        socket.Options.KeepAliveInterval = LinkMessage.HeartbeatPeriod;
        socket.Options.KeepAliveTimeout = 2 * LinkMessage.HeartbeatPeriod;
        socket.Options.CollectHttpResponseDetails = true;
        using var invoker = new HttpMessageInvoker(tls.CreateHandler(shown, reason => _refusals.Add(endpoint, reason)));
        bool connected = false;
        try
        {
            await ConnectAsync(socket, endpoint, invoker, cancellation).ConfigureAwait(false);
            connected = true;
            locator.Remember(endpoint);
            Accepted?.Invoke(shown);
            log($"connected to the appliance at {endpoint}");
            bool left = await ConverseAsync(socket, endpoint, handle, cancellation).ConfigureAwait(false);
            if (!left && !_reconnect.Task.IsCompleted)
            {
                log($"the appliance at {endpoint} closed the " +
                    $"connection{(socket.CloseStatusDescription is { Length: > 0 } why ? $": {why}" : "")}");
            }
            return left ? Outcome.Left : Outcome.Lost;
        }
        catch (Exception e) when (e is WebSocketException or HttpRequestException or IOException or TimeoutException)
        {
            if (!_refusals.Contains(endpoint))
            {
                log($"{(connected ? "lost the appliance at" : "cannot connect to")} {endpoint}: {(e.InnerException ?? e).Message}");
            }
            return connected ? Outcome.Lost : socket.HttpStatusCode == HttpStatusCode.Forbidden ? Outcome.Refused : Outcome.NotReached;
        }
    }

    private async Task ConnectAsync(
        ClientWebSocket socket, ApplianceEndpoint endpoint, HttpMessageInvoker invoker, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(s_attemptTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        try
        {
            await socket.ConnectAsync(endpoint.Url("wss", LinkMessage.Path), invoker, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"no answer within {s_attemptTimeout.TotalSeconds:0} s");
        }
    }

    /// <summary>Sends and receives until one of both ends.</summary>
    /// <returns>True if this side said goodbye.</returns>
    private async Task<bool> ConverseAsync(
        ClientWebSocket socket, ApplianceEndpoint endpoint, LinkHandler handle, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _reconnect = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task sending = SendAllAsync(socket, stop.Token);
        Task receiving = ReceiveAllAsync(socket, endpoint, handle, stop.Token);
        Task first = await Task.WhenAny(sending, receiving, _reconnect.Task).ConfigureAwait(false);
        if (sending.IsCompletedSuccessfully)
        {
            // Goodbye: the appliance's closing frame shows that it has read all. Without one it has had its chance.
            await receiving.WaitAsync(s_farewellTimeout, clock, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(sending, receiving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellation.ThrowIfCancellationRequested();
        // The appliance's closing frame may be here before our own is known to have been sent.
        if (!_saidGoodbye)
        {
            await first.ConfigureAwait(false);
        }
        return _saidGoodbye;
    }

    private async Task SendAllAsync(ClientWebSocket socket, CancellationToken cancellation)
    {
        await SendAsync(socket, hello(), cancellation).ConfigureAwait(false);
        while (true)
        {
            while (Outbox.Next() is { } message)
            {
                await SendAsync(socket, message, cancellation).ConfigureAwait(false);
                Outbox.Sent();
                if (message is Goodbye)
                {
                    _saidGoodbye = true;
                    await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellation).ConfigureAwait(false);
                    return;
                }
            }
            if (!await FilledWithinAsync(LinkMessage.HeartbeatPeriod, cancellation).ConfigureAwait(false))
            {
                await SendAsync(socket, new Heartbeat(health()), cancellation).ConfigureAwait(false);
            }
        }
    }

    private async Task<bool> FilledWithinAsync(TimeSpan period, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(period, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        try
        {
            await Outbox.WaitAsync(either.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    private static async Task SendAsync(ClientWebSocket socket, LinkMessage message, CancellationToken cancellation)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(message, ProtocolJson.Default.LinkMessage);
        await socket.SendAsync(json.AsMemory(), WebSocketMessageType.Text, endOfMessage: true, cancellation).ConfigureAwait(false);
    }

    private async Task ReceiveAllAsync(
        ClientWebSocket socket, ApplianceEndpoint endpoint, LinkHandler handle, CancellationToken cancellation)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        while (true)
        {
            ValueWebSocketReceiveResult part = await socket.ReceiveAsync(buffer.GetMemory(4096), cancellation).ConfigureAwait(false);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                return;
            }
            buffer.Advance(part.Count);
            if (buffer.WrittenCount > LinkMessage.MaximumBytes)
            {
                throw new IOException($"a message from the appliance is longer than {LinkMessage.MaximumBytes} bytes");
            }
            if (part.EndOfMessage)
            {
                LinkMessage? message = Read(buffer.WrittenSpan);
                if (message is { IsUnknown: true } && !_saidUnknown)
                {
                    _saidUnknown = true;
                    log("the appliance is newer than this program: what it says that is not known here is passed over");
                }
                else if (message is { IsUnknown: false })
                {
                    handle(message, endpoint);
                }
                buffer.ResetWrittenCount();
            }
        }
    }

    /// <summary>Null for what is no message.</summary>
    private LinkMessage? Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, ProtocolJson.Default.LinkMessage);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            log($"a message from the appliance cannot be understood and is ignored: {e.Message}");
            return null;
        }
    }
}
