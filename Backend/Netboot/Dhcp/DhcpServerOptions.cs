using System.Net;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>How DHCP is answered.</summary>
public sealed record DhcpServerOptions
{
    /// <summary>
    /// Null: beside another DHCP server (proxy): boot information for boot clients, never an address. Set: the only DHCP server of an
    /// isolated rack.
    /// </summary>
    public AddressPlan? Addresses { get; init; }

    /// <summary>Hands out addresses even where another DHCP server answers.</summary>
    public bool BesideRivals { get; init; }

    /// <summary>The port of <c>/boot/ipxe</c> and <c>/boot/files/…</c>, plain HTTP, on the same address.</summary>
    public required int HttpPort { get; init; }

    /// <summary>Asked for each boot client; null: all of them boot.</summary>
    public IBootGate? Gate { get; init; }
}

/// <summary>What is handed out in full mode.</summary>
public sealed record AddressPlan
{
    /// <summary>
    /// The subnets with addresses to hand out. An interface whose own subnet is not among them hands out all of it; a relay's subnet must
    /// be named.
    /// </summary>
    public IReadOnlyList<AddressPool> Pools { get; init; } = [];

    /// <summary>Addresses kept for known boards.</summary>
    public IReadOnlyList<Reservation> Reservations { get; init; } = [];

    /// <summary>Name servers; at most eight are told.</summary>
    public IReadOnlyList<IPAddress> NameServers { get; init; } = [];

    /// <summary>How long an address is a client's without being renewed.</summary>
    public TimeSpan LeaseTime { get; init; } = TimeSpan.FromHours(12);
}
