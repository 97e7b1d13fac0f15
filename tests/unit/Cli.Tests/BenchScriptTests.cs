using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Cli.Tests;

/// <summary><c>bootstrap bench script</c>.</summary>
public sealed class BenchScriptTests
{
    private const string Script = """
        select: all
        steps:
          - name: there
            connect: { atLeast: 2, minutes: 5 }
          - name: hash
            after: [there]
            times: 2
            measure: { benchmark: sha256, parameters: { size: 64KiB }, quietSeconds: 0 }
          - name: table
            after: [hash]
            report: [hash]
        """;

    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Steps_are_done_one_after_the_other_and_the_report_compares_with_the_times_before()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        string file = Write(line, Script);
        await using SimulatedNode first = await ConnectAsync(line, 1);
        Task<(int Code, string Output, string Errors)> running = line.RunAsync("bench", "script", file, "--wide");
        await using SimulatedNode second = await ConnectAsync(line, 2);
        foreach (double speed in new[] { 2e9, 1e9 })
        {
            await EndAsync(first, speed);
            await EndAsync(second, 2e9);
        }
        (int code, string output, string errors) = await running;
        Assert.Equal((0, ""), (code, errors));
        string[] lines = output.Split('\n');
        Assert.Equal("there: done", lines[0]);
        Assert.Matches("^hash: job [0-9a-f-]{36}, 1 of 2$", lines[1]);
        Assert.Matches("^hash: job [0-9a-f-]{36}, 2 of 2$", lines[2]);
        Assert.Equal(("hash: done", "table: done"), (lines[3], lines[9]));
        Assert.Matches("node-ee0001 +sha256 size=64KiB +1 GB/s .* 50[.]0 % .*yes, slower than before", output);
        Assert.Matches("node-ee0002 +sha256 size=64KiB +2 GB/s .* 100[.]0 % .*yes\n", output);
    }

    [Fact]
    public async Task What_comes_after_a_step_that_failed_is_left_out()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await ConnectAsync(line, 1);
        string file = Write(line, Script.Replace("atLeast: 2", "atLeast: 1", StringComparison.Ordinal));
        Task<(int Code, string Output, string Errors)> running = line.RunAsync("bench", "script", file);
        StartTask start = await node.AcceptTaskAsync(s_end);
        await node.SendAsync(new TaskEnded(start.TaskId, false, false, "it is on fire", DiskState.Untouched), s_end);
        (int code, string output, _) = await running;
        Assert.Equal(1, code);
        Assert.EndsWith("hash: 1 of 1 nodes failed: node-ee0001\ntable: left out, since 'hash' did not succeed\n", output,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("measure: {", "warm: {", "line 8, column 5: 'warm' is not known here")]
    [InlineData("after: [there]", "after: [their]", "step 'hash' names the step 'their', which does not stand before it")]
    [InlineData("after: [there]", "after: [table]", "step 'hash' names the step 'table', which does not stand before it")]
    [InlineData("name: hash", "name: there", "step 'there' is there twice")]
    [InlineData("name: hash", "times: 2", "line 7")]
    [InlineData("times: 2", "times: 0", "step 'hash' is done 1 to 100 times, and not 0")]
    [InlineData("times: 2", "report: [there]", "step 'hash' needs one of 'connect', 'measure' and 'report', and not more")]
    [InlineData("report: [hash]", "report: [there]", "step 'table' reports the step 'there', which measures nothing")]
    [InlineData("select: all", "", "step 'there' chooses no nodes")]
    [InlineData("benchmark: sha256", "benchmark: sha3", "step 'hash': The benchmark cannot be run: there is no benchmark 'sha3'")]
    [InlineData("size: 64KiB", "size: big", "step 'hash': The benchmark cannot be run: sha256: 'big' is no size")]
    [InlineData("select: all", "select: 'colour:red'", "step 'hash': ")]
    public async Task A_script_that_makes_no_sense_is_refused_with_the_place_and_nothing_is_started(
        string what, string wrong, string reason)
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await ConnectAsync(line, 1);
        string file = Write(line, Script.Replace(what, wrong, StringComparison.Ordinal));
        (int code, string output, string errors) = await line.RunAsync("bench", "script", file);
        Assert.NotEqual(0, code);
        Assert.Equal("", output);
        Assert.Contains(reason, errors, StringComparison.Ordinal);
        Assert.Equal("[]", (await line.RunAsync("jobs", "list", "--json")).Output.Trim());
    }

    private static string Write(CommandLine line, string text)
    {
        string path = Path.Combine(line.Folder, "script.yaml");
        File.WriteAllText(path, text);
        return path;
    }

    private static Task<SimulatedNode> ConnectAsync(CommandLine line, int number) =>
        SimulatedNode.ConnectAsync(line.Appliance.Info, NodeId.Parse($"10000000eeee000{number}"), NodeRole.Slave, "arm64", s_end);

    /// <summary>Takes the order, and tells a result.</summary>
    private static async Task EndAsync(SimulatedNode node, double median)
    {
        StartTask start = await node.AcceptTaskAsync(s_end);
        BenchmarkOrder order = Assert.IsType<BenchmarkOrder>(start.Order);
        var machine = new BenchmarkMachine("Raspberry Pi 4", "arm64", "", "6.1", "performance", 1500, 1500, 4);
        await node.SendAsync(new TaskEnded(start.TaskId, true, false, "", DiskState.Untouched, Benchmark: new BenchmarkResult(
            order.Plan.Request, [median], median, 0, 0.995 * median, 1.005 * median, true, [], machine, [],
            TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), 0, 2)), s_end);
    }
}
