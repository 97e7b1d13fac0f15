using System.Buffers.Binary;
using System.Net;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Ethernet;

/// <summary>
/// An ARP message for IPv4 on Ethernet (RFC 826), big-endian:
/// <code>
/// 0 hardware 1(2) 2 protocol 0800(2) 4 sizes 06 04 6 operation(2) 8 sender MAC(6) 14 sender IP(4) 18 target MAC(6) 24 target IP(4)
/// </code>
/// </summary>
internal readonly record struct ArpMessage(bool IsRequest, MacAddress Sender, IPAddress SenderAddress, IPAddress TargetAddress)
{
    public const int Size = 28;

    private const ulong Head = 0x0001_0800_0604_0000;

    /// <summary>Who answers for an address? Asked without an address of our own, so that nobody learns a wrong one (RFC 5227
    /// §2.1.1).</summary>
    public static ArpMessage Probe(MacAddress own, IPAddress address) => new(true, own, IPAddress.Any, address);

    public static bool TryParse(ReadOnlySpan<byte> packet, out ArpMessage message)
    {
        message = default;
        if (packet.Length < Size || BinaryPrimitives.ReadUInt64BigEndian(packet) is var head && head != (Head | 1) && head != (Head | 2))
        {
            return false;
        }
        message = new ArpMessage(packet[7] == 1, MacAddress.FromBytes(packet[8..]), new IPAddress(packet.Slice(14, 4)),
            new IPAddress(packet.Slice(24, 4)));
        return true;
    }

    /// <summary>Writes the message with an unknown target MAC.</summary>
    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64BigEndian(target, Head | (IsRequest ? 1u : 2u));
        Sender.CopyTo(target[8..]);
        SenderAddress.TryWriteBytes(target[14..], out _);
        target.Slice(18, 6).Clear();
        TargetAddress.TryWriteBytes(target[24..], out _);
    }
}
