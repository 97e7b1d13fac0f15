using System.Net;

namespace Bootstrap.Netboot.Tftp;

/// <summary>Where TFTP is served.</summary>
public sealed record TftpServerOptions
{
    /// <summary>Address and UDP port.</summary>
    public IPEndPoint EndPoint { get; init; } = new(IPAddress.Any, 69);

    /// <summary>Transfers at once; a request beyond is not answered and comes again.</summary>
    public int MaxTransfers { get; init; } = 2048;
}
