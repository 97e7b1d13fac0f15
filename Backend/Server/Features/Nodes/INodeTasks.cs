using Bootstrap.Protocol.Ids;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>What nodes are told to do; known by who orders it.</summary>
internal interface INodeTasks
{
    /// <summary>Each node's oldest task that has not ended, by the node's id.</summary>
    IReadOnlyDictionary<string, NodeTaskView> Open(SqliteConnection c);

    /// <summary>The oldest one of a node; null: it has nothing to do.</summary>
    NodeTaskView? Open(SqliteConnection c, NodeId node);

    /// <summary>Whether a task is a node's.</summary>
    bool IsOf(SqliteConnection c, NodeId node, Guid task);
}
