using System.CommandLine;
using System.Net.Http.Json;
using Bootstrap.Cli.Api;
using Bootstrap.Protocol;
using Spectre.Console;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap images</c>.</summary>
internal static class ImageCommands
{
    /// <summary>Characters of a digest that people read.</summary>
    public const int ShortDigest = 12;

    private sealed record Freed(long FreedBytes);

    private sealed record ImagerAddress(string Url, long ExpiresAt);

    public static Command Create()
    {
        var file = new Argument<FileInfo>("file") { Description = ".img, .img.xz, .img.zst or .img.gz." };
        var name = new Option<string?>("--name") { Description = "What to call it; default: the file's name." };
        var architecture = new Option<string?>("--architecture") { Description = "arm64 or amd64, where the image itself does not tell." };
        architecture.AcceptOnlyFromAmong("arm64", "amd64");
        Argument<string> image = new Argument<string>("image") { Description = "Name, or beginning of the digest." }
            .Suggests<Argument<string>, Image>("images", i => i.Name);
        var hours = new Option<int>("--hours") { Description = "Hours until the address expires, 1 to 24.", DefaultValueFactory = _ => 8 };
        var force = new Option<bool>(
            "--force")
        { Description = "Also if nodes run it: they go on, and cannot be installed with it again." };
        return new Command("images", "Show, import, publish and remove images.")
        {
            new Command("list", "All images.")
                .Lists<Image>(_ => "images",
                ["NAME", "FOR", new("SLOTS", 5), new("ACCESS", 3), new("DISK", 2), new("IN USE", 4), new("STORED", 6), new("IMPORTED", 7),
                    new("DIGEST", 1, ShortDigest)],
                i => [i.Name, i.Fault is null ? i.Architecture : $"{i.Architecture}, cannot be installed", $"{i.Slots}",
                    i.Public ? "public" : "private", Output.Bytes(i.SizeBytes), Output.Bytes(i.UsedBytes),
                    Output.Bytes(i.StoredBytes), Output.Time(i.ImportedAt), i.Digest]),
            new Command("import", "Take an image into the store.") { file, name, architecture }.Does((client, parsed, cancellation) =>
                ImportAsync(client, parsed.GetRequiredValue(file), parsed.GetValue(name), parsed.GetValue(architecture),
                    parsed.GetValue(ClientCommand.Json), cancellation)),
            new Command("publish", "Let anybody on the network fetch an image, over plain HTTP.") { image }
                .Does((client, parsed, cancellation) =>
                PublishAsync(client, parsed.GetRequiredValue(image), true, cancellation)),
            new Command("unpublish", "Make an image private again: for nodes and signed-in users.") { image }
                .Does((client, parsed, cancellation) =>
                PublishAsync(client, parsed.GetRequiredValue(image), false, cancellation)),
            new Command("imager", "Print an address for Raspberry Pi Imager, with private images.") { hours }
                .Does(async (client, parsed, cancellation) =>
            {
                ImagerAddress address = await client.PostAsync<ImagerAddress>("images/imager-address",
                    new { hours = parsed.GetValue(hours) }, cancellation);
                Console.WriteLine(address.Url);
                return 0;
            }),
            new Command("remove", "Remove an image that nothing needs.") { image, force }.Does(async (client, parsed, cancellation) =>
            {
                Image removed = await ByWord.ImageAsync(client, parsed.GetRequiredValue(image), cancellation);
                Freed freed = await client.SendAsync<Freed>(HttpMethod.Delete,
                    $"images/{removed.Digest}?force={(parsed.GetValue(force) ? "true" : "false")}", null, cancellation);
                Console.WriteLine($"removed; {Output.Bytes(freed.FreedBytes)} are free again");
                return 0;
            }),
        };
    }

    private static async Task<int> PublishAsync(ApplianceClient client, string image, bool isPublic, CancellationToken cancellation)
    {
        Image known = await ByWord.ImageAsync(client, image, cancellation);
        Image changed = await client.SendAsync<Image>(HttpMethod.Patch, $"images/{known.Digest}",
            JsonContent.Create(new { @public = isPublic }), cancellation);
        Console.WriteLine($"{changed.Name} is {(changed.Public ? "public: anybody on the network may fetch it" : "private")}");
        return 0;
    }

    private static async Task<int> ImportAsync(
        ApplianceClient client, FileInfo file, string? name, string? architecture, bool json, CancellationToken cancellation)
    {
        if (!file.Exists)
        {
            throw new CliException($"there is no file {file.FullName}");
        }
        name ??= file.Name.Split(".img")[0];
        string query = $"images?name={Uri.EscapeDataString(name)}" + (architecture is null ? "" : $"&architecture={architecture}");
        await using FileStream source = file.OpenRead();
        Image imported = await Output.Beside.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .AutoClear(json).StartAsync(async progress =>
            {
                ProgressTask task = progress.AddTask(Markup.Escape(PlainText.Line($"importing {name}")),
                    maxValue: Math.Max(1, file.Length));
                var content = ApplianceClient.FileContent(new CountingStream(source, sent => task.Value = sent));
                return await client.SendAsync<Image>(HttpMethod.Post, query, content, cancellation);
            });
        if (json)
        {
            Output.Json(imported);
        }
        else
        {
            Console.WriteLine($"{imported.Name}: for {imported.Architecture}, {Output.Bytes(imported.UsedBytes)} in use of " +
                $"{Output.Bytes(imported.SizeBytes)}{(imported.Slots > 1 ? ", two slots" : "")}, digest {imported.Digest[..ShortDigest]}");
            foreach (string note in imported.Notes ?? [])
            {
                Console.WriteLine(note);
            }
        }
        return 0;
    }
}
