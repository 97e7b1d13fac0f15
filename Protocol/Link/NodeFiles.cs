namespace Bootstrap.Protocol.Link;

/// <summary>
/// The files by which a node knows its appliance and itself. In NetInst they come with the personal part of the initramfs
/// (CA, mesh, token) or are made in RAM (key, certificate); NetInst writes them into the installed system for the Slave.
/// </summary>
public static class NodeFiles
{
    /// <summary>The folder, on NetInst and on installed systems alike. Mode 0700.</summary>
    public const string Directory = "/etc/bootstrap";

    /// <summary>The appliance's CA certificate, PEM.</summary>
    public const string Authority = "ca.pem";

    /// <summary>The node's certificate, PEM.</summary>
    public const string Certificate = "node.pem";

    /// <summary>The node's private key, PKCS #8 PEM, mode 0600.</summary>
    public const string Key = "node.key";

    /// <summary><see cref="NodeSettings"/> as JSON.</summary>
    public const string Settings = "node.json";
}

/// <summary>What a node was told about its appliance.</summary>
/// <param name="Mesh">Discovery mesh.</param>
/// <param name="Backends">Addresses to try beside discovery ("10.0.0.1" or "10.0.0.1:8444").</param>
/// <param name="JoinToken">NetInst only: for <see cref="EnrolRequest"/>; null on installed systems.</param>
/// <param name="InstallId">Installed systems: the task that installed them; null in NetInst.</param>
public sealed record NodeSettings(string Mesh, IReadOnlyList<string> Backends, string? JoinToken, Guid? InstallId);
