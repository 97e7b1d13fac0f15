using System.Diagnostics;
using System.Text;
using Bootstrap.Support;

namespace Bootstrap.Cli.Tests;

public sealed class InstallKeyTests
{
    private const string OtherKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC2+FEADqznodMoNQViM33cNZKuGRzeXde4k8DIEMfVP another";

    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_is_installed_with_the_password_and_signs_in_and_a_second_time_changes_nothing()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(3, keyInstalled: false);
        // One node has a key already, on a line without an end, and modes that sshd refuses.
        string keys = Path.Combine(fleet.Home(2), ".ssh", "authorized_keys");
        Directory.CreateDirectory(Path.GetDirectoryName(keys)!);
        await File.WriteAllTextAsync(keys, $"# {await File.ReadAllTextAsync($"{fleet.Key}.pub", s_end)}{OtherKey}", s_end);
        await CommandLine.ToolAsync("chown", "-R", $"--reference={fleet.Home(2)}", Path.GetDirectoryName(keys)!);
        await CommandLine.ToolAsync("chmod", "-R", "777", Path.GetDirectoryName(keys)!);

        (int code, string output, string errors) = await InstallAsync(fleet, fleet.Hosts(1, 2, 3), fleet.Password);
        Assert.Equal((0, ""), (code, errors));
        Assert.Equal(3, output.Split(" added").Length - 1);
        Assert.EndsWith("\n3 ok\n", output, StringComparison.Ordinal);
        foreach (int node in new[] { 1, 2, 3 })
        {
            string folder = Path.Combine(fleet.Home(node), ".ssh");
            Assert.Equal("700 600", (await CommandLine.ToolAsync("stat", "-c", "%a", folder, Path.Combine(folder, "authorized_keys")))
                .Trim().Replace('\n', ' '));
        }
        string[] lines = await File.ReadAllLinesAsync(keys, s_end);
        Assert.Equal([OtherKey, (await File.ReadAllTextAsync($"{fleet.Key}.pub", s_end)).Trim()], lines[1..]);
        Assert.Equal(0, (await fleet.RunAsync("run", [.. fleet.Hosts(1, 2, 3), "--", "true"])).Code);

