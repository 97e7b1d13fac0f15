using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Nodes;

/// <summary><c>/nodes</c>: who is there, what they are called, what they said.</summary>
internal static class NodeEndpoints
{
    private sealed record Rename(string Name);

    public static void MapNodes(this IEndpointRouteBuilder api)
    {
        api.MapGet("/nodes", (NodeDirectory nodes) => nodes.List());
        api.MapGet("/nodes/{id}", (string id, NodeDirectory nodes) => Find(nodes, id) is { } node ? Results.Ok(node) : Unknown(id));
        api.MapGet("/nodes/{id}/log", (string id, long? after, NodeDirectory nodes, NodeLog log) =>
            Find(nodes, id) is { } node ? Results.Ok(log.Read(node.Id, null, after ?? 0)) : Unknown(id));
        api.MapPatch("/nodes/{id}", (string id, Rename request, NodeDirectory nodes, Database database) =>
        {
            if (Find(nodes, id) is not { } node)
            {
                return Unknown(id);
            }
            if (!NodeNames.IsValid(request.Name))
            {
                return Problems.Bad($"'{request.Name}' is not a host name: use 1 to 63 of a-z, 0-9 and '-', not starting or ending with '-'.");
            }
            bool taken = database.Write(c =>
            {
                if (node.Name != request.Name && NodeNames.IsTaken(c, request.Name))
                {
                    return true;
                }
                c.Execute("UPDATE nodes SET name = @Name WHERE id = @id", new { request.Name, id = node.Id.ToString() });
                return false;
            });
            if (taken)
            {
                return Problems.Conflict($"Another node is called '{request.Name}': choose another name.");
            }
            nodes.Publish(node.Id);
            return Results.Ok(nodes.Find(node.Id));
        });
        api.MapPost("/nodes/{id}/approve", (string id, NodeDirectory nodes, Database database) =>
        {
            if (Find(nodes, id) is not { WantsApproval: true } node)
            {
                return Problems.Conflict($"No board with a new key asks to be node '{id}'.");
            }
            database.Write(c => c.Execute("UPDATE nodes SET new_key = @allowed WHERE id = @id",
                new { id = node.Id.ToString(), allowed = NodeRow.KeyAllowed }));
            nodes.Publish(node.Id);
            return Results.Ok(nodes.Find(node.Id));
        });
        api.MapDelete("/nodes/{id}", (string id, NodeDirectory nodes, Database database, EventHub events) =>
        {
            if (Find(nodes, id) is not { } node)
            {
                return Unknown(id);
            }
            // Its certificate is void from here on: the link looks its serial number up in this row.
            database.Write(c => c.Execute("DELETE FROM nodes WHERE id = @id", new { id = node.Id.ToString() }));
            nodes.Session(node.Id)?.Cut();
            events.Publish("node-removed", new { node.Id });
            return Results.NoContent();
        });
    }

    /// <summary>By id or by name.</summary>
    internal static NodeView? Find(NodeDirectory nodes, string idOrName) =>
        (NodeId.TryParse(idOrName, out NodeId id) ? nodes.Find(id) : null) ?? nodes.List().FirstOrDefault(n => n.Name == idOrName);

    private static IResult Unknown(string id) => Problems.NotFound($"There is no node '{id}'.");
}
