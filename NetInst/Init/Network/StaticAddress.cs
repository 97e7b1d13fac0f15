using System.Globalization;
using System.Net;

namespace Bootstrap.Init.Network;

/// <summary>The kernel argument <c>ip=ADDRESS/PREFIX[,GATEWAY]</c>: an address by hand, for networks without DHCP.</summary>
public static class StaticAddress
{
    /// <summary>Reads the argument's value. False for anything else; names are not looked up here, so no name server is asked
    /// for.</summary>
    public static bool TryParse(string? text, out Lease? lease)
    {
        lease = null;
        string[] parts = (text ?? "").Split(',');
        string[] address = parts[0].Split('/');
        if (address.Length != 2 || parts.Length > 3 || !IPAddress.TryParse(address[0], out IPAddress? ip) ||
            ip.AddressFamily != System.Net.Sockets.AddressFamily.InterNetwork ||
            !int.TryParse(address[1], NumberStyles.None, CultureInfo.InvariantCulture, out int prefix) || prefix is < 1 or > 32)
        {
            return false;
        }
        IPAddress? router = null;
        if (parts.Length > 1 && parts[1].Length > 0 && !IPAddress.TryParse(parts[1], out router))
        {
            return false;
        }
        uint mask = uint.MaxValue << (32 - prefix);
        lease = new Lease(ip, new IPAddress([(byte)(mask >> 24), (byte)(mask >> 16), (byte)(mask >> 8), (byte)mask]), router, null, null,
            null);
        return true;
    }
}
