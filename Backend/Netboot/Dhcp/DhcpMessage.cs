using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>
/// A DHCP message (RFC 2131 §2), numbers big-endian:
/// <code>
///   0 op  1 htype  2 hlen  3 hops  4 xid(4)  8 secs(2)  10 flags(2)
///  12 ciaddr(4)  16 yiaddr(4)  20 siaddr(4)  24 giaddr(4)  28 chaddr(16)
///  44 sname(64)  108 file(128)  236 magic 63 82 53 63  240 options …
/// </code>
/// Ethernet alone (htype 1, hlen 6): nothing else boots.
/// </summary>
public sealed record DhcpMessage
{
    /// <summary>The smallest message on the wire that every BOOTP relay passes on (RFC 1542 §2.1).</summary>
    public const int MinimumSize = 300;

    private const int OptionsStart = 240;
    private const uint Magic = 0x63825363;
    private const ushort BroadcastFlag = 0x8000;

    /// <summary>True in a client's message, false in a server's.</summary>
    public bool IsRequest { get; init; }

    /// <summary>The client's number for the conversation. Not a key: every Pi 3 uses the same.</summary>
    public uint TransactionId { get; init; }

    /// <summary>Seconds since the client began.</summary>
    public ushort Seconds { get; init; }

    /// <summary>The client cannot yet receive unicast.</summary>
    public bool Broadcast { get; init; }

    /// <summary>ciaddr: the address that the client has and answers ARP for.</summary>
    public IPAddress ClientAddress { get; init; } = IPAddress.Any;

    /// <summary>
    /// <see cref="ClientAddress"/> where it means something: some clients set it when they ask for an address as well, in a DISCOVER or
    /// with option 50 (RFC 2131 §4.3.2). Null where they have none.
    /// </summary>
    public IPAddress? HeldAddress =>
        ClientAddress.Equals(IPAddress.Any) || Type is DhcpMessageType.Discover or null || Find(DhcpOptionCode.RequestedAddress) is not null
            ? null : ClientAddress;

    /// <summary>yiaddr: the address that the client is given.</summary>
    public IPAddress YourAddress { get; init; } = IPAddress.Any;

    /// <summary>siaddr: the server to fetch the boot file from.</summary>
    public IPAddress NextServer { get; init; } = IPAddress.Any;

    /// <summary>giaddr: the relay that passed the message on.</summary>
    public IPAddress Relay { get; init; } = IPAddress.Any;

    /// <summary>It came by a relay.</summary>
    public bool IsRelayed => !Relay.Equals(IPAddress.Any);

    /// <summary>chaddr.</summary>
    public required MacAddress Mac { get; init; }

    /// <summary>file, at most 127 ASCII characters.</summary>
    public string BootFile { get; init; } = "";

    /// <summary>Options in the order of the wire, without pads and end.</summary>
    public IReadOnlyList<DhcpOption> Options { get; init; } = [];

    /// <summary>Option 53; null in plain BOOTP.</summary>
    public DhcpMessageType? Type =>
        Find(DhcpOptionCode.MessageType) is { Length: 1 } data && data.Span[0] is >= 1 and <= 8 ? (DhcpMessageType)data.Span[0] : null;

    /// <summary>An option's bytes; those of an option that was split are joined (RFC 3396). Null if it is absent.</summary>
    public ReadOnlyMemory<byte>? Find(DhcpOptionCode code)
    {
        ReadOnlyMemory<byte>? found = null;
        foreach (DhcpOption option in Options)
        {
            if (option.Code == code)
            {
                found = found is { } first ? (byte[])[.. first.Span, .. option.Data.Span] : option.Data;
            }
        }
        return found;
    }

    /// <summary>An option as ASCII text without the NULs that some clients append; empty if it is absent.</summary>
    public string FindText(DhcpOptionCode code) => Find(code) is { } data ? Encoding.ASCII.GetString(data.Span).TrimEnd('\0') : "";

    /// <summary>An option as an IPv4 address; null if it is absent or not of four bytes.</summary>
    public IPAddress? FindAddress(DhcpOptionCode code) => Find(code) is { Length: 4 } data ? new IPAddress(data.Span) : null;

