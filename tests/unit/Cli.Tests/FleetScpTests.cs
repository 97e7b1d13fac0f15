using System.Diagnostics;
using Bootstrap.Support;

namespace Bootstrap.Cli.Tests;

public sealed class FleetScpTests
{
    private const string OddName = "it's: \"$HOME\" *[a]\\ `x` ü;&";

    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Files_with_odd_names_arrive_in_a_folder_with_an_odd_name()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(2);
        string one = await WriteAsync(fleet, OddName, "one"), two = await WriteAsync(fleet, "-rf", "two"),
            three = await WriteAsync(fleet, "host:file", "three");
        foreach (int node in new[] { 1, 2 })
        {
            await MakeFolderAsync(fleet, node, OddName);
        }
        (int code, string output, string errors) = await fleet.RunAsync("scp", [.. fleet.Hosts(1, 2), one, two, three, OddName]);
        Assert.Equal((0, ""), (code, errors));
        Assert.EndsWith("\n2 ok\n", output, StringComparison.Ordinal);
        foreach (int node in new[] { 1, 2 })
        {
            string folder = Path.Combine(fleet.Home(node), OddName);
            Assert.Equal(new[] { "-rf", "host:file", OddName }.Order(StringComparer.Ordinal), Names(folder));
            Assert.Equal("one", await File.ReadAllTextAsync(Path.Combine(folder, OddName), s_end));
        }
    }

    [Theory]
    [InlineData(OddName)]
    [InlineData("./-name")]
    [InlineData("~/$name")]
    public async Task One_file_gets_a_new_name_and_replaces_what_was_there(string name)
    {
        await using SshFleet fleet = await SshFleet.StartAsync(1);
        string file = await WriteAsync(fleet, "file", "new"),
            there = Path.Combine(fleet.Home(1), name.Replace("~/", "", StringComparison.Ordinal));
        await File.WriteAllTextAsync(there, "a longer old text", s_end);
        (int code, _, string errors) = await fleet.RunAsync("scp", [.. fleet.Hosts(1), "--", file, name]);
        Assert.Equal((0, ""), (code, errors));
        Assert.Equal("new", await File.ReadAllTextAsync(there, s_end));
        Assert.Equal(new[] { ".ssh", Path.GetFileName(there) }.Order(StringComparer.Ordinal), Names(fleet.Home(1)));
    }

    [Fact]
    public async Task A_folder_is_merged_into_the_one_that_is_there()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(1);
        await WriteAsync(fleet, "tree/.hidden/deep file", "1");
        await WriteAsync(fleet, "tree/both", "new");
        await MakeFolderAsync(fleet, 1, "tree");
        await File.WriteAllTextAsync(Path.Combine(fleet.Home(1), "tree", "both"), "old", s_end);
        await File.WriteAllTextAsync(Path.Combine(fleet.Home(1), "tree", "kept"), "old", s_end);
        (int code, _, string errors) = await fleet.RunAsync("scp",
            [.. fleet.Hosts(1), "--recursive", Path.Combine(fleet.Folder, "tree"), "."]);
        Assert.Equal((0, ""), (code, errors));
        Assert.Equal([".ssh", "tree"], Names(fleet.Home(1)));
        Assert.Equal([".hidden", "both", "kept"], Names(Path.Combine(fleet.Home(1), "tree")));
        Assert.Equal("1new", await File.ReadAllTextAsync(Path.Combine(fleet.Home(1), "tree/.hidden/deep file"), s_end) +
            await File.ReadAllTextAsync(Path.Combine(fleet.Home(1), "tree/both"), s_end));
    }

    [Fact]
    public async Task Times_and_modes_are_kept_where_that_is_wanted()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(1);
        string file = await WriteAsync(fleet, "script", "#!/bin/sh");
        var time = new DateTime(2015, 3, 4, 5, 6, 7, DateTimeKind.Utc);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.OtherWrite);
        File.SetLastWriteTimeUtc(file, time);
        (int code, _, string errors) = await fleet.RunAsync("scp", [.. fleet.Hosts(1), "--preserve", file, "."]);
        Assert.Equal((0, ""), (code, errors));
        string there = Path.Combine(fleet.Home(1), "script");
        Assert.Equal((time, File.GetUnixFileMode(file)), (File.GetLastWriteTimeUtc(there), File.GetUnixFileMode(there)));
    }

    [Fact]
    public async Task A_node_that_is_cut_off_in_the_middle_has_no_half_file_under_the_name()
    {
        await using SshFleet fleet = await StartWithFullPipeAsync();
        string file = await WriteAsync(fleet, "image", new string('x', 5_000_000)), there = Path.Combine(fleet.Home(1), "image");
        await File.WriteAllTextAsync(there, "old", s_end);
        using Process scp = fleet.Start("scp", [.. fleet.Hosts(1), file, "image"]);
        await Poll.UntilAsync(() => Task.FromResult(CopiedBytes(fleet)), bytes => bytes > 0, s_end);
        await fleet.StopAsync(1);
        string output = await scp.StandardOutput.ReadToEndAsync(s_end);
        await scp.WaitForExitAsync(s_end);
        Assert.Equal(1, scp.ExitCode);
        Assert.Matches($@"\n{fleet.Host(1)} +unreachable .*[.]/[.]bootstrap-scp-[0-9a-f]+ is left on the node", output);
        Assert.InRange(CopiedBytes(fleet), 1, 4_999_999);
        Assert.Equal("old", await File.ReadAllTextAsync(there, s_end));
    }

    [Fact]
    public async Task A_copy_that_takes_too_long_leaves_nothing_behind()
    {
        await using SshFleet fleet = await StartWithFullPipeAsync();
        string file = await WriteAsync(fleet, "image", new string('x', 5_000_000));
        (int code, string output, _) = await fleet.RunAsync("scp", [.. fleet.Hosts(1), "--timeout", "10", file, "."]);
        Assert.Equal(1, code);
        Assert.Matches($@"\n{fleet.Host(1)} +timed out ", output);
        Assert.Equal([".ssh"], Names(fleet.Home(1)));
    }

    [Theory]
    [InlineData("nowhere/name", "failed [(]1[)] .* [.]/nowhere is not a folder on the node")]
    [InlineData("nowhere/", "failed [(]1[)] .* [.]/nowhere/ is not a folder on the node")]
    [InlineData("taken", "failed [(]1[)] .* [.]/taken/file is a folder on the node")]
    [InlineData("/usr", "failed [(]1[)] .* Permission denied")]
    public async Task What_a_node_refuses_is_its_result_and_nothing_is_left_there(string destination, string result)
    {
        await using SshFleet fleet = await SshFleet.StartAsync(1);
        string file = await WriteAsync(fleet, "file", "text");
        await MakeFolderAsync(fleet, 1, "taken/file");
        (int code, string output, _) = await fleet.RunAsync("scp", [.. fleet.Hosts(1), file, destination]);
        Assert.Equal(1, code);
        Assert.Matches($"{fleet.Host(1)} +{result}", output);
        Assert.Equal([".ssh", "taken"], Names(fleet.Home(1)));
        Assert.Equal(["file"], Names(Path.Combine(fleet.Home(1), "taken")));
    }

    /// <summary>A node whose SFTP server takes a little of a file, and then no more: the copy stands still in its middle.</summary>
    private static Task<SshFleet> StartWithFullPipeAsync() =>
        SshFleet.StartAsync(1, settings: "Subsystem sftp (dd bs=64k count=30 status=none; cat >/dev/null) | /usr/lib/openssh/sftp-server");

    private static long CopiedBytes(SshFleet fleet) =>
        Directory.EnumerateFiles(fleet.Home(1), "image", SearchOption.AllDirectories)
            .Where(f => f.Contains("/.bootstrap-scp-", StringComparison.Ordinal)).Sum(f => new FileInfo(f).Length);

    private static async Task<string> WriteAsync(SshFleet fleet, string name, string text)
    {
        string path = Path.Combine(fleet.Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(path, text, s_end);
        return path;
    }

    private static async Task MakeFolderAsync(SshFleet fleet, int node, string name)
    {
        Directory.CreateDirectory(Path.Combine(fleet.Home(node), name));
        await CommandLine.ToolAsync("chown", "-R", $"--reference={fleet.Home(node)}", fleet.Home(node));
    }

    private static IEnumerable<string> Names(string folder) =>
        Directory.EnumerateFileSystemEntries(folder).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal);
}
