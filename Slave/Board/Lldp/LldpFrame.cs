using System.Buffers.Binary;
using System.Net;
using System.Text;
using Bootstrap.Protocol;

namespace Bootstrap.Board.Lldp;

/// <summary>One announcement of a neighbour (IEEE 802.1AB): what is behind the Ethernet header, type 0x88cc.</summary>
/// <param name="Port">Who announces itself, and which of its ports.</param>
/// <param name="TimeToLive">For how long that is true; zero: the neighbour leaves.</param>
/// <param name="IsBridge">It says that it is a switch.</param>
public sealed record LldpFrame(SwitchPort Port, TimeSpan TimeToLive, bool IsBridge)
{
    private enum Tlv
    {
        End,
        ChassisId,
        PortId,
        TimeToLive,
        PortDescription,
        SystemName,
        SystemDescription,
        Capabilities,
        ManagementAddress,
    }

    // Subtypes of chassis and port ids (tables 8-2 and 8-3): they are numbered differently.
    private const int ChassisMac = 4, ChassisNetwork = 5, PortMac = 3, PortNetwork = 4;

    // Address family numbers of IANA.
    private const int FamilyIPv4 = 1, FamilyIPv6 = 2;

    private const ushort BridgeCapability = 1 << 2;
    private const int MaximumText = 255;

    /// <summary>
    /// Reads an announcement. Chassis, port and time to live must come first, in this order (§8.2); what else is damaged or cut off is left
    /// out.
    /// </summary>
    /// <returns>Null for what is no announcement; never throws.</returns>
    public static LldpFrame? Read(ReadOnlySpan<byte> bytes)
    {
        if (!Take(ref bytes, Tlv.ChassisId, out ReadOnlySpan<byte> chassis) || !Take(ref bytes, Tlv.PortId, out ReadOnlySpan<byte> port) ||
            !Take(ref bytes, Tlv.TimeToLive, out ReadOnlySpan<byte> ttl) || ttl.Length < 2)
        {
            return null;
        }
        string chassisId = Id(chassis, ChassisMac, ChassisNetwork), portId = Id(port, PortMac, PortNetwork);
        if (chassisId.Length == 0 || portId.Length == 0)
        {
            return null;
        }
        string portDescription = "", systemName = "", address = "";
        bool bridge = false;
        while (Next(ref bytes, out Tlv type, out ReadOnlySpan<byte> value) && type != Tlv.End)
        {
            switch (type)
            {
                case Tlv.PortDescription:
                    portDescription = Text(value);
                    break;
                case Tlv.SystemName:
                    systemName = Text(value);
                    break;
                case Tlv.Capabilities when value.Length >= 4:
                    bridge = (BinaryPrimitives.ReadUInt16BigEndian(value[2..]) & BridgeCapability) != 0; // those that are switched on
                    break;
                // Length of what follows up to the interface's number, then family and address. Of several the first, mostly IPv4, is
                // taken.
                case Tlv.ManagementAddress when address.Length == 0 && value.Length >= 2 && value[0] >= 1 && value[0] < value.Length:
                    address = NetworkAddress(value[1], value.Slice(2, value[0] - 1));
                    break;
            }
        }
        return new LldpFrame(new SwitchPort(chassisId, portId, portDescription, systemName, address),
            TimeSpan.FromSeconds(BinaryPrimitives.ReadUInt16BigEndian(ttl)), bridge);
    }

    private static bool Take(ref ReadOnlySpan<byte> bytes, Tlv expected, out ReadOnlySpan<byte> value) =>
        Next(ref bytes, out Tlv type, out value) && type == expected;

    /// <summary>Two bytes say type (7 bits) and length (9 bits).</summary>
    private static bool Next(ref ReadOnlySpan<byte> bytes, out Tlv type, out ReadOnlySpan<byte> value)
    {
        type = Tlv.End;
        value = default;
        if (bytes.Length < 2)
        {
            return false;
        }
        int head = BinaryPrimitives.ReadUInt16BigEndian(bytes), length = head & 0x1ff;
        if (bytes.Length < 2 + length)
        {
            return false;
        }
        type = (Tlv)(head >> 9);
        value = bytes.Slice(2, length);
        bytes = bytes[(2 + length)..];
        return true;
    }

    private static string Id(ReadOnlySpan<byte> value, int macSubtype, int networkSubtype)
    {
        if (value.Length < 2)
        {
            return "";
        }
        ReadOnlySpan<byte> id = value[1..];
        return value[0] == macSubtype && id.Length == 6 ? BitConverter.ToString(id.ToArray()).Replace('-', ':').ToLowerInvariant()
            : value[0] == networkSubtype ? NetworkAddress(id[0], id[1..])
            : Text(id);
    }

    private static string NetworkAddress(int family, ReadOnlySpan<byte> address) =>
        (family == FamilyIPv4 && address.Length == 4) || (family == FamilyIPv6 && address.Length == 16) ? new IPAddress(address).ToString()
        : "";

    /// <summary>Words of a stranger: without control characters, and not longer than the standard allows.</summary>
    private static string Text(ReadOnlySpan<byte> value)
    {
        string text = Encoding.UTF8.GetString(value[..Math.Min(value.Length, MaximumText)]);
        return string.Concat(text.Where(c => !char.IsControl(c))).Trim();
    }
}
