using System.Net;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Ethernet;

/// <summary>
/// What the kernel says of one network interface (netdevice(7)). .NET can only list all interfaces, and fails now and then while any of
/// them comes or goes, as a rack's do.
/// </summary>
internal static partial class NetworkLink
{
    private const int Internet = 2, Datagram = 2, CloseOnExec = 0x80000;
    private const nuint GetAddress = 0x8915, GetMask = 0x891b, GetHardwareAddress = 0x8927;

    // struct ifreq: name(16), then a union; of addresses a sockaddr: family(2), port(2), IPv4 address(4), or family(2), hardware address.
    private const int RequestSize = 40, NameSize = 16;

    /// <summary>The interface's number; 0 if there is no such interface.</summary>
    public static int FindIndex(string name) => (int)IndexOf(name);

    /// <summary>Its hardware address; zero if it has none.</summary>
    public static MacAddress FindMac(string name)
    {
        Span<byte> request = stackalloc byte[RequestSize];
        return Ask(name, GetHardwareAddress, request) ? MacAddress.FromBytes(request[(NameSize + 2)..]) : default;
    }

    /// <summary>Its first IPv4 address, and the bits of its subnet's mask; null if it has none.</summary>
    public static (IPAddress Address, int PrefixLength)? FindAddress(string name)
    {
        Span<byte> address = stackalloc byte[RequestSize], mask = stackalloc byte[RequestSize];
        return Ask(name, GetAddress, address) && Ask(name, GetMask, mask)
            ? (new IPAddress(address.Slice(NameSize + 4, 4)), BitOperations.PopCount(BitConverter.ToUInt32(mask[(NameSize + 4)..])))
            : null;
    }

    private static bool Ask(string name, nuint what, Span<byte> request)
    {
        request.Clear();
        // The name and the zero behind it.
        if (Encoding.UTF8.GetByteCount(name) >= NameSize)
        {
            return false;
        }
        Encoding.UTF8.GetBytes(name, request);
        int socket = OpenSocket(Internet, Datagram | CloseOnExec, 0);
        bool known = IoControl(socket, what, ref request[0]) == 0;
        _ = Close(socket);
        return known;
    }

    [LibraryImport("libc", EntryPoint = "if_nametoindex", StringMarshalling = StringMarshalling.Utf8)]
    private static partial uint IndexOf(string name);

    [LibraryImport("libc", EntryPoint = "socket")]
    private static partial int OpenSocket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int IoControl(int descriptor, nuint request, ref byte argument);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
