using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Bootstrap.Rack.Rom;

/// <summary>A datagram as it was heard.</summary>
internal readonly record struct Datagram(IPEndPoint From, IPAddress To, ReadOnlyMemory<byte> Payload);

/// <summary>
/// Hears UDP datagrams to one port whatever address they are sent to: a board has no address yet, but servers may send to the one it is
/// about to get.
/// </summary>
internal sealed class PacketSocket : IDisposable
{
    private const short EtherTypeIPv4 = 0x0800;
    private const int UdpHeaderSize = 8;
    private const byte ProtocolUdp = 17;

    private readonly Socket _socket;
    private readonly int _port;

    public PacketSocket(string interfaceName, int port)
    {
        _port = port;
        short protocol = BinaryPrimitives.ReverseEndianness(EtherTypeIPv4);
        _socket = new Socket(AddressFamily.Packet, SocketType.Dgram, (ProtocolType)(ushort)protocol);
        int index = Array.Find(NetworkInterface.GetAllNetworkInterfaces(), i => i.Name == interfaceName)!.GetIPProperties()
            .GetIPv4Properties().Index;
        _socket.Bind(new LinkLayerEndPoint(protocol, index));
    }

    /// <summary>The next datagram to the port.</summary>
    public async Task<Datagram> ReceiveAsync(CancellationToken cancel)
    {
        byte[] buffer = new byte[2048];
        while (true)
        {
            int length = await _socket.ReceiveAsync(buffer, cancel);
            int header = (buffer[0] & 15) * 4;
            // IPv4, not a later fragment, UDP to our port.
            if (length >= header + UdpHeaderSize && buffer[0] >> 4 == 4
                && (BinaryPrimitives.ReadUInt16BigEndian(buffer.AsSpan(6)) & 0x1fff) == 0 &&
                buffer[9] == ProtocolUdp && BinaryPrimitives.ReadUInt16BigEndian(buffer.AsSpan(header + 2)) == _port)
            {
                int end = Math.Min(length, header + BinaryPrimitives.ReadUInt16BigEndian(buffer.AsSpan(header + 4)));
                return new Datagram(
                    new IPEndPoint(new IPAddress(buffer.AsSpan(12, 4)), BinaryPrimitives.ReadUInt16BigEndian(buffer.AsSpan(header))),
                    new IPAddress(buffer.AsSpan(16, 4)),
                    buffer.AsMemory(header + UdpHeaderSize, Math.Max(0, end - header - UdpHeaderSize)));
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>struct sockaddr_ll of packet(7): family, protocol (network order), interface index, and what bind does not look
    /// at.</summary>
    private sealed class LinkLayerEndPoint(short protocol, int index) : EndPoint
    {
        public override AddressFamily AddressFamily => AddressFamily.Packet;

        public override SocketAddress Serialize()
        {
            var address = new SocketAddress(AddressFamily.Packet, 20);
            Span<byte> bytes = address.Buffer.Span;
            BinaryPrimitives.WriteInt16LittleEndian(bytes[2..], protocol);
            BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], index);
            return address;
        }

        public override EndPoint Create(SocketAddress socketAddress) => this;
    }
}
