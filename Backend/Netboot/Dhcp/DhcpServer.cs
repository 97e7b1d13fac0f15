using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>
/// DHCP on named interfaces, in proxy or full mode. Each interface has its own sockets, so that a message is known by the wire it came by and
/// the reply names that interface's address.
/// </summary>
public sealed class DhcpServer : IDisposable
{
    private const int SolSocket = 1;
    private const int SoBindToDevice = 25;

    private readonly DhcpServerOptions _options;
    private readonly DhcpResponder _responder;
    private readonly IBootObserver _observer;
    private readonly List<(Socket Socket, string Interface, bool BootServer)> _sockets = [];

    private DhcpServer(DhcpServerOptions options, ILeaseStore leases, IBootObserver observer, TimeProvider clock)
    {
        _options = options;
        _responder = new DhcpResponder(options, new LeaseTable(leases, clock));
        _observer = observer;
    }

    /// <summary>Opens the ports; serves once <see cref="RunAsync"/> is called.</summary>
    /// <param name="interfaces">Names of the interfaces to listen on.</param>
    /// <exception cref="NetbootException">A port is taken, a privilege is missing, or an interface does not exist.</exception>
    public static DhcpServer Open(
        DhcpServerOptions options, IReadOnlyCollection<string> interfaces, ILeaseStore leases, IBootObserver observer, TimeProvider clock)
    {
        var server = new DhcpServer(options, leases, observer, clock);
        try
        {
            foreach (string name in interfaces)
            {
                server._sockets.Add((Listen(name, options.ServerPort), name, false));
                server._sockets.Add((Listen(name, options.BootServerPort), name, true));
            }
            return server;
        }
        catch (NetbootException)
        {
            server.Dispose();
            throw;
        }
    }

    /// <summary>Answers until cancelled.</summary>
    public Task RunAsync(CancellationToken cancel) => Task.WhenAll(_sockets.Select(s => ServeAsync(s.Socket, s.Interface, s.BootServer, cancel)));

    public void Dispose() => _sockets.ForEach(s => s.Socket.Dispose());

    private static Socket Listen(string name, int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { EnableBroadcast = true };
        try
        {
            socket.SetRawSocketOption(SolSocket, SoBindToDevice, Encoding.ASCII.GetBytes(name + '\0'));
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
            return socket;
        }
        catch (SocketException reason)
        {
            socket.Dispose();
            throw Array.Exists(NetworkInterface.GetAllNetworkInterfaces(), i => i.Name == name)
                ? NetbootException.CannotBind($"DHCP on {name}", new IPEndPoint(IPAddress.Any, port), "--dhcp off", reason)
                : new NetbootException($"DHCP cannot listen on '{name}': this machine has no such network interface", reason);
        }
    }

    private async Task ServeAsync(Socket socket, string name, bool bootServer, CancellationToken cancel)
    {
        byte[] buffer = new byte[2048];
        byte[] reply = new byte[DhcpMessage.MaximumReplySize];
        var any = new IPEndPoint(IPAddress.Any, 0);
        while (true)
        {
            try
            {
                SocketReceiveFromResult received = await socket.ReceiveFromAsync(buffer, any, cancel);
                if (!DhcpMessage.TryParse(buffer.AsSpan(0, received.ReceivedBytes), out DhcpMessage? message) || message.Type is not { } type)
                {
                    _observer.Malformed("DHCP");
                }
                else if (FindInterface(name) is { } at)
                {
                    await AnswerAsync(socket, message, type, (IPEndPoint)received.RemoteEndPoint, at, bootServer, reply, cancel);
                }
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException) when (!cancel.IsCancellationRequested)
            {
                // The interface is down for the moment, or a reply could not be sent: the client asks again.
            }
        }
    }

    private async ValueTask AnswerAsync(
        Socket socket, DhcpMessage message, DhcpMessageType type, IPEndPoint from, DhcpInterface at, bool bootServer, byte[] buffer, CancellationToken cancel)
    {
        ReadOnlyMemory<byte>? option97 = message.Find(DhcpOptionCode.ClientMachineId);
        ClientMachineId machine = option97 is { } data && ClientMachineId.TryParse(data.Span, out ClientMachineId id) ? id : default;
        BootClientKind kind = BootClientRecognition.Recognise(message, machine);
        DhcpMessage? reply = bootServer ? _responder.AnswerBootServer(message, kind, at) : _responder.Answer(message, kind, at);
        if (reply is not null)
        {
            // Early Pi EEPROMs dropped replies with pad bytes (raspberrypi/rpi-eeprom#82); everybody else gets BOOTP's minimum.
            int length = reply.Write(buffer, pad: kind != BootClientKind.RaspberryPi);
            await socket.SendToAsync(buffer.AsMemory(0, length), bootServer ? from : Destination(message, reply), cancel);
        }
        IPAddress? address = reply is not null && !reply.YourAddress.Equals(IPAddress.Any) ? reply.YourAddress :
            !message.ClientAddress.Equals(IPAddress.Any) ? message.ClientAddress :
            type == DhcpMessageType.Request ? message.FindAddress(DhcpOptionCode.RequestedAddress) : null;
        _observer.Asked(new DhcpSighting(message.Mac, kind, machine, at.Name, type, reply?.Type, address,
            reply is { BootFile.Length: > 0 } ? reply.BootFile : null));
    }

    /// <summary>
    /// Where a reply goes (RFC 2131 §4.1): to the relay; to the client where it has an address; else broadcast. A client without the
    /// broadcast flag could be reached by unicast to its future address, but only past the kernel's ARP (a raw socket); every client takes a
    /// broadcast, so the flag is not looked at. A refusal is always broadcast: the client must not believe in its address.
    /// </summary>
    private IPEndPoint Destination(DhcpMessage request, DhcpMessage reply) =>
        !request.Relay.Equals(IPAddress.Any) ? new IPEndPoint(request.Relay, _options.ServerPort) :
        request.ClientAddress.Equals(IPAddress.Any) || reply.Type == DhcpMessageType.Nak ? new IPEndPoint(IPAddress.Broadcast, _options.ClientPort) :
        new IPEndPoint(request.ClientAddress, _options.ClientPort);

    /// <summary>The interface as it is now: its address may have changed since the start. Null while it has none.</summary>
    private static DhcpInterface? FindInterface(string name)
    {
        NetworkInterface? found = Array.Find(NetworkInterface.GetAllNetworkInterfaces(), i => i.Name == name);
        UnicastIPAddressInformation? address = found?.GetIPProperties().UnicastAddresses
            .FirstOrDefault(a => a.Address.AddressFamily == AddressFamily.InterNetwork);
        return address is null ? null : new DhcpInterface(name, address.Address, address.PrefixLength);
    }
}
