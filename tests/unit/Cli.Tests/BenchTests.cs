using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Cli.Tests;

/// <summary><c>bootstrap bench</c>.</summary>
public sealed class BenchTests
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_benchmark_is_run_and_its_results_are_listed_and_ranked()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode fast = await ConnectAsync(line, "10000000cccc0001"), slow = await ConnectAsync(line, "10000000cccc0002"),
            hot = await ConnectAsync(line, "10000000cccc0003");
        Assert.Matches("sha256 +bytes/s +SHA-256 by OpenSSL +size=1MiB", await RunAsync(line, "bench", "list", "--wide"));
        await RunAsync(line, "bench", "run", "sha256", "--node", "all", "--param", "size=64KiB", "--all-cores");

        await EndAsync(fast, 2e9);
        await EndAsync(slow, 1e9);
        await EndAsync(hot, 3e9, new BenchmarkFault(BenchmarkFault.Throttled, "the firmware throttled the processor"));
        string results = await Poll.UntilAsync(() => RunAsync(line, "bench", "results", "--wide"),
            text => text.Split("sha256", StringSplitOptions.None).Length == 4, s_end);
        Assert.Matches("sha256 size=64KiB all cores +2 GB/s +± 0[.]5 % +20[0-9: -]+ +yes", results);
        Assert.Matches("sha256 size=64KiB all cores +3 GB/s .*no: the firmware throttled the processor", results);

        string[] ranked = (await RunAsync(line, "bench", "ranking", "--benchmark", "sha256", "--wide")).Split('\n');
        Assert.Matches("2 GB/s +133[.]3 %", ranked[1]);
        Assert.Matches("1 GB/s +66[.]7 %", ranked[2]);
        Assert.Equal(4, ranked.Length); // and an empty one
    }

    [Theory]
    [InlineData(1, "There is no benchmark 'tomorrow'", "results", "--benchmark", "tomorrow")]
    [InlineData(1, "The benchmark cannot be run: there is no benchmark 'tomorrow'", "run", "tomorrow", "--node", "all")]
    [InlineData(1, "The benchmark cannot be run: sha256: 'big' is no size", "run", "sha256", "--node", "all", "--param", "size=big")]
    [InlineData(2, "--param takes NAME=VALUE, and not 'size'", "run", "sha256", "--node", "all", "--param", "size")]
    public async Task What_makes_no_sense_is_refused_in_one_sentence(int code, string reason, params string[] arguments)
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await ConnectAsync(line, "10000000cccc0001");
        (int ended, string output, string errors) = await line.RunAsync(["bench", .. arguments]);
        Assert.Equal(code, ended);
        Assert.Contains(reason, errors + output, StringComparison.Ordinal);
    }

    private static Task<SimulatedNode> ConnectAsync(CommandLine line, string id) =>
        SimulatedNode.ConnectAsync(line.Appliance.Info, NodeId.Parse(id), NodeRole.Slave, "arm64", s_end);

    /// <summary>Takes the order, and tells a result.</summary>
    private static async Task EndAsync(SimulatedNode node, double median, params BenchmarkFault[] faults)
    {
        StartTask start = await node.AcceptTaskAsync(s_end);
        BenchmarkOrder order = Assert.IsType<BenchmarkOrder>(start.Order);
        Assert.Equal((64 << 10, true, 30), (order.Plan.Request.Parameters["size"], order.Plan.Request.AllCores, order.Plan.QuietSeconds));
        var machine = new BenchmarkMachine("Raspberry Pi 4", "arm64", "", "6.1", "performance", 1500, 1500, 4);
        await node.SendAsync(new TaskEnded(start.TaskId, true, false, "", DiskState.Untouched, Benchmark: new BenchmarkResult(
            order.Plan.Request, [median], median, 0, 0.995 * median, 1.005 * median, true, faults, machine, [],
            TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), 30, 2)), s_end);
    }

    private static async Task<string> RunAsync(CommandLine line, params string[] arguments)
    {
        (int code, string output, string errors) = await line.RunAsync(arguments);
        Assert.True(code == 0, errors);
        return output;
    }
}
