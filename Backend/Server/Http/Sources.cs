using System.Net;
using System.Net.Sockets;

namespace Bootstrap.Server.Http;

/// <summary>Addresses of clients, and which of them count together where strangers have a budget.</summary>
internal static class Sources
{
    /// <summary>An address as people write it: an IPv4 one as such, also where a socket of both families heard it.</summary>
    public static IPAddress Plain(IPAddress? address) =>
        address is null ? IPAddress.None : address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    /// <summary>What one host can have to itself: an IPv4 address, or the network of 64 bits of which an IPv6 host takes whatever address
    /// it likes.</summary>
    /// <param name="address">Null: unknown, which is one source.</param>
    public static string HostOf(IPAddress? address) => Of(address, 32);

    /// <summary>What somebody on one link can have: 24 bits of an IPv4 address, 64 of an IPv6 one.</summary>
    public static string NetworkOf(IPAddress? address) => Of(address, 24);

    private static string Of(IPAddress? address, int bits)
    {
        if (address is null)
        {
            return "";
        }
        address = Plain(address);
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            return $"{new IPAddress([.. address.GetAddressBytes().AsSpan(0, 8), 0, 0, 0, 0, 0, 0, 0, 0])}/64";
        }
        return bits == 32 ? address.ToString() : $"{new IPAddress([.. address.GetAddressBytes().AsSpan(0, 3), 0])}/24";
    }
}
