using System.Text.Json.Serialization;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Protocol.Link;

/// <summary>What a task asks of a node.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(RebootOrder), "reboot")]
[JsonDerivedType(typeof(ShutdownOrder), "shutdown")]
[JsonDerivedType(typeof(StageInstallOrder), "stage-install")]
[JsonDerivedType(typeof(InstallOrder), "install")]
public abstract record TaskOrder;

/// <summary>To a Slave: restart the machine.</summary>
public sealed record RebootOrder : TaskOrder;

/// <summary>To a Slave: power the machine off.</summary>
public sealed record ShutdownOrder : TaskOrder;

/// <summary>
/// To a Slave: fetch NetInst, check it, make it the next thing that boots (once, where the board offers that) and restart.
/// The task goes on in NetInst, which gets an <see cref="InstallOrder"/> with the same task id.
/// </summary>
/// <param name="Kernel">NetInst's kernel for the node's architecture.</param>
/// <param name="Initramfs">NetInst's initramfs, complete with this appliance's trust part.</param>
/// <param name="CommandLine">Kernel arguments, without those that only the board knows (console, device names).</param>
public sealed record StageInstallOrder(RemoteFile Kernel, RemoteFile Initramfs, string CommandLine) : TaskOrder;

/// <summary>To NetInst: write an image to the disk and make it this node's system.</summary>
/// <param name="Image">Digest of the signed manifest, at <c>/store/manifests/{digest}</c>; chunks are at <c>/store/chunks/{stored digest}</c>.</param>
/// <param name="Disk">Kernel name of the disk to write ("mmcblk0"); null: the board's only suitable disk, else it fails with the list.</param>
/// <param name="Compare">
/// The disk may already hold part of the image (an interrupted or earlier installation): read each chunk first and write
/// only what differs.
/// </param>
/// <param name="Configuration">What makes the written system this node's own.</param>
public sealed record InstallOrder(Digest Image, string? Disk, bool Compare, NodeConfiguration Configuration) : TaskOrder;

/// <summary>What is set on an installed system before its first start.</summary>
/// <param name="HostName">RFC 1123 label.</param>
/// <param name="AuthorizedKeys">OpenSSH public keys, one a line; for root.</param>
/// <param name="Slave">The Slave program for the node's architecture, as one zstd frame.</param>
/// <param name="Backends">Addresses where this appliance was last seen ("10.0.0.1"), tried beside discovery.</param>
/// <param name="Mesh">Discovery mesh of the node.</param>
public sealed record NodeConfiguration(
    string HostName, IReadOnlyList<string> AuthorizedKeys, RemoteFile Slave, IReadOnlyList<string> Backends, string Mesh);

/// <summary>A file on the appliance's plain HTTP port.</summary>
/// <param name="Path">Absolute path of the URL, without host ("/programs/…").</param>
/// <param name="Digest">SHA-256 of its bytes; nothing is used before it was checked.</param>
/// <param name="Length">In bytes.</param>
public sealed record RemoteFile(string Path, Digest Digest, long Length);
