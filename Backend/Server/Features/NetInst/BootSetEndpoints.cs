using System.Text.RegularExpressions;
using Bootstrap.Imaging;
using Bootstrap.Imaging.BootSets;
using Bootstrap.Server.Features.Images;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.NetInst;

/// <summary><c>/boot/sets</c>: boot files taken from images, and which boards use them.</summary>
internal static partial class BootSetEndpoints
{
    /// <param name="Image">Name or digest.</param>
    internal sealed record NewSet(string Image, string Name);

    /// <param name="Set">Null: what came with the program.</param>
    internal sealed record Choice(string? Set);

    /// <param name="Use">Model → set.</param>
    internal sealed record SetsView(IReadOnlyList<BootSet> Sets, IReadOnlyDictionary<string, string> Use);

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/boot/sets", (BootSetLibrary library) => new SetsView(library.List(), library.Use));
        api.MapPost("/boot/sets", async (NewSet request, BootSetLibrary library, ImageCatalogue images, CancellationToken cancellation) =>
        {
            if (!Name().IsMatch(request.Name))
            {
                return Problems.Bad("A boot set's name is 1 to 40 of a-z, 0-9, '.', '_' and '-', and begins with a letter or digit.");
            }
            if (images.Find(request.Image) is not { } image)
            {
                return Problems.NotFound($"There is no image '{request.Image}'.");
            }
            try
            {
                return Results.Created($"/api/v1/boot/sets/{request.Name}", await library.CreateAsync(image, request.Name, cancellation));
            }
            catch (ImageException e)
            {
                return Problems.Bad($"The boot set was not made: {e.Message}.");
            }
        }).WithSummary("Make a boot set");
        api.MapDelete("/boot/sets/{name}", (string name, BootSetLibrary library) =>
            library.Find(name) is null ? Unknown(name) : library.Delete(name) is { } refusal ? Problems.Conflict(refusal)
                : Results.NoContent()).WithSummary("Remove a boot set");
        api.MapPut("/boot/sets/use/{model}", (string model, Choice choice, BootSetLibrary library) =>
        {
            if (!PiModel.Names.Contains(model))
            {
                return Problems.Bad($"Boot sets are chosen for {string.Join(", ", PiModel.Names)}; '{model}' is none of these.");
            }
            if (choice.Set is { } name && library.Find(name) is null)
            {
                return Unknown(name);
            }
            library.Choose(model, choice.Set);
            return Results.Ok(new SetsView(library.List(), library.Use));
        }).WithSummary("Choose a boot set");
    }

    private static IResult Unknown(string name) => Problems.NotFound($"There is no boot set '{name}'.");

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9._-]{0,39}\z")]
    private static partial Regex Name();
}
