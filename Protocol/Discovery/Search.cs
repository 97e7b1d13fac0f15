using System.Net;

namespace Bootstrap.Protocol.Discovery;

/// <summary>What Marco looks for and how long.</summary>
public sealed record Search
{
    /// <summary>Meshes that are asked, all in the same question.</summary>
    public IReadOnlyList<string> Meshes { get; init; } = ["default"];

    /// <summary>Only nodes that it fits; null: all.</summary>
    public NodeFilter? Filter { get; init; }

    /// <summary>Ids or host names of nodes that are not wanted; those given by their id are not even asked.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>The search ends with so many.</summary>
    public int MaximumNodes { get; init; } = int.MaxValue;

    /// <summary>The search ends after this time, whatever was found.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The question is asked again until so many repetitions in a row have found nobody new. 0: it is asked once.</summary>
    public int Retries { get; init; } = 2;

    /// <summary>How many nodes there probably are: from an earlier search. The first answers are given time accordingly.</summary>
    public int Expected { get; init; } = 256;

    /// <summary>Ask this address alone, by unicast; null: everybody on the wires.</summary>
    public IPEndPoint? Address { get; init; }
}

/// <summary>Somebody who answered.</summary>
/// <param name="Address">Where it can be reached.</param>
/// <param name="Port">From which discovery answered.</param>
/// <param name="Node">What it says of itself.</param>
/// <param name="Meshes">Those of the meshes asked that it is in.</param>
/// <param name="ServiceCount">How many services it has; <see cref="NodeDescription.Services"/> may hold fewer
/// (<see cref="Marco.ServicesAsync"/>).</param>
/// <param name="IsProven">True if the appliance's CA vouches for it.</param>
/// <param name="Presence">By what its beats can be known.</param>
/// <param name="ProvenName">What the appliance calls the node, by its certificate; null where it is not proven, or has none. The one name
/// that is not the node's own word.</param>
/// <param name="Relay">By whom it was found, where it is in another network; null: it answered itself.</param>
public sealed record Found(
    IPAddress Address, int Port, NodeDescription Node, IReadOnlyList<string> Meshes, int ServiceCount, bool IsProven, string? ProvenName,
    PresenceAnchor? Presence,
    IPEndPoint? Relay)
{
    /// <summary>Where discovery's questions to this node go.</summary>
    public IPEndPoint Discovery => Relay ?? new IPEndPoint(Address, Port);
}
