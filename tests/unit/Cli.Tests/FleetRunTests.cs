using System.Diagnostics;
using System.Text.Json;

namespace Bootstrap.Cli.Tests;

public sealed class FleetRunTests
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_twenty_nodes_the_one_that_is_down_is_named_and_the_others_do_their_work()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(19);
        (int code, string output, string errors) = await fleet.RunAsync("run", [.. fleet.Hosts(Enumerable.Range(1, 20)), "--", "pwd"]);
        Assert.Equal((1, ""), (code, errors));
        foreach (int node in Enumerable.Range(1, 19))
        {
            Assert.Contains($"{fleet.Host(node)}: {fleet.Home(node)}\n", output, StringComparison.Ordinal);
            Assert.Matches($@"\n{fleet.Host(node)} +ok ", output);
        }
        Assert.Matches($@"\n{fleet.Host(20)} +unreachable .* Connection refused", output);
        Assert.EndsWith("\n19 ok, 1 unreachable\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_succeed_and_the_exit_code_is_0()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(2);
        (int code, string output, string errors) = await fleet.RunAsync("run", [.. fleet.Hosts(1, 2), "--parallel", "1", "--", "true"]);
        Assert.Equal((0, ""), (code, errors));
        Assert.EndsWith("\n2 ok\n", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("exit 3", "failed [(]3[)]")]
    [InlineData("exit 255", "failed [(]255[)]")]
    [InlineData("kill -9 $$", "failed .* a signal ended the command")]
    [InlineData("kill -9 $PPID", @"unreachable +[0-9.]+ +[A-Za-z]")]
    public async Task A_command_that_fails_is_told_from_a_connection_that_is_lost(string command, string result)
    {
        await using SshFleet fleet = await SshFleet.StartAsync(1);
        (int code, string output, _) = await fleet.RunAsync("run", [.. fleet.Hosts(1), "--", command]);
        Assert.Equal(1, code);
        Assert.Matches($"{fleet.Host(1)} +{result}", output);
    }

    [Fact]
    public async Task A_node_that_takes_too_long_is_given_up_and_the_others_are_not()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(2);
        await File.WriteAllTextAsync(Path.Combine(fleet.Home(2), "quick"), "", s_end);
        (int code, string output, _) = await fleet.RunAsync("run",
            [.. fleet.Hosts(1, 2), "--timeout", "15", "--", "test -e quick || while [ -d $HOME ]; do sleep 0.1; done"]);
        Assert.Equal(1, code);
        Assert.Matches($@"\n{fleet.Host(1)} +timed out .* not done after 15 s", output);
        Assert.EndsWith("\n1 ok, 1 timed out\n", output, StringComparison.Ordinal);
        Assert.Empty(ClientsOf(fleet));
    }

    [Fact]
    public async Task Each_stream_comes_out_where_it_was_written_to()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(1);
        (int code, string output, string errors) = await fleet.RunAsync("run", [.. fleet.Hosts(1), "--", "echo out; echo err >&2; printf " +
            "'no end'"]);
        Assert.Equal((0, $"{fleet.Host(1)}: err"), (code, errors));
        Assert.StartsWith($"{fleet.Host(1)}: out\n{fleet.Host(1)}: no end\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Output_does_not_rule_the_terminal_unless_it_is_asked_for_as_it_is()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(1);
        string[] command = ["--", @"printf 'a\tb \033[31mred\r\n\302\23331m \342\200\256 \303\251\n'"];
        (_, string output, _) = await fleet.RunAsync("run", [.. fleet.Hosts(1), .. command]);
        Assert.StartsWith($"{fleet.Host(1)}: a\tb red\n{fleet.Host(1)}:  \uFFFD é\n", output, StringComparison.Ordinal);
        (_, output, _) = await fleet.RunAsync("run", [.. fleet.Hosts(1), "--raw", .. command]);
        Assert.StartsWith($"{fleet.Host(1)}: a\tb \u001b[31mred\r\n{fleet.Host(1)}: \u009b31m \u202e é\n", output,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_is_shown_while_the_command_still_runs()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(1);
        using Process run = fleet.Start("run", [.. fleet.Hosts(1), "--", "echo begun; until [ -e go ]; do sleep 0.05; done; echo gone"]);
        Assert.Equal($"{fleet.Host(1)}: begun", await run.StandardOutput.ReadLineAsync(s_end));
        await File.WriteAllTextAsync(Path.Combine(fleet.Home(1), "go"), "", s_end);
        Assert.Equal($"{fleet.Host(1)}: gone", await run.StandardOutput.ReadLineAsync(s_end));
        await run.WaitForExitAsync(s_end);
        Assert.Equal(0, run.ExitCode);
    }

    [Fact]
    public async Task Words_reach_the_shell_of_the_node_as_with_ssh()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(1);
        string[] words = ["echo", "$HOME", "'$HOME  it'\\''s'", "\"a  b\"", "--json", "-x", "@file", "*.none"];
        (int code, string output, string errors) = await fleet.RunAsync("run", [.. fleet.Hosts(1), "--", .. words]);
        Assert.Equal((0, ""), (code, errors));
        Assert.StartsWith($"{fleet.Host(1)}: {fleet.Home(1)} $HOME  it's a  b --json -x @file *.none\n", output, StringComparison.Ordinal);

        string[] ssh = ["ssh", "-F", fleet.Config, "-p", fleet.Host(1).Split(':')[1], $"fleet@{fleet.Host(1).Split(':')[0]}", "--",
            .. words];
        Assert.StartsWith($"{fleet.Host(1)}: {await CommandLine.ToolAsync([.. ssh.Where(w => w != "--")])}", output,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Long_lines_are_shown_in_pieces_and_more_than_10_MiB_is_cut_with_a_word()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(1);
        (int code, string output, string errors) = await fleet.RunAsync("run", [.. fleet.Hosts(1), "--", "head -c 30000000 /dev/zero | " +
            "tr '\\0' x; echo; echo end >&2"]);
        Assert.Equal((0, $"{fleet.Host(1)}: (more than 10 MiB of output: the rest is not shown)"), (code, errors));
        Assert.InRange(output.Count(c => c == 'x'), (10 << 20) - (128 << 10), 10 << 20);
        Assert.StartsWith($"{fleet.Host(1)}: {new string('x', 64 << 10)}\n{fleet.Host(1)}: x", output, StringComparison.Ordinal);
        Assert.Matches(@" ok .* output cut after 10 MiB", output);
    }

    [Fact]
    public async Task Json_is_one_object_a_line()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(1);
        (int code, string output, _) = await fleet.RunAsync("run", [.. fleet.Hosts(1, 2), "--json", "--", "echo '\"$x\"'; echo e >&2; " +
            "exit 4"]);
        Assert.Equal(1, code);
        JsonElement[] lines = [.. output.TrimEnd().Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(4, lines.Length);
        Assert.Contains(lines[..2], l => l.GetProperty("stream").GetString() == "stdout" && l.GetProperty("line").GetString() == "\"$x\"");
        Assert.Contains(lines[..2], l => l.GetProperty("stream").GetString() == "stderr" && l.GetProperty("node")
            .GetString() == fleet.Host(1));
        Assert.Equal(("failed", 4), (lines[2].GetProperty("outcome").GetString(), lines[2].GetProperty("exitCode").GetInt32()));
        Assert.Equal((fleet.Host(2), "unreachable", JsonValueKind.Null),
            (lines[3].GetProperty("node").GetString(), lines[3].GetProperty("outcome").GetString(),
                lines[3].GetProperty("exitCode").ValueKind));
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("HUP")]
    public async Task An_interruption_ends_the_connections_and_tells_who_was_not_finished(string signal)
    {
        await using SshFleet fleet = await SshFleet.StartAsync(2);
        await File.WriteAllTextAsync(Path.Combine(fleet.Home(2), "quick"), "", s_end);
        using Process run = fleet.Start("run", [.. fleet.Hosts(2, 1, 3), "--parallel", "1", "--", "test -e quick || { echo begun; while " +
            "[ -d $HOME ]; do sleep 0.1; done; }"]);
        Assert.Equal($"{fleet.Host(1)}: begun", await run.StandardOutput.ReadLineAsync(s_end));
        Assert.NotEmpty(ClientsOf(fleet));
        await CommandLine.ToolAsync("kill", "-s", signal, $"{run.Id}");
        string output = await run.StandardOutput.ReadToEndAsync(s_end);
        await run.WaitForExitAsync(s_end);
        Assert.Equal(1, run.ExitCode);
        Assert.Matches($@"\n{fleet.Host(2)} +ok ", output);
        Assert.Matches($@"\n{fleet.Host(1)} +not finished ", output);
        Assert.Matches($@"\n{fleet.Host(3)} +not finished ", output);
        Assert.Empty(ClientsOf(fleet));
    }

    [Fact]
    public async Task What_nohup_started_goes_on_when_the_terminal_is_closed()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(1);
        string[] command = fleet.Command("run", [.. fleet.Hosts(1), "--", "echo begun; until [ -e go ]; do sleep 0.05; done"]);
        using Process run = Process.Start(new ProcessStartInfo("nohup", command)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true
        })!;
        Assert.Equal($"{fleet.Host(1)}: begun", await run.StandardOutput.ReadLineAsync(s_end));
        await CommandLine.ToolAsync("kill", "-s", "HUP", $"{run.Id}");
        await File.WriteAllTextAsync(Path.Combine(fleet.Home(1), "go"), "", s_end);
        await run.WaitForExitAsync(s_end);
        Assert.Equal(0, run.ExitCode);
    }

    [Fact]
    public async Task A_host_key_that_changed_is_refused()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(1);
        Assert.Equal(0, (await fleet.RunAsync("run", [.. fleet.Hosts(1), "--", "true"])).Code);
        await fleet.StopAsync(1);
        await fleet.ReinstallAsync(1);
        (int code, string output, _) = await fleet.RunAsync("run", [.. fleet.Hosts(1), "--", "touch", "reached"]);
        Assert.Equal(1, code);
        Assert.Matches("unreachable .* Host key verification failed: .* SHA256:.* ssh-keygen -R", output);
        Assert.False(File.Exists(Path.Combine(fleet.Home(1), "reached")));
    }

    [Fact]
    public async Task A_new_host_key_is_refused_where_the_configuration_would_ask()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(1);
        (int code, string output, _) = await fleet.RunAsync("run", [.. fleet.Hosts(1), "--host-keys", "ask-config", "--", "true"]);
        Assert.Equal(1, code);
        Assert.Matches("unreachable .* Host key verification failed", output);
    }

    /// <summary>Processes of ssh that use this fleet's configuration.</summary>
    private static string[] ClientsOf(SshFleet fleet) =>
        [.. Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])).Select(CommandOf)
            .Where(command => command.StartsWith("ssh\0", StringComparison.Ordinal)
                && command.Contains(fleet.Config, StringComparison.Ordinal))];

    private static string CommandOf(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline"));
        }
        catch (IOException)
        {
            return ""; // it has ended
        }
    }
}
