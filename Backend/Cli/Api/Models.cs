using System.Text.Json.Serialization;

namespace Bootstrap.Cli.Api;

// What the commands show of the API's answers; see the API for the rest. Times are Unix milliseconds.

internal sealed record Node(
    string Id, string Name, string Lifecycle, string Link, string? Address, long FirstSeen, long LastSeen, string? ImageName,
    bool WantsApproval,
    NodeInventory Inventory, NodeTask? Task, string Version, NodeRevision? Revision, IReadOnlyList<string> Tags, string Note,
    string Location, string Mark);

internal sealed record UnapprovedBoard(
    string Key, string Id, string Address, string Reason, long FirstSeen, long LastSeen, NodeInventory Inventory, ClaimedNode? Claims,
    string? Holder);

/// <summary>A node that an unapproved board says it is.</summary>
internal sealed record ClaimedNode(string Id, string Name, string? Key, string? Address, long LastSeen, string Link);

internal sealed record NodeRevision(string Revision, long MemoryBytes, string Maker, string Processor);

internal sealed record NodeInventory(
    string Architecture, string Model, string Serial, string Revision, string Firmware, long MemoryBytes, int Processors,
    IReadOnlyList<NodeInterface> Interfaces, IReadOnlyList<NodeDisk> Disks, string Kernel, string System, string? Slot = null);

internal sealed record NodeInterface(string Name, string Mac, bool LinkUp, IReadOnlyList<string> Addresses, int SpeedMbit,
    NodeSwitch? Switch);

internal sealed record NodeSwitch(string Chassis, string Port, string PortDescription, string SystemName, string ManagementAddress);

internal sealed record NodeDisk(string Name, long SizeBytes, string Kind, string Model, string Serial, NodeCard? Card);

internal sealed record NodeCard(string Manufacturer, string Product, string Date, string Serial, int? LifeUsedPercent, string ReserveUsed);

internal sealed record NodeChange(long At, string Source, string Field, string Old, string New, bool Notable);

internal sealed record Blinking(string Led, int Seconds);

internal sealed record NodeTask(string Kind, string State, string Phase, double? Fraction);

internal sealed record Image(
    string Digest, string Name, string Architecture, long SizeBytes, long UsedBytes, long StoredBytes, long ImportedAt, int Slots,
    bool Public = false, string? Fault = null, string[]? Notes = null);

internal sealed record Job(Guid Id, string Kind, string? ImageName, long CreatedAt, string CreatedBy, bool Ended,
    IReadOnlyDictionary<string, int> Counts, string Note);

internal sealed record JobTask(
    Guid Id, string NodeName, string State, string Phase, long Done, long Total, string Unit, double Rate, string Cause, string? Disk,
    long? EndedAt,
    int? ExitCode, string Note, string Stall, double? Fraction);

internal sealed record TaskPhase(Guid Task, string State, string Phase, long At);

internal sealed record JobDetail(Job Job, IReadOnlyList<JobTask> Tasks);

internal sealed record StoredFile(string Digest, string Name, long SizeBytes, long UploadedAt);

internal sealed record LogLine(long Id, Guid? Task, long At, string Line);

/// <summary>What has a name: all that is to be known of it where names are offered.</summary>
internal sealed record Named(string Name);

internal sealed record Policy(
    IReadOnlyDictionary<string, string> InstallNewBoards, IReadOnlyList<string> AuthorizedKeys, string? Profile = null,
    bool ApproveNewBoards = false, string? BurnIn = null);

internal sealed record SignInLink(string Token);

internal sealed record BootBoard(
    string Mac, string? Node, string Program, string? Model, string? Serial, string? Eeprom, string? Vendor, string? Interface,
    string? Address, string? AsksFor,
    long FirstSeen, long LastSeen, string Severity, string Headline);

/// <summary>What a doctor says.</summary>
/// <param name="Rule">Name of the rule, for programs.</param>
/// <param name="Severity">"good", "notice", "warning" or "fault".</param>
/// <param name="Cause">What is the matter, one sentence.</param>
/// <param name="Evidence">What was seen that says so.</param>
/// <param name="Change">What to do; null where there is nothing to do.</param>
internal sealed record Finding(string Rule, string Severity, string Cause, string Evidence, string? Change = null)
{
    /// <summary>Where, if it is about one network interface of this machine.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Interface { get; init; }
}

internal sealed record BootExplanation(BootBoard Board, long StartedAt, IReadOnlyList<Finding> Findings);

internal sealed record BootChange(BootBoard Board, IReadOnlyList<System.Text.Json.JsonElement> Events);
