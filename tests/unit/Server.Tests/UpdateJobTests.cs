using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Bootstrap.Agent.Commands;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>Updates of a node's packages: by stand-ins of each package manager, and by the real apt-get in a small root folder.</summary>
public sealed class UpdateJobTests : WorkJobTest
{
    private string Calls => Path.Combine(Folder, "calls");

    private protected override NodeSystem Machine => new(Root, $"{Folder}/nothing-here:{Bin}");

    [Theory]
    [InlineData("apt-get", "update", "upgrade")]
    [InlineData("dnf", "makecache", "upgrade")]
    [InlineData("apk", "update", "upgrade")]
    [InlineData("pacman", "-Sy", "-Su")]
    public async Task The_package_manager_that_a_node_has_refreshes_and_upgrades(string program, string refresh, string upgrade)
    {
        await ProgramAsync(program, $"echo \"$@\" >>{Calls}; echo working; echo $DEBIAN_FRONTEND");
        JsonNode task = await DoAsync("update", new { });
        Assert.Equal(("succeeded", "", 0), End(task));
        Assert.Equal(["working", "noninteractive", "working", "noninteractive"], await LogAsync(task));
        string[] calls = await File.ReadAllLinesAsync(Calls, s_end);
        Assert.Equal(2, calls.Length);
        Assert.Contains(refresh, calls[0].Split(' '));
        Assert.Contains(upgrade, calls[1].Split(' '));
    }

    [Theory]
    [InlineData("apt-get", "--only-upgrade")]
    [InlineData("dnf", "upgrade")]
    [InlineData("apk", "upgrade")]
    [InlineData("pacman", "--needed")]
    public async Task Packages_that_are_named_are_the_only_ones(string program, string argument)
    {
        await ProgramAsync(program, $"echo \"$@\" >>{Calls}");
        JsonNode task = await DoAsync("update", new { packages = new[] { "libc6:arm64", "g++" } });
        Assert.Equal("succeeded", task["state"]!.ToString());
        string last = (await File.ReadAllLinesAsync(Calls, s_end))[1];
        Assert.EndsWith(" libc6:arm64 g++", last, StringComparison.Ordinal);
        Assert.Contains(argument, last.Split(' '));
    }

    [Fact]
    public async Task A_node_without_a_package_manager_refuses_in_one_sentence()
    {
        (string state, string cause, int? code) = End(await DoAsync("update", new { }));
        Assert.Equal(("failed", "this node has no package manager that is known here (apt-get, dnf, apk, pacman)", null),
            (state, cause, code));
    }

    [Fact]
    public async Task A_refresh_that_fails_ends_it_and_names_the_phase()
    {
        await ProgramAsync("apt-get", $"echo x >>{Calls}; echo 'E: no network' >&2; exit 100");
        JsonNode task = await DoAsync("update", new { });
        Assert.Equal(("failed", "apt-get (refresh) ended with exit code 100", 100), End(task));
        Assert.Equal(["stderr: E: no network"], await LogAsync(task));
        Assert.Single(await File.ReadAllLinesAsync(Calls, s_end));
    }

    [Theory]
    [InlineData("mkdir -p run && touch run/reboot-required", true)]
    [InlineData("mkdir -p lib/modules/6.12.99", true)]
    [InlineData("rm -r lib/modules/6.12.1", true)]
    [InlineData("true", false)]
    public async Task An_update_tells_whether_a_restart_is_needed(string change, bool isNeeded)
    {
        Directory.CreateDirectory(Path.Combine(Root, "lib/modules/6.12.1"));
        Directory.CreateDirectory(Path.Combine(Root, "lib/modules/6.12.0"));
        Directory.CreateDirectory(Path.Combine(Root, "proc/sys/kernel"));
        await File.WriteAllTextAsync(Path.Combine(Root, "proc/sys/kernel/osrelease"), "6.12.1\n", s_end);
        await ProgramAsync("apt-get", $"case \"$*\" in *upgrade*) cd {Root}; {change};; esac");
        JsonNode task = await DoAsync("update", new { });
        Assert.Equal(("succeeded", isNeeded ? "a restart is needed" : ""), (task["state"]!.ToString(), task["note"]!.ToString()));
    }