        (code, output, errors) = await InstallAsync(fleet, fleet.Hosts(1, 2, 3), fleet.Password);
        Assert.Equal((0, ""), (code, errors));
        Assert.Equal(3, output.Split(" was there already").Length - 1);
        Assert.Equal(lines, await File.ReadAllLinesAsync(keys, s_end));
        Assert.Single(await File.ReadAllLinesAsync(Path.Combine(fleet.Home(1), ".ssh", "authorized_keys"), s_end));
    }

    [Fact]
    public async Task Another_key_is_installed_without_a_password_where_one_key_signs_in()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(1);
        string key = Path.Combine(fleet.Folder, "it's a new key");
        await CommandLine.ToolAsync("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "$(reboot) it's", "-f", key);
        (int code, string output, string errors) = await fleet.RunAsync("install-key", [.. fleet.Hosts(1), "--key", $"{key}.pub"]);
        Assert.Equal((0, ""), (code, errors));
        Assert.Matches(" ok .* added", output);
        string[] lines = await File.ReadAllLinesAsync(Path.Combine(fleet.Home(1), ".ssh", "authorized_keys"), s_end);
        Assert.Equal((await File.ReadAllTextAsync($"{key}.pub", s_end)).Trim(), lines[1]);
    }

    [Fact]
    public async Task A_node_is_not_ok_unless_the_key_signs_in()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(1, keyInstalled: false, settings: "AuthorizedKeysFile /nowhere/%u");
        (int code, string output, _) = await InstallAsync(fleet, fleet.Hosts(1), fleet.Password);
        Assert.Equal(1, code);
        Assert.Matches("failed .* does not sign in", output);
    }

    [Fact]
    public async Task Another_key_that_signs_in_does_not_pass_for_the_one_that_was_to_be_installed()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(1);
        string key = Path.Combine(fleet.Folder, "absent.pub");
        await File.WriteAllTextAsync(key, OtherKey, s_end); // nobody has its private key
        (int code, string output, _) = await fleet.RunAsync("install-key", [.. fleet.Hosts(1), "--key", key]);
        Assert.Equal(1, code);
        Assert.Matches("failed .* does not sign in", output);
    }

    [Fact]
    public async Task A_wrong_password_and_a_node_that_is_down_are_told_and_nothing_is_claimed()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(1, keyInstalled: false);
        (int code, string output, _) = await InstallAsync(fleet, fleet.Hosts(1, 2), "wrong");
        Assert.Equal(1, code);
        Assert.Matches($"{fleet.Host(1)} +unreachable .* Permission denied", output);
        Assert.Matches($"{fleet.Host(2)} +unreachable .* Connection refused", output);
        Assert.Empty(Directory.EnumerateFileSystemEntries(fleet.Home(1)));
    }

    [Fact]
    public async Task Without_a_terminal_and_a_password_file_it_says_what_is_needed()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(1, keyInstalled: false);
        (int code, _, string errors) = await fleet.RunAsync("install-key", [.. fleet.Hosts(1), "--key", $"{fleet.Key}.pub"]);
        Assert.Equal((1, "bootstrap: 1 of the nodes take no key yet: give --password-file, or run this in a terminal."), (code, errors));
    }

    [Fact]
    public async Task On_a_terminal_the_password_is_asked_for_once_and_not_shown()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(2, keyInstalled: false);
        string command = string.Join(' ', fleet.Command("install-key", [.. fleet.Hosts(1, 2), "--key", $"{fleet.Key}.pub"]));
        using Process terminal = Process.Start(new ProcessStartInfo("script",
            ["-q", "-e", "-c", command, "/dev/null"])
        { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var shown = new StringBuilder();
        char[] buffer = new char[1000];
        while (!shown.ToString().Contains("no key yet: ", StringComparison.Ordinal)
            && await terminal.StandardOutput.ReadAsync(buffer, s_end) is > 0 and var count)
        {
            shown.Append(buffer, 0, count);
        }
        await terminal.StandardInput.WriteAsync($"x\u007f{fleet.Password}\r"); // a slip, taken back
        await terminal.StandardInput.FlushAsync(s_end);
        shown.Append(await terminal.StandardOutput.ReadToEndAsync(s_end));
        await terminal.WaitForExitAsync(s_end);
        Assert.Equal(0, terminal.ExitCode);
        Assert.Contains("2 ok", shown.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, shown.ToString().Split("Password for ").Length);
        Assert.DoesNotContain(fleet.Password, shown.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_password_is_in_no_argument_and_no_environment_and_its_file_is_gone_afterwards()
    {
        // The node's side waits, so that there is time to look.
        await using SshFleet fleet = await SshFleet.StartAsync(1, keyInstalled: false,
            settings: "ForceCommand touch waiting; until [ -e go ]; do sleep 0.05; done; eval \"$SSH_ORIGINAL_COMMAND\"");
        string memory = Path.Combine(fleet.Folder, "memory");
        Directory.CreateDirectory(memory);
        string passwords = Path.Combine(fleet.Folder, "password");
        await File.WriteAllTextAsync(passwords, fleet.Password, s_end);
        string[] command = fleet.Command("install-key", [.. fleet.Hosts(1), "--key", $"{fleet.Key}.pub", "--password-file", passwords]);
        using Process install = Process.Start(new ProcessStartInfo(command[0],
            command[1..])
        { Environment = { ["XDG_RUNTIME_DIR"] = memory } })!;
        await Poll.UntilAsync(() => Task.FromResult(File.Exists(Path.Combine(fleet.Home(1), "waiting"))), waits => waits, s_end);
        string file = Assert.Single(Directory.GetFiles(memory));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Contains(file, ToldByAll().First(text => text.Contains(file, StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.DoesNotContain(ToldByAll(), text => text.Contains(fleet.Password, StringComparison.Ordinal));
        await File.WriteAllTextAsync(Path.Combine(fleet.Home(1), "go"), "", s_end);
        await install.WaitForExitAsync(s_end);
        Assert.Equal(0, install.ExitCode);
        Assert.Empty(Directory.GetFiles(memory));
    }

    private static async Task<(int Code, string Output, string Errors)> InstallAsync(SshFleet fleet, string[] hosts, string password)
    {
        string file = Path.Combine(fleet.Folder, "password");
        await File.WriteAllTextAsync(file, $"{password}\n", s_end);
        return await fleet.RunAsync("install-key", [.. hosts, "--key", $"{fleet.Key}.pub", "--password-file", file]);
    }

    /// <summary>Arguments and environment of every process.</summary>
    private static IEnumerable<string> ToldByAll() =>
        Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(name => char.IsAsciiDigit(name![0]))
            .SelectMany(name => Told(int.Parse(name!, System.Globalization.CultureInfo.InvariantCulture)));

    private static IEnumerable<string> Told(int process)
    {
        foreach (string name in new[] { "cmdline", "environ" })
        {
            string text;
            try
            {
                text = File.ReadAllText($"/proc/{process}/{name}");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                continue; // it has ended, or nobody may look at it
            }
            yield return text;
        }
    }
}
