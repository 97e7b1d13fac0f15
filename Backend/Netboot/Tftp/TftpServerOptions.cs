using System.Net;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Tftp;

/// <summary>Where TFTP is served.</summary>
public sealed record TftpServerOptions
{
    /// <summary>Address and UDP port; of <see cref="IPAddress.IPv6Any"/> IPv4 clients are served too.</summary>
    public IPEndPoint EndPoint { get; init; } = new(IPAddress.Any, 69);

    /// <summary>Transfers at once; a request beyond is not answered and comes again.</summary>
    public int MaxTransfers { get; init; } = 2048;

    /// <summary>The hardware address behind an address; null: not known.</summary>
    public Func<IPAddress, MacAddress?> Neighbours { get; init; } = NeighbourTable.Find;

    /// <summary>Takes files from clients; null: nothing can be written.</summary>
    public TftpUploads? Uploads { get; init; }
}

/// <summary>Where clients may write: new files alone, each client in a folder of its own, never below that.</summary>
/// <param name="Folder">Holds a folder for each client, named after its MAC or address.</param>
public sealed record TftpUploads(string Folder)
{
    /// <summary>Bytes of one file.</summary>
    public long MaxBytes { get; init; } = 4 << 20;

    /// <summary>Files of one client.</summary>
    public int MaxFiles { get; init; } = 32;
}