    [Fact]
    public async Task The_real_apt_get_upgrades_a_package_once_whoever_holds_its_locks_lets_go()
    {
        await MakeDebianAsync();
        using FileStream lists = Hold("var/lib/apt/lists/lock"), dpkg = Hold("var/lib/dpkg/lock-frontend");
        JsonNode task = await OrderAsync("update", new { });
        await SaysAsync(task, "apt-get is in use: trying again in 3 s");
        await lists.DisposeAsync();
        await Poll.UntilAsync(() => NowAsync(task), now => now["phase"]!.ToString() == "upgrade", s_end);
        // dpkg's lock is waited for by apt itself, which says so.
        await Poll.UntilAsync(() => LogAsync(task), lines => lines.Any(line => line.Contains("lock-frontend", StringComparison.Ordinal)),
            s_end);
        await dpkg.DisposeAsync();
        Assert.Equal(("succeeded", "", 0), End(await EndOfAsync(task)));
        Assert.Contains("Setting up hello-node (2) ...", await LogAsync(task));
        Assert.Equal("2\n", await File.ReadAllTextAsync(Path.Combine(Root, "usr/share/hello/version"), s_end));
    }

    private FileStream Hold(string path)
    {
        var file = new FileStream(Path.Combine(Root, path), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        file.Lock(0, 0);
        return file;
    }

    /// <summary>A root folder with version 1 of a package, and a repository with version 2.</summary>
    private async Task MakeDebianAsync()
    {
        await ProgramAsync("apt-get", $"APT_CONFIG={Folder}/apt.conf exec /usr/bin/apt-get \"$@\"");
        foreach (string folder in new[] { "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/apt/lists/partial",
            "var/cache/apt/archives/partial", "etc/apt/apt.conf.d", "etc/apt/preferences.d", "tmp" })
        {
            Directory.CreateDirectory(Path.Combine(Root, folder));
        }
        string repository = Directory.CreateDirectory(Path.Combine(Folder, "repository")).FullName;
        await File.WriteAllTextAsync(Path.Combine(Root, "var/lib/dpkg/status"), "", s_end);
        await File.WriteAllTextAsync(Path.Combine(Root, "etc/apt/sources.list"), $"deb [trusted=yes] copy:{repository} ./\n", s_end);
        await File.WriteAllTextAsync(Path.Combine(Folder, "apt.conf"), $$"""
            Dir "{{Root}}";
            Dir::State::status "{{Root}}/var/lib/dpkg/status";
            Dir::Log "{{Root}}/tmp";
            DPkg::Options { "--root={{Root}}"; };
            APT::Sandbox::User "root";

            """, s_end);
        await ToolAsync("dpkg", $"--root={Root}", "--install", await PackageAsync("1"));
        string newer = await PackageAsync("2");
        File.Move(newer, Path.Combine(repository, "hello.deb"));
        byte[] content = await File.ReadAllBytesAsync(Path.Combine(repository, "hello.deb"), s_end);
        await File.WriteAllTextAsync(Path.Combine(repository, "Packages"),
            $"{Control("2")}Filename: ./hello.deb\nSize: {content.Length}\nSHA256: {Convert.ToHexStringLower(SHA256.HashData(content))}\n",
            s_end);
    }

    private async Task<string> PackageAsync(string version)
    {
        string tree = Path.Combine(Folder, $"package-{version}");
        Directory.CreateDirectory(Path.Combine(tree, "DEBIAN"));
        Directory.CreateDirectory(Path.Combine(tree, "usr/share/hello"));
        await File.WriteAllTextAsync(Path.Combine(tree, "DEBIAN/control"), Control(version), s_end);
        await File.WriteAllTextAsync(Path.Combine(tree, "usr/share/hello/version"), version + "\n", s_end);
        await ToolAsync("dpkg-deb", "--build", tree, $"{tree}.deb");
        return $"{tree}.deb";
    }

    private static string Control(string version) =>
        $"Package: hello-node\nVersion: {version}\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: says hello\n";

    private static async Task ToolAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        await process.WaitForExitAsync(s_end);
        Assert.Equal(0, process.ExitCode);
    }
}
