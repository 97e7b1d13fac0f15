using System.Text.Json.Serialization;
using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Protocol.Link;

/// <summary>
/// What a node and the Backend say to each other once connected: one JSON object per WebSocket text message, at most
/// <see cref="MaximumBytes"/>. Unknown properties are ignored, and so are messages of a type that this program does not know, which are of
/// this very type: either side may be the newer one.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type", UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FailSerialization,
    IgnoreUnrecognizedTypeDiscriminators = true)]
[JsonDerivedType(typeof(Hello), "hello")]
[JsonDerivedType(typeof(Heartbeat), "heartbeat")]
[JsonDerivedType(typeof(TaskAccepted), "task-accepted")]
[JsonDerivedType(typeof(TaskProgress), "task-progress")]
[JsonDerivedType(typeof(TaskEnded), "task-ended")]
[JsonDerivedType(typeof(LogLines), "log")]
[JsonDerivedType(typeof(Goodbye), "goodbye")]
[JsonDerivedType(typeof(RenewCertificate), "renew-certificate")]
[JsonDerivedType(typeof(InventoryReport), "inventory")]
[JsonDerivedType(typeof(LocateAnswer), "locate-answer")]
[JsonDerivedType(typeof(AskStatusCertificate), "ask-status-certificate")]
[JsonDerivedType(typeof(StatusReport), "status")]
[JsonDerivedType(typeof(StatusMinutes), "status-minutes")]
[JsonDerivedType(typeof(MetConditions), "met-conditions")]
[JsonDerivedType(typeof(Welcome), "welcome")]
[JsonDerivedType(typeof(Wait), "wait")]
[JsonDerivedType(typeof(StartTask), "start-task")]
[JsonDerivedType(typeof(CancelTask), "cancel-task")]
[JsonDerivedType(typeof(NodeCertificate), "node-certificate")]
[JsonDerivedType(typeof(Locate), "locate")]
[JsonDerivedType(typeof(RevokedKeys), "revoked-keys")]
[JsonDerivedType(typeof(StatusCertificate), "status-certificate")]
[JsonDerivedType(typeof(WatchStatus), "watch-status")]
[JsonDerivedType(typeof(EndStatus), "end-status")]
[JsonDerivedType(typeof(WatchAlerts), "watch-alerts")]
[JsonDerivedType(typeof(ServePeer), "serve-peer")]
public record LinkMessage
{
    // Nobody makes one but the reader of JSON.
    [JsonConstructor]
    internal LinkMessage()
    {
    }

    /// <summary>It is of a type that only a newer program knows.</summary>
    [JsonIgnore]
    public bool IsUnknown => GetType() == typeof(LinkMessage);

    /// <summary>Upper bound of one message in bytes; a longer one ends the connection.</summary>
    public const int MaximumBytes = 1 << 20;

    /// <summary>Upper bound of what a node sends: a hundred lines of 500 characters, each of at most six bytes in JSON.</summary>
    public const int MaximumBytesOfNode = 320 << 10;

    /// <summary>Path of the WebSocket on the link port. mTLS: the client certificate's common name is the node's id.</summary>
    public const string Path = "/link";

    /// <summary>Both sides send something at least this often; three silences in a row mean that the other side is gone.</summary>
    public static readonly TimeSpan HeartbeatPeriod = TimeSpan.FromSeconds(10);
}

/// <summary>Who speaks on a link: the small system that installs, or the daemon of the installed system.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<NodeRole>))]
public enum NodeRole
{
    [JsonStringEnumMemberName("netinst")] NetInst,
    [JsonStringEnumMemberName("slave")] Slave,
}

// ---- node → Backend ------------------------------------------------------------------------------------------------

