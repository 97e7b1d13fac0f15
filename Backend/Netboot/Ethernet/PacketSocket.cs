using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Ethernet;

/// <summary>
/// Sends to hardware addresses and hears what the kernel's IP would not pass on (packet(7), SOCK_DGRAM: the kernel writes and takes off
/// the Ethernet header). Needs CAP_NET_RAW.
/// </summary>
internal sealed class PacketSocket : IDisposable
{
    public const ushort EtherTypeIPv4 = 0x0800;
    public const ushort EtherTypeArp = 0x0806;

    private readonly Socket _socket;
    private readonly int _interface;

    /// <summary>Opens a socket on an interface.</summary>
    /// <param name="interfaceName">The interface.</param>
    /// <param name="etherType">What is heard; null: nothing, the socket only sends.</param>
    /// <exception cref="SocketException">The interface is gone or the privilege is missing.</exception>
    public PacketSocket(string interfaceName, ushort? etherType)
    {
        _interface = NetworkLink.FindIndex(interfaceName);
        if (_interface == 0)
        {
            throw new SocketException((int)SocketError.AddressNotAvailable);
        }
        OwnMac = NetworkLink.FindMac(interfaceName);
        ushort protocol = BinaryPrimitives.ReverseEndianness(etherType ?? 0);
        _socket = new Socket(AddressFamily.Packet, SocketType.Dgram, (ProtocolType)protocol);
        try
        {
            _socket.Bind(new LinkEndPoint(etherType ?? 0, _interface, default));
        }
        catch (SocketException)
        {
            _socket.Dispose();
            throw;
        }
    }

    /// <summary>The hardware address of every station.</summary>
    public static MacAddress Everybody { get; } = new(0xffffffffffff);

    /// <summary>The interface's own hardware address; zero if it has none.</summary>
    public MacAddress OwnMac { get; }

    /// <summary>Sends a packet of the network layer.</summary>
    /// <exception cref="SocketException">The interface is down or gone.</exception>
    public async ValueTask SendAsync(MacAddress to, ushort etherType, ReadOnlyMemory<byte> packet, CancellationToken cancel) =>
        await _socket.SendToAsync(packet, new LinkEndPoint(etherType, _interface, to), cancel);

    /// <summary>The next packet's length.</summary>
    public ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancel) => _socket.ReceiveAsync(buffer, cancel);

    public void Dispose() => _socket.Dispose();

    /// <summary>struct sockaddr_ll: family(2) protocol(2, big-endian) index(4) hardware type(2) packet type(1) length(1)
    /// address(8).</summary>
    private sealed class LinkEndPoint(ushort protocol, int index, MacAddress mac) : EndPoint
    {
        public override AddressFamily AddressFamily => AddressFamily.Packet;

        public override SocketAddress Serialize()
        {
            var address = new SocketAddress(AddressFamily.Packet, 20);
            Span<byte> bytes = address.Buffer.Span;
            BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], protocol);
            BitConverter.TryWriteBytes(bytes[4..], index); // in the machine's byte order
            bytes[11] = 6;
            mac.CopyTo(bytes[12..]);
            return address;
        }

        public override EndPoint Create(SocketAddress socketAddress) => this;
    }
}
