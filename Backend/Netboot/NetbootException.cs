using System.Net;
using System.Net.Sockets;
using Bootstrap.Netboot.Dhcp;

namespace Bootstrap.Netboot;

/// <summary>A boot service cannot start. The message is one sentence for people: what, where, what to do.</summary>
public sealed class NetbootException(string message, Exception? inner = null) : Exception(message, inner)
{
    private static readonly string s_grant =
        $"start with sudo, grant it with `sudo setcap cap_net_bind_service,cap_net_raw+ep {Environment.ProcessPath}`, " +
        "or in a systemd unit with `AmbientCapabilities=CAP_NET_BIND_SERVICE CAP_NET_RAW`";

    /// <summary>Only a privilege is missing: all else can run without this service.</summary>
    public bool IsMissingPrivilege { get; private init; }

    internal static NetbootException CannotBind(string service, EndPoint where, string switchOff, SocketException reason) => new(
        reason.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse =>
                $"{service} cannot listen on UDP {where}: another program has that port; stop it or start without ({switchOff})",
            SocketError.AccessDenied =>
                $"{service} may not listen on UDP {where}: that needs root or CAP_NET_BIND_SERVICE; {s_grant}, or start without " +
                    $"({switchOff})",
            SocketError.AddressNotAvailable =>
                $"{service} cannot listen on UDP {where}: this machine has no such address; name one of its own",
            _ => $"{service} cannot listen on UDP {where}: {reason.Message}",
        }, reason)
    {
        IsMissingPrivilege = reason.SocketErrorCode == SocketError.AccessDenied,
    };

    internal static NetbootException NoInterface(string name) =>
        new($"DHCP cannot listen on '{name}': this machine has no such network interface");

    internal static NetbootException PoolOfNobody(IPNetwork subnet, IEnumerable<DhcpInterface> interfaces) =>
        new($"the DHCP pool {subnet} is of no subnet here ({string.Join("; ", interfaces.Select(at =>
            $"{at.Name} has {string.Join(", ", at.All.Select(own => own.Subnet).Distinct())}"))}): name one of these, or write ',relay' " +
            "behind the pool if its subnet lies behind a DHCP relay");

    internal static NetbootException MayNotUsePackets(string name, SocketException reason) =>
        new($"DHCP may not hand out addresses on {name}: full mode sends and hears packets of its own, which needs root or CAP_NET_RAW " +
            $"({reason.Message}); {s_grant}, or choose proxy mode (--dhcp proxy)", reason)
        {
            IsMissingPrivilege = reason.SocketErrorCode == SocketError.AccessDenied,
        };

    internal static NetbootException Rival(string name, IPAddress server) =>
        new($"another DHCP server, {server}, answers on {name}, and two would hand out the same addresses: choose proxy mode (--dhcp " +
            "proxy) " +
            "beside it, or force full mode (--dhcp-force) if that is what you want");
}
