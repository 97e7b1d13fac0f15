using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Features.Jobs.Engine;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Link;

/// <summary><c>DELETE /nodes/…</c>: a node's key, its jobs and its connection end together.</summary>
internal static class ForgetEndpoint
{
    public static void Map(IEndpointRouteBuilder api) =>
        api.MapDelete("/nodes/{id}", (string id, NodeDirectory nodes, NodeKeys keys, JobEngine engine, EventHub events,
            IEnumerable<INodeRecords> records, DataDisk disk) =>
        {
            if (NodeEndpoints.Find(nodes, id) is not { } node)
            {
                return NodeEndpoints.Unknown(id);
            }
            // Its key is tied to nothing from here on.
            engine.Forget(node.Id, () => keys.Change(c =>
            {
                keys.Revoke(c, node.Id);
                return NodeRow.Delete(c, node.Id);
            }));
            nodes.Session(node.Id)?.Cut();
            foreach (INodeRecords kept in records)
            {
                disk.Try(() => kept.Forget(node.Id)); // what stays because of the disk goes later
            }
            events.Publish("node-removed", new { node.Id });
            return Results.NoContent();
        }).WithSummary("Forget a node");
}
