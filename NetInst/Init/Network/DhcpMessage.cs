using System.Buffers.Binary;
using System.Net;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Init.Network;

/// <summary>Values of DHCP option 53 (RFC 2132 § 9.6).</summary>
public enum DhcpType : byte
{
    None = 0,
    Discover = 1,
    Offer = 2,
    Request = 3,
    Ack = 5,
    Nak = 6,
}

/// <summary>What a client reads in a server's answer.</summary>
/// <param name="Address">The client's (yiaddr).</param>
/// <param name="NextServer">Where boot files are (siaddr): a hint where the appliance may be.</param>
/// <param name="Server">Option 54: names the server in a request.</param>
/// <param name="LeaseSeconds">Option 51; 0 where absent.</param>
public readonly record struct DhcpAnswer(
    DhcpType Type, IPAddress Address, IPAddress NextServer, IPAddress? Server, IPAddress? Mask, IPAddress? Router, uint LeaseSeconds)
{
    /// <summary>
    /// Reads a BOOTREPLY (RFC 2131 § 2: op, htype, hlen, hops, xid at 4, secs, flags, ciaddr 12, yiaddr 16, siaddr 20, giaddr 24,
    /// chaddr 28, sname 44, file 108, magic 236, options 240). False for anything else, and for answers to others.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> packet, uint transaction, MacAddress client, out DhcpAnswer answer)
    {
        answer = default;
        if (packet.Length < DhcpQuestion.OptionsOffset || packet[0] != 2 ||
            BinaryPrimitives.ReadUInt32BigEndian(packet[4..]) != transaction ||
            MacAddress.FromBytes(packet[28..]) != client || BinaryPrimitives.ReadUInt32BigEndian(packet[236..]) != DhcpQuestion.Magic)
        {
            return false;
        }
        var result = new DhcpAnswer(
            DhcpType.None, new IPAddress(packet.Slice(16, 4)), new IPAddress(packet.Slice(20, 4)), null, null, null, 0);
        ReadOnlySpan<byte> options = packet[DhcpQuestion.OptionsOffset..];
        while (options.Length > 0 && options[0] != 255)
        {
            if (options[0] == 0) // pad
            {
                options = options[1..];
                continue;
            }
            if (options.Length < 2 || options.Length < 2 + options[1])
            {
                return false;
            }
            ReadOnlySpan<byte> value = options.Slice(2, options[1]);
            result = (options[0], value.Length) switch
            {
                (53, 1) => result with { Type = (DhcpType)value[0] },
                (54, 4) => result with { Server = new IPAddress(value) },
                (1, 4) => result with { Mask = new IPAddress(value) },
                (3, >= 4) => result with { Router = new IPAddress(value[..4]) },
                (51, 4) => result with { LeaseSeconds = BinaryPrimitives.ReadUInt32BigEndian(value) },
                _ => result,
            };
            options = options[(2 + value.Length)..];
        }
        answer = result;
        return result.Type is DhcpType.Offer or DhcpType.Ack or DhcpType.Nak;
    }
}

/// <summary>What a client sends.</summary>
/// <param name="Seconds">Since the client began.</param>
/// <param name="Current">The address that is in use and to be kept (ciaddr); null while there is none.</param>
/// <param name="Requested">Option 50: the address that was offered.</param>
/// <param name="Server">Option 54: whose offer is taken.</param>
public readonly record struct DhcpQuestion(
    DhcpType Type, uint Transaction, MacAddress Client, ushort Seconds, IPAddress? Current, IPAddress? Requested, IPAddress? Server)
{
    internal const int OptionsOffset = 240;
    internal const uint Magic = 0x63825363;

    // BOOTP servers of old drop anything shorter (RFC 1542 § 2.1).
    private const int MinimumBytes = 300;

    /// <summary>Writes the packet.</summary>
    public byte[] ToBytes()
    {
        byte[] packet = new byte[MinimumBytes];
        packet[0] = 1; // BOOTREQUEST
        packet[1] = 1; // Ethernet
        packet[2] = 6;
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), Transaction);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(8), Seconds);
        if (Current is null)
        {
            // An interface without an address gets no unicast: the answer must be broadcast (RFC 2131 § 4.1).
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(10), 0x8000);
        }
        Current?.TryWriteBytes(packet.AsSpan(12), out _);
        Client.CopyTo(packet.AsSpan(28));
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(236), Magic);
        int at = OptionsOffset;
        Put(packet, ref at, 53, [(byte)Type]);
        // No client identifier: a board is to get the address that its boot ROM got, and that was given to its MAC address.
        Put(packet, ref at, 50, Requested?.GetAddressBytes());
        Put(packet, ref at, 54, Server?.GetAddressBytes());
        Put(packet, ref at, 55, [1, 3, 51, 54]);
        Put(packet, ref at, 60, "bootstrap-netinst"u8);
        packet[at] = 255;
        return packet;
    }

    private static void Put(byte[] packet, ref int at, byte code, ReadOnlySpan<byte> value)
    {
        if (value.Length > 0)
        {
            packet[at] = code;
            packet[at + 1] = (byte)value.Length;
            value.CopyTo(packet.AsSpan(at + 2));
            at += 2 + value.Length;
        }
    }
}
