using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;

namespace Bootstrap.Protocol.Discovery;

/// <summary>
/// UDP sockets for discovery, one for each physical interface, so that what is received names the wire it came by and what
/// is sent leaves by the wire that was meant, whatever the routing table says.
/// </summary>
public static class DiscoverySocket
{
    /// <summary>1,000 answers at once need about this much (212,992 bytes, Linux' default, keep a third of them).</summary>
    public const int ReceiveBufferBytes = 4 << 20;

    private const int SolSocket = 1;
    private const int SoBindToDevice = 25;
    private const int SoReceiveBufferForce = 33;
    private const int IpProtocol = 0;
    private const int IpMulticastAll = 49;

    private static readonly string[] s_virtualPrefixes = ["docker", "veth", "br-", "tun", "virbr"];

    /// <summary>All interfaces but loopback and those that containers and tunnels make. Naming some replaces that choice.</summary>
    public static IReadOnlyList<NetworkInterface> Physical(IReadOnlyCollection<string>? named = null) =>
        [.. NetworkInterface.GetAllNetworkInterfaces().Where(i => named is { Count: > 0 }
            ? named.Contains(i.Name)
            : i.NetworkInterfaceType != NetworkInterfaceType.Loopback &&
            !s_virtualPrefixes.Any(prefix => i.Name.StartsWith(prefix, StringComparison.Ordinal)))];

    /// <summary>
    /// The interfaces that the appliance works on, whether or not a cable is plugged in: those <see cref="Physical"/> ones that may
    /// multicast. One that was named is believed to.
    /// </summary>
    public static IReadOnlyList<NetworkInterface> Candidates(IReadOnlyCollection<string>? named = null) =>
        [.. Physical(named).Where(i => named is { Count: > 0 } || i.SupportsMulticast)];

    /// <summary>Those <see cref="Candidates"/> that can be spoken on now: up, with an IPv4 address.</summary>
    public static IReadOnlyList<NetworkInterface> Interfaces(IReadOnlyCollection<string>? named = null) =>
        [.. Candidates(named)
        .Where(i => i.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown && IPv4Index(i) is not null)];

    /// <summary>The interface's index where it has an IPv4 address, else null.</summary>
    public static int? IPv4Index(NetworkInterface i) => IPv4(i) is null ? null : i.GetIPProperties().GetIPv4Properties().Index;

    /// <summary>Discovery by broadcast on this interface; null where it has no IPv4 address.</summary>
    public static IPEndPoint? Broadcast(NetworkInterface i) =>
        IPv4(i) is { } own ? new IPEndPoint(Masked(own, (address, mask) => address | ~mask), ServicePorts.Discovery) : null;

    /// <summary>The interface's first IPv4 address with its mask; null where it has none.</summary>
    public static UnicastIPAddressInformation? IPv4(NetworkInterface i) =>
        i.GetIPProperties().UnicastAddresses.FirstOrDefault(a => a.Address.AddressFamily == AddressFamily.InterNetwork);

    /// <summary>The interface's own subnet; null where it has no IPv4 address.</summary>
    public static IPNetwork? Network(NetworkInterface i) =>
        IPv4(i) is { } own ? new IPNetwork(Masked(own, (address, mask) => address & mask), own.PrefixLength) : null;

    private static IPAddress Masked(UnicastIPAddressInformation own, Func<byte, byte, int> combine) =>
        new([.. own.Address.GetAddressBytes().Zip(own.IPv4Mask.GetAddressBytes(), (address, mask) => (byte)combine(address, mask))]);

    /// <summary>A socket that hears what is sent to the group, by broadcast and to port 1337 of this machine, on one interface.</summary>
    /// <exception cref="SocketException">The port is taken by a program that does not share it, or the interface went away.</exception>
    public static Socket Listen(NetworkInterface i) => Listen(i, IPAddress.Parse(DiscoveryMessage.Group), IPAddress.Any);

    /// <summary>A socket that hears what is sent to one group and nothing else, on one interface.</summary>
    /// <exception cref="SocketException">The port is taken by a program that does not share it, or the interface went away.</exception>
    public static Socket ListenTo(NetworkInterface i, IPAddress group) => Listen(i, group, group);

    private static Socket Listen(NetworkInterface i, IPAddress group, IPAddress address)
    {
        Socket socket = Open(i, ReceiveBufferBytes);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        // Not also the groups that somebody else on this machine has joined.
        socket.SetRawSocketOption(IpProtocol, IpMulticastAll, BitConverter.GetBytes(0));
        socket.Bind(new IPEndPoint(address, ServicePorts.Discovery));
        int index = IPv4Index(i) ?? throw new SocketException((int)SocketError.AddressNotAvailable);
        socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership, new MulticastOption(group, index));
        return socket;
    }

    /// <summary>Drops out of the group and joins it again: switches with IGMP snooping forget members, and see this one anew.</summary>
    /// <exception cref="SocketException">The interface went away.</exception>
    public static void Rejoin(Socket listening, int index)
    {
        var membership = new MulticastOption(IPAddress.Parse(DiscoveryMessage.Group), index);
        listening.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.DropMembership, membership);
        listening.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership, membership);
    }

    /// <summary>A socket that asks on one interface and hears the answers.</summary>
    /// <param name="i">The interface.</param>
    /// <param name="receiveBuffer">Bytes to ask for.</param>
    public static Socket Ask(NetworkInterface i, int receiveBuffer = ReceiveBufferBytes)
    {
        Socket socket = Open(i, receiveBuffer);
        int index = IPv4Index(i) ?? throw new SocketException((int)SocketError.AddressNotAvailable);
        socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, IPAddress.HostToNetworkOrder(index));
        socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastTimeToLive, DiscoveryMessage.TimeToLive);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Broadcast, true);
        // What is sent has the interface's address, and not the one that a route would choose.
        socket.Bind(new IPEndPoint(IPv4(i)?.Address ?? throw new SocketException((int)SocketError.AddressNotAvailable), 0));
        return socket;
    }

    private static Socket Open(NetworkInterface i, int receiveBuffer)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            // Beyond the machine's limit, which root may.
            socket.SetRawSocketOption(SolSocket, SoReceiveBufferForce, BitConverter.GetBytes(receiveBuffer));
        }
        catch (SocketException)
        {
            // Anybody else gets what the limit allows; the window of a question follows from what it really is.
            socket.ReceiveBufferSize = receiveBuffer;
        }
        byte[] name = Encoding.ASCII.GetBytes(i.Name + '\0');
        socket.SetRawSocketOption(SolSocket, SoBindToDevice, name);
        return socket;
    }
}
