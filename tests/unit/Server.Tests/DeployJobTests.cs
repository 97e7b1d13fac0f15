using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Bootstrap.Agent.Commands;

namespace Bootstrap.Server.Tests;

/// <summary>Files, from their upload to their place on a node, by the Slave's own program.</summary>
public sealed class DeployJobTests : WorkJobTest
{
    private const UnixFileMode Usual = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private protected override NodeSystem Machine =>
        NodeSystem.This with { Config = Folder, Slave = [DotNet, "exec", Path.Combine(AppContext.BaseDirectory, "bootstrap-slave.dll")] };

    private static string DotNet => new NodeSystem("/", Environment.GetEnvironmentVariable("PATH")!).Find("dotnet")!;

    private string Target => Path.Combine(Folder, "target");

    [Fact]
    public async Task A_file_is_put_in_its_place_with_owner_and_mode_and_not_written_again()
    {
        string path = Path.Combine(Target, "etc/app.conf");
        await UploadAsync("app.conf", "answer = 42\n"u8.ToArray());
        var order = new { file = "app.conf", path, owner = "daemon", group = "daemon", mode = "0640", shell = $"cat {path}" };
        JsonNode task = await DoAsync("deploy", order);
        Assert.Equal(("succeeded", "", 0), End(task));
        Assert.Equal([$"written: {path}", "answer = 42"], await LogAsync(task));
        Assert.Equal((1u, 1u), Board.Linux.OwnerOf(path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(path));
        Assert.Equal(["app.conf"], Directory.GetFileSystemEntries(Path.GetDirectoryName(path)!).Select(Path.GetFileName));

        DateTime written = File.GetLastWriteTimeUtc(path);
        Assert.Equal([$"unchanged: {path}", "answer = 42"], await LogAsync(await DoAsync("deploy", order)));
        File.SetUnixFileMode(path, Usual);
        Assert.Contains($"unchanged but for its owner or mode: {path}", await LogAsync(await DoAsync("deploy", order)));
        Assert.Equal(written, File.GetLastWriteTimeUtc(path));

        await UploadAsync("app.conf", "answer = 43\n"u8.ToArray());
        Assert.Contains("answer = 43", await LogAsync(await DoAsync("deploy", order)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_archive_is_unpacked_and_only_what_differs_is_written(bool gzip)
    {
        byte[] archive = Archive(gzip,
            new PaxTarEntry(TarEntryType.Directory, "./") { Mode = Usual },
            File_("./bin/run", "#!/bin/sh\n", Usual | UnixFileMode.UserExecute), File_("one", "1"), File_("empty", ""),
            new PaxTarEntry(TarEntryType.SymbolicLink, "latest") { LinkName = "bin/run" });
        await UploadAsync("site", archive);
        var order = new { file = "site", path = Target, unpack = true };
        JsonNode task = await DoAsync("deploy", order);
        Assert.True(End(task) == ("succeeded", "", 0), string.Join('\n', await LogAsync(task)));
        Assert.Equal([$"4 written, 0 unchanged in {Target}"], await LogAsync(task));
        Assert.Equal("#!/bin/sh\n", await File.ReadAllTextAsync(Path.Combine(Target, "latest"), s_end));
        Assert.True(File.GetUnixFileMode(Path.Combine(Target, "bin/run")).HasFlag(UnixFileMode.UserExecute));
        Assert.Equal(["bin", "empty", "latest", "one"], Directory.GetFileSystemEntries(Target).Select(Path.GetFileName).Order());

        await File.WriteAllTextAsync(Path.Combine(Target, "one"), "2", s_end);
        DateTime written = File.GetLastWriteTimeUtc(Path.Combine(Target, "bin/run"));
        Assert.Equal([$"1 written, 3 unchanged in {Target}"], await LogAsync(await DoAsync("deploy", order)));
        Assert.Equal(("1", written),
            (await File.ReadAllTextAsync(Path.Combine(Target, "one"), s_end), File.GetLastWriteTimeUtc(Path.Combine(Target, "bin/run"))));
    }

    [Theory]
    [InlineData("../out", "leads out of the folder")]
    [InlineData("/etc/out", "leads out of the folder")]
    [InlineData("good", "twice")]
    [InlineData("fifo", "neither a file")]
    public async Task An_archive_with_something_bad_in_it_is_refused_before_anything_is_written(string name, string sentence)
    {
        TarEntry bad = name == "fifo" ? new PaxTarEntry(TarEntryType.Fifo, name) : File_(name, "bad");
        await UploadAsync("bad.tar", Archive(false, File_("good", "good"), bad));
        JsonNode task = await DoAsync("deploy", new { file = "bad.tar", path = Target, unpack = true });
        Assert.Equal("failed", task["state"]!.ToString());
        Assert.Contains(await LogAsync(task), line => line.Contains(sentence, StringComparison.Ordinal));
        Assert.Empty(Directory.GetFileSystemEntries(Target));
    }

    [Fact]
    public async Task An_archive_is_not_unpacked_through_a_symbolic_link()
    {
        string elsewhere = Directory.CreateDirectory(Path.Combine(Folder, "elsewhere")).FullName;
        await UploadAsync("sly.tar",
            Archive(false, new PaxTarEntry(TarEntryType.SymbolicLink, "way") { LinkName = elsewhere }, File_("way/out", "out")));
        JsonNode task = await DoAsync("deploy", new { file = "sly.tar", path = Target, unpack = true });
        Assert.Equal("failed", task["state"]!.ToString());
        Assert.Contains(await LogAsync(task), line => line.Contains("is a symbolic link", StringComparison.Ordinal));
        Assert.Empty(Directory.GetFileSystemEntries(elsewhere));
    }

    [Fact]
    public async Task What_is_no_archive_and_what_was_damaged_is_refused_and_nothing_is_left()
    {
        await UploadAsync("noise", [.. Enumerable.Repeat((byte)'x', 2000)]);
        JsonNode task = await DoAsync("deploy", new { file = "noise", path = Target, unpack = true });
        Assert.Contains(await LogAsync(task), line => line.Contains("damaged, or no tar archive", StringComparison.Ordinal));
        Assert.Empty(Directory.GetFileSystemEntries(Target));

        // The same length, other bytes: what the appliance stores has changed on its disk.
        JsonNode file = await UploadAsync("spoilt", "right"u8.ToArray());
        await File.WriteAllTextAsync(Path.Combine(Appliance.Options.DataFolder, "files", file["digest"]!.ToString()), "wrong", s_end);
        string path = Path.Combine(Target, "file");
        task = await DoAsync("deploy", new { file = "spoilt", path });
        Assert.Equal("failed", task["state"]!.ToString());
        Assert.Contains(await LogAsync(task), line => line.Contains("its digest is", StringComparison.Ordinal));
        Assert.Empty(Directory.GetFileSystemEntries(Target));
    }

    [Fact]
    public async Task A_file_that_comes_under_two_names_is_stored_once_and_is_gone_when_it_was_removed()
    {
        JsonNode first = await UploadAsync("one", "same"u8.ToArray()), second = await UploadAsync("two", "same"u8.ToArray());
        Assert.Equal(first["digest"]!.ToString(), second["digest"]!.ToString());
        Assert.Equal("two", Assert.Single((await Api.GetFromJsonAsync<JsonArray>("files", s_end))!)!["name"]!.ToString());
        Assert.Single(Directory.GetFiles(Path.Combine(Appliance.Options.DataFolder, "files")));
        using HttpResponseMessage removed = await Api.DeleteAsync("files/two", s_end);
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        Assert.Empty(Directory.GetFiles(Path.Combine(Appliance.Options.DataFolder, "files")));
        using HttpResponseMessage again = await Api.DeleteAsync("files/two", s_end);
        Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
    }

    [Theory]
    [InlineData("no-such-file", "/srv/x", "0644", "There is no file 'no-such-file'")]
    [InlineData("one", "srv/x", "0644", "absolute path")]
    [InlineData("one", "/srv/", "0644", "must name the file")]
    [InlineData("one", "/srv/../etc/x", "0644", "'..'")]
    [InlineData("one", "/srv/x", "rw-r--r--", "no mode of a file")]
    public async Task An_order_that_is_wrong_is_refused_in_one_sentence(string file, string path, string mode, string sentence)
    {
        await UploadAsync("one", [1]);
        using HttpResponseMessage answer = await Api.PostAsJsonAsync("jobs",
            new { kind = "deploy", nodes = new[] { "all" }, parameters = new { file, path, mode } }, s_end);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(sentence, (await answer.Content.ReadFromJsonAsync<JsonNode>(s_end))!["detail"]!.ToString());
    }

    private async Task<JsonNode> UploadAsync(string name, byte[] content)
    {
        using HttpResponseMessage answer = await Api.PostAsync($"files?name={name}", new ByteArrayContent(content), s_end);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonNode>(s_end))!;
    }

    private static PaxTarEntry File_(string name, string text, UnixFileMode mode = Usual) =>
        new(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)), Mode = mode };

    private static byte[] Archive(bool gzip, params TarEntry[] entries)
    {
        var bytes = new MemoryStream();
        using (Stream content = gzip ? new GZipStream(bytes, CompressionLevel.Fastest) : bytes)
        {
            using var writer = new TarWriter(content);
            foreach (TarEntry entry in entries)
            {
                writer.WriteEntry(entry);
            }
        }
        return bytes.ToArray();
    }
}
