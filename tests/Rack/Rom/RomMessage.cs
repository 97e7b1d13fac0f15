using System.Buffers.Binary;
using System.Net;
using System.Numerics;
using System.Text;

namespace Bootstrap.Rack.Rom;

/// <summary>What a Raspberry Pi's ROM looks at in a DHCP reply.</summary>
internal sealed record RomMessage(byte Type, IPAddress Yours, IPAddress Server, int PrefixLength, bool IsForPi, bool IsForPi3b,
    IPAddress TftpServer)
{
    /// <summary>Null for what is not a reply to this board.</summary>
    public static RomMessage? TryParse(ReadOnlySpan<byte> packet, uint transaction, ReadOnlySpan<byte> mac)
    {
        if (packet.Length < 240 || packet[0] != 2 || BinaryPrimitives.ReadUInt32BigEndian(packet[4..]) != transaction
            || !packet.Slice(28, 6).SequenceEqual(mac))
        {
            return null;
        }
        var options = new Dictionary<byte, byte[]>();
        for (int at = 240; at + 1 < packet.Length && packet[at] != 255;)
        {
            if (packet[at] == 0)
            {
                at++;
                continue;
            }
            int length = Math.Min(packet[at + 1], packet.Length - at - 2);
            options[packet[at]] = packet.Slice(at + 2, length).ToArray();
            at += 2 + length;
        }
        IPAddress? Address(byte code) => options.TryGetValue(code, out byte[]? data) && data.Length >= 4 ? new IPAddress(data.AsSpan(0, 4))
            : null;
        IPAddress server = Address(54) ?? IPAddress.Any;
        var next = new IPAddress(packet.Slice(20, 4));
        IPAddress? named = options.TryGetValue(66, out byte[]? name)
            && IPAddress.TryParse(Encoding.ASCII.GetString(name), out IPAddress? parsed) ? parsed : null;
        return new RomMessage(
            options.TryGetValue(53, out byte[]? type) && type.Length == 1 ? type[0] : (byte)0,
            new IPAddress(packet.Slice(16, 4)),
            server,
            options.TryGetValue(1, out byte[]? mask) && mask.Length == 4
                ? BitOperations.PopCount(BinaryPrimitives.ReadUInt32BigEndian(mask)) : 24,
            // A Pi 4 looks for the text anywhere in the option (rpi-eeprom#376).
            options.TryGetValue(43, out byte[]? menu) && menu.AsSpan().IndexOf("Raspberry Pi Boot"u8) >= 0,
            menu.AsSpan().IndexOf("Raspberry Pi Boot   "u8) >= 0,
            named ?? (next.Equals(IPAddress.Any) ? server : next));
    }
}
