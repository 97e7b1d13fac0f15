using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bootstrap.Imaging.Store;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Boot;
using Bootstrap.Server.Features.Images;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Imager;

/// <summary>
/// <c>/os_list.json</c> as Raspberry Pi Imager reads it (doc/json-schema/os-list-schema.json of raspberrypi/rpi-imager), and the files that it names. Imager does not
/// believe the appliance's own certificate: these are at the plain door, as all that boards fetch there, and Imager checks each file by its SHA-256.
/// </summary>
internal static class ImagerEndpoints
{
    /// <summary>Imager's tags of boards with 64 bits.</summary>
    private static readonly string[] s_devices = ["pi5-64bit", "pi4-64bit", "pi3-64bit"];

    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    /// <summary>Digests of NetInst's cards, by file and time of writing: they change with the program alone.</summary>
    private static readonly ConcurrentDictionary<(string Path, DateTime Written), string> s_cards = new();

    internal sealed record OsList([property: JsonPropertyName("os_list")] IReadOnlyList<Entry> Entries);

    internal sealed record Entry(
        string Name, string Description, string Icon, string Url, long ExtractSize, [property: JsonPropertyName("extract_sha256")] string Digest, long ImageDownloadSize,
        string ReleaseDate, IReadOnlyList<string> Devices);

    private sealed record Row(string Digest, string Name, long SizeBytes, long UsedBytes, long ImportedAt, string RawDigest);

    public static void MapImager(this IEndpointRouteBuilder plain)
    {
        plain.MapGet("/os_list.json", (HttpContext context, Database database, IReadOnlyDictionary<string, NetInstFiles> netInst, ApplianceOptions options) =>
        {
            string here = $"{context.Request.Scheme}://{context.Request.Host}";
            var entries = new List<Entry>();
            if (NetInstCard.Open(RawDigests.Architecture, netInst, options) is { } card)
            {
                using (card)
                {
                    var file = new FileInfo(card.Path);
                    string digest = s_cards.GetOrAdd((card.Path, file.LastWriteTimeUtc), _ => RawDigests.Of(card, context.RequestAborted));
                    entries.Add(EntryOf(here, "Bootstrap NetInst", "Starts the installer of this appliance, for boards without network boot", "netinst.img", card.Length, digest,
                        new DateTimeOffset(file.LastWriteTimeUtc)));
                }
            }
            entries.AddRange(database.Read(c => c.Query<Row>("""
                SELECT digest AS Digest, name AS Name, size_bytes AS SizeBytes, used_bytes AS UsedBytes, imported_at AS ImportedAt, raw_sha256 AS RawDigest FROM images
                WHERE raw_sha256 <> '' AND public <> 0 ORDER BY imported_at DESC
                """).ToList()).Select(image => EntryOf(here, image.Name, string.Create(CultureInfo.InvariantCulture, $"{image.UsedBytes / 1e9:0.0} GB in use"), $"{image.Digest}.img",
                    image.SizeBytes, image.RawDigest, DateTimeOffset.FromUnixTimeMilliseconds(image.ImportedAt))));
            return Results.Json(new OsList(entries), s_json);
        });
        plain.MapGet("/imager/netinst.img", (IReadOnlyDictionary<string, NetInstFiles> netInst, ApplianceOptions options) =>
            NetInstCard.Open(RawDigests.Architecture, netInst, options) is { } card ? new FileResponse(card) : Results.NotFound());
        plain.MapGet("/imager/{digest}.img", (string digest, ImageStore store, ImageCatalogue images) =>
            Digest.TryParse(digest, out Digest image) && images.Find(digest) is { Public: true } && store.ReadImage(image) is { } manifest ? new FileResponse(new StoredImageFile(store, manifest)) : Results.NotFound());
        plain.MapGet("/imager/icon.svg", (ApplianceOptions options) => FileResponse.Of(Path.Combine(options.ShareFolder, "web", "favicon.svg"), "image/svg+xml"));
    }

    private static Entry EntryOf(string here, string name, string description, string file, long size, string digest, DateTimeOffset date) => new(
        name, description, $"{here}/imager/icon.svg", $"{here}/imager/{file}", size, digest, size, date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), s_devices);
}