/// <summary>A node's first message on every connection.</summary>
/// <param name="BootId">The kernel's boot_id: a new one proves a reboot.</param>
/// <param name="InstallId">Slave: the id of the installation it came from (written by NetInst); null where it was installed
/// otherwise.</param>
/// <param name="ActiveTasks">Tasks that the node still works on.</param>
/// <param name="OnTrial">Slave: this system was started once, and the next start is the old one's again unless a
/// <see cref="CommitSlotOrder"/> comes.</param>
/// <param name="Doubt">Slave: what of the system is not as it was installed, for people; empty: nothing that was looked at.</param>
public sealed record Hello(
    NodeRole Role, string Version, string BootId, Guid? InstallId, Inventory Inventory, Health Health,
    IReadOnlyList<Guid> ActiveTasks, bool OnTrial = false, string Doubt = "") : LinkMessage;

/// <summary>I am here, and this is how I feel.</summary>
public sealed record Heartbeat(Health Health) : LinkMessage;

/// <summary>The task is on the node's disk (or in NetInst's hands): it will be done once, whatever happens to the link.</summary>
public sealed record TaskAccepted(Guid TaskId) : LinkMessage;

/// <summary>How far a task is. Sent at most twice a second and at each change of phase.</summary>
/// <param name="Phase">One word for people: <c>checking</c>, <c>writing</c>, <c>verifying</c>, <c>configuring</c>, <c>rebooting</c>
/// …</param>
/// <param name="Done">Of <paramref name="Total"/>, in <paramref name="Unit"/>s.</param>
/// <param name="Unit"><c>bytes</c>, or empty where the phase has no measure (Total is 0 then).</param>
public sealed record TaskProgress(Guid TaskId, string Phase, long Done, long Total, string Unit) : LinkMessage;

/// <summary>
/// A task came to its end on the node. "Succeeded" is the node's word; the Backend still asks for proof
/// (a new boot id, the new system's report).
/// </summary>
/// <param name="Succeeded">False: it failed, or was cancelled.</param>
/// <param name="Cancelled">It ended because a <see cref="CancelTask"/> asked for it.</param>
/// <param name="Cause">Failure in one sentence; empty on success.</param>
/// <param name="Disk">State that the disk is left in.</param>
/// <param name="Final">It failed for a reason that another attempt meets again: what the appliance stores is damaged.</param>
/// <param name="TimedOut">It was ended because its time was over.</param>
/// <param name="ExitCode">Of the command that was run, 128 + n where signal n ended it; null where there was none.</param>
/// <param name="Note">What people must know although it succeeded ("a restart is required"); empty otherwise.</param>
/// <param name="Benchmark">What was measured; null where nothing was.</param>
public sealed record TaskEnded(
    Guid TaskId, bool Succeeded, bool Cancelled, string Cause, DiskState Disk, bool Final = false, bool TimedOut = false,
    int? ExitCode = null, string Note = "", BenchmarkResult? Benchmark = null)
    : LinkMessage;

/// <summary>What a task left on the disk.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DiskState>))]
public enum DiskState
{
    /// <summary>Not one byte was written.</summary>
    [JsonStringEnumMemberName("untouched")] Untouched,

    /// <summary>Partly written; it does not boot until an installation ends well.</summary>
    [JsonStringEnumMemberName("unbootable")] Unbootable,

    /// <summary>Complete and read back.</summary>
    [JsonStringEnumMemberName("installed")] Installed,
}

/// <summary>Lines of a node's log.</summary>
/// <param name="TaskId">The task they belong to; null for the node in general.</param>
public sealed record LogLines(Guid? TaskId, IReadOnlyList<string> Lines) : LinkMessage;

/// <summary>The node leaves on purpose.</summary>
/// <param name="Reason"><c>reboot</c>, <c>shutdown</c> or <c>stop</c> (the daemon alone).</param>
public sealed record Goodbye(string Reason) : LinkMessage;

/// <summary>A Slave asks for a newer certificate; answered by <see cref="NodeCertificate"/>.</summary>
/// <param name="Request">PKCS #10 (RFC 2986) in DER, ECDSA P-256; its subject is ignored: a node gets its own name alone.</param>
public sealed record RenewCertificate(byte[] Request) : LinkMessage;

/// <summary>
/// The inventory after the first message, when it has changed. What it does not say is not there any more, where a <see cref="Hello"/>
/// comes
/// from a program that has just started and may not have heard of its switch yet.
/// </summary>
public sealed record InventoryReport(Inventory Inventory) : LinkMessage;

