using System.Text.Json.Nodes;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>Commands, from the API to their processes and back.</summary>
public sealed class RunJobTests : WorkJobTest
{
    [Fact]
    public async Task A_command_succeeds_with_exit_code_0_and_its_output_is_in_the_tasks_log()
    {
        JsonNode task = await DoAsync("run",
            new
            {
                command = new[] { "sh", "-c", "echo \"$1\"; echo bad >&2; pwd; id -un; echo $GREETING $HOME", "sh", "Grüße $HOME 🦊" },
                folder = "/usr",
                environment = new Dictionary<string, string> { ["GREETING"] = "hello" }
            });
        Assert.Equal(("succeeded", "", 0), End(task));
        string[] lines = await LogAsync(task);
        Assert.Equal(["Grüße $HOME 🦊", "/usr", "root", "hello /root"],
            lines.Where(line => !line.StartsWith("stderr", StringComparison.Ordinal)));
        Assert.Contains("stderr: bad", lines);
    }

    [Fact]
    public async Task A_command_may_be_a_shell_line_of_another_user()
    {
        JsonNode task = await DoAsync("run", new { shell = "id -un && id -gn && echo $USER $HOME | tr a-z A-Z", user = "daemon" });
        Assert.Equal(("succeeded", "", 0), End(task));
        Assert.Equal(["daemon", "daemon", "DAEMON /USR/SBIN"], await LogAsync(task));
    }

    [Theory]
    [InlineData("exit 3", "root", "/", "the command ended with exit code 3", 3)]
    [InlineData("kill -9 $$", "root", "/", "the command ended with exit code 137: signal 9 ended it", 137)]
    [InlineData("exec no-such-program", "root", "/", "the command ended with exit code 127: there is no such program on this node", 127)]
    [InlineData("true", "nobody-of-that-name", "/", "this node has no user 'nobody-of-that-name'", null)]
    [InlineData("true", "root", "/no/such/folder", "there is no folder /no/such/folder on this node", null)]
    public async Task A_command_that_fails_says_how(string shell, string user, string folder, string cause, int? exitCode)
    {
        (string state, string said, int? code) = End(await DoAsync("run", new { shell, user, folder }));
        Assert.Equal(("failed", exitCode), (state, code));
        Assert.StartsWith(cause, said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_that_fails_is_run_again_as_often_as_the_retry_policy_says()
    {
        string tries = Path.Combine(Folder, "tries");
        JsonNode task = await EndOfAsync(await OrderAsync("run", new { shell = $"echo once >>{tries}; test $(wc -l <{tries}) = 3" },
            new { attempts = 3, pause = 0 }));
        Assert.Equal(("succeeded", "", 0), End(task));
        Assert.Equal(3, (await File.ReadAllLinesAsync(tries, s_end)).Length);
        task = await EndOfAsync(await OrderAsync("run", new { shell = $"echo once >>{tries}; exit 4" }, new { attempts = 2, pause = 0 }));
        Assert.Equal(("failed", "the command ended with exit code 4", 4), End(task));
        Assert.Equal(5, (await File.ReadAllLinesAsync(tries, s_end)).Length);
    }

    [Fact]
    public async Task A_command_streams_while_it_runs_and_a_cancellation_ends_all_that_it_started()
    {
        JsonNode task = await OrderAsync("run",
            new { shell = "trap 'echo asked to end; exit 7' TERM; sleep 3600 & echo child $!; echo begun; wait" });
        string[] lines = await SaysAsync(task, "begun");
        Assert.Equal("running", (await NowAsync(task))["phase"]!.ToString());
        int child = int.Parse(lines.Single(line => line.StartsWith("child ", StringComparison.Ordinal))[6..],
            System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(IsRunning(child));
        using HttpResponseMessage cancelled = await Api.PostAsync($"tasks/{task["id"]}/cancel", null, s_end);
        Assert.True(cancelled.IsSuccessStatusCode);
        Assert.Equal("cancelled", (await EndOfAsync(task))["state"]!.ToString());
        Assert.Contains("asked to end", await LogAsync(task));
        await Poll.UntilAsync(() => Task.FromResult(IsRunning(child)), running => !running, s_end);
    }

    [Fact]
    public async Task A_command_that_does_not_heed_its_time_out_is_killed()
    {
        JsonNode task = await DoAsync("run", new { shell = "trap '' TERM; echo deaf; while true; do sleep 1; done", timeoutSeconds = 5 });
        Assert.Equal(("timed-out", "the command took longer than its time-out and was ended", 137), End(task));
        Assert.Contains("deaf", await LogAsync(task));
    }

    [Fact]
    public async Task A_daemon_that_a_command_leaves_behind_does_not_hold_the_task_up()
    {
        JsonNode task = await DoAsync("run", new { shell = "setsid sleep 600 & echo $!" });
        Assert.Equal(("succeeded", "", 0), End(task));
        string pid = (await LogAsync(task)).Single();
        Assert.Equal("succeeded", (await DoAsync("run", new { shell = $"kill {pid}" }))["state"]!.ToString());
    }

    [Fact]
    public async Task A_command_in_the_middle_of_which_the_Slave_is_stopped_is_ended_and_not_begun_again()
    {
        string counter = Path.Combine(Folder, "begun");
        JsonNode task = await OrderAsync("run", new { shell = $"echo x >>{counter}; echo begun; sleep 3600" });
        await SaysAsync(task, "begun");
        await Slave.DisposeAsync();
        Slave = Start();
        (string state, string cause, _) = End(await EndOfAsync(task));
        Assert.Equal("failed", state);
        Assert.Contains("not begun again", cause);
        Assert.Equal("succeeded", (await DoAsync("run", new { shell = "true" }))["state"]!.ToString());
        Assert.Equal("x\n", await File.ReadAllTextAsync(counter, s_end));
    }

    [Fact]
    public async Task A_flood_of_output_is_kept_within_bounds_and_ends_with_its_last_lines()
    {
        JsonNode task = await DoAsync("run", new { shell = "seq 200000; printf '%5000s\\n' long; printf 'no end'" });
        Assert.Equal("succeeded", task["state"]!.ToString());
        string[] lines = await LogAsync(task);
        Assert.InRange(lines.Length, 500, 5000);
        Assert.Equal("1", lines[0]);
        Assert.Equal("no end", lines[^1]);
        Assert.EndsWith("characters more)", lines[^2], StringComparison.Ordinal);
        Assert.Contains(lines, line => line.Contains("lines left out", StringComparison.Ordinal));
    }

    private static bool IsRunning(int process) =>
        File.Exists($"/proc/{process}/stat") && !File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);
}
