using System.Net;
using System.Net.Sockets;
using System.Text;
using Bootstrap.Agent.Status;
using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent.Peers;

/// <summary>The other end of benchmarks between two nodes (<see cref="PeerService"/>). Nothing listens but while the appliance has asked
/// for it.</summary>
/// <param name="port">TCP; 0: any that is free.</param>
/// <param name="log">The node's log.</param>
/// <param name="clock">Tells when it is over.</param>
public sealed class PeerListener(int port, Action<string> log, TimeProvider clock)
{
    /// <summary>Connections of those who have proven nothing yet.</summary>
    private const int Most = 32;

    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(1), s_headLimit = TimeSpan.FromSeconds(10);

    private readonly PeerSecrets _secrets = new(clock);
    private readonly SemaphoreSlim _asked = new(0);
    private readonly StrangerRoom _room = new(Most);

    /// <summary>The port that is listened on; 0 while none is.</summary>
    public int Port { get; private set; }

    /// <summary>The appliance said something; what is not for this is passed over.</summary>
    public void Hear(LinkMessage message)
    {
        switch (message)
        {
            case ServePeer { IsSound: true, Seconds: 0 } over:
                _secrets.Remove(over.Secret);
                break;
            case ServePeer { IsSound: true } asked:
                _secrets.Add(asked.Secret, TimeSpan.FromSeconds(asked.Seconds));
                _asked.Release();
                break;
        }
    }

    /// <summary>Serves whenever it is asked for, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                await _asked.WaitAsync(cancellation).ConfigureAwait(false);
                await ListenOrTellAsync(cancellation).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Asked to stop.
        }
    }

    /// <summary>Another program may have the port today, and not tomorrow.</summary>
    private async Task ListenOrTellAsync(CancellationToken cancellation)
    {
        try
        {
            await ListenAsync(cancellation).ConfigureAwait(false);
        }
        catch (SocketException e)
        {
            log($"this node cannot be measured against on TCP port {port}: {e.Message}");
        }
        finally
        {
            Port = 0;
        }
    }

    private async Task ListenAsync(CancellationToken cancellation)
    {
        using var listener = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
        listener.Listen();
        Port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var served = new List<Task>();
        Task<Socket> next = listener.AcceptAsync(over.Token).AsTask();
        while (_secrets.Any)
        {
            Task look = Task.Delay(s_look, clock, cancellation);
            if (await Task.WhenAny(next, look).ConfigureAwait(false) == next)
            {
                served.RemoveAll(task => task.IsCompleted);
                served.Add(ServeAsync(await next.ConfigureAwait(false), over.Token));
                next = listener.AcceptAsync(over.Token).AsTask();
            }
            cancellation.ThrowIfCancellationRequested();
        }
        await over.CancelAsync().ConfigureAwait(false);
        await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (next.IsCompletedSuccessfully)
        {
            (await next.ConfigureAwait(false)).Dispose();
        }
        await Task.WhenAll(served).ConfigureAwait(false);
    }

    private async Task ServeAsync(Socket socket, CancellationToken cancellation)
    {
        using Socket owned = socket;
        try
        {
            _room.Enter(socket, ((IPEndPoint)socket.RemoteEndPoint!).Address);
            socket.NoDelay = true;
            await using var stream = new NetworkStream(socket);
            RequestHead? head;
            using (var limit = new CancellationTokenSource(s_headLimit, clock))
            using (var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation))
            {
                head = await RequestHead.ReadAsync(stream, either.Token).ConfigureAwait(false);
            }
            bool isUpgrade = head is { Method: "GET", Path: PeerService.Path } && head.HasWord("Upgrade", PeerService.Word);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(isUpgrade
                ? $"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {PeerService.Word}\r\n\r\n"
                : "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), cancellation).ConfigureAwait(false);
            if (isUpgrade)
            {
                await PeerService.ServeAsync(stream, _secrets, clock, () => _room.Leave(socket), cancellation).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Others come and go: nothing of it is worth a line of the log each.
        }
        finally
        {
            _room.Leave(socket);
        }
    }
}
