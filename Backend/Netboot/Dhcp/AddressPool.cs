using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>A subnet with addresses to hand out.</summary>
/// <param name="Subnet">The subnet, by which a relay's address (giaddr) or the interface's chooses the pool.</param>
/// <param name="First">First address handed out; null: the subnet's first.</param>
/// <param name="Last">Last address handed out; null: the subnet's last.</param>
/// <param name="Router">Default gateway; null: none, the rack is isolated.</param>
/// <param name="IsRelayed">The subnet lies behind a relay, and need not be an interface's.</param>
public sealed record AddressPool(IPNetwork Subnet, IPAddress? First = null, IPAddress? Last = null, IPAddress? Router = null,
    bool IsRelayed = false)
{
    /// <summary>How a pool is written.</summary>
    public const string Form = "SUBNET[,FIRST-LAST][,router=ADDR][,relay]";

    /// <summary>Reads <c>10.9.0.0/24</c>, with or without <c>,10.9.0.50-10.9.0.99</c>, <c>,router=10.9.0.1</c> and <c>,relay</c> behind
    /// it.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out AddressPool? pool)
    {
        pool = null;
        string[] parts = text.Split(',');
        if (!IPNetwork.TryParse(parts[0], out IPNetwork subnet) || subnet.BaseAddress.AddressFamily != AddressFamily.InterNetwork)
        {
            return false;
        }
        var read = new AddressPool(subnet);
        foreach (string part in parts.Skip(1))
        {
            if (part.StartsWith("router=", StringComparison.Ordinal) && TryParse(part["router=".Length..], subnet, out IPAddress? router))
            {
                read = read with { Router = router };
            }
            else if (part == "relay")
            {
                read = read with { IsRelayed = true };
            }
            else if (part.Split('-') is [var from, var to] && TryParse(from, subnet, out IPAddress? first)
                && TryParse(to, subnet, out IPAddress? last) &&
                AddressRange.Number(first) <= AddressRange.Number(last))
            {
                read = read with { First = first, Last = last };
            }
            else
            {
                return false;
            }
        }
        pool = read;
        return true;
    }

    /// <summary>True for the subnet's own address and its broadcast: no machine can have one of these (RFC 1122, 3.2.1.3; RFC 3021 for
    /// subnets of two).</summary>
    public bool IsNoHost(IPAddress address)
    {
        uint host = ~AddressRange.Mask(Subnet.PrefixLength);
        return Subnet.PrefixLength < 31 && Subnet.Contains(address) && (AddressRange.Number(address) & host) is var part
            && (part == 0 || part == host);
    }

    private static bool TryParse(string text, IPNetwork subnet, [NotNullWhen(true)] out IPAddress? address) =>
        IPAddress.TryParse(text, out address) && subnet.Contains(address);
}

/// <summary>An address that one board alone gets.</summary>
/// <param name="Address">The address; it may lie outside the pool's range.</param>
/// <param name="Mac">The board's hardware address; null: it is known by its serial number.</param>
/// <param name="Serial">Low 32 bits of a Pi's serial number, which its boot program tells; the system on it then keeps the address by its
/// MAC.</param>
public sealed record Reservation(IPAddress Address, MacAddress? Mac = null, uint? Serial = null)
{
    /// <summary>Reads <c>10.77.0.20=dc:a6:32:01:36:c2</c>, or <c>10.77.0.20=c0ffee01</c>: the last eight digits of a serial number, or all
    /// of it.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out Reservation? reservation)
    {
        reservation = null;
        if (text.Split('=') is not [var left, var board] || !IPAddress.TryParse(left, out IPAddress? address)
            || address.AddressFamily != AddressFamily.InterNetwork)
        {
            return false;
        }
        reservation = MacAddress.TryParse(board, out MacAddress mac) ? new Reservation(address, mac) :
            board.Length is 8 or 16 && ulong.TryParse(board, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong serial)
                ? new Reservation(address, Serial: (uint)serial)
                : null;
        return reservation is not null;
    }

    /// <summary>True for the board that it is for.</summary>
    public bool IsFor(MacAddress mac, uint? serial) => Mac == mac || Serial is { } own && own == serial;
}
