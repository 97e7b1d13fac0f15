using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Tftp;

/// <summary>
/// A TFTP server (RFC 1350, 2347, 2348, 2349, 7440), octet and netascii. Each request becomes a transfer with a socket of its own. Files
/// are looked up through <see cref="IBootFiles"/> alone; nothing can be written unless the options say where.
/// </summary>
public sealed class TftpServer : IDisposable
{
    private const int RequestBufferBytes = 2048;

    // A rack that is switched on asks all at once; what is not read in time is lost, and comes again only after a second.
    private const int ReceiveBufferBytes = 1 << 20;

    private readonly Socket _socket;
    private readonly TftpServerOptions _options;
    private readonly IBootFiles _files;
    private readonly IBootObserver _observer;
    private readonly TransferLoop _loop;

    /// <summary>What each client fetches or sends now, by its address and port. Changed for a client that is in it on the loop's thread
    /// alone.</summary>
    private readonly ConcurrentDictionary<IPEndPoint, TftpConversation> _transfers = new();

    /// <summary>Those that have not been reported yet.</summary>
    private readonly ConcurrentDictionary<TftpConversation, Task> _running = new();

    private TftpServer(Socket socket, TftpServerOptions options, IBootFiles files, IBootObserver observer, TimeProvider clock)
    {
        _socket = socket;
        _options = options;
        _files = files;
        _observer = observer;
        _loop = new TransferLoop(clock);
    }

    /// <summary>The address and port in use.</summary>
    public IPEndPoint LocalEndPoint => (IPEndPoint)_socket.LocalEndPoint!;

    /// <summary>Opens the port; serves once <see cref="RunAsync"/> is called.</summary>
    /// <exception cref="NetbootException">The port is taken or a privilege is missing.</exception>
    public static TftpServer Open(TftpServerOptions options, IBootFiles files, IBootObserver observer, TimeProvider clock)
    {
        bool version6 = options.EndPoint.AddressFamily == AddressFamily.InterNetworkV6;
        var socket = new Socket(options.EndPoint.AddressFamily, SocketType.Dgram,
            ProtocolType.Udp)
        { ReceiveBufferSize = ReceiveBufferBytes };
        try
        {
            if (version6)
            {
                socket.DualMode = true;
            }
            socket.SetSocketOption(version6 ? SocketOptionLevel.IPv6 : SocketOptionLevel.IP, SocketOptionName.PacketInformation, true);
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
                    await _socket.ReceiveMessageFromAsync(buffer, SocketFlags.None, new IPEndPoint(_options.EndPoint.Address, 0), cancel);
                if (!TftpRequest.TryParse(buffer.AsSpan(0, received.ReceivedBytes), out TftpRequest? request))
                {
                    _observer.Malformed("TFTP");
                }
                else if (_running.Count < _options.MaxTransfers)
                {
                    Take(Plain((IPEndPoint)received.RemoteEndPoint), LocalAddress(received.PacketInformation), request);
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
        _loop.Cancel();
        await Task.WhenAll(_running.Values);
        await Task.Yield(); // off the loop's thread, on which the last transfer ended: whoever awaits this may dispose it
    }

    /// <summary>After <see cref="RunAsync"/> has returned.</summary>
    public void Dispose()
    {
        _socket.Dispose();
        _loop.Dispose();
    }

    /// <summary>
    /// A board has begun anew, as its DHCP tells: nothing is repeated to it of what it loaded before, which could come in the place of an
    /// answer that it waits for now, from the same port. On any thread.
    /// </summary>
    /// <param name="mac">The board's hardware address.</param>
    public void Restart(MacAddress mac)
    {
        foreach (TftpConversation its in _transfers.Values)
        {
            if (its.Who.Mac == mac)
            {
                its.Forsake(restarted: true);
            }
        }
    }

    /// <summary>
    /// Starts a transfer. A client that has one already repeats its request, or has begun anew, as a board that lost its power: which of
    /// them is known on the loop's thread, when what the client has sent before was heard.
    /// </summary>
    private void Take(IPEndPoint client, IPAddress local, TftpRequest request)
    {
        foreach ((IPEndPoint other, TftpConversation its) in _transfers)
        {
            if (other.Port != client.Port && other.Address.Equals(client.Address))
            {
                its.Forsake(restarted: false);
            }
        }
        var transfer = new TftpConversation(client, local, request, _options, _files, _loop);
        if (_transfers.TryAdd(client, transfer))
        {
            Begin(client, transfer);
            return;
        }
        _loop.Post(() =>
        {
            TftpConversation? earlier;
            while (_transfers.TryGetValue(client, out earlier) && earlier.Hear())
            {
                // Such as the last acknowledgement, with which it ends.
            }
            if (earlier is not null)
            {
                if (earlier.IsRepeatedBy(request))
                {
                    return; // a second answer would confuse the client
                }
                earlier.Supersede();
            }
            _transfers[client] = transfer;
            _ = Task.Run(() => Begin(client, transfer)); // looking for the file takes its time
        });
    }

    private void Begin(IPEndPoint client, TftpConversation transfer)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _running[transfer] = ServeAsync(client, transfer, begun.Task);
        begun.SetResult();
    }

    private async Task ServeAsync(IPEndPoint client, TftpConversation transfer, Task begun)
    {
        await begun;
        try
        {
            TftpSighting sighting;
            try
            {
                sighting = await transfer.RunAsync();
            }
            finally
            {
                // At once: the client may ask for the next file already, from the same port.
                _transfers.TryRemove(KeyValuePair.Create(client, transfer));
            }
            await Task.Yield(); // off the loop's thread: whoever is told may take its time
            _observer.Fetched(sighting);
        }
        catch (OperationCanceledException)
        {
            // The service stops; the client finds out by itself.
        }
        finally
        {
            _running.TryRemove(transfer, out _);
        }
    }

    /// <summary>IPv4 clients of a socket for both look like IPv6.</summary>
    private static IPEndPoint Plain(IPEndPoint client) =>
        client.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(client.Address.MapToIPv4(), client.Port) : client;

    /// <summary>The address that was asked; one of a single link's means something on that link alone.</summary>
    private static IPAddress LocalAddress(IPPacketInformation information) =>
        information.Address.IsIPv4MappedToIPv6 ? information.Address.MapToIPv4() :
        information.Address.IsIPv6LinkLocal ? new IPAddress(information.Address.GetAddressBytes(), information.Interface) :
        information.Address;
}
