using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Bootstrap.Netboot.Tftp;

/// <summary>The first two bytes of every TFTP packet, big-endian (RFC 1350 §5, RFC 2347).</summary>
public enum TftpOpcode : ushort
{
    ReadRequest = 1,
    WriteRequest = 2,
    Data = 3,
    Ack = 4,
    Error = 5,
    OptionAck = 6,
}

/// <summary>Error codes (RFC 1350 appendix, RFC 2347).</summary>
public enum TftpError : ushort
{
    NotDefined = 0,
    FileNotFound = 1,
    AccessViolation = 2,
    DiskFull = 3,
    IllegalOperation = 4,
    UnknownTransferId = 5,
    FileExists = 6,
}

/// <summary>
/// A read or write request: <c>opcode(2) path 0 mode 0 (option 0 value 0)*</c> (RFC 1350 §5, RFC 2347).
/// The path ends before the first byte that is no printable ASCII character: ROMs that read the name out of a DHCP option without its
/// length ask with the option's neighbours behind it, such as 0xff.
/// </summary>
public sealed record TftpRequest(TftpOpcode Opcode, string Path, string Mode, IReadOnlyList<KeyValuePair<string, string>> Options)
{
    /// <summary>No client sends as many; more are not read.</summary>
    private const int MaxOptions = 16;

    /// <summary>Reads a request; false for any other packet.</summary>
    public static bool TryParse(ReadOnlySpan<byte> packet, [NotNullWhen(true)] out TftpRequest? request)
    {
        request = null;
        if (packet.Length < 2 || packet[0] != 0 || (TftpOpcode)packet[1] is not (TftpOpcode.ReadRequest or TftpOpcode.WriteRequest))
        {
            return false;
        }
        var opcode = (TftpOpcode)packet[1];
        packet = packet[2..];
        if (!TryReadText(ref packet, out string? path, endsEarly: true) || !TryReadText(ref packet, out string? mode))
        {
            return false;
        }
        var options = new List<KeyValuePair<string, string>>();
        // Some clients pad the packet: what is not a whole option ends the list.
        while (options.Count < MaxOptions && TryReadText(ref packet, out string? name) && TryReadText(ref packet, out string? value)
            && name.Length > 0)
        {
            options.Add(new(name.ToLowerInvariant(), value));
        }
        request = new TftpRequest(opcode, path, mode.ToLowerInvariant(), options);
        return true;
    }

    /// <summary>Whether it asks for the same in the same way.</summary>
    public bool IsSameAs(TftpRequest other) =>
        (Opcode, Path, Mode) == (other.Opcode, other.Path, other.Mode) && Options.SequenceEqual(other.Options);

    /// <summary>Writes the request as a client would; <paramref name="target"/> must be large enough.</summary>
    public int Write(Span<byte> target)
    {
        target[0] = 0;
        target[1] = (byte)Opcode;
        int at = 2;
        foreach (string text in (string[])[Path, Mode, .. Options.SelectMany(o => new[] { o.Key, o.Value })])
        {
            at += Encoding.ASCII.GetBytes(text, target[at..]);
            target[at++] = 0;
        }
        return at;
    }

    /// <param name="endsEarly">The text ends before what is not printable.</param>
    private static bool TryReadText(ref ReadOnlySpan<byte> rest, [NotNullWhen(true)] out string? text, bool endsEarly = false)
    {
        text = null;
        int end = rest.IndexOf((byte)0);
        if (end < 0)
        {
            rest = [];
            return false;
        }
        int length = endsEarly && rest[..end].IndexOfAnyExceptInRange((byte)0x20, (byte)0x7e) is >= 0 and var cut ? cut : end;
        text = Encoding.ASCII.GetString(rest[..length]);
        rest = rest[(end + 1)..];
        return true;
    }
}
