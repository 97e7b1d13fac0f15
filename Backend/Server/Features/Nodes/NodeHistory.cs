using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>One thing that was otherwise before.</summary>
/// <param name="At">Unix milliseconds.</param>
/// <param name="Source">Who told: <c>net-inst</c>, <c>slave</c> or <c>person</c>.</param>
/// <param name="Field"><c>memory</c>, <c>card</c>, <c>firmware</c>, <c>switch</c>, <c>address</c> …</param>
/// <param name="Old">What it was, in words.</param>
/// <param name="New">What it is.</param>
/// <param name="Notable">The node is marked until a person has seen it.</param>
public sealed record NodeChange(long Id, long At, string Source, string Field, string Old, string New, bool Notable);

/// <summary>What has changed of each node, when, and who told. Of each node the last <see cref="Kept"/> changes are kept.</summary>
internal sealed class NodeHistory(Database database, TimeProvider clock)
{
    /// <summary>Changes of one node.</summary>
    public const int Kept = 500;

    // Words come from boards and switches.
    private const int MaximumWords = 400;

    /// <summary>What a person does to a node.</summary>
    public const string Person = "person";

    /// <summary>
    /// What changes again within this time is one change from the first to the last, and none where it is as it was: a DHCP server that
    /// gives another address each time, or a cable that makes bad contact, must not drive out what matters.
    /// </summary>
    private static readonly Dictionary<string, TimeSpan> s_settling = new()
    {
        [NodeFacts.Address] = TimeSpan.FromDays(1),
        [NodeFacts.Switch] = TimeSpan.FromHours(1),
    };

    /// <summary>Changes of a node, the newest first.</summary>
    public IReadOnlyList<NodeChange> Read(NodeId node) => database.Read(c =>
        c.Query<(long Id, long At, string Source, string Field, string Old, string New)>("""
            SELECT id, at, source, field, old, new FROM node_changes WHERE node_id = @node ORDER BY id DESC
            """, new { node = node.ToString() })
        .Select(r => new NodeChange(r.Id, r.At, r.Source, r.Field, r.Old, r.New, NodeFacts.IsNotable(r.Field))).ToList());

    /// <summary>A node has enrolled or introduced itself.</summary>
    /// <param name="c">Within a transaction of the caller's.</param>
    /// <param name="address">Where it was heard from; null: not asked.</param>
    public void Introduced(SqliteConnection c, Inventory inventory, LinkState link, string version, string? address)
    {
        Dictionary<string, string> facts = NodeFacts.Of(inventory, link, version, address);
        // It may just not have heard its switch yet.
        if (inventory.Interfaces.Any(i => i.Switch is not null))
        {
            facts[NodeFacts.Switch] = NodeFacts.SwitchPorts(inventory);
        }
        Compare(c, inventory.Id, facts, ApiJson.Word(link));
    }

    /// <summary>A connected node says that its inventory is another now.</summary>
    public void Reported(SqliteConnection c, Inventory inventory, LinkState link, string version)
    {
        Dictionary<string, string> facts = NodeFacts.Of(inventory, link, version, null);
        facts[NodeFacts.Switch] = NodeFacts.SwitchPorts(inventory);
        Compare(c, inventory.Id, facts, ApiJson.Word(link));
    }

    /// <summary>A person has called something otherwise.</summary>
    public void Edited(SqliteConnection c, NodeId node, string field, string old, string now)
    {
        if (old != now)
        {
            Add(c, node, Person, field, old, now);
        }
    }

    /// <summary>A person has seen what the node is.</summary>
    public void Acknowledge(SqliteConnection c, NodeId node) => c.Execute(
        "UPDATE nodes SET acknowledged_at = @now, changed = 0 WHERE id = @node",
        new { node = node.ToString(), now = clock.GetUtcNow().ToUnixTimeMilliseconds() });

    private void Compare(SqliteConnection c, NodeId node, Dictionary<string, string> facts, string source)
    {
        string id = node.ToString();
        Dictionary<string, string> known =
            JsonSerializer.Deserialize<Dictionary<string, string>>(c.ExecuteScalar<string>("SELECT facts FROM nodes WHERE id = @id",
                new { id })!)!;
        foreach ((string field, string words) in facts)
        {
            string now = words.Length <= MaximumWords ? words : words[..MaximumWords] + " …";
            // What is told for the first time is no change.
            if (known.TryGetValue(field, out string? before) && before != now)
            {
                Add(c, node, source, field, before, now);
            }
            known[field] = now;
        }
        c.Execute("UPDATE nodes SET facts = @facts WHERE id = @id", new { id, facts = JsonSerializer.Serialize(known) });
    }

    private void Add(SqliteConnection c, NodeId node, string source, string field, string old, string now)
    {
        string id = node.ToString();
        long at = clock.GetUtcNow().ToUnixTimeMilliseconds();
        if (s_settling.TryGetValue(field, out TimeSpan settling))
        {
            // What a person has seen stays as he saw it.
            old = c.ExecuteScalar<string?>("""
                DELETE FROM node_changes WHERE id = (
                    SELECT max(id) FROM node_changes WHERE node_id = @id AND field = @field AND at > @since AND
                        at > (SELECT coalesce(acknowledged_at, 0) FROM nodes WHERE id = @id))
                RETURNING old
                """, new { id, field, since = at - (long)settling.TotalMilliseconds }) ?? old;
        }
        if (old != now)
        {
            c.Execute("INSERT INTO node_changes (node_id, at, source, field, old, new) VALUES (@id, @at, @source, @field, @old, @now)",
                new { id, at, source, field, old, now });
        }
        c.Execute("""
            DELETE FROM node_changes WHERE node_id = @id AND id <=
                (SELECT id FROM node_changes WHERE node_id = @id ORDER BY id DESC LIMIT 1 OFFSET @Kept);
            UPDATE nodes SET changed = EXISTS (
                SELECT 1 FROM node_changes WHERE node_id = @id AND field IN @Notable AND at > coalesce(acknowledged_at, 0)) WHERE id = @id
            """, new { id, Kept, NodeFacts.Notable });
    }
}
