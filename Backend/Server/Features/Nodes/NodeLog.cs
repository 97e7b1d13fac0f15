using System.Collections.Concurrent;
using System.Text.Json;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>A line of a node's log.</summary>
/// <param name="Id">Rises; to ask for what came after.</param>
/// <param name="At">When it reached the appliance, Unix milliseconds.</param>
public sealed record NodeLogLine(long Id, NodeId Node, Guid? Task, long At, string Line);

/// <summary>
/// What nodes tell of themselves, in words. Of each node the last <see cref="Kept"/> lines are kept. No node holds up the others by what it
/// says:
/// <see cref="Burst"/> lines of it are taken at once, then <see cref="PerSecond"/>, which is more than any Slave sends; the rest is
/// counted.
/// </summary>
internal sealed class NodeLog(Database database, INodeTasks tasks, EventHub events, TimeProvider clock)
{
    /// <summary>Lines of one node.</summary>
    public const int Kept = 5000;

    /// <summary>Lines of one node at once.</summary>
    public const int Burst = Kept;

    /// <summary>Lines of one node in the long run.</summary>
    public const int PerSecond = 200;

    private const int MaximumLineLength = 2000;

    private readonly ConcurrentDictionary<NodeId, Allowance> _allowances = new();

    /// <summary>Takes lines of a node; of a task only if it is the node's, else they are the node's in general.</summary>
    public void Add(NodeId node, LogLines lines)
    {
        IReadOnlyList<string> taken = _allowances.GetOrAdd(node, _ => new Allowance(clock)).Take(lines.Lines);
        if (taken.Count == 0)
        {
            return;
        }
        long now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var added = new List<NodeLogLine>();
        database.Write(c =>
        {
            Guid? own = lines.TaskId is { } id && tasks.IsOf(c, node, id) ? id : null;
            Insert(c, node, own, taken, now, added);
        });
        events.Publish("log", added);
    }

    private static void Insert(SqliteConnection c, NodeId node, Guid? own, IReadOnlyList<string> lines, long now, List<NodeLogLine> added)
    {
        string[] texts = [.. lines.Select(line => line.Length <= MaximumLineLength ? line : line[..MaximumLineLength] + " …")];
        // One statement for all: whoever writes meanwhile waits.
        IEnumerable<long> ids = c.Query<long>("""
            INSERT INTO node_log (node_id, task_id, at, line)
                SELECT @node, @task, @now, value FROM json_each(@texts) ORDER BY key
            RETURNING id
            """, new { node = node.ToString(), task = own?.ToString(), now, texts = JsonSerializer.Serialize(texts) });
        added.AddRange(ids.Order().Zip(texts, (id, text) => new NodeLogLine(id, node, own, now, text)));
        c.Execute("""
            DELETE FROM node_log WHERE node_id = @node AND id <=
                (SELECT id FROM node_log WHERE node_id = @node ORDER BY id DESC LIMIT 1 OFFSET @Kept)
            """, new { node = node.ToString(), Kept });
    }

    /// <summary>The last lines of a node, oldest first.</summary>
    /// <param name="after">Only lines with a greater id.</param>
    public IReadOnlyList<NodeLogLine> Read(NodeId node, long after) => Read("node_id = @node", node.ToString(), null, after);

    /// <summary>The last lines of tasks, as they came, oldest first.</summary>
    /// <param name="after">Only lines with a greater id.</param>
    public IReadOnlyList<NodeLogLine> Read(IReadOnlyCollection<Guid> tasks, long after) =>
        Read("task_id IN (SELECT value FROM json_each(@tasks))", null, JsonSerializer.Serialize(tasks), after);

    private List<NodeLogLine> Read(string condition, string? node, string? tasks, long after) => database.Read(c =>
        c.Query<(long Id, string Node, string? Task, long At, string Line)>($"""
            SELECT id, node_id, task_id, at, line FROM (
                SELECT * FROM node_log WHERE {condition} AND id > @after ORDER BY id DESC LIMIT @Kept)
            ORDER BY id
            """, new { node, tasks, after, Kept })
        .Select(r => new NodeLogLine(r.Id, NodeId.Parse(r.Node), r.Task is null ? null : Guid.Parse(r.Task), r.At, r.Line)).ToList());

    /// <summary>How much a node may say.</summary>
    private sealed class Allowance(TimeProvider clock)
    {
        private readonly Lock _lock = new();
        private double _lines = Burst;
        private long _at = clock.GetTimestamp();
        private long _leftOut;

        /// <summary>The lines that it may still say now, with a note of those that it might not.</summary>
        public IReadOnlyList<string> Take(IReadOnlyList<string> lines)
        {
            lock (_lock)
            {
                long now = clock.GetTimestamp();
                _lines = Math.Min(Burst, _lines + (clock.GetElapsedTime(_at, now).TotalSeconds * PerSecond));
                _at = now;
                int count = Math.Min(lines.Count, (int)_lines);
                string[] note = _leftOut > 0 && count > 0 ? [$"({_leftOut} lines that came too fast were left out)"] : [];
                _leftOut = (note.Length > 0 ? 0 : _leftOut) + lines.Count - count;
                _lines -= count;
                return [.. note, .. lines.Take(count)];
            }
        }
    }
}
