using System.Buffers.Binary;
using System.Net;

namespace Bootstrap.Netboot.Ethernet;

/// <summary>
/// A UDP datagram with its IPv4 header (RFC 791 §3.1, RFC 768), big-endian:
/// <code>
///   0 version and header words 45  1 service  2 length(2)  4 id(2)  6 fragment(2)  8 TTL  9 protocol 17  10 checksum(2)
///  12 source(4)  16 destination(4)  20 source port(2)  22 destination port(2)  24 UDP length(2)  26 checksum(2)  28 payload …
/// </code>
/// </summary>
internal static class UdpPacket
{
    /// <summary>Bytes before the payload, as written here.</summary>
    public const int HeaderSize = 28;

    private const int IPv4HeaderSize = 20;
    private const int UdpHeaderSize = 8;
    private const byte Udp = 17;
    private const byte TimeToLive = 64;

    /// <summary>Writes a datagram; the target holds <see cref="HeaderSize"/> bytes more than the payload. Returns its length.</summary>
    public static int Write(Span<byte> target, IPEndPoint source, IPEndPoint destination, ReadOnlySpan<byte> payload)
    {
        int length = HeaderSize + payload.Length, udpLength = UdpHeaderSize + payload.Length;
        target[..HeaderSize].Clear();
        target[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(target[2..], (ushort)length);
        target[8] = TimeToLive;
        target[9] = Udp;
        source.Address.TryWriteBytes(target[12..], out _);
        destination.Address.TryWriteBytes(target[16..], out _);
        BinaryPrimitives.WriteUInt16BigEndian(target[10..], Checksum(0, target[..IPv4HeaderSize]));
        BinaryPrimitives.WriteUInt16BigEndian(target[20..], (ushort)source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(target[22..], (ushort)destination.Port);
        BinaryPrimitives.WriteUInt16BigEndian(target[24..], (ushort)udpLength);
        payload.CopyTo(target[HeaderSize..]);
        // The sum covers both addresses, the protocol and the length as well; 0 would mean that there is none (RFC 768).
        ushort sum = Checksum((uint)(Udp + udpLength), target[12..length]);
        BinaryPrimitives.WriteUInt16BigEndian(target[26..], sum == 0 ? ushort.MaxValue : sum);
        return length;
    }

    /// <summary>The payload of a datagram to a port; false for any other packet, and for fragments.</summary>
    public static bool TryRead(ReadOnlySpan<byte> packet, int port, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (packet.Length < HeaderSize || packet[0] >> 4 != 4 || packet[9] != Udp
            || (BinaryPrimitives.ReadUInt16BigEndian(packet[6..]) & 0x3fff) != 0)
        {
            return false;
        }
        int header = (packet[0] & 15) * 4;
        if (header < IPv4HeaderSize || packet.Length < header + UdpHeaderSize)
        {
            return false;
        }
        int length = BinaryPrimitives.ReadUInt16BigEndian(packet[(header + 4)..]);
        if (length < UdpHeaderSize || packet.Length < header + length
            || BinaryPrimitives.ReadUInt16BigEndian(packet[(header + 2)..]) != port)
        {
            return false;
        }
        payload = packet[(header + UdpHeaderSize)..(header + length)];
        return true;
    }

    /// <summary>The Internet checksum (RFC 1071).</summary>
    internal static ushort Checksum(uint sum, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length > 1; bytes = bytes[2..])
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes);
        }
        if (!bytes.IsEmpty)
        {
            sum += (uint)bytes[0] << 8;
        }
        while (sum > ushort.MaxValue)
        {
            sum = (sum & ushort.MaxValue) + (sum >> 16);
        }
        return (ushort)~sum;
    }
}
