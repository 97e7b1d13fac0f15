using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Bootstrap.Server.Features.Jobs.Kept;

/// <summary><c>/kept</c> on the link's port: what a node keeps through an image update, for the certificate of that very node alone
/// (<see cref="KeptArchive"/>).</summary>
internal static class KeptEndpoints
{
    public static void Map(IEndpointRouteBuilder link)
    {
        RouteGroupBuilder kept = link.MapGroup("/kept/{task:guid}");
        kept.MapGet("/state", async (HttpContext context, Guid task, Database database, KeptArchives archives) =>
            await RefuseAsync(context, task, database)
                ?? Json(JsonSerializer.SerializeToUtf8Bytes(archives.StateOf(task), ProtocolJson.Default.KeptState)));
        kept.MapGet("", async (HttpContext context, Guid task, Database database, KeptArchives archives) =>
        {
            if (await RefuseAsync(context, task, database) is { } refusal)
            {
                return refusal;
            }
            // A card that takes its time to write is not cut off.
            context.Features.GetRequiredFeature<IHttpMinResponseDataRateFeature>().MinDataRate = null;
            return archives.PathOf(task) is { } path ? Results.File(path, "application/zstd") : Results.NotFound();
        });
        kept.MapPut("", StoreAsync);
    }

    private static async Task<IResult> StoreAsync(HttpContext context, Guid task, Database database, KeptArchives archives)
    {
        if (await RefuseAsync(context, task, database) is { } refusal)
        {
            return refusal;
        }
        if (archives.Find(task) is not null)
        {
            return Text("The archive of this task is complete already, and is not replaced.", StatusCodes.Status409Conflict);
        }
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = null;
        context.Features.GetRequiredFeature<IHttpMinRequestBodyDataRateFeature>().MinDataRate = null;
        return await archives.AddAsync(task, context.Request.Body, context.RequestAborted) is { } archive
            ? Json(JsonSerializer.SerializeToUtf8Bytes(archive, ProtocolJson.Default.KeptArchive))
            : Text("The appliance has no room for it.", StatusCodes.Status507InsufficientStorage);
    }

    /// <returns>Null where the one who asks is the node of this task, which is open and keeps something.</returns>
    private static async Task<IResult?> RefuseAsync(HttpContext context, Guid id, Database database)
    {
        return await NodeGuard.AdmitAsync(context) is not { } node || database.Read(c => TaskRow.Find(c, id)) is not { } task
            || task.Node != node
                ? Text("This is another node's, or nobody's.", StatusCodes.Status403Forbidden)
            : task.EndedAt is not null || task.State < TaskState.Sent || !TaskKind.Of(task).Keeps(task)
                ? Text("This task keeps nothing, or has ended.", StatusCodes.Status409Conflict)
            : null;
    }

    private static IResult Json(byte[] json) => Results.Bytes(json, "application/json");

    private static IResult Text(string sentence, int status) => Results.Text(sentence, statusCode: status);
}
