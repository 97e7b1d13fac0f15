using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>Ties the keys of boards to nodes: the one way in.</summary>
internal sealed class Approvals(NodeKeys keys, UnapprovedBoards unapproved, NodeDirectory nodes, AuditLog audit, TimeProvider clock)
{
    /// <summary>Who approves new boards where people have set that.</summary>
    public const string Policy = "policy";

    /// <summary>The policy approves no more boards where there are so many nodes: a stranger on that network does not fill the
    /// disk.</summary>
    public const int MaximumByPolicy = 4096;

    /// <summary>
    /// Makes the boards with these keys the nodes that they say they are, all of them or none. A new node gets a name; a known one keeps
    /// all that people have said of it,
    /// and the key that it had so far is a stranger's from now on.
    /// </summary>
    /// <param name="boards">Each with the key that its node must have at this moment: who approves has seen that one.</param>
    /// <param name="by">User's name, or <see cref="Policy"/>.</param>
    /// <returns>The first node that has another key; null: all are approved.</returns>
    public NodeId? Approve(IReadOnlyList<(UnapprovedBoard Board, Digest? Replaces)> boards, string by)
    {
        var tied = new List<(UnapprovedBoard Board, string? Before, NodeId? Moved)>();
        NodeId? changed = keys.Change(c =>
        {
            foreach ((UnapprovedBoard board, Digest? replaces) in boards)
            {
                if (NodeRow.Find(c, board.Id)?.Key != replaces?.ToString())
                {
                    return board.Id;
                }
            }
            foreach ((UnapprovedBoard board, Digest? _) in boards)
            {
                NodeRow? known = NodeRow.Find(c, board.Id);
                NodeId? holder = keys.Find(board.Key);
                if (known is null)
                {
                    Insert(c, board, board.Inventory, by);
                }
                keys.Tie(c, board.Id, board.Key, by);
                tied.Add((board, known?.Key, holder == board.Id ? null : holder));
            }
            return default(NodeId?);
        });
        foreach ((UnapprovedBoard board, string? before, NodeId? moved) in tied)
        {
            Tell(board, before, moved, by);
        }
        return changed;
    }

    private void Tell(UnapprovedBoard board, string? before, NodeId? moved, string by)
    {
        unapproved.Approved(board.Key);
        audit.Add(by, "Tie a key to a node", $"{board.Id}: key {board.Key}" +
            (before is not null && before != board.Key.ToString() ? $", before: {before}" : "") + (moved is { } from
                ? $", taken from {from}" : ""), "");
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
    }

    /// <param name="by">People were told of a board that waited for them; of one that the policy takes they are told now.</param>
    private void Insert(SqliteConnection c, UnapprovedBoard board, Inventory inventory, string by)
    {
        long now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        if (by == "policy")
        {
            Outbox.Add(c, NoticeKind.NewBoard, board.Id.ToString(), now);
        }
        c.Execute("""
            INSERT INTO nodes (id, name, lifecycle, inventory, first_seen, last_seen, address)
            VALUES (@id, @name, @lifecycle, '{}', @now, @now, @Address)
            """, new
        {
            id = board.Id.ToString(),
            name = NodeNames.Propose(c, board.Id),
            lifecycle = nameof(Lifecycle.New),
            now,
            board.Address,
        });
        NodeRow.SetInventory(c, board.Id, inventory);
    }
}
