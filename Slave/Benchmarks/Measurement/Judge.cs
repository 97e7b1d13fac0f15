using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Benchmarks.Measurement;

/// <summary>One reading of the node during a run.</summary>
/// <param name="Seconds">Since the first sample began.</param>
/// <param name="Reading">What the node tells.</param>
/// <param name="Own">Percent of all cores that the benchmark itself used since the reading before, without the kernel where a card is
/// measured; null: it is the first, or too little time has passed to say.</param>
/// <param name="InKernel">What is measured works by way of the kernel: what that does is done for the benchmark.</param>
internal sealed record Moment(double Seconds, StatusReading Reading, double? Own, bool InKernel = false)
{
    /// <summary>Percent of all cores that somebody else used; below 0 where both were not counted at the same moment.</summary>
    public double? Background => Own is { } own && Value(Metrics.Busy) is { } busy
        ? busy - own - (InKernel ? Value(Metrics.System) ?? 0 : 0) : null;

    public double? Value(string metric) => Reading.Values.TryGetValue(metric, out double value) ? value : null;

    /// <summary>All that is told of the metric's parts, or of the whole where it has none.</summary>
    public IEnumerable<double> Parts(string metric) => Reading.Values.Where(v => MetricKey.MetricOf(v.Key) == metric).Select(v => v.Value);
}

/// <summary>What was looked at before and after a run, and not each second.</summary>
/// <param name="MeasuredClock">MHz (<see cref="CycleCounter"/>).</param>
/// <param name="Governor">Of all cores; null: the kernel has none.</param>
/// <param name="Processors">That are on.</param>
/// <param name="Limits">Highest frequency that may be chosen, of each core's policy, kHz.</param>
internal sealed record MachineState(double MeasuredClock, string? Governor, int Processors, IReadOnlyDictionary<string, long> Limits);

/// <summary>Whether a result counts. The limits are those of sbc-bench, whose users have found them.</summary>
internal static class Judge
{
    private const double ClockDifference = 0.09, MeanBackground = 1, PeakBackground = 5, MostSystem = 15;

    private static readonly (string Metric, string Reason, string Words)[] s_firmware =
    [
        (Metrics.UnderVoltageSinceBoot, BenchmarkFault.UnderVoltage, "the supply's voltage was too low"),
        (Metrics.CappedSinceBoot, BenchmarkFault.Capped, "the firmware capped the clock"),
        (Metrics.ThrottledSinceBoot, BenchmarkFault.Throttled, "the firmware throttled the processor"),
        (Metrics.SoftLimitSinceBoot, BenchmarkFault.SoftLimit, "the board reached its soft limit of temperature"),
    ];

    private static readonly (string Metric, string Reason, string Words)[] s_now =
    [
        (Metrics.UnderVoltage, BenchmarkFault.UnderVoltage, "the supply's voltage was too low"),
        (Metrics.Capped, BenchmarkFault.Capped, "the firmware capped the clock"),
        (Metrics.Throttled, BenchmarkFault.Throttled, "the firmware throttled the processor"),
        (Metrics.SoftLimit, BenchmarkFault.SoftLimit, "the board was at its soft limit of temperature"),
    ];

    /// <summary>Why the result does not count; empty: it does.</summary>
    /// <param name="moments">One before the first sample, then one each second, and one behind the last.</param>
    public static IReadOnlyList<BenchmarkFault> FaultsOf(IReadOnlyList<Moment> moments, MachineState before, MachineState after)
    {
        var faults = new List<BenchmarkFault>();
        Moment first = moments[0], last = moments[^1];
        foreach ((string metric, string reason, string words) in s_firmware.Where(f => Rose(f.Metric) > 0)
            .Concat(s_now.Where(n => moments.Any(m => m.Value(n.Metric) > 0))).DistinctBy(f => f.Reason))
        {
            faults.Add(new BenchmarkFault(reason, words));
        }
        double clock = Math.Min(before.MeasuredClock, after.MeasuredClock);
        if (first.Value(Metrics.NominalClock) is > 0 and { } nominal && Math.Abs(clock - nominal) > ClockDifference * nominal)
        {
            Add(BenchmarkFault.Clock, $"the processor ran at {clock:0} MHz, and its system says {nominal:0} MHz");
        }
        foreach ((string policy, long limit) in after.Limits)
        {
            if (before.Limits.TryGetValue(policy, out long was) && limit < was)
            {
                Add(BenchmarkFault.Limited, $"{policy} was limited to {limit / 1000} MHz meanwhile, from {was / 1000} MHz");
            }
        }
        if (Rose(Metrics.SwapUsed) > 0)
        {
            Add(BenchmarkFault.Swap, $"{Rose(Metrics.SwapUsed):0.#} % more of the swap space was used at the end");
        }
        if (Rose(Metrics.OomKills) > 0)
        {
            Add(BenchmarkFault.OutOfMemory, $"the kernel ended a process for want of memory");
        }
        double[] background = [.. moments.Select(m => m.Background).OfType<double>()];
        if (background.Length > 0 && (background.Average() > MeanBackground || background.Max() > PeakBackground))
        {
            Add(BenchmarkFault.Background,
                $"other programs took {background.Average():0.#} % of the processors, and {background.Max():0.#} % at most");
        }
        double[] system =
            [.. moments.Where(m => m is { Own: not null, InKernel: false }).Select(m => m.Value(Metrics.System)).OfType<double>()];
        if (system.Length > 0 && system.Average() > MostSystem)
        {
            Add(BenchmarkFault.SystemTime, $"the kernel took {system.Average():0.#} % of the processors");
        }
        if (after.Processors < before.Processors)
        {
            Add(BenchmarkFault.CoreGone, $"{before.Processors - after.Processors} of {before.Processors} processors went off");
        }
        if (after.Governor != before.Governor)
        {
            Add(BenchmarkFault.Governor, $"the governor was changed from {before.Governor ?? "none"} to {after.Governor ?? "none"}");
        }
        return faults;

        void Add(string reason, FormattableString words) => faults.Add(new BenchmarkFault(reason, FormattableString.Invariant(words)));

        double? Rose(string metric) => last.Value(metric) - first.Value(metric);
    }
}
