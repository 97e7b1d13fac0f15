using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Browser.Tests;

/// <summary>What boards answer that were ordered to run a benchmark.</summary>
internal static class Measured
{
    /// <summary>The end of such an order, with a result.</summary>
    /// <param name="median">What it has reached; its samples are a thousandth apart.</param>
    /// <param name="reason">Why the result does not count; null: it does.</param>
    /// <param name="moments">What the board was like meanwhile.</param>
    public static TaskEnded End(StartTask start, double median, string? reason, IReadOnlyList<BenchmarkMoment> moments)
    {
        BenchmarkOrder order = Assert.IsType<BenchmarkOrder>(start.Order);
        var machine = new BenchmarkMachine("Raspberry Pi 4", "arm64", "", "6.1", "performance", 1500, 1500, 4);
        BenchmarkFault[] faults = reason is null ? [] : [new BenchmarkFault(reason, $"seen: {reason}")];
        return new TaskEnded(start.TaskId, true, false, "", DiskState.Untouched, Benchmark: new BenchmarkResult(
            order.Plan.Request, [.. Enumerable.Range(0, 10).Select(n => median * (1 + (0.001 * (n % 3))))], median, 0, 0.996 * median,
            1.004 * median, true, faults, machine, moments, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), 30, 2));
    }
}
