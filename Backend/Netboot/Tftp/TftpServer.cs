using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Bootstrap.Netboot.Tftp;

/// <summary>
/// A read-only TFTP server (RFC 1350, 2347, 2348, 2349, 7440), octet mode. Each request becomes a transfer with a socket of its own. Files are
/// looked up through <see cref="IBootFiles"/> alone.
/// </summary>
public sealed class TftpServer : IDisposable
{
    private const int RequestBufferBytes = 2048;

    private readonly Socket _socket;
    private readonly TftpServerOptions _options;
    private readonly IBootFiles _files;
    private readonly IBootObserver _observer;
    private readonly TimeProvider _clock;
    private readonly ConcurrentDictionary<IPEndPoint, Task> _transfers = new();

    private TftpServer(Socket socket, TftpServerOptions options, IBootFiles files, IBootObserver observer, TimeProvider clock)
    {
        _socket = socket;
        _options = options;
        _files = files;
        _observer = observer;
        _clock = clock;
    }

    /// <summary>The address and port in use.</summary>
    public IPEndPoint LocalEndPoint => (IPEndPoint)_socket.LocalEndPoint!;

    /// <summary>Opens the port; serves once <see cref="RunAsync"/> is called.</summary>
    /// <exception cref="NetbootException">The port is taken or a privilege is missing.</exception>
    public static TftpServer Open(TftpServerOptions options, IBootFiles files, IBootObserver observer, TimeProvider clock)
    {
        var socket = new Socket(options.EndPoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.PacketInformation, true);
            socket.Bind(options.EndPoint);
            return new TftpServer(socket, options, files, observer, clock);
        }
        catch (SocketException reason)
        {
            socket.Dispose();
            throw NetbootException.CannotBind("TFTP", options.EndPoint, "--tftp off", reason);
        }
    }

    /// <summary>Serves until cancelled, and returns when the transfers under way have stopped.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        byte[] buffer = new byte[RequestBufferBytes];
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                SocketReceiveMessageFromResult received =
                    await _socket.ReceiveMessageFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), cancel);
                var client = (IPEndPoint)received.RemoteEndPoint;
                if (!TftpRequest.TryParse(buffer.AsSpan(0, received.ReceivedBytes), out TftpRequest? request))
                {
                    _observer.Malformed("TFTP");
                }
                else if (_transfers.Count < _options.MaxTransfers)
                {
                    Begin(client, received.PacketInformation.Address, request, cancel);
                }
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                break;
            }
            catch (SocketException) when (!cancel.IsCancellationRequested)
            {
                // An ICMP error for something sent earlier; requests go on.
            }
        }
        await Task.WhenAll(_transfers.Values);
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>Starts a transfer, unless this is a repeated request for one that runs: a second answer would confuse the client.</summary>
    private void Begin(IPEndPoint client, IPAddress local, TftpRequest request, CancellationToken cancel)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_transfers.TryAdd(client, begun.Task))
        {
            _transfers[client] = ServeAsync(client, local, request, begun.Task, cancel);
            begun.SetResult();
        }
    }

    private async Task ServeAsync(IPEndPoint client, IPAddress local, TftpRequest request, Task begun, CancellationToken cancel)
    {
        await begun;
        try
        {
            using var transfer = new TftpTransfer(client, local, _files, _clock);
            _observer.Fetched(await transfer.RunAsync(request, cancel));
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The service stops; the client finds out by itself.
        }
        finally
        {
            _transfers.TryRemove(client, out _);
        }
    }
}
