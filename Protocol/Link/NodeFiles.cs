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

    /// <summary>The node's certificate and its private key (PKCS #8), PEM, mode 0600: one file, so that they are replaced
    /// together.</summary>
    public const string Identity = "node.pem";

    /// <summary>Installed systems: a renewed <see cref="Identity"/> that the appliance has not accepted yet.</summary>
    public const string NextIdentity = "node-next.pem";

    /// <summary>Installed systems: certificate and key by which the node serves its status, PEM, mode 0600.</summary>
    public const string StatusIdentity = "status.pem";

    /// <summary><see cref="NodeSettings"/> as JSON.</summary>
    public const string Settings = "node.json";

    /// <summary>Installed systems: the profile's script for the first start, mode 0700. It is not there where the profile has
    /// none.</summary>
    public const string FirstBootScript = "first-boot";

    /// <summary>
    /// Installed systems, empty: this one was started on trial (<see cref="UpdateSlotOrder"/>). Where it is still there when the time of
    /// the trial is over, the machine restarts into the system that it had before.
    /// </summary>
    public const string SlotTrial = "slot-trial";

    /// <summary>
    /// NetInst only, empty: the Slave that staged it has put another config.txt in the place of the board's own
    /// (<see cref="StagedBoot"/>). NetInst puts the original back before anything else, so that an installation that does not
    /// come about leaves a board that starts as before.
    /// </summary>
    public const string ConfigSwapped = "config-swapped";

    /// <summary>
    /// NetInst only, empty: the system that staged it is on a disk of this board and has the node's <see cref="Identity"/>, where root
    /// alone reads it. NetInst waits for that disk before it asks to be admitted.
    /// </summary>
    public const string IdentityOnDisk = "identity-on-disk";
}

/// <summary>Names on a Raspberry Pi's boot partition (FAT) and words of the command line while NetInst is staged.</summary>
public static class StagedBoot
{
    /// <summary>Folder of NetInst's kernel, initramfs and command line.</summary>
    public const string Folder = "netinst";

    /// <summary>What the firmware reads.</summary>
    public const string Config = "config.txt";

    /// <summary>Where the board's own config.txt waits.</summary>
    public const string OriginalConfig = "config.txt.before-netinst";

    /// <summary>Kernel argument: number of the partition whose system has staged NetInst, where the disk holds two.</summary>
    public const string RunningRoot = "bootstrap.root";
}

/// <summary>What a node was told about its appliance.</summary>
/// <param name="Mesh">Discovery mesh.</param>
/// <param name="Backends">Addresses to try beside discovery ("10.0.0.1" or "10.0.0.1:8444").</param>
/// <param name="JoinToken">NetInst only: for <see cref="EnrolRequest"/>; null on installed systems.</param>
/// <param name="InstallId">Installed systems: the task that installed them; null in NetInst.</param>
/// <param name="HostName">Installed systems: what they were called; null where that is not known.</param>
public sealed record NodeSettings(string Mesh, IReadOnlyList<string> Backends, string? JoinToken, Guid? InstallId, string? HostName = null);