    /// <summary>Reads a datagram; false for anything that is not a DHCP message of an Ethernet client.</summary>
    public static bool TryParse(ReadOnlySpan<byte> datagram, [NotNullWhen(true)] out DhcpMessage? message)
    {
        message = null;
        if (datagram.Length < OptionsStart || datagram[0] is not (1 or 2) || datagram[1] != 1 || datagram[2] != 6 ||
            BinaryPrimitives.ReadUInt32BigEndian(datagram[236..]) != Magic)
        {
            return false;
        }
        var options = new List<DhcpOption>();
        ReadOptions(datagram[OptionsStart..], options);
        // Option 52: "file" (1), "sname" (2) or both (3) hold options instead (RFC 2131 §4.1).
        int overload = options.Find(o => o.Code == DhcpOptionCode.Overload) is { Data.Length: 1 } o ? o.Data.Span[0] : 0;
        // Their parts of a split option follow in this order (RFC 3396 §5).
        if ((overload & 1) != 0)
        {
            ReadOptions(datagram[108..236], options);
        }
        if ((overload & 2) != 0)
        {
            ReadOptions(datagram[44..108], options);
        }
        message = new DhcpMessage
        {
            IsRequest = datagram[0] == 1,
            TransactionId = BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]),
            Seconds = BinaryPrimitives.ReadUInt16BigEndian(datagram[8..]),
            Broadcast = (BinaryPrimitives.ReadUInt16BigEndian(datagram[10..]) & BroadcastFlag) != 0,
            ClientAddress = new IPAddress(datagram[12..16]),
            YourAddress = new IPAddress(datagram[16..20]),
            NextServer = new IPAddress(datagram[20..24]),
            Relay = new IPAddress(datagram[24..28]),
            Mac = MacAddress.FromBytes(datagram[28..]),
            BootFile = (overload & 1) != 0 ? "" : ReadText(datagram[108..236]),
            Options = options,
        };
        return true;
    }

    /// <summary>The message as a datagram.</summary>
    /// <param name="pad">Fill up to <see cref="MinimumSize"/> with zeros after the end mark.</param>
    public byte[] ToArray(bool pad)
    {
        int size = OptionsStart + Options.Sum(option => option.WireLength) + 1;
        byte[] target = new byte[pad ? Math.Max(size, MinimumSize) : size];
        target[0] = (byte)(IsRequest ? 1 : 2);
        target[1] = 1;
        target[2] = 6;
        BinaryPrimitives.WriteUInt32BigEndian(target.AsSpan(4), TransactionId);
        BinaryPrimitives.WriteUInt16BigEndian(target.AsSpan(8), Seconds);
        BinaryPrimitives.WriteUInt16BigEndian(target.AsSpan(10), Broadcast ? BroadcastFlag : (ushort)0);
        ClientAddress.TryWriteBytes(target.AsSpan(12), out _);
        YourAddress.TryWriteBytes(target.AsSpan(16), out _);
        NextServer.TryWriteBytes(target.AsSpan(20), out _);
        Relay.TryWriteBytes(target.AsSpan(24), out _);
        Mac.CopyTo(target.AsSpan(28));
        Encoding.ASCII.GetBytes(BootFile, target.AsSpan(108, 127));
        BinaryPrimitives.WriteUInt32BigEndian(target.AsSpan(236), Magic);
        int at = OptionsStart;
        foreach (DhcpOption option in Options)
        {
            ReadOnlySpan<byte> rest = option.Data.Span;
            do
            {
                // More than 255 bytes are written as several options of the same number, which the reader joins (RFC 3396 §5).
                int length = Math.Min(rest.Length, byte.MaxValue);
                target[at++] = (byte)option.Code;
                target[at++] = (byte)length;
                rest[..length].CopyTo(target.AsSpan(at));
                at += length;
                rest = rest[length..];
            }
            while (!rest.IsEmpty);
        }
        target[at] = (byte)DhcpOptionCode.End;
        return target;
    }

    /// <summary>Reads options up to the end mark, which some clients leave out, or to one that is cut short: those before it are
    /// good.</summary>
    private static void ReadOptions(ReadOnlySpan<byte> bytes, List<DhcpOption> options)
    {
        while (!bytes.IsEmpty && bytes[0] != (byte)DhcpOptionCode.End)
        {
            if (bytes[0] == (byte)DhcpOptionCode.Pad)
            {
                bytes = bytes[1..];
                continue;
            }
            if (bytes.Length < 2 || bytes.Length < 2 + bytes[1])
            {
                return;
            }
            options.Add(new DhcpOption((DhcpOptionCode)bytes[0], bytes.Slice(2, bytes[1]).ToArray()));
            bytes = bytes[(2 + bytes[1])..];
        }
    }

    private static string ReadText(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end < 0 ? field : field[..end]);
    }
}
