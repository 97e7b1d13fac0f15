using System.Net;
using System.Text;
using Bootstrap.Board;

namespace Bootstrap.Init.Network;

/// <summary>Sets up network interfaces by the ioctls of netdevice(7): IPv4 only, and all that a small system needs.</summary>
internal static unsafe class InterfaceControl
{
    private const nuint SetFlags = 0x8914, GetFlags = 0x8913, SetAddress = 0x8916, SetMask = 0x891c, AddRoute = 0x890b,
        DeleteRoute = 0x890c;
    private const short Up = 1;
    private const int NameBytes = 16, RequestBytes = 40, RouteBytes = 120;
    private const int Inet = 2, Datagram = 2;

    public static void BringUp(string name)
    {
        byte* request = stackalloc byte[RequestBytes];
        Begin(request, name);
        Call(GetFlags, request, $"reading the flags of {name}");
        *(short*)(request + NameBytes) |= Up;
        Call(SetFlags, request, $"bringing up {name}");
    }

    /// <summary>Gives an interface its address; a former one is replaced.</summary>
    public static void Address(string name, IPAddress address, IPAddress mask)
    {
        byte* request = stackalloc byte[RequestBytes];
        Begin(request, name);
        PutAddress(request + NameBytes, address);
        Call(SetAddress, request, $"giving {name} the address {address}");
        Begin(request, name);
        PutAddress(request + NameBytes, mask);
        Call(SetMask, request, $"giving {name} the network mask {mask}");
    }

    /// <summary>Sends what goes to other networks to a router; a former default route is replaced.</summary>
    public static void DefaultRoute(string name, IPAddress router)
    {
        byte* route = stackalloc byte[RouteBytes];
        byte[] device = Encoding.ASCII.GetBytes(name + '\0');
        fixed (byte* deviceName = device)
        {
            // struct rtentry (linux/route.h) on 64-bit machines: dst 8, gateway 24, genmask 40, flags 56, dev 88.
            new Span<byte>(route, RouteBytes).Clear();
            PutAddress(route + 8, IPAddress.Any);
            PutAddress(route + 24, router);
            PutAddress(route + 40, IPAddress.Any);
            *(short*)(route + 56) = 0x0003; // RTF_UP | RTF_GATEWAY
            *(byte**)(route + 88) = deviceName;
            int socket = (int)Linux.Check(Linux.Socket(Inet, Datagram, 0), "opening a socket");
            _ = Linux.IoCtl(socket, DeleteRoute, route);
            int result = Linux.IoCtl(socket, AddRoute, route);
            _ = Linux.Close(socket);
            Linux.Check(result, $"routing through {router} on {name}");
        }
    }

    private static void Begin(byte* request, string name)
    {
        var span = new Span<byte>(request, RequestBytes);
        span.Clear();
        // The kernel's names have 15 characters at most.
        Encoding.ASCII.GetBytes(name, span[..(NameBytes - 1)]);
    }

    private static void PutAddress(byte* sockaddr, IPAddress address)
    {
        *(short*)sockaddr = Inet;
        address.TryWriteBytes(new Span<byte>(sockaddr + 4, 4), out _);
    }

    private static void Call(nuint operation, byte* request, string what)
    {
        int socket = (int)Linux.Check(Linux.Socket(Inet, Datagram, 0), "opening a socket");
        int result = Linux.IoCtl(socket, operation, request);
        _ = Linux.Close(socket);
        Linux.Check(result, what);
    }
}
