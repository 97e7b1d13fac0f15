namespace Bootstrap.Protocol.Discovery;

/// <summary>What happened to a node.</summary>
public enum PresenceKind
{
    /// <summary>It is there: for the first time, or again.</summary>
    Join,

    /// <summary>Its role, kind or instance is another one.</summary>
    Identity,

    /// <summary>Its address, host name, parameters or services are others.</summary>
    Change,

    /// <summary>It was not heard when it should have been, and is being asked.</summary>
    Suspect,

    /// <summary>It was suspected and has been heard.</summary>
    Alive,

    /// <summary>It said goodbye, or nobody can reach it any more.</summary>
    Leave,
}

/// <summary>One event.</summary>
/// <param name="Sequence">Rises by one with each event of this watcher, over restarts where the state is kept.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Id">The node's.</param>
/// <param name="At">When, UTC.</param>
/// <param name="Reason">For people: "said goodbye", "not heard for 32 s, nor by 3 others".</param>
public sealed record PresenceEvent(long Sequence, PresenceKind Kind, string Id, DateTimeOffset At, string Reason);

/// <summary>What is known of a node that is there or was.</summary>
/// <param name="Node">What it said of itself.</param>
/// <param name="Mesh">The mesh it was seen in.</param>
/// <param name="Address">Where its discovery is: IPv4 address and port, "10.0.0.5:40213".</param>
/// <param name="Anchor">By what its next beats are known.</param>
/// <param name="State">Whether it is there.</param>
/// <param name="LastHeard">UTC.</param>
/// <param name="Relay">By whom it is heard, where it is in another network: address and port.</param>
public sealed record PresenceRecord(
    NodeDescription Node, string Mesh, string Address, PresenceAnchor Anchor, PresenceState State, DateTimeOffset LastHeard,
    string? Relay = null);

/// <summary>Whether a node is there.</summary>
public enum PresenceState
{
    /// <summary>Heard when it should be.</summary>
    Alive,

    /// <summary>Missing; being asked.</summary>
    Suspect,

    /// <summary>Gone.</summary>
    Gone,
}
