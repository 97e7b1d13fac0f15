using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>What was last done to a node's disk.</summary>
public enum Lifecycle
{
    /// <summary>Introduced itself; nothing was ever assigned. Its disk is as it came.</summary>
    New,

    /// <summary>An installation is under way.</summary>
    Installing,

    /// <summary>The assigned image runs, or did when last heard of.</summary>
    Installed,

    /// <summary>An installation ended in the middle: the disk does not boot.</summary>
    Unbootable,
}

/// <summary>Which of the node's programs is connected at this moment.</summary>
public enum LinkState
{
    Offline,
    NetInst,
    Slave,
}

/// <summary>Whether a person has seen what a node is.</summary>
public enum NodeMark
{
    /// <summary>Yes.</summary>
    None,

    /// <summary>Nobody has seen it since it came.</summary>
    New,

    /// <summary>Its hardware, its firmware or its place on the network has changed since.</summary>
    Changed,
}

/// <summary>A node as people see it.</summary>
/// <param name="Id">Its name for life.</param>
/// <param name="Name">What people call it; its host name when installed.</param>
/// <param name="Address">Where it was last heard from.</param>
/// <param name="FirstSeen">Unix milliseconds, as all times of the API.</param>
/// <param name="Image">Digest of the image that was installed last; null for none.</param>
/// <param name="ImageName">The image's name, where it is still in the store.</param>
/// <param name="WantsApproval">A board with another key says that it is this node: it waits for a person's decision, and the node goes
/// on.</param>
/// <param name="Key">Fingerprint of the key that is this node; null: none is, and nothing connects as it.</param>
/// <param name="Task">What is being done to it now; null for nothing.</param>
/// <param name="Version">Of the program that was connected last, Slave or NetInst; empty where none was.</param>
/// <param name="Revision">What a Pi's revision code says; null for other boards.</param>
/// <param name="Tags">In alphabetical order.</param>
/// <param name="AcknowledgedAt">When a person has last seen what the node is; null: nobody has.</param>
public sealed record NodeView(
    NodeId Id, string Name, Lifecycle Lifecycle, LinkState Link, string? Address, long FirstSeen, long LastSeen,
    string? Image, string? ImageName, bool WantsApproval, Inventory Inventory, Health? Health, NodeTaskView? Task,
    string Version, PiRevision? Revision, IReadOnlyList<string> Tags, string Note, string Location, NodeMark Mark, long? AcknowledgedAt,
    string? Key = null);

/// <summary>A node's open task, in short.</summary>
/// <param name="Kind"><c>install</c>, <c>reboot</c> or <c>shutdown</c>.</param>
/// <param name="Done">Of <paramref name="Total"/>, in <paramref name="Unit"/>.</param>
/// <param name="Rate">Units a second; 0 where it is not known.</param>
/// <param name="Fraction">How far it is on its whole way, 0 to 1; null: nobody knows.</param>
public sealed record NodeTaskView(
    Guid Id, Guid JobId, string Kind, string State, string Phase, long Done, long Total, string Unit, double Rate, double? Fraction);
