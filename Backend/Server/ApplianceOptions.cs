using System.Net;
using Bootstrap.Protocol;

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

/// <summary>How one appliance is started.</summary>
/// <param name="DataFolder">Everything that it keeps: database, images, certificate authority.</param>
/// <param name="ShareFolder">What came with the program: NetInst, Slave programs, boot firmware, web page.</param>
public sealed record ApplianceOptions(string DataFolder, string ShareFolder)
{
    public IPEndPoint Https { get; init; } = new(IPAddress.Any, ServicePorts.Https);
    public IPEndPoint Http { get; init; } = new(IPAddress.Any, ServicePorts.Http);
    public IPEndPoint Link { get; init; } = new(IPAddress.Any, ServicePorts.Link);

    /// <summary>Null: no TFTP.</summary>
    public IPEndPoint? Tftp { get; init; } = new(IPAddress.Any, 69);

    public DhcpMode Dhcp { get; init; } = DhcpMode.Proxy;

    /// <summary>Interfaces for DHCP and discovery; empty: all physical ones.</summary>
    public IReadOnlyList<string> Interfaces { get; init; } = [];

    /// <summary>Where an administrator's API token is written on the first start; null: nowhere.</summary>
    public string? InitialTokenFile { get; init; }

    /// <summary>Discovery mesh of the appliance and its nodes.</summary>
    public string Mesh { get; init; } = "default";
}
