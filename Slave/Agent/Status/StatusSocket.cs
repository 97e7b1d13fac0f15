using System.Net.WebSockets;
using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Agent.Status;

/// <summary>One watcher: is told the whole state, then the changes, as long as its token is good.</summary>
/// <param name="socket">Stays the caller's.</param>
/// <param name="token">That opened the connection.</param>
/// <param name="wanted">Names of metrics; null: all.</param>
/// <param name="feed">What is told.</param>
/// <param name="tokens">Looks at newer tokens.</param>
/// <param name="clock">Times sending.</param>
internal sealed class StatusSocket(
    WebSocket socket, StatusToken token, IReadOnlySet<string>? wanted, StatusFeed feed, StatusTokens tokens, TimeProvider clock)
{
    /// <summary>Codes of a close (RFC 6455, 7.4.2: from 4000 on they are an application's): the watcher said something that is not
    /// understood, its token's time is over, its holder is shut out, there are too many.</summary>
    public const WebSocketCloseStatus NotUnderstood = (WebSocketCloseStatus)4400, TokenOver = (WebSocketCloseStatus)4401,
        HolderEnded = (WebSocketCloseStatus)4403, TooMany = (WebSocketCloseStatus)4429;

    /// <summary>A watcher that takes nothing for so long is given up.</summary>
    private static readonly TimeSpan s_sendLimit = TimeSpan.FromSeconds(20), s_closeLimit = TimeSpan.FromSeconds(2);

    private readonly TaskCompletionSource<(WebSocketCloseStatus Code, string Why)> _end =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private volatile StatusToken _token = token;

    /// <summary>Whose it is.</summary>
    public string Holder => _token.Holder;

    /// <summary>Ends it with a reason, at once.</summary>
    public void End(WebSocketCloseStatus code, string why) => _end.TrySetResult((code, why));

    /// <summary>Tells until the watcher leaves, or <see cref="End"/>.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task hearing = HearAsync(stop.Token);
        try
        {
            await TellAsync(Task.WhenAny(hearing, _end.Task), stop.Token).ConfigureAwait(false);
            using var limit = new CancellationTokenSource(s_closeLimit, clock);
            (WebSocketCloseStatus code, string why) = _end.Task.IsCompleted ? await _end.Task.ConfigureAwait(false)
                : (WebSocketCloseStatus.NormalClosure, "");
            await socket.CloseOutputAsync(code, why, limit.Token).ConfigureAwait(false);
        }
        finally
        {
            // Only now: a read that is cancelled breaks the connection, and the reason would not be told.
            await stop.CancelAsync().ConfigureAwait(false);
            await hearing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task TellAsync(Task over, CancellationToken cancellation)
    {
        using IDisposable watch = feed.Watch();
        var changes = new StatusChanges();
        StatusReading reading = feed.Latest ?? await feed.NextAsync(cancellation).ConfigureAwait(false);
        while (!over.IsCompleted)
        {
            if (tokens.IsOver(_token))
            {
                End(TokenOver, "the token's time is over");
                return;
            }
            // One that is slow to take it is told the newest then, and what came in between is left out.
            Task<StatusReading> next = feed.NextAsync(cancellation);
            if (changes.Next(reading, wanted) is { } message)
            {
                await SendAsync(message, cancellation).ConfigureAwait(false);
            }
            if (await Task.WhenAny(next, over).ConfigureAwait(false) == over)
            {
                return;
            }
            reading = await next.ConfigureAwait(false);
        }
    }

    private async Task SendAsync(StatusMessage message, CancellationToken cancellation)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(message, ProtocolJson.Default.StatusMessage);
        using var limit = new CancellationTokenSource(s_sendLimit, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        await socket.SendAsync(json, WebSocketMessageType.Text, true, either.Token).ConfigureAwait(false);
    }

    /// <summary>Hears newer tokens until the watcher leaves.</summary>
    private async Task HearAsync(CancellationToken cancellation)
    {
        byte[] buffer = new byte[2 * StatusToken.LongestText];
        while (true)
        {
            ValueWebSocketReceiveResult part = await socket.ReceiveAsync(buffer.AsMemory(), cancellation).ConfigureAwait(false);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                return;
            }
            if (!part.EndOfMessage || Read(buffer.AsSpan(0, part.Count)) is not { } renewal)
            {
                End(NotUnderstood, "a watcher sends nothing but newer tokens");
                return;
            }
            if (tokens.Use(renewal.Token, out string? fault) is not { } newer)
            {
                End(TokenOver, fault!);
                return;
            }
            _token = newer;
        }
    }

    private static StatusRenewal? Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, ProtocolJson.Default.StatusRenewal);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
