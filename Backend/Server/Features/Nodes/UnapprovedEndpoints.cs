using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Nodes;

/// <summary><c>/unapproved</c>: boards whose keys nobody has approved. They are no nodes: nothing else of the API knows them.</summary>
internal static class UnapprovedEndpoints
{
    /// <summary>A board that asks to be admitted.</summary>
    /// <param name="Key">Fingerprint of its key: what is approved.</param>
    /// <param name="Id">The node that it says it is.</param>
    /// <param name="Reason">Why it waits.</param>
    /// <param name="Claims">The node of that id as it is known so far, which is another key; null: there is none.</param>
    /// <param name="Holder">The node that this very key is tied to: its card is in another board; null: it is tied to none.</param>
    internal sealed record Unapproved(
        Digest Key, NodeId Id, string Address, string Reason, long FirstSeen, long LastSeen, Inventory Inventory, Claimed? Claims,
        NodeId? Holder);

    /// <summary>A node that a board claims to be.</summary>
    /// <param name="Key">Fingerprint of the key that it has; null: none.</param>
    /// <param name="LastSeen">When that key was last connected, Unix milliseconds.</param>
    internal sealed record Claimed(NodeId Id, string Name, string? Key, string? Address, long LastSeen, LinkState Link,
        Inventory Inventory);

    /// <summary>A board as it was shown: a key that says by now that it is another node is another board.</summary>
    /// <param name="Key">Its fingerprint, whole.</param>
    /// <param name="Id">The node that it said it was.</param>
    /// <param name="Replaces">Fingerprint of the key which that node had; null: there was no such node, or none was tied to it.</param>
    internal sealed record Shown(Digest Key, NodeId Id, Digest? Replaces = null);

    internal sealed record Choice(IReadOnlyList<Shown> Boards);

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/unapproved", (UnapprovedBoards boards, NodeKeys keys, NodeDirectory nodes, Database database) =>
        {
            Dictionary<string, NodeRow> known = database.Read(NodeRow.All).ToDictionary(n => n.Id);
            return boards.ListBounded().Select(one =>
            {
                (UnapprovedBoard b, Inventory inventory) = one;
                Claimed? claimed = known.GetValueOrDefault(b.Id.ToString()) is { } n
                    ? new Claimed(n.NodeId, n.Name, n.Key, n.Address, n.LastSeen, nodes.Session(n.NodeId)?.State ?? LinkState.Offline,
                        n.Inventory)
                    : null;
                return new Unapproved(b.Key, b.Id, b.Address, b.Reason, b.FirstSeen, b.LastSeen, inventory, claimed, keys.Find(b.Key));
            });
        }).Compresses();
        api.MapPost("/unapproved/approve",
            (Choice choice, UnapprovedBoards boards, Approvals approvals, NodeDirectory nodes, HttpContext context) =>
        {
            UnapprovedBoard?[] found = [.. choice.Boards.Distinct().Select(b => boards.Find(b.Key))];
            if (found.Length == 0 || found.Contains(null))
            {
                return Missing(choice.Boards.FirstOrDefault(b => boards.Find(b.Key) is null)?.Key ?? default);
            }
            if (choice.Boards.FirstOrDefault(b => found.First(f => f!.Key == b.Key)!.Id != b.Id) is { } other)
            {
                return Problems.Conflict($"The board with the key {other.Key} does not say any more that it is {other.Id}: look at it " +
                    "again. Nothing was approved.");
            }
            if (found.GroupBy(b => b!.Id).FirstOrDefault(g => g.Count() > 1) is { } twice)
            {
                return Problems.Bad(
                    $"{twice.Count()} of these boards say that they are {twice.Key}: approve one of them. Nothing was approved.");
            }
            string by = Caller.Of(context).Name;
            return approvals.Approve([.. found.Select(b => (b!, choice.Boards.First(s => s.Key == b!.Key).Replaces))], by) is { } changed
                ? Problems.Conflict(
                    $"{changed} has another key by now than the one that was shown: look at it again. Nothing was approved.")
                : Results.Ok(found.Select(b => nodes.Find(b!.Id)).ToList());
        }).WithSummary("Approve boards");
        api.MapDelete("/unapproved/{key}", (string key, UnapprovedBoards boards) =>
            Digest.TryParse(key, out Digest digest) && boards.Reject(digest) ? Results.NoContent()
                : Missing(digest)).WithSummary("Reject a board");
    }

    private static IResult Missing(Digest key) => Problems.NotFound(key == default
        ? "Name the keys of the boards as the list of unapproved boards shows them, 64 hex digits each. Nothing was approved."
        : $"No board with the key {key} asks to be admitted now. Nothing was approved.");
}
