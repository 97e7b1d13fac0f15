using System.Net;
using System.Net.Sockets;
using System.Text;
using Bootstrap.Netboot.Ethernet;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>A UDP port on one interface: what comes by that wire is heard, what is sent leaves by it.</summary>
internal sealed class DhcpPort : IDisposable
{
    /// <summary>UDP port of DHCP servers, and of relays.</summary>
    public const int Server = 67;

    /// <summary>UDP port of PXE's boot server: UEFI asks there after a proxy's offer.</summary>
    public const int BootServer = 4011;

    private const int ClientPort = 68;
    private const int SolSocket = 1;
    private const int SoBindToDevice = 25;
    private static readonly TimeSpan s_addressAge = TimeSpan.FromSeconds(1);

    private readonly string _name;
    private readonly Socket _socket;
    private readonly PacketSocket? _packets;
    private readonly TimeProvider _clock;
    private DhcpInterface? _interface;
    private long _lookedAt;

    private DhcpPort(string name, int port, Socket socket, PacketSocket? packets, TimeProvider clock)
    {
        _name = name;
        IsBootServer = port == BootServer;
        _socket = socket;
        _packets = packets;
        _clock = clock;
        WhoHas = packets is null ? null : new AddressProbe(name, clock).FindHolderAsync;
        _interface = FindInterface();
        _lookedAt = clock.GetTimestamp();
    }

    /// <summary>This is <see cref="BootServer"/>.</summary>
    public bool IsBootServer { get; }

    /// <summary>Looks for the holder of an address on this wire; null where packets were not asked for.</summary>
    public WhoHas? WhoHas { get; }

    /// <summary>The interface as it is now, to the second: its address may have changed since the start. Null while it has none.</summary>
    public DhcpInterface? Interface
    {
        get
        {
            if (_clock.GetElapsedTime(_lookedAt) > s_addressAge)
            {
                _interface = FindInterface();
                _lookedAt = _clock.GetTimestamp();
            }
            return _interface;
        }
    }

    /// <summary>Opens a port.</summary>
    /// <param name="packets">Also for packets past the kernel's IP, which full mode needs.</param>
    /// <exception cref="NetbootException">The port is taken, a privilege is missing, or there is no such interface.</exception>
    public static DhcpPort Open(string name, int port, TimeProvider clock, bool packets)
    {
        if (NetworkLink.FindIndex(name) == 0)
        {
            throw NetbootException.NoInterface(name);
        }
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { EnableBroadcast = true };
        try
        {
            socket.SetRawSocketOption(SolSocket, SoBindToDevice, Encoding.ASCII.GetBytes(name + '\0'));
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
        }
        catch (SocketException reason)
        {
            socket.Dispose();
            throw NetbootException.CannotBind($"DHCP on {name}", new IPEndPoint(IPAddress.Any, port), "--dhcp off", reason);
        }
        try
        {
            return new DhcpPort(name, port, socket, packets ? new PacketSocket(name, null) : null, clock);
        }
        catch (SocketException reason)
        {
            socket.Dispose();
            throw NetbootException.MayNotUsePackets(name, reason);
        }
    }

    /// <summary>The next datagram.</summary>
    public ValueTask<SocketReceiveFromResult> ReceiveAsync(Memory<byte> buffer, CancellationToken cancel) =>
        _socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), cancel);

    /// <summary>
    /// Sends a reply where RFC 2131 §4.1 says: to the relay; to the client where it has an address; else, unless the client has asked for
    /// broadcast, to its hardware address and the address it is being given, as every DHCP server does (ISC's and busybox' by packet
    /// socket, dnsmasq by an ARP entry), so every boot ROM takes it. For a rack of Pi 3 it matters: all use one transaction id, and by
    /// broadcast each would hear the others' offers as its own. A proxy's offer gives no address that it could be sent to, and goes to
    /// everybody, as dnsmasq's does. So does a refusal: the client must not believe in its address.
    /// </summary>
    public async ValueTask SendAsync(DhcpMessage request, DhcpMessage reply, IPEndPoint from, ReadOnlyMemory<byte> bytes,
        CancellationToken cancel)
    {
        IPEndPoint? to = IsBootServer ? from :
            request.IsRelayed ? new IPEndPoint(request.Relay, Server) :
            request.HeldAddress is { } held && reply.Type != DhcpMessageType.Nak ? new IPEndPoint(held, ClientPort) :
            null;
        if (to is null && _packets is not null && !request.Broadcast && !reply.YourAddress.Equals(IPAddress.Any) && _interface is { } at)
        {
            byte[] packet = new byte[UdpPacket.HeaderSize + bytes.Length];
            UdpPacket.Write(packet, new IPEndPoint(at.Address, Server), new IPEndPoint(reply.YourAddress, ClientPort), bytes.Span);
            await _packets.SendAsync(request.Mac, PacketSocket.EtherTypeIPv4, packet, cancel);
            return;
        }
        await _socket.SendToAsync(bytes, to ?? new IPEndPoint(IPAddress.Broadcast, ClientPort), cancel);
    }

    public void Dispose()
    {
        _socket.Dispose();
        _packets?.Dispose();
    }

    private DhcpInterface? FindInterface()
    {
        DhcpInterface[] all = [.. NetworkLink.FindAddresses(_name).Select(own => new DhcpInterface(_name, own.Address, own.PrefixLength))];
        return all is [var first, .. var others] ? first with { Aliases = others } : null;
    }
}
