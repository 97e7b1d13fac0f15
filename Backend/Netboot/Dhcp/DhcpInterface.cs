using System.Net;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>Where a message was heard.</summary>
/// <param name="Name">The interface's name.</param>
/// <param name="Address">Its address, which replies advertise.</param>
/// <param name="PrefixLength">Bits of its subnet's mask.</param>
public sealed record DhcpInterface(string Name, IPAddress Address, int PrefixLength)
{
    /// <summary>The subnet that the address is in.</summary>
    public IPNetwork Subnet { get; } =
        new(AddressRange.Address(AddressRange.Number(Address) & AddressRange.Mask(PrefixLength)), PrefixLength);

    /// <summary>The interface by its other addresses.</summary>
    public IReadOnlyList<DhcpInterface> Aliases { get; init; } = [];

    /// <summary>The interface by each of its addresses, the first one first.</summary>
    public IEnumerable<DhcpInterface> All => Aliases.Prepend(this);

    /// <summary>The interface by its first address in a subnet; null if it has none there.</summary>
    public DhcpInterface? In(IPNetwork subnet) => All.FirstOrDefault(at => subnet.Contains(at.Address));

    /// <summary>True for each of its addresses.</summary>
    public bool Has(IPAddress address) => All.Any(at => at.Address.Equals(address));
}
