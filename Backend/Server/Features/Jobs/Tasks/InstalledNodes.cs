using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Nodes;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Jobs.Tasks;

/// <summary>What installations make of nodes.</summary>
internal static class InstalledNodes
{
    /// <summary>An installation is sent to its node: how the node was before is kept with the task until that is settled.</summary>
    public static void Begin(SqliteConnection c, string task, string node)
    {
        if (NodeRow.LifecycleOf(c, node) is { } before and not Lifecycle.Installing)
        {
            c.Execute("UPDATE tasks SET lifecycle_before = @before WHERE id = @task", new { task, before = before.ToString() });
        }
        NodeRow.SetLifecycle(c, node, Lifecycle.Installing);
    }

    /// <summary>An installation is not under way any more: its node is what it has made of the disk, or as it was before.</summary>
    public static void Settle(SqliteConnection c, string task)
    {
        (string Node, string? Disk, string Before, string? Image) = c.QuerySingleOrDefault<(string, string?, string, string?)>("""
            SELECT t.node_id, t.disk, t.lifecycle_before, j.image FROM tasks t JOIN jobs j ON j.id = t.job_id
            WHERE t.id = @task AND t.lifecycle_before IS NOT NULL
            """, new { task });
        if (Node is null || NodeRow.LifecycleOf(c, Node) != Lifecycle.Installing)
        {
            return;
        }
        switch (Disk)
        {
            case nameof(DiskState.Installed):
                NodeRow.SetInstalled(c, Node, Image, task);
                break;
            case nameof(DiskState.Unbootable):
                NodeRow.SetLifecycle(c, Node, Lifecycle.Unbootable);
                break;
            default:
                NodeRow.SetLifecycle(c, Node, Enum.Parse<Lifecycle>(Before));
                break;
        }
    }

    /// <summary>
    /// A system has started from the node's disk, whatever was thought of it: that of an installation which was given up too early, or the
    /// one from before.
    /// </summary>
    /// <param name="install">The installation that the system says it is of.</param>
    public static void SetRunning(SqliteConnection c, NodeId node, Guid? install)
    {
        NodeRow.SetBootable(c, node.ToString());
        if (install is { } task && TaskRow.Find(c, task) is { Image: { } image, EndedAt: not null } given && given.Node == node)
        {
            NodeRow.SetInstalled(c, given.NodeId, image, given.Id);
        }
    }
}
