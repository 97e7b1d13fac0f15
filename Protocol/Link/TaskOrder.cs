using System.Text.Json.Serialization;
using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Protocol.Link;

/// <summary>What a task asks of a node. One of a kind that this program does not know is of this very type.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind", IgnoreUnrecognizedTypeDiscriminators = true)]
[JsonDerivedType(typeof(RebootOrder), "reboot")]
[JsonDerivedType(typeof(ShutdownOrder), "shutdown")]
[JsonDerivedType(typeof(StageInstallOrder), "stage-install")]
[JsonDerivedType(typeof(InstallOrder), "install")]
[JsonDerivedType(typeof(UpdateSlotOrder), "update-slot")]
[JsonDerivedType(typeof(CommitSlotOrder), "commit-slot")]
[JsonDerivedType(typeof(RunOrder), "run")]
[JsonDerivedType(typeof(UpdateOrder), "update")]
[JsonDerivedType(typeof(DeployOrder), "deploy")]
[JsonDerivedType(typeof(FirstBootOrder), "first-boot")]
[JsonDerivedType(typeof(FirmwareOrder), "firmware")]
[JsonDerivedType(typeof(BenchmarkOrder), "benchmark")]
public record TaskOrder
{
    // Nobody makes one but the reader of JSON.
    [JsonConstructor]
    internal TaskOrder()
    {
    }

    /// <summary>What is asked, in words that follow "told to".</summary>
    public virtual string Words() => "do what only a newer program knows";

    /// <summary>The node's system is written anew: until that is done, its disk may hold none that starts.</summary>
    public virtual bool Installs() => false;
}

/// <summary>Whoever is logged in on the node is told before its system goes.</summary>
/// <param name="GraceSeconds">How long he has then. Where nobody is logged in, nothing is waited for.</param>
/// <param name="Message">Said beside what happens and when; may be empty.</param>
public sealed record UserWarning(int GraceSeconds, string Message);

/// <summary>To a Slave: restart the machine.</summary>
/// <param name="Warning">Null: at once.</param>
public sealed record RebootOrder(UserWarning? Warning = null) : TaskOrder
{
    public override string Words() => "restart";
}

/// <summary>To a Slave: power the machine off.</summary>
/// <param name="Warning">Null: at once.</param>
public sealed record ShutdownOrder(UserWarning? Warning = null) : TaskOrder
{
    public override string Words() => "power off";
}

/// <summary>
/// To a Slave: fetch NetInst, check it, make it the next thing that boots (once, where the board offers that) and restart.
/// The task goes on in NetInst, which gets an <see cref="InstallOrder"/> with the same task id.
/// </summary>
/// <param name="Kernel">NetInst's kernel for the node's architecture.</param>
/// <param name="Initramfs">NetInst's initramfs, complete with this appliance's trust part.</param>
/// <param name="CommandLine">Kernel arguments, without those that only the board knows (console, device names).</param>
/// <param name="Warning">Null: at once.</param>
public sealed record StageInstallOrder(RemoteFile Kernel, RemoteFile Initramfs, string CommandLine, UserWarning? Warning = null)
    : TaskOrder
{
    public override string Words() => "restart into NetInst";
}

/// <summary>To NetInst: write an image to the disk and make it this node's system.</summary>
/// <param name="Image">Digest of the signed manifest, at <c>/store/manifests/{digest}</c>; chunks are at <c>/store/chunks/{stored
/// digest}</c>.</param>
/// <param name="Disk">Kernel name of the disk to write ("mmcblk0"); null: the board's only suitable disk, else it fails with the
/// list.</param>
/// <param name="Compare">
/// The disk may already hold part of the image (an interrupted or earlier installation): read each chunk first and write
/// only what differs.
/// </param>
/// <param name="Configuration">What makes the written system this node's own.</param>
/// <param name="Keep">Absolute paths of the old system that the new one has again ('*' and '?' stand in names); none: nothing is
/// kept.</param>
/// <param name="IsPublic">The image may be fetched over plain HTTP; else all of it comes from the link's port, by the node's own
/// certificate.</param>
/// <param name="TestCard">All of the disk is written and read back before.</param>
public sealed record InstallOrder(
    Digest Image, string? Disk, bool Compare, NodeConfiguration Configuration, IReadOnlyList<string>? Keep = null, bool IsPublic = false,
    bool TestCard = false)
    : TaskOrder
{
    public override string Words() => "install an image";

    public override bool Installs() => true;
}

/// <summary>
/// To a Slave whose disk has two slots: write an image to the one that is not in use, make it this node's system, and start it once. Until
/// it has done a <see cref="CommitSlotOrder"/>, every other start is the old system's. Begun again after whatever interruption, it does the
/// same.
/// </summary>
/// <param name="Image">Digest of the signed manifest of an image with two slots.</param>
/// <param name="Configuration">What makes the written system this node's own.</param>
/// <param name="Keep">As of an <see cref="InstallOrder"/>; what is kept goes from the running system to the new one on the node
/// itself.</param>
/// <param name="Warning">Before the restart; null: at once.</param>
/// <param name="IsPublic">As of an <see cref="InstallOrder"/>.</param>
public sealed record UpdateSlotOrder(
    Digest Image, NodeConfiguration Configuration, IReadOnlyList<string>? Keep = null, UserWarning? Warning = null, bool IsPublic = false)
    : TaskOrder
{
    public override string Words() => "update the slot that is not in use";
}

