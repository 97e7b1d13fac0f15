using System.Net;
using Bootstrap.Netboot.Tftp;
using Bootstrap.Protocol;

namespace Bootstrap.Server;

/// <summary>How one appliance is started.</summary>
/// <param name="DataFolder">Everything that it keeps: database, images, certificate authority.</param>
/// <param name="ShareFolder">What came with the program: NetInst, Slave programs, boot firmware, web page.</param>
public sealed record ApplianceOptions(string DataFolder, string ShareFolder)
{
    /// <summary>Files that an administrator put there for single boards, each in a folder named after its serial's last eight hex digits or
    /// its MAC with dashes.</summary>
    public string OverridesFolder => Path.Combine(DataFolder, "boot", "overrides");

    /// <summary>Where backups are kept; it may be on another disk.</summary>
    public string BackupsFolder { get => field ?? Path.Combine(DataFolder, "backups"); init; }

    public IPEndPoint Https { get; init; } = new(IPAddress.Any, ServicePorts.Https);
    public IPEndPoint Http { get; init; } = new(IPAddress.Any, ServicePorts.Http);
    public IPEndPoint Link { get; init; } = new(IPAddress.Any, ServicePorts.Link);

    /// <summary>Null: no TFTP.</summary>
    public IPEndPoint? Tftp { get; init; } = new(IPAddress.Any, 69);

    /// <summary>Takes files by TFTP, such as boards' logs; null: nothing can be written.</summary>
    public TftpUploads? TftpUploads { get; init; }

    /// <summary>Null: as it was set on the page; <see cref="DhcpSettings.Default"/> where it never was.</summary>
    public DhcpSettings? Dhcp { get; init; }

    /// <summary>Private RSA-2048 key, PEM, that boot.img files are signed with; null: there are no boot.sig files.</summary>
    public string? BootSigningKey { get; init; }

    /// <summary>Interfaces for DHCP and discovery; empty: all physical ones.</summary>
    public IReadOnlyList<string> Interfaces { get; init; } = [];

    /// <summary>Where an administrator's API token is written on the first start; null: nowhere.</summary>
    public string? InitialTokenFile { get; init; }

    /// <summary>Whether the discovery protocol of 2015 is answered, in which answers are longer than questions.</summary>
    public bool Answer2015 { get; init; } = true;

    /// <summary>Discovery mesh of the appliance and its nodes.</summary>
    public string Mesh { get; init; } = "default";
}
