using Bootstrap.Protocol.Ids;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>What another feature keeps of nodes outside of the appliance's database, whose own rows go with the node's.</summary>
internal interface INodeRecords
{
    /// <summary>A node is no node any more: what was kept of it goes.</summary>
    void Forget(NodeId node);
}
