using System.Net;
using Bootstrap.Protocol.Ids;

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

    /// <summary>Told of each board that begins to boot, before it is answered: it waits for nothing that it asked for earlier. Must not
    /// throw.</summary>
    public Action<MacAddress>? Begins { get; init; }

    /// <summary>Asked for each boot client; null: all of them boot.</summary>
    public IBootGate? Gate { get; init; }
}

/// <summary>What is handed out in full mode.</summary>
public sealed record AddressPlan
{
    /// <summary>All that is handed out, also to subnets behind relays; none: each interface's whole subnets.</summary>
    public IReadOnlyList<AddressPool> Pools { get; init; } = [];

    /// <summary>Addresses kept for known boards.</summary>
    public IReadOnlyList<Reservation> Reservations { get; init; } = [];

    /// <summary>Name servers; at most eight are told.</summary>
    public IReadOnlyList<IPAddress> NameServers { get; init; } = [];

    /// <summary>How long an address is a client's without being renewed.</summary>
    public TimeSpan LeaseTime { get; init; } = TimeSpan.FromHours(12);

    /// <summary>
    /// The pools that a client's address may be of: those of the link that its relay, else itself, names (RFC 3527 §3, RFC 3011), of its
    /// relay's subnet, of the address that it has – it renews without the relay by which it got it (RFC 2131 §4.3.2) – or of the wire.
    /// </summary>
    /// <param name="request">Its message.</param>
    /// <param name="at">The interface that heard it.</param>
    public IReadOnlyList<AddressPool> PoolsFor(DhcpMessage request, DhcpInterface at)
    {
        AddressPool[] Of(IPAddress address) => [.. Pools.Where(pool => pool.Subnet.Contains(address))];
        IPAddress? link = RelayAgent.Of(request).Link ?? request.FindAddress(DhcpOptionCode.SubnetSelection)
            ?? (request.IsRelayed ? request.Relay : null);
        return
            link is not null ? Of(link) :
            request.HeldAddress is { } held && Of(held) is { Length: > 0 } pools ? pools :
            Pools.Count > 0 ? [.. Pools.Where(pool => at.In(pool.Subnet) is not null)] :
            [.. at.All.Select(own => own.Subnet).Distinct().Select(subnet => new AddressPool(subnet))];
    }

    /// <summary>
    /// A pool that nobody can get an address of, as far as that can be known: its subnet is not said to lie behind a relay, it is none
    /// of an interface's, and a subnet that is has no pool.
    /// </summary>
    /// <param name="interfaces">All that are listened on.</param>
    public AddressPool? FindStray(IReadOnlyCollection<DhcpInterface> interfaces) =>
        interfaces.SelectMany(at => at.All).All(at => Pools.Any(pool => pool.Subnet.Contains(at.Address))) ? null :
        Pools.FirstOrDefault(pool => !pool.IsRelayed && interfaces.All(at => at.In(pool.Subnet) is null));
}