/// <summary>
/// To the Slave of a system on trial: make its slot the one that starts from now on. It ends with <see cref="DiskState.Installed"/>, and
/// may be done any number of times.
/// </summary>
public sealed record CommitSlotOrder : TaskOrder
{
    public override string Words() => "confirm the slot that it runs from";
}

/// <summary>What is set on an installed system before its first start.</summary>
/// <param name="HostName">RFC 1123 label.</param>
/// <param name="AuthorizedKeys">OpenSSH public keys, one a line; for root.</param>
/// <param name="Slave">The Slave program for the node's architecture, as one zstd frame.</param>
/// <param name="Backends">Addresses where this appliance was last seen ("10.0.0.1"), tried beside discovery.</param>
/// <param name="Mesh">Discovery mesh of the node.</param>
/// <param name="Profile">What a customisation profile adds; null: there is none.</param>
public sealed record NodeConfiguration(
    string HostName, IReadOnlyList<string> AuthorizedKeys, RemoteFile Slave, IReadOnlyList<string> Backends, string Mesh,
    SystemProfile? Profile = null);

/// <summary>To a Slave: work that the running system does in place, and that must never be begun twice.</summary>
/// <param name="TimeoutSeconds">The node ends it by itself after this time.</param>
/// <param name="Again">The node has taken this order before. One that does not remember it (its disk is another now) must not begin
/// it.</param>
public abstract record WorkOrder(int TimeoutSeconds, bool Again) : TaskOrder;

/// <summary>Run a command, with its output in the task's log.</summary>
/// <param name="Command">The program, by path or by name, and its arguments.</param>
/// <param name="User">Name of a user of the node.</param>
/// <param name="Folder">Absolute path of the folder that it works in.</param>
/// <param name="Environment">What its plain environment has beside the usual.</param>
public sealed record RunOrder(
    IReadOnlyList<string> Command, string User, string Folder, IReadOnlyDictionary<string, string> Environment, int TimeoutSeconds,
    bool Again)
    : WorkOrder(TimeoutSeconds, Again)
{
    public override string Words() => "run a command";
}

/// <summary>Bring the node's packages up to date by its own package manager.</summary>
/// <param name="Packages">These alone; empty: all.</param>
public sealed record UpdateOrder(IReadOnlyList<string> Packages, int TimeoutSeconds, bool Again) : WorkOrder(TimeoutSeconds, Again)
{
    public override string Words() => "update its packages";
}

/// <summary>Measure the node. How it ends has the result (<see cref="TaskEnded.Benchmark"/>).</summary>
/// <param name="Plan">What is measured, and how long.</param>
public sealed record BenchmarkOrder(BenchmarkPlan Plan, int TimeoutSeconds, bool Again) : WorkOrder(TimeoutSeconds, Again)
{
    public override string Words() => "run a benchmark";
}

/// <summary>Put a file, or what is in an archive, in its place. What is there already is not written again.</summary>
/// <param name="File">The file or archive (tar, plain or by gzip), on the link's port: it may be anything, and comes by the node's own
/// certificate.</param>
/// <param name="Unpack">It is an archive.</param>
/// <param name="Path">Absolute path of the file, or of the folder that the archive is unpacked in.</param>
/// <param name="Owner">Name of the user whom all of it belongs to.</param>
/// <param name="Group">Name of its group.</param>
/// <param name="Mode">Permission bits of the file; an archive's files have their own.</param>
/// <param name="Command">Run afterwards by root; empty: nothing.</param>
public sealed record DeployOrder(
    RemoteFile File, bool Unpack, string Path, string Owner, string Group, int Mode, IReadOnlyList<string> Command, int TimeoutSeconds,
    bool Again)
    : WorkOrder(TimeoutSeconds, Again)
{
    public override string Words() => "take a file";
}

/// <summary>
/// Finish what an installation with a profile has begun, in the system that it made: generate the locale, install packages, run
/// <see cref="NodeFiles.FirstBootScript"/> where there is one. Each is tried, whatever became of the one before.
/// </summary>
/// <param name="GeneratesLocale">The locale was set, and may not be there yet.</param>
/// <param name="Packages">By the system's own package manager.</param>
public sealed record FirstBootOrder(bool GeneratesLocale, IReadOnlyList<string> Packages, int TimeoutSeconds, bool Again)
    : WorkOrder(TimeoutSeconds, Again)
{
    public override string Words() => "finish its first start";
}

/// <summary>
/// To a Slave: bring the boot firmware (a Pi's EEPROM) up to the newest that the node has, and restart. After the restart the same order is
/// answered by what runs then. Before that it can be taken as often as it comes: it begins again.
/// </summary>
/// <param name="Warning">Null: at once.</param>
/// <param name="PowerChecked">A person answers for the supply where the board has nothing to measure it by. What the board does measure
/// counts all the same.</param>
/// <param name="AllowDirectWrite">Also in ways that a power cut may not be mended after without somebody at the board.</param>
public sealed record FirmwareOrder(UserWarning? Warning, bool PowerChecked, bool AllowDirectWrite = false) : TaskOrder
{
    public override string Words() => "update its boot firmware";
}

/// <summary>A file of the appliance's.</summary>
/// <param name="Path">Absolute path of the URL, without host ("/programs/…").</param>
/// <param name="Digest">SHA-256 of its bytes; nothing is used before it was checked.</param>
/// <param name="Length">In bytes.</param>
public sealed record RemoteFile(string Path, Digest Digest, long Length);
