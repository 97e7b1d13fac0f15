using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Nodes;

/// <summary><c>/nodes</c>: who is there, what they are called, what they said, what has changed of them.</summary>
internal static class NodeEndpoints
{
    internal sealed record Search(int Seconds = 60);

    internal sealed record Blinking(string Led, int Seconds);

    public static void Map(IEndpointRouteBuilder api)
    {
        // A selector (NodeSelector) chooses some of them.
        api.MapGet("/nodes", (string? select, NodeDirectory nodes) => nodes.Answer(select, Results.Ok)).Compresses();
        api.MapGet("/nodes/{id}", (string id, NodeDirectory nodes) => Find(nodes, id) is { } node ? Results.Ok(node) : Unknown(id));
        api.MapGet("/nodes/{id}/log", (string id, long? after, NodeDirectory nodes, NodeLog log) =>
            Find(nodes, id) is { } node ? Results.Ok(log.Read(node.Id, after ?? 0)) : Unknown(id));
        api.MapGet("/nodes/{id}/changes", (string id, NodeDirectory nodes, NodeHistory history) =>
            Find(nodes, id) is { } node ? Results.Ok(history.Read(node.Id)) : Unknown(id)).Compresses();
        api.MapPatch("/nodes/{id}",
            (string id, NodeEdit edit, NodeDirectory nodes, NodeHistory history, Database database, CertificateAuthority authority) =>
        {
            if (Find(nodes, id) is not { } node)
            {
                return Unknown(id);
            }
            if (database.Write(c => edit.Apply(c, node.Id, history)) is { } refusal)
            {
                return refusal;
            }
            NodeView changed = nodes.Find(node.Id) ?? node;
            nodes.Session(node.Id)?.Certify(authority, changed.Name);
            nodes.Publish(node.Id);
            return Results.Ok(changed);
        }).WithSummary("Change a node");
        api.MapPost("/nodes/{id}/acknowledge", (string id, NodeDirectory nodes, NodeHistory history, Database database) =>
        {
            if (Find(nodes, id) is not { } node)
            {
                return Unknown(id);
            }
            database.Write(c => history.Acknowledge(c, node.Id));
            nodes.Publish(node.Id);
            return Results.Ok(nodes.Find(node.Id));
        }).WithSummary("Acknowledge changes of a node");
        api.MapPost("/nodes/{id}/locate",
            async (string id, Search search, NodeDirectory nodes, NodeLocator locator, CancellationToken cancellation) =>
        {
            if (Find(nodes, id) is not { } node)
            {
                return Unknown(id);
            }
            if (search.Seconds is < 0 or > Locate.MaximumSeconds)
            {
                return Problems.Bad($"A board blinks for 1 to {Locate.MaximumSeconds} seconds (0 ends it), not {search.Seconds}.");
            }
            if (nodes.Session(node.Id) is not { } session)
            {
                return Problems.Conflict($"{node.Name} is not connected: only a board that runs can blink.");
            }
            return await locator.AskAsync(session, search.Seconds, cancellation) switch
            {
                null => Problems.Conflict($"{node.Name} did not say in time whether it blinks: look at it, or try again."),
                { Reason: { Length: > 0 } reason } => Problems.Conflict($"{node.Name} cannot blink: {reason}."),
                var answer => Results.Ok(new Blinking(answer.Led, search.Seconds)),
            };
        }).WithSummary("Blink a node's LED");
    }

    /// <summary>By id or by name.</summary>
    internal static NodeView? Find(NodeDirectory nodes, string idOrName) =>
        (NodeId.TryParse(idOrName, out NodeId id) ? nodes.Find(id) : null) ?? nodes.List().FirstOrDefault(n => n.Name == idOrName);

    internal static IResult Unknown(string id) => Problems.NotFound($"There is no node '{id}'.");
}
