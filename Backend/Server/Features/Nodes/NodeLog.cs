using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Storage;
using Dapper;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>A line of a node's log.</summary>
/// <param name="Id">Rises; to ask for what came after.</param>
/// <param name="At">When it reached the appliance, Unix milliseconds.</param>
public sealed record NodeLogLine(long Id, NodeId Node, Guid? Task, long At, string Line);

/// <summary>What nodes tell of themselves, in words. Of each node the last <see cref="Kept"/> lines are kept.</summary>
public sealed class NodeLog(Database database, EventHub events, TimeProvider clock)
{
    /// <summary>Lines of one node.</summary>
    public const int Kept = 5000;

    private const int MaximumLineLength = 2000;

    internal void Add(NodeId node, LogLines lines)
    {
        long now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        string? task = lines.TaskId?.ToString();
        var added = new List<NodeLogLine>();
        database.Write(c =>
        {
            foreach (string line in lines.Lines)
            {
                string text = line.Length <= MaximumLineLength ? line : line[..MaximumLineLength] + " …";
                long id = c.ExecuteScalar<long>(
                    "INSERT INTO node_log (node_id, task_id, at, line) VALUES (@node, @task, @now, @text) RETURNING id",
                    new { node = node.ToString(), task, now, text });
                added.Add(new NodeLogLine(id, node, lines.TaskId, now, text));
            }
            c.Execute("""
                DELETE FROM node_log WHERE node_id = @node AND id <=
                    (SELECT id FROM node_log WHERE node_id = @node ORDER BY id DESC LIMIT 1 OFFSET @Kept)
                """, new { node = node.ToString(), Kept });
        });
        events.Publish("log", added);
    }

    /// <summary>The last lines of a node, or of one of its tasks, oldest first.</summary>
    /// <param name="after">Only lines with a greater id.</param>
    public IReadOnlyList<NodeLogLine> Read(NodeId? node, Guid? task, long after) => database.Read(c =>
        c.Query<(long Id, string Node, string? Task, long At, string Line)>("""
            SELECT id, node_id, task_id, at, line FROM (
                SELECT * FROM node_log
                WHERE (@node IS NULL OR node_id = @node) AND (@task IS NULL OR task_id = @task) AND id > @after
                ORDER BY id DESC LIMIT @Kept)
            ORDER BY id
            """, new { node = node?.ToString(), task = task?.ToString(), after, Kept })
        .Select(r => new NodeLogLine(r.Id, NodeId.Parse(r.Node), r.Task is null ? null : Guid.Parse(r.Task), r.At, r.Line)).ToList());
}
