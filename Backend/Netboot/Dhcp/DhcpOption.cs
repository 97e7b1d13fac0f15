using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>Numbers of the options that are read or written here (RFC 2132, 3004, 4578, 2131).</summary>
public enum DhcpOptionCode : byte
{
    Pad = 0,
    SubnetMask = 1,
    Router = 3,
    DomainNameServer = 6,
    BroadcastAddress = 28,
    VendorSpecific = 43,
    RequestedAddress = 50,
    LeaseTime = 51,
    Overload = 52,
    MessageType = 53,
    ServerIdentifier = 54,
    ParameterRequestList = 55,
    Message = 56,
    VendorClass = 60,
    ClientIdentifier = 61,
    TftpServerName = 66,
    BootFileName = 67,

    /// <summary>What a relay adds and wants back unchanged (RFC 3046).</summary>
    RelayAgentInformation = 82,
    ClientArchitecture = 93,
    ClientNetworkInterface = 94,
    ClientMachineId = 97,

    /// <summary>The subnet that the client wants an address of (RFC 3011).</summary>
    SubnetSelection = 118,

    /// <summary>Options of iPXE's own; in a client's message also the features that it was built with.</summary>
    IpxeEncapsulated = 175,
    End = 255,
}

/// <summary>One option: a number and its bytes (RFC 2132 §2); more than 255 are split on the wire (RFC 3396).</summary>
public readonly record struct DhcpOption(DhcpOptionCode Code, ReadOnlyMemory<byte> Data)
{
    /// <summary>Bytes on the wire, with those of each part's number and length.</summary>
    internal int WireLength => Data.Length + 2 * Math.Max(1, (Data.Length + byte.MaxValue - 1) / byte.MaxValue);

    /// <summary>An option of one byte.</summary>
    public static DhcpOption Byte(DhcpOptionCode code, byte value) => new(code, new[] { value });

    /// <summary>An option of a 32-bit number, big-endian.</summary>
    public static DhcpOption Number(DhcpOptionCode code, uint value)
    {
        byte[] data = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(data, value);
        return new DhcpOption(code, data);
    }

    /// <summary>An option of IPv4 addresses.</summary>
    public static DhcpOption Addresses(DhcpOptionCode code, params IEnumerable<IPAddress> values) =>
        new(code, values.SelectMany(a => a.GetAddressBytes()).ToArray());

    /// <summary>An option of ASCII text as it is: a NUL at its end is the caller's.</summary>
    public static DhcpOption Text(DhcpOptionCode code, string value) => new(code, Encoding.ASCII.GetBytes(value));
}
