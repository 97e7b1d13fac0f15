using System.CommandLine;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap deploy</c> puts a file on nodes; <c>bootstrap files</c> is what the appliance keeps of such files.</summary>
internal static class FileCommands
{
    private static readonly Argument<FileInfo> s_file =
        new("file") { Description = "A file, or with --unpack a tar archive (.tar, .tar.gz)." };

    private static readonly Argument<string> s_path =
        new("path") { Description = "Absolute path on the nodes: of the file, or of the folder that the archive is unpacked in." };

    private static readonly Option<bool> s_unpack =
        new("--unpack") { Description = "Unpack the archive; files that are there already are not written again." };

    private static readonly Option<string> s_owner = new("--owner")
    {
        Description = "User of the nodes whom it belongs to (default root).",
        HelpName = "name"
    };

    private static readonly Option<string> s_group = new("--group") { Description = "Its group (default root).", HelpName = "name" };

    private static readonly Option<string> s_mode =
        new("--mode") { Description = "Permission bits of a single file, octal (default 0644).", HelpName = "bits" };

    private static readonly Option<string> s_after =
        new("--then") { Description = "One line for the node's shell, run by root afterwards.", HelpName = "line" };

    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "Name, or beginning of the digest." };
        return new Command("files", "Show and remove the files that were deployed.")
        {
            new Command("list", "All files.").Lists<StoredFile>(_ => "files", ["NAME", "SIZE", new("UPLOADED", 1),
                new("DIGEST", Brief: ImageCommands.ShortDigest)],
                f => [f.Name, Output.Bytes(f.SizeBytes), Output.Time(f.UploadedAt), f.Digest]),
            new Command("remove", "Remove a file from the appliance; it stays on nodes.") { file }
                .Does(async (client, parsed, cancellation) =>
            {
                StoredFile stored = await ByWord.FileAsync(client, parsed.GetRequiredValue(file), cancellation);
                await client.SendAsync(HttpMethod.Delete, $"files/{stored.Digest}", null, cancellation);
                return 0;
            }),
        };
    }

    public static Command CreateDeploy() => new Command("deploy", "Put a file, or what is in an archive, on nodes.")
    {
        s_file, s_path, WorkCommands.Node, NodeCommands.Select, s_unpack, s_owner, s_group, s_mode, s_after, JobCommands.Yes,
            JobCommands.Wait,
    }.WithBeginning().WithPlan().Does(async (client, parsed, cancellation) =>
    {
        FileInfo file = parsed.GetRequiredValue(s_file);
        if (!file.Exists)
        {
            throw new CliException($"there is no file {file.FullName}");
        }
        return await JobCommands.OrderAsync(client, "deploy", null, null, parsed, cancellation, prepare: async () =>
        {
            await using FileStream content = file.OpenRead();
            StoredFile stored = await client.SendAsync<StoredFile>(
                HttpMethod.Post, $"files?name={Uri.EscapeDataString(file.Name)}", ApplianceClient.FileContent(content), cancellation);
            return WorkCommands.WithoutNulls(new()
            {
                ["file"] = stored.Digest,
                ["path"] = parsed.GetRequiredValue(s_path),
                ["unpack"] = parsed.GetValue(s_unpack),
                ["owner"] = parsed.GetValue(s_owner),
                ["group"] = parsed.GetValue(s_group),
                ["mode"] = parsed.GetValue(s_mode),
                ["shell"] = parsed.GetValue(s_after),
            });
        });
    });
}
