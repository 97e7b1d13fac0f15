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

    /// <summary>The port of <c>/boot/ipxe</c> and <c>/boot/files/…</c>, plain HTTP, on the same address.</summary>
    public required int HttpPort { get; init; }

    /// <summary>UDP port of DHCP.</summary>
    public int ServerPort { get; init; } = 67;

    /// <summary>UDP port that clients listen on.</summary>
    public int ClientPort { get; init; } = 68;

    /// <summary>UDP port of PXE's boot server: UEFI asks there after a proxy's offer.</summary>
    public int BootServerPort { get; init; } = 4011;
}

/// <summary>What is handed out in full mode. Each interface hands out addresses of its own subnet.</summary>
public sealed record AddressPlan
{
    /// <summary>First and last address handed out; null: every address of the interface's subnet that is not the server's or the router's.</summary>
    public (IPAddress First, IPAddress Last)? Range { get; init; }

    /// <summary>Default gateway; null: none, the rack is isolated.</summary>
    public IPAddress? Router { get; init; }

    /// <summary>Name servers.</summary>
    public IReadOnlyList<IPAddress> NameServers { get; init; } = [];

    /// <summary>How long an address is a client's without being renewed.</summary>
    public TimeSpan LeaseTime { get; init; } = TimeSpan.FromHours(12);
}
