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
    private const nuint GetHardwareAddress = 0x8927;

    // struct ifreq: name(16), then a union; of the hardware address a sockaddr: family(2), address.
    private const int RequestSize = 40, NameSize = 16;

    // struct ifaddrs: next, name, flags, address, mask, a word each; the last two point to a sockaddr: family(2), port(2), IPv4 address(4).
    private static readonly int s_word = nint.Size;
    private const int AddressAt = 4;

    /// <summary>The interface's number; 0 if there is no such interface.</summary>
    public static int FindIndex(string name) => (int)IndexOf(name);

    /// <summary>Its hardware address; zero if it has none.</summary>
    public static MacAddress FindMac(string name)
    {
        Span<byte> request = stackalloc byte[RequestSize];
        return Ask(name, GetHardwareAddress, request) ? MacAddress.FromBytes(request[(NameSize + 2)..]) : default;
    }

    /// <summary>Its IPv4 addresses, those of aliases too, each with the bits of its subnet's mask; in the kernel's order.</summary>
    public static IReadOnlyList<(IPAddress Address, int PrefixLength)> FindAddresses(string name)
    {
        if (GetAddresses(out nint first) != 0)
        {
            return [];
        }
        var found = new List<(IPAddress, int)>();
        for (nint entry = first; entry != 0; entry = Marshal.ReadIntPtr(entry))
        {
            // An alias may have a label, which is then its name: "eth0:1" (ip-address(8)).
            string label = Marshal.PtrToStringUTF8(Marshal.ReadIntPtr(entry, s_word)) ?? "";
            nint address = Marshal.ReadIntPtr(entry, 3 * s_word), mask = Marshal.ReadIntPtr(entry, 4 * s_word);
            if (label.Split(':')[0] == name && address != 0 && mask != 0 && Marshal.ReadInt16(address) == Internet)
            {
                found.Add((new IPAddress((uint)Marshal.ReadInt32(address, AddressAt)),
                    BitOperations.PopCount((uint)Marshal.ReadInt32(mask, AddressAt))));
            }
        }
        FreeAddresses(first);
        return found;
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

    [LibraryImport("libc", EntryPoint = "getifaddrs")]
    private static partial int GetAddresses(out nint first);

    [LibraryImport("libc", EntryPoint = "freeifaddrs")]
    private static partial void FreeAddresses(nint first);

    [LibraryImport("libc", EntryPoint = "socket")]
    private static partial int OpenSocket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int IoControl(int descriptor, nuint request, ref byte argument);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
