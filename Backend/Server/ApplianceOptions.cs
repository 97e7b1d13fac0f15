using System.Net;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Netboot.Tftp;
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
    /// <summary>Files that an administrator put there for single boards, each in a folder named after its serial's last eight hex digits or its MAC with dashes.</summary>
    public string OverridesFolder => Path.Combine(DataFolder, "boot", "overrides");

    public IPEndPoint Https { get; init; } = new(IPAddress.Any, ServicePorts.Https);
    public IPEndPoint Http { get; init; } = new(IPAddress.Any, ServicePorts.Http);
    public IPEndPoint Link { get; init; } = new(IPAddress.Any, ServicePorts.Link);

    /// <summary>Null: no TFTP.</summary>
    public IPEndPoint? Tftp { get; init; } = new(IPAddress.Any, 69);

    /// <summary>Takes files by TFTP, such as boards' logs; null: nothing can be written.</summary>
    public TftpUploads? TftpUploads { get; init; }

    public DhcpMode Dhcp { get; init; } = DhcpMode.Proxy;

    /// <summary>Full mode: what is handed out.</summary>
    public AddressPlan Addresses { get; init; } = new();

    /// <summary>Full mode: hands out addresses even where another DHCP server answers.</summary>
    public bool DhcpForce { get; init; }

    /// <summary>Private RSA-2048 key, PEM, that boot.img files are signed with; null: there are no boot.sig files.</summary>
    public string? BootSigningKey { get; init; }

    /// <summary>Interfaces for DHCP and discovery; empty: all physical ones.</summary>
    public IReadOnlyList<string> Interfaces { get; init; } = [];

    /// <summary>Where an administrator's API token is written on the first start; null: nowhere.</summary>
    public string? InitialTokenFile { get; init; }

    /// <summary>Discovery mesh of the appliance and its nodes.</summary>
    public string Mesh { get; init; } = "default";
}
