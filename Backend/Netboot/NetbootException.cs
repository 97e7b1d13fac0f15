using System.Net;
using System.Net.Sockets;

namespace Bootstrap.Netboot;

/// <summary>A boot service cannot start. The message is one sentence for people: what, where, what to do.</summary>
public sealed class NetbootException(string message, Exception? inner = null) : Exception(message, inner)
{
    internal static NetbootException CannotBind(string service, EndPoint where, string switchOff, SocketException reason) => new(
        reason.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse =>
                $"{service} cannot listen on UDP {where}: another program has that port; stop it or start without ({switchOff})",
            SocketError.AccessDenied =>
                $"{service} may not listen on UDP {where}: ports below 1024 need root or CAP_NET_BIND_SERVICE; start with sudo or without ({switchOff})",
            SocketError.AddressNotAvailable =>
                $"{service} cannot listen on UDP {where}: this machine has no such address; name one of its own",
            _ => $"{service} cannot listen on UDP {where}: {reason.Message}",
        }, reason);
}
