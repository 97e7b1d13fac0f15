using System.Buffers.Binary;
using System.Text;

namespace Bootstrap.Netboot.Tftp;

/// <summary>
/// The packets of a transfer under way (RFC 1350 §5, RFC 2347), numbers big-endian: DATA <c>3(2) block(2) bytes…</c>,
/// ACK <c>4(2) block(2)</c>, ERROR <c>5(2) code(2) text 0</c>, OACK <c>6(2) (option 0 value 0)*</c>.
/// </summary>
internal static class TftpPacket
{
    public const int HeaderSize = 4;

    /// <summary>Bytes of the longest OACK: four options with numbers of at most 19 digits.</summary>
    public const int LargestOptionAck = 128;

    /// <summary>Opcode and number of a packet; false if it is shorter than both.</summary>
    public static bool TryRead(ReadOnlySpan<byte> packet, out TftpOpcode opcode, out ushort number)
    {
        bool whole = packet.Length >= HeaderSize;
        opcode = whole ? (TftpOpcode)BinaryPrimitives.ReadUInt16BigEndian(packet) : 0;
        number = whole ? BinaryPrimitives.ReadUInt16BigEndian(packet[2..]) : (ushort)0;
        return whole;
    }

    /// <summary>Writes opcode and number.</summary>
    public static void WriteHeader(Span<byte> packet, TftpOpcode opcode, ushort number)
    {
        BinaryPrimitives.WriteUInt16BigEndian(packet, (ushort)opcode);
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], number);
    }

    public static byte[] Error(TftpError code, string text)
    {
        byte[] packet = new byte[HeaderSize + text.Length + 1];
        WriteHeader(packet, TftpOpcode.Error, (ushort)code);
        Encoding.ASCII.GetBytes(text, packet.AsSpan(HeaderSize));
        return packet;
    }

    public static byte[] OptionAck(TftpTerms terms)
    {
        byte[] packet = new byte[LargestOptionAck];
        packet[1] = (byte)TftpOpcode.OptionAck;
        int at = 2;
        foreach ((string name, string value) in terms.Acknowledged)
        {
            at += Encoding.ASCII.GetBytes(name, packet.AsSpan(at)) + 1;
            at += Encoding.ASCII.GetBytes(value, packet.AsSpan(at)) + 1;
        }
        return packet[..at];
    }

    /// <summary>What a client's ERROR says, for people: printable ASCII alone.</summary>
    public static string DescribeError(ReadOnlySpan<byte> packet) =>
        $"the client sent error {packet[3]}: {Printable(Encoding.ASCII.GetString(packet[HeaderSize..]).TrimEnd('\0'))}";

    /// <summary>The block after <paramref name="after"/> and up to <paramref name="last"/> whose low 16 bits these are; null if there is
    /// none.</summary>
    public static long? Expand(ushort number, long after, long last)
    {
        long block = after + (ushort)(number - after);
        return block <= last && block > after ? block : null;
    }

    /// <summary>Text from the network without what could move a terminal's cursor or forge a line of a log.</summary>
    public static string Printable(string text) => string.Create(text.Length, text, (target, source) =>
    {
        for (int i = 0; i < target.Length; i++)
        {
            target[i] = char.IsControl(source[i]) ? '?' : source[i];
        }
    });
}
