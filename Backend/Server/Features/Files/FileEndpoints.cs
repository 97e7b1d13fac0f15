using Bootstrap.Protocol.Ids;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Files;

/// <summary><c>/files</c>: what can be deployed, for people; <c>/store/files</c> for nodes.</summary>
internal static class FileEndpoints
{
    /// <summary>4 GiB: what is larger is an image.</summary>
    private const long MaximumBytes = 4L << 30;

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/files", (FileCatalogue files) => files.List());
        // The body is the file itself.
        api.MapPost("/files", async (HttpContext context, string? name, FileCatalogue files) =>
        {
            if (string.IsNullOrWhiteSpace(name) || name.Length > 200 || name.Any(char.IsControl))
            {
                return Problems.Bad("A file needs a name of at most 200 characters: …/files?name=site.tar.gz.");
            }
            context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = MaximumBytes;
            try
            {
                FileView file = await files.AddAsync(context.Request.Body, name, context.RequestAborted);
                return Results.Created($"/api/v1/files/{file.Digest}", file);
            }
            catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
            {
                return Problems.Bad($"The file '{name}' is larger than {MaximumBytes} bytes, and was not stored.");
            }
        }).TakesFile().WithSummary("Upload a file");
        api.MapDelete("/files/{file}", (string file, FileCatalogue files) =>
        {
            if (files.Find(file) is not { } found)
            {
                return Problems.NotFound($"There is no file '{file}'.");
            }
            return files.Remove(found) is { } refusal ? Problems.Conflict(refusal) : Results.NoContent();
        }).WithSummary("Remove a file");
    }

    /// <summary>For nodes.</summary>
    public static void MapStored(IEndpointRouteBuilder routes) =>
        routes.MapGet("/store/files/{digest}", (string digest, FileCatalogue files) =>
        Digest.TryParse(digest, out Digest file) ? FileResponse.Of(files.PathOf(file)) : Results.NotFound());
}
