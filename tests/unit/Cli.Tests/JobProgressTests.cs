using System.Globalization;
using System.Text.RegularExpressions;
using Bootstrap.Cli.Api;
using Bootstrap.Cli.Commands;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;
using Spectre.Console;

namespace Bootstrap.Cli.Tests;

/// <summary>What <c>--wait</c> shows of a job, however many nodes it has.</summary>
public sealed class JobProgressTests
{
    private const int MostLines = 13;

    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public void A_job_of_many_nodes_is_one_bar_what_failed_and_the_slowest_five()
    {
        JobTask[] tasks =
        [
            .. Enumerable.Range(0, 40).Select(i => Task($"done-{i}", "succeeded", ended: i)),
            .. Enumerable.Range(0, 8).Select(i => Task($"bad-{i}", "failed", ended: 100 + i, cause: $"cause {i}")),
            .. Enumerable.Range(0, 9).Select(i => Task($"busy-{i}", "running", fraction: 0.9 - (0.1 * i))),
            Task("last", "held"),
        ];
        string[] lines = Shown(tasks);
        Assert.InRange(lines.Length, 1, MostLines);
        // 48 have ended, and 9 are half done together.
        Assert.Matches("^━+─+ 90 %  48 of 58 nodes, 8 failed$", lines[0]);
        Assert.Equal(["bad-7: failed: cause 7", "bad-6: failed: cause 6", "bad-5: failed: cause 5", "bad-4: failed: cause 4",
            "bad-3: failed: cause 3", "and 3 more failed"], lines[1..7]);
        Assert.Equal(["busy-8 writing 10 %", "busy-7 writing 20 %", "busy-6 writing 30 %", "busy-5 writing 40 %", "busy-4 writing 50 %",
            "and 5 more nodes"], lines[7..]);
    }

    [Fact]
    public void Of_few_nodes_each_is_shown_and_nothing_more() =>
        Assert.Equal(["pi-1 waiting"], Shown([Task("pi-1", "waiting"), Task("pi-2", "succeeded", ended: 1)])[1..]);

    [Fact]
    public async Task A_terminal_is_never_overflowed_and_the_end_is_a_table()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        const int Nodes = 30;
        for (int i = 1; i <= Nodes; i++)
        {
            line.Kept.Add(await SimulatedNode.ConnectAsync(line.Appliance.Info, NodeId.Parse($"10000000dddd{i:d4}"), NodeRole.NetInst,
                "arm64", s_end));
        }
        Task<(int Code, string Output, string Errors)> waited = line.RunScriptAsync(
            $"export TERM=xterm; script -qec 'stty cols 80 rows 24; exec {CommandLine.Program} reboot all --wait' /dev/null < /dev/null");
        foreach ((SimulatedNode node, int i) in line.Kept.Cast<SimulatedNode>().Select((node, i) => (node, i)))
        {
            StartTask start = await node.AcceptTaskAsync(s_end);
            if (i < 7)
            {
                await node.SendAsync(new TaskEnded(start.TaskId, false, false, "no power", DiskState.Untouched), s_end);
            }
            else
            {
                await node.RestartAsync(NodeRole.NetInst, cancellation: s_end);
            }
        }
        (int code, string output, _) = await waited;
        Assert.Equal(1, code);
        int[] up = [.. Regex.Matches(output, @"\x1b\[(?<n>\d+)A")
            .Select(m => int.Parse(m.Groups["n"].Value, CultureInfo.InvariantCulture))];
        Assert.NotEmpty(up);
        Assert.All(up, n => Assert.InRange(n, 0, MostLines));
        Assert.Equal(Nodes, Regex.Count(output, @"(?m)^node-dd\d{4} +(succeeded|failed)"));
    }

    [Fact]
    public async Task In_a_pipe_failures_are_told_when_they_come_and_JSON_is_nothing_else()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(line.Appliance.Info, NodeId.Parse("10000000dddd0001"),
            NodeRole.NetInst, "arm64", s_end);
        foreach (bool json in new[] { false, true })
        {
            Task<(int Code, string Output, string Errors)> waited =
                line.RunAsync(["reboot", "all", "--wait", .. json ? ["--json"] : Array.Empty<string>()]);
            StartTask start = await node.AcceptTaskAsync(s_end);
            await node.SendAsync(new TaskEnded(start.TaskId, false, false, "no power", DiskState.Untouched), s_end);
            (int code, string output, string errors) = await waited;
            Assert.Equal((1, ""), (code, errors));
            Assert.StartsWith(json ? "{" : "node-dd0001: failed: no power\njob ", output, StringComparison.Ordinal);
        }
    }

    private static string[] Shown(JobTask[] tasks)
    {
        var job = new Job(Guid.Empty, "install", "tiny", 0, "admin", false, new Dictionary<string, int>(), "");
        var text = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(text), Ansi = AnsiSupport.No });
        console.Profile.Width = 80;
        console.Write(new Rows(JobProgress.Lines(new JobDetail(job, tasks), 80)));
        return text.ToString().TrimEnd('\n').Split('\n');
    }

    private static JobTask Task(string node, string state, long? ended = null, string cause = "", double? fraction = null) =>
        new(Guid.NewGuid(), node, state, state == "running" ? "writing" : "", 0, 0, "", 0, cause, null, ended, null, "", "", fraction);
}
