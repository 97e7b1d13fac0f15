using Bootstrap.Protocol.Ids;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>Knows of nodes with which something is being done on purpose: what goes wrong with them meanwhile is told to nobody.</summary>
internal interface IQuietTimes
{
    /// <summary>Those nodes at this moment, with the reason in words: "an install job runs".</summary>
    IReadOnlyDictionary<NodeId, string> Now();
}
