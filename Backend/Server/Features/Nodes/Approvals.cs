using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>Ties the keys of boards to nodes: the one way in.</summary>
internal sealed class Approvals(Database database, NodeKeys keys, UnapprovedBoards unapproved, NodeDirectory nodes, AuditLog audit, TimeProvider clock)
{
    /// <summary>Who approves new boards where people have set that.</summary>
    public const string Policy = "policy";

    /// <summary>The policy approves no more boards where there are so many nodes: a stranger on that network does not fill the disk.</summary>
    public const int MaximumByPolicy = 4096;

    /// <summary>
    /// Makes the board with that key the node that it says it is. A new node gets a name; a known one keeps all that people have said of it, and the key
    /// that it had so far is a stranger's from now on.
    /// </summary>
    /// <param name="by">User's name, or <see cref="Policy"/>.</param>
    /// <returns>The node.</returns>
    public NodeId Approve(UnapprovedBoard board, string by)
    {
        Inventory inventory = board.Inventory;
        (NodeRow? before, NodeId? moved) = database.Write(c =>
        {
            NodeRow? known = NodeRow.Find(c, board.Id);
            NodeId? other = keys.Find(board.Key);
            if (known is null)
            {
                Insert(c, board, inventory, by);
            }
            keys.Tie(c, board.Id, board.Key, by);
            return (known, other == board.Id ? null : other);
        });
        keys.Refresh();
        unapproved.Approved(board.Key);
        audit.Add(by, "Tie a key to a node", $"{board.Id}: key {board.Key}" +
            (before?.Key is { } old && old != board.Key.ToString() ? $", before: {old}" : "") + (moved is { } from ? $", taken from {from}" : ""), "");
        // Whoever is connected by what was replaced is not the node any more.
        if (nodes.Session(board.Id) is { } session && session.Key != board.Key)
        {
            session.Cut();
        }
        if (moved is { } left)
        {
            nodes.Session(left)?.Cut();
            nodes.Publish(left);
        }
        nodes.Publish(board.Id);
        return board.Id;
    }

    /// <param name="by">People were told of a board that waited for them; of one that the policy takes they are told now.</param>
    private void Insert(SqliteConnection c, UnapprovedBoard board, Inventory inventory, string by) => c.Execute("""
        INSERT INTO notices (kind, subject, at) SELECT 'NewBoard', @id, @now WHERE @by = 'policy';
        INSERT INTO nodes (id, name, lifecycle, inventory, first_seen, last_seen, address)
        VALUES (@id, @name, @lifecycle, @inventory, @now, @now, @Address)
        """, new
    {
        id = board.Id.ToString(),
        name = NodeNames.Propose(c, board.Id),
        lifecycle = nameof(Lifecycle.New),
        inventory = JsonSerializer.Serialize(inventory, ProtocolJson.Default.Inventory),
        now = clock.GetUtcNow().ToUnixTimeMilliseconds(),
        board.Address,
        by,
    });
}
