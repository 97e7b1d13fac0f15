using Bootstrap.Imaging;
using Bootstrap.Imaging.Store;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Images;

/// <summary><c>/images</c> for people, <c>/store</c> for nodes.</summary>
internal static class ImageEndpoints
{
    /// <param name="Public">Whether anybody on the network may fetch it.</param>
    internal sealed record ImageEdit(bool Public);

    private static readonly string[] s_architectures = ["arm64", "amd64"];

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/images", (ImageCatalogue images) => images.List()).Compresses();
        api.MapGet("/images/{image}", (string image, ImageCatalogue images) =>
            images.Find(image) is { } found ? Results.Ok(found) : Unknown(image));
        // The body is the image file itself: nothing of it is kept in memory, and nothing is written twice.
        api.MapPost("/images", async (HttpContext context, string? name, string? architecture, ImageCatalogue images, DataDisk disk) =>
        {
            if (string.IsNullOrWhiteSpace(name) || name.Length > 100)
            {
                return Problems.Bad("An image needs a name of at most 100 characters: …/images?name=debian-12.");
            }
            if (name == NodeSelector.None)
            {
                return Problems.Bad($"An image cannot be called '{name}': image:{name} chooses the nodes that have none.");
            }
            if (architecture is not null && !s_architectures.Contains(architecture))
            {
                return Problems.Bad($"Architecture '{architecture}' is not known: arm64 or amd64.");
            }
            context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = null;
            context.Features.GetRequiredFeature<IHttpBodyControlFeature>().AllowSynchronousIO = true; // decoders read synchronously
            try
            {
                ImageView image = await images.ImportAsync(context.Request.Body, context.Request.ContentLength ?? 0, name, architecture,
                    context.RequestAborted);
                return Results.Created($"/api/v1/images/{image.Digest}", image);
            }
            catch (ImageException e) when (disk.Note(e))
            {
                return Problems.Disk(disk);
            }
            catch (ImageException e)
            {
                return Problems.Bad($"The image was refused: {e.Message}.");
            }
        }).TakesFile().WithSummary("Upload an image");
        api.MapPatch("/images/{image}", (string image, ImageEdit edit, ImageCatalogue images) =>
            images.Find(image) is { } found && images.SetPublic(found.Digest, edit.Public) is { } changed ? Results.Ok(changed)
                : Unknown(image)).WithSummary("Change an image");
        // With force, nodes that run it do not keep it.
        api.MapDelete("/images/{image}",
            async (string image, bool? force, ImageCatalogue images, ImageUse use, CancellationToken cancellation) =>
        {
            if (images.Find(image) is not { } found)
            {
                return Unknown(image);
            }
            if (use.Ahead(found) is { } ahead)
            {
                return Problems.Conflict(ahead);
            }
            (long freedBytes, string? refusal) = await images.RemoveAsync(found.Digest, c => use.Now(c, found, force is true),
                cancellation);
            return refusal is null ? Results.Ok(new { freedBytes }) : Problems.Conflict(refusal);
        }).WithSummary("Remove an image");
    }

    /// <summary>What is fetched to be written to disks: every byte of it is verified by digest, and never changes.</summary>
    /// <param name="publicOnly">It goes to anybody: what is of no public image is not there.</param>
    public static void MapStore(IEndpointRouteBuilder routes, bool publicOnly = false)
    {
        routes.MapGet("/store/manifests/{digest}", (string digest, ImageStore store, ImageCatalogue images, HttpContext context) =>
            Digest.TryParse(digest, out Digest image) && (!publicOnly || images.Find(image.ToString()) is { Public: true })
                ? Immutable(context, store.ManifestPath(image), "application/json")
                : Results.NotFound());
        routes.MapGet("/store/chunks/{digest}",
            async (string digest, ImageStore store, ImageCatalogue images, ChunkInspector inspector, HttpContext context) =>
        {
            if (!Digest.TryParse(digest, out Digest chunk) || (publicOnly && !images.IsPublicChunk(chunk)))
            {
                return Results.NotFound();
            }
            // 410 is what nodes take for the last word: asking again does not mend it.
            return await inspector.InspectAsync(chunk) == ChunkCondition.Damaged
                ? Problems.Gone($"The stored chunk {chunk} is damaged: import the image again.")
                : Immutable(context, store.ChunkPath(chunk), "application/zstd");
        });
    }

    private static IResult Immutable(HttpContext context, string path, string type)
    {
        if (File.Exists(path))
        {
            context.Response.Headers.CacheControl = $"{(context.Request.IsHttps ? "private" : "public")}, max-age=31536000, immutable";
        }
        return FileResponse.Of(path, type);
    }

    private static IResult Unknown(string image) => Problems.NotFound($"There is no image '{image}'.");
}
