using Bootstrap.Netboot.Dhcp;

namespace Bootstrap.Server;

/// <summary>How DHCP is offered.</summary>
public enum DhcpMode
{
    /// <summary>Beside another DHCP server: boot information only, never an address.</summary>
    Proxy,

    /// <summary>The only DHCP server of an isolated rack: addresses too.</summary>
    Full,

    Off,
}

/// <summary>What people choose, on the page or on the command line. All but the mode is for full mode, and is kept while another one is
/// chosen.</summary>
public sealed record DhcpSettings(DhcpMode Mode)
{
    public static readonly DhcpSettings Default = new(DhcpMode.Proxy);

    private const int MinLeaseMinutes = 2, MaxLeaseMinutes = 30 * 24 * 60;

    /// <summary>Addresses to hand out, as <see cref="AddressPool.TryParse"/> reads them; none: each interface's whole subnets.</summary>
    public IReadOnlyList<string> Pools { get; init; } = [];

    /// <summary>Addresses for single boards, as <see cref="Reservation.TryParse"/> reads them.</summary>
    public IReadOnlyList<string> Reservations { get; init; } = [];

    public int LeaseMinutes { get; init; } = 12 * 60;

    /// <summary>Hands out addresses even where another DHCP server answers.</summary>
    public bool BesideRivals { get; init; }

    /// <summary>Why this cannot be, in one sentence; null: it can.</summary>
    public string? Validate()
    {
        // JSON can hold what the types rule out.
        if (Pools is null || Reservations is null || Pools.Concat(Reservations).Any(text => text is null))
        {
            return "Pools and reservations are lists of texts: null is none.";
        }
        var pools = new List<AddressPool>();
        foreach (string text in Pools)
        {
            if (!AddressPool.TryParse(text, out AddressPool? pool))
            {
                return $"'{text}' is not {AddressPool.Form}, such as 10.9.0.0/24,10.9.0.50-10.9.0.99,router=10.9.0.1.";
            }
            if (pools.Any(other => other.Subnet.Contains(pool.Subnet.BaseAddress) || pool.Subnet.Contains(other.Subnet.BaseAddress)))
            {
                return $"'{text}' is a second pool for the same subnet: give each subnet one.";
            }
            if (pool.Router is { } router && pool.IsNoHost(router))
            {
                return $"'{text}' names the subnet's own address or its broadcast as router: no machine can have it.";
            }
            pools.Add(pool);
        }
        var reservations = new List<Reservation>();
        foreach (string text in Reservations)
        {
            if (!Reservation.TryParse(text, out Reservation? reservation))
            {
                return $"'{text}' is not ADDR=MAC|SERIAL, such as 10.77.0.20=dc:a6:32:01:36:c2.";
            }
            if (reservations.Any(other => other.Address.Equals(reservation.Address)))
            {
                return $"'{text}' reserves an address that is another board's already.";
            }
            if (pools.Any(pool => pool.IsNoHost(reservation.Address)))
            {
                return $"'{text}' reserves a subnet's own address or its broadcast: no machine can have it.";
            }
            reservations.Add(reservation);
        }
        return LeaseMinutes is < MinLeaseMinutes or > MaxLeaseMinutes
            ? $"A lease of {LeaseMinutes} minutes cannot be: 2 minutes to 30 days ({MaxLeaseMinutes} minutes) can."
            : null;
    }

    /// <summary>What is handed out; null: nothing. Without a fault only.</summary>
    internal AddressPlan? Plan() => Mode != DhcpMode.Full ? null : new AddressPlan
    {
        Pools = [.. Pools.Select(text => AddressPool.TryParse(text, out AddressPool? pool) ? pool : throw new FormatException(text))],
        Reservations = [.. Reservations.Select(text => Reservation.TryParse(text, out Reservation? reservation) ? reservation
            : throw new FormatException(text))],
        LeaseTime = TimeSpan.FromMinutes(LeaseMinutes),
    };
}
