using System.Text.Json.Nodes;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Engine;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>A task that does not get on is noticed by what is usual for it.</summary>
public sealed class StallTests : JobTest
{
    [Theory]
    [InlineData(59, 1, 0, null, "")]
    [InlineData(61, 1, 0, null, "no progress for 61 s")]
    [InlineData(100, 12, 0, null, "")]
    [InlineData(121, 12, 0, null, "no progress for 121 s")]
    [InlineData(null, 0, 100, 20, "")]
    [InlineData(null, 0, 101, 20, "no end of this phase for 101 s; on this node it usually takes 20 s")]
    [InlineData(null, 0, 59, 1, "")]
    [InlineData(null, 0, 9999, null, "")]
    public void What_is_usual_decides(int? pause, int usualPause, int inPhase, int? usual, string said) =>
        Assert.Equal(said, StallWatch.Describe(
        pause is { } p ? (TimeSpan.FromSeconds(p), TimeSpan.FromSeconds(usualPause)) : null, TimeSpan.FromSeconds(inPhase), usual is { } u
            ? TimeSpan.FromSeconds(u) : null));

    [Fact]
    public void Three_earlier_times_are_needed_and_the_one_in_the_middle_counts()
    {
        Assert.Null(StallWatch.Median([1000, 2000]));
        Assert.Equal(TimeSpan.FromSeconds(2), StallWatch.Median([900_000, 1000, 2000]));
    }

    [Fact]
    public void Reports_without_progress_do_not_make_a_pause_shorter()
    {
        var board = new ProgressBoard(Time);
        var task = Guid.NewGuid();
        Assert.Null(board.PauseOf(task));
        for (int i = 0; i < 5; i++)
        {
            board.Report(new TaskProgress(task, "writing", i, 100, "bytes"));
            Time.Advance(TimeSpan.FromSeconds(20));
        }
        board.Report(new TaskProgress(task, "writing", 4, 100, "bytes"));
        Time.Advance(TimeSpan.FromSeconds(20));
        (TimeSpan now, TimeSpan usual) = board.PauseOf(task)!.Value;
        // What the test itself takes is in it.
        Assert.InRange(now.TotalSeconds, 40, 60);
        Assert.InRange(usual.TotalSeconds, 20, 40);
        board.Report(new TaskProgress(task, "writing", 100, 100, "bytes"));
        Assert.Null(board.PauseOf(task));
    }

    [Fact]
    public async Task A_task_that_stands_still_says_so_until_it_moves_on()
    {
        await ImportAsync();
        await using SimulatedNode node = await ConnectAsync("10000000eeee0001");
        string job = await OrderAsync(new { kind = "install", nodes = new[] { "all" }, image = "tiny" });
        StartTask start = await node.AcceptTaskAsync(s_end);
        await node.ReportAsync(start.TaskId, "writing", 10, 100, s_end);
        JsonNode task = await UntilTaskAsync(job, t => t["phase"]!.ToString() == "writing");
        Assert.Equal("", task["stall"]!.ToString());
        Time.Advance(TimeSpan.FromSeconds(90));
        task = await UntilTaskAsync(job, t => t["stall"]!.ToString().Length > 0);
        Assert.StartsWith("no progress for 9", task["stall"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal("running", task["state"]!.ToString());
        await node.ReportAsync(start.TaskId, "writing", 20, 100, s_end);
        await UntilTaskAsync(job, t => t["stall"]!.ToString().Length == 0);
    }

    [Fact]
    public async Task A_phase_that_takes_far_longer_than_in_earlier_installations_of_the_node_says_so()
    {
        await ImportAsync();
        await using SimulatedNode node = await ConnectAsync("10000000eeee0001");
        for (int i = 0; i < 3; i++)
        {
            (StartTask start, string job) = await WriteAsync();
            Time.Advance(TimeSpan.FromSeconds(20));
            await node.SendAsync(new TaskEnded(start.TaskId, true, false, "", DiskState.Installed), s_end);
            await UntilTaskAsync(job, t => t["phase"]!.ToString() == "starting");
            await node.RestartAsync(NodeRole.Slave, start.TaskId, cancellation: s_end);
            await UntilAsync(job, "succeeded");
            await node.RestartAsync(NodeRole.NetInst, cancellation: s_end);
        }
        (_, string last) = await WriteAsync();
        Time.Advance(TimeSpan.FromSeconds(130));
        JsonNode task = await UntilTaskAsync(last, t => t["stall"]!.ToString().Length > 0);
        Assert.Matches("^no end of this phase for 13[0-9] s; on this node it usually takes 2[0-9] s$", task["stall"]!.ToString());

        async Task<(StartTask, string)> WriteAsync()
        {
            string job = await OrderAsync(new { kind = "install", nodes = new[] { "all" }, image = "tiny" });
            StartTask start = await node.AcceptTaskAsync(s_end);
            await node.ReportAsync(start.TaskId, "writing", 0, 0, s_end);
            await UntilTaskAsync(job, t => t["phase"]!.ToString() == "writing");
            return (start, job);
        }
    }

    private async Task<JsonNode> UntilTaskAsync(string job, Func<JsonNode, bool> isSo) =>
        (await Poll.UntilAsync(() => GetAsync(job), j => isSo(j["tasks"]![0]!), s_end))["tasks"]![0]!;
}
