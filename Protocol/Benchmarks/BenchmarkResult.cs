namespace Bootstrap.Protocol.Benchmarks;

/// <summary>Why a result does not count.</summary>
/// <param name="Reason">One of <see cref="Reasons"/>.</param>
/// <param name="Words">What was seen, in one sentence.</param>
public sealed record BenchmarkFault(string Reason, string Words)
{
    /// <summary>A Pi's firmware has said so meanwhile, or has kept it in mind since.</summary>
    public const string UnderVoltage = "under-voltage", Capped = "capped", Throttled = "throttled", SoftLimit = "soft-limit";

    /// <summary>The processor runs at another clock than its system says, or a limit held it down.</summary>
    public const string Clock = "clock", Limited = "limited";

    /// <summary>Memory was short.</summary>
    public const string Swap = "swap", OutOfMemory = "out-of-memory";

    /// <summary>Something else worked, or the machine was changed meanwhile.</summary>
    public const string Background = "background", SystemTime = "system-time", CoreGone = "core-gone", Governor = "governor";

    /// <summary>All reasons.</summary>
    public static IReadOnlyList<string> Reasons { get; } =
    [
        UnderVoltage, Capped, Throttled, SoftLimit, Clock, Limited, Swap, OutOfMemory, Background, SystemTime, CoreGone, Governor,
    ];
}

/// <summary>What the node was like at one second of a run; what it cannot tell is null.</summary>
/// <param name="Seconds">Since the first sample began.</param>
/// <param name="Clock">Of the slowest core, MHz.</param>
/// <param name="Temperature">Of the hottest sensor, °C.</param>
/// <param name="Busy">Of all cores, percent.</param>
/// <param name="Background">Of that, what was not the benchmark.</param>
/// <param name="IsThrottled">The firmware holds the clock down.</param>
public sealed record BenchmarkMoment(
    double Seconds, double? Clock, double? Temperature, double? Busy, double? Background, bool? IsThrottled);

/// <summary>What it was measured on.</summary>
/// <param name="Model">Of the board.</param>
/// <param name="Architecture">arm64 or amd64.</param>
/// <param name="Firmware">Version of the bootloader; empty where the board does not tell.</param>
/// <param name="Kernel">Release of the running kernel.</param>
/// <param name="Governor">While it was measured; null: the kernel has none.</param>
/// <param name="NominalClock">MHz that the system says the processor reaches; null: it does not say.</param>
/// <param name="MeasuredClock">MHz as counted by a chain of instructions of one cycle each.</param>
/// <param name="Processors">How many are on.</param>
public sealed record BenchmarkMachine(
    string Model, string Architecture, string Firmware, string Kernel, string? Governor, double? NominalClock, double MeasuredClock,
    int Processors);

/// <summary>What the processors counted during all samples together, outside the kernel.</summary>
/// <param name="Cycles">Of all of them.</param>
/// <param name="Instructions">That were completed.</param>
/// <param name="CacheMisses">Accesses that no cache could answer; of which caches, each processor decides.</param>
public sealed record BenchmarkCounters(double Cycles, double Instructions, double CacheMisses);

/// <summary>What one run of a benchmark on one node gave.</summary>
/// <param name="Request">What was measured.</param>
/// <param name="Samples">In the kind's unit, in the order in which they were taken.</param>
/// <param name="Median">Of the samples.</param>
/// <param name="Mad">Median of the absolute distances from it.</param>
/// <param name="Low">The median is between this and <paramref name="High"/> with 95 % probability; of fewer than six samples, the least
/// and the greatest.</param>
/// <param name="IsSteady">The interval is as narrow as was asked for.</param>
/// <param name="Faults">Why the result does not count; empty: it does.</param>
/// <param name="Machine">What it was measured on.</param>
/// <param name="Moments">Second by second.</param>
/// <param name="StartedAt">Unix milliseconds, of the first sample.</param>
/// <param name="WaitedSeconds">Until the node was quiet.</param>
/// <param name="Seconds">From the first sample to the last.</param>
public sealed record BenchmarkResult(
    BenchmarkRequest Request, IReadOnlyList<double> Samples, double Median, double Mad, double Low, double High, bool IsSteady,
    IReadOnlyList<BenchmarkFault> Faults, BenchmarkMachine Machine, IReadOnlyList<BenchmarkMoment> Moments, long StartedAt,
    double WaitedSeconds, double Seconds)
{
    /// <summary>Null: the processor, or its kernel, does not tell.</summary>
    public BenchmarkCounters? Counters { get; init; }

    /// <summary>Who was at the other end, where the network was measured; else empty.</summary>
    public string Peer { get; init; } = "";

    /// <summary>Samples and moments that a result has at most: those of a soak are every n-th.</summary>
    public const int Longest = 720;

    /// <summary>What a node that keeps to the rules can have sent: numbers that are numbers, and no more of them than there may be. Of
    /// lists, the reader of JSON checks that they are there, and not what is in them.</summary>
    public bool IsSound =>
        BenchmarkKind.Find(Request.Kind) is { } kind &&
        Request.Parameters.Keys.ToHashSet().SetEquals(kind.Parameters.Select(p => p.Name)) &&
        Samples.Count is > 0 and <= Longest && Moments.Count <= Longest && Faults.Count <= 2 * BenchmarkFault.Reasons.Count &&
        Samples.Concat([Median, Mad, Low, High, WaitedSeconds, Seconds, Machine.MeasuredClock]).All(n => double.IsFinite(n) && n >= 0) &&
        (Counters is not { } c || new[] { c.Cycles, c.Instructions, c.CacheMisses }.All(n => double.IsFinite(n) && n >= 0)) &&
        Faults.All(f => f is { Words.Length: <= 200 } && BenchmarkFault.Reasons.Contains(f.Reason)) && Moments.All(m => m is not null) &&
        new[] { Machine.Model, Machine.Architecture, Machine.Firmware, Machine.Kernel, Machine.Governor ?? "", Peer }
            .All(t => t.Length <= 200);
}
