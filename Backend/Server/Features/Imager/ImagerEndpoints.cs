using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bootstrap.Imaging.Store;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Images;
using Bootstrap.Server.Features.NetInst;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.Imager;

/// <summary>
/// <c>/os_list.json</c> as Raspberry Pi Imager reads it (doc/json-schema/os-list-schema.json of raspberrypi/rpi-imager), and the files that
/// it names. Imager does not believe the appliance's own certificate: these are on the plain port, as all that boards fetch there, and
/// Imager checks each file by its SHA-256.
/// </summary>
internal static class ImagerEndpoints
{
    /// <summary>Imager's tags of boards with 64 bits.</summary>
    private static readonly string[] s_devices = ["pi5-64bit", "pi4-64bit", "pi3-64bit"];

    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true
    };

    /// <summary>Digests of NetInst's cards, by file and time of writing: they change with the program alone.</summary>
    private static readonly ConcurrentDictionary<(string Path, DateTime Written), string> s_cards = new();

    internal sealed record OsList([property: JsonPropertyName("os_list")] IReadOnlyList<Entry> Entries);

    internal sealed record Entry(
        string Name, string Description, string Icon, string Url, long ExtractSize,
        [property: JsonPropertyName("extract_sha256")] string Digest, long ImageDownloadSize,
        string ReleaseDate, IReadOnlyList<string> Devices);

    /// <param name="Hours">How long it is good.</param>
    internal sealed record NewAddress(int Hours = 8);

    /// <param name="ExpiresAt">Unix milliseconds.</param>
    internal sealed record Address(string Url, long ExpiresAt);

    /// <summary>What anybody finds: NetInst and public images.</summary>
    public static void MapPublic(IEndpointRouteBuilder plain)
    {
        plain.MapGet("/os_list.json",
            (HttpContext context, Database database, IReadOnlyDictionary<string, NetInstFiles> netInst, ApplianceOptions options) =>
            List(context, database, netInst, options, "", publicOnly: true));
        plain.MapFiles("", _ => found => found.Public);
    }

    /// <summary>
    /// What people find at an address that they have asked for: all images, over TLS. Imager must believe the appliance's CA for it, as the
    /// machine that it runs on does
    /// when people have given it the CA's certificate.
    /// </summary>
    public static void MapPrivate(IEndpointRouteBuilder web)
    {
        web.MapGet("/imager/{key}/os_list.json", (
            string key, HttpContext context, AccessTokens tokens, Database database, IReadOnlyDictionary<string, NetInstFiles> netInst,
            ApplianceOptions options) =>
            tokens.OpensImages(key) ? List(context, database, netInst, options, "/" + key, publicOnly: false) : Results.NotFound());
        web.MapFiles("/{key}", context =>
        {
            AccessTokens tokens = context.RequestServices.GetRequiredService<AccessTokens>();
            string key = (string)context.Request.RouteValues["key"]!;
            return _ => tokens.OpensImages(key);
        });
    }

    /// <summary><c>POST /images/imager-address</c>: an address for Raspberry Pi Imager.</summary>
    public static void Map(IEndpointRouteBuilder api) =>
        api.MapPost("/images/imager-address", (NewAddress wanted, HttpContext context, AccessTokens tokens) =>
        wanted.Hours < 1 || wanted.Hours > AccessTokens.ImagerLifetime.TotalHours
            ? Problems.Bad($"An address for Imager is good for 1 to {AccessTokens.ImagerLifetime.TotalHours:0} hours, not {wanted.Hours}.")
            : tokens.CreateImagerKey(Caller.Of(context), TimeSpan.FromHours(wanted.Hours)) is var (secret, expires)
                ? Results.Ok(new Address($"https://{context.Request.Host}/imager/{secret}/os_list.json", expires))
                : Results.Problem("You are not signed in any more.", statusCode: StatusCodes.Status401Unauthorized))
        .Needs(Role.Viewer).WithSummary("Make an address for Raspberry Pi Imager");

    private static IResult List(
        HttpContext context, Database database, IReadOnlyDictionary<string, NetInstFiles> netInst, ApplianceOptions options, string folder,
        bool publicOnly)
    {
        string here = $"{context.Request.Scheme}://{context.Request.Host}/imager{folder}";
        var entries = new List<Entry>();
        if (NetInstCard.Open(RawDigests.Architecture, netInst, options) is { } card)
        {
            using (card)
            {
                var file = new FileInfo(card.Path);
                string digest = s_cards.GetOrAdd((card.Path, file.LastWriteTimeUtc), _ => RawDigests.Of(card, context.RequestAborted));
                entries.Add(EntryOf(here, "Bootstrap NetInst", "Starts the installer of this appliance, for boards without network boot",
                    "netinst.img", card.Length, digest,
                    new DateTimeOffset(file.LastWriteTimeUtc)));
            }
        }
        entries.AddRange(database.Read(ImageCatalogue.WithRawDigest).Where(known => known.Image.Public || !publicOnly)
            .Select(known => EntryOf(here, known.Image.Name,
                string.Create(CultureInfo.InvariantCulture, $"{known.Image.UsedBytes / 1e9:0.0} GB in use"), $"{known.Image.Digest}.img",
                known.Image.SizeBytes, known.RawDigest, DateTimeOffset.FromUnixTimeMilliseconds(known.Image.ImportedAt))));
        return Results.Json(new OsList(entries), s_json);
    }

    /// <param name="allows">Whether an image may go to whoever asks; asked again while it goes, when the request itself may be
    /// over.</param>
    private static void MapFiles(this IEndpointRouteBuilder routes, string folder, Func<HttpContext, Func<ImageView, bool>> allows)
    {
        routes.MapGet($"/imager{folder}/netinst.img", (IReadOnlyDictionary<string, NetInstFiles> netInst, ApplianceOptions options) =>
            NetInstCard.Open(RawDigests.Architecture, netInst, options) is { } card ? new FileResponse(card) : Results.NotFound());
        routes.MapGet($"/imager{folder}/{{digest}}.img",
            (string digest, HttpContext context, ImageStore store, ImageCatalogue images, LiveRequests live) =>
        {
            Func<ImageView, bool> opens = allows(context);
            if (!Digest.TryParse(digest, out Digest image) || !Allows() || store.ReadImage(image) is not { } manifest)
            {
                return Results.NotFound();
            }
            live.Watch(context, Allows);
            return new FileResponse(new StoredImageFile(store, manifest));

            bool Allows() => images.Find(digest) is { } found && opens(found);
        });
        routes.MapGet($"/imager{folder}/icon.svg",
            (ApplianceOptions options) => FileResponse.Of(Path.Combine(options.ShareFolder, "web", "favicon.svg"), "image/svg+xml"));
    }

    private static Entry EntryOf(string here, string name, string description, string file, long size, string digest,
        DateTimeOffset date) => new(
        name, description, $"{here}/icon.svg", $"{here}/{file}", size, digest, size,
        date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), s_devices);
}