/// <summary>Answers <see cref="Locate"/>.</summary>
/// <param name="Id">Of the question.</param>
/// <param name="Led">The LED that blinks now, or that was given back to its trigger; empty where the board cannot.</param>
/// <param name="Reason">Why it cannot, in one sentence; empty where it can.</param>
public sealed record LocateAnswer(Guid Id, string Led, string Reason) : LinkMessage;

// ---- Backend → node ------------------------------------------------------------------------------------------------

/// <summary>The Backend's answer to <see cref="Hello"/>.</summary>
/// <param name="Name">What people call the node.</param>
/// <param name="HttpPort">Where manifests, chunks and programs are served, plain HTTP, on the same address as the link.</param>
/// <param name="UnixTimeSeconds">The appliance's clock: a board without one may set its own by it.</param>
public sealed record Welcome(string Name, int HttpPort, long UnixTimeSeconds) : LinkMessage;

/// <summary>To NetInst: nothing is assigned; keep the link open, touch no disk.</summary>
/// <param name="Reason">For the console: "waiting for a person to assign an image".</param>
public sealed record Wait(string Reason) : LinkMessage;

/// <summary>Do this now. A task id that comes again is answered again, not done again.</summary>
/// <param name="Attempt">A higher one than before is to be done although the last one has ended: it failed, and is tried again.</param>
public sealed record StartTask(Guid TaskId, TaskOrder Order, int Attempt = 0) : LinkMessage;

/// <summary>Stop a task where that is possible; answered by <see cref="TaskEnded"/>.</summary>
public sealed record CancelTask(Guid TaskId) : LinkMessage;

/// <summary>The certificate that was asked for. The one of this connection stays good until the node has connected with the new
/// one.</summary>
/// <param name="Certificate">DER, common name = node id.</param>
public sealed record NodeCertificate(byte[] Certificate) : LinkMessage;

/// <summary>
/// Keys that were a node's and are a stranger's now, although a certificate for them has not ended yet: nothing that is signed with one
/// proves anything.
/// Comes with each connection and whenever it changes; also <c>GET /revoked-keys</c> on the link's port, for those who know the CA and are
/// no node.
/// </summary>
/// <param name="Keys">Fingerprints (<see cref="Trust.FingerprintOf"/>), all of them; of certificates whose keys are not known, their
/// numbers (<see cref="Trust.NumberOf"/>); of tokens that read metrics, what they are revoked by
/// (<see cref="Status.ScrapeToken.Revocation"/>).</param>
public sealed record RevokedKeys(IReadOnlyList<Digest> Keys) : LinkMessage
{
    /// <summary>Path on the link's port, without a certificate.</summary>
    public const string PublicPath = "/revoked-keys";

    /// <summary>Of more, the oldest are left out: they end first.</summary>
    public const int Maximum = 10_000;
}

/// <summary>Another node measures the network against this one: answer it (<see cref="PeerService"/>) on
/// <see cref="ServicePorts.Benchmark"/>.</summary>
/// <param name="Secret">By which the other node is known; <see cref="PeerSecrets.Length"/> bytes.</param>
/// <param name="Seconds">For so long; 0: no longer.</param>
public sealed record ServePeer(byte[] Secret, int Seconds) : LinkMessage
{
    /// <summary>Longer than any benchmark takes.</summary>
    public const int MaximumSeconds = 24 * 60 * 60;

    /// <summary>A node that keeps to the rules is asked no more than this.</summary>
    [JsonIgnore]
    public bool IsSound => Secret.Length == PeerSecrets.Length && Seconds is >= 0 and <= MaximumSeconds;
}

/// <summary>Blink the activity LED, so that a person finds the board. A newer one takes the place of an older one.</summary>
/// <param name="Id">The answer names it.</param>
/// <param name="Seconds">How long; 0 ends it.</param>
public sealed record Locate(Guid Id, int Seconds) : LinkMessage
{
    /// <summary>A board blinks no longer than an hour: the person who has not found it by then asks again.</summary>
    public const int MaximumSeconds = 3600;
}
