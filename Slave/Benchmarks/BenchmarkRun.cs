using System.Runtime.InteropServices;
using Bootstrap.Benchmarks.Kernels;
using Bootstrap.Benchmarks.Measurement;
using Bootstrap.Board;
using Bootstrap.Board.Sampling;
using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Benchmarks;

/// <summary>A benchmark did not come to a result.</summary>
/// <param name="message">Why, in one sentence.</param>
public sealed class BenchmarkException(string message) : Exception(message);

/// <summary>
/// One run of a benchmark on this machine: waits until it is quiet, raises the governor, measures while it looks each second at what the
/// machine does, and judges whether the result counts (the method is that of sbc-bench).
/// </summary>
/// <param name="root">"/" but in tests.</param>
/// <param name="governorFile">Where the governors of before stand meanwhile (<see cref="Governors"/>).</param>
/// <param name="folder">On the card, where a scratch file may be made.</param>
/// <param name="tell">Gets lines for people.</param>
/// <param name="clock">Times the waiting.</param>
public sealed class BenchmarkRun(string root, string governorFile, string folder, Action<string> tell, TimeProvider clock)
{
    /// <summary>This part of the memory that is left, or of the card, can be used; the rest stays with the system.</summary>
    private const double MostUsed = 0.8;

    private const string Processors = "sys/devices/system/cpu";

    private readonly SysFile _sys = new(root);

    /// <summary>Runs it.</summary>
    /// <param name="order">What is measured, and how long.</param>
    /// <exception cref="BenchmarkException">There is no result.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the governors are as they were.</exception>
    public async Task<BenchmarkResult> RunAsync(BenchmarkPlan order, CancellationToken cancellation)
    {
        BenchmarkRequest request = order.Request;
        int[] processors = request.AllCores ? [.. Linux.Processors()] : [Linux.Processors()[^1]];
        long need = KernelFactory.MemoryOf(request, processors.Length), there = new BoardReader(root).ReadHealth().MemoryAvailableBytes;
        if (need > MostUsed * there)
        {
            throw new BenchmarkException(FormattableString.Invariant(
                $"it takes {need / 1e6:0} MB of memory, and the node has {there / 1e6:0} MB left: choose a smaller size"));
        }
        long scratch = KernelFactory.ScratchOf(request, processors.Length), free = new DriveInfo(folder).AvailableFreeSpace;
        if (scratch > MostUsed * free)
        {
            throw new BenchmarkException(FormattableString.Invariant(
                $"it takes {scratch / 1e6:0} MB of the card, and {free / 1e6:0} MB of it are free: choose a smaller size"));
        }
        using var sampler = new StatusSampler(root, clock);
        StatusReading Read() => sampler.Sample(withProcesses: false);
        TimeSpan waited = await new QuietWait(Read, clock)
            .RunAsync(TimeSpan.FromSeconds(order.QuietSeconds), TimeSpan.FromSeconds(order.PatienceSeconds), tell, cancellation)
            .ConfigureAwait(false) ?? throw new BenchmarkException("the node did not become quiet: nothing was measured");
        using Governors? governors = Raise();
        SamplePlan plan = order.SoakSeconds > 0
            ? SamplePlan.Soak(TimeSpan.FromSeconds(order.SoakSeconds))
            : SamplePlan.Standard with { Limit = TimeSpan.FromSeconds(order.LimitSeconds) };
        MachineState before = State(processors[0]);
        using var recorder = new Recorder(Read, BenchmarkKind.Find(request.Kind) is { WorksInKernel: true });
        DateTimeOffset started = clock.GetUtcNow();
        long began = clock.GetTimestamp();
        Samples samples;
        try
        {
            samples = new Sampler(request, processors, plan, folder, order.Peer).Run(null, cancellation);
        }
        catch (Exception e) when (e is WrongResultException or OutOfMemoryException or IOException)
        {
            throw new BenchmarkException(e is OutOfMemoryException ? "there is not enough memory: choose a smaller size" : e.Message);
        }
        TimeSpan took = clock.GetElapsedTime(began);
        IReadOnlyList<Moment> moments = recorder.End();
        MachineState after = State(processors[0]);
        MedianSpread spread = samples.Spread;
        return new BenchmarkResult(request, Thin(samples.Values), spread.Median, spread.Mad,
            Math.Max(spread.Low, samples.Values.Min()), Math.Min(spread.High, samples.Values.Max()), samples.IsSteady,
            Judge.FaultsOf(moments, before, after), Describe(before, moments[0]), [.. Thin(moments).Select(Tell)],
            started.ToUnixTimeMilliseconds(), waited.TotalSeconds, took.TotalSeconds)
        {
            Counters = samples.Counters,
            Peer = order.Peer?.Name ?? "",
        };
    }

    /// <summary>Where the governors cannot be set, as in a container, it is measured as it is.</summary>
    private Governors? Raise()
    {
        try
        {
            return Governors.Raise(root, governorFile);
        }
        catch (IOException e)
        {
            tell($"the governor stays as it is: {e.Message}");
            return null;
        }
    }

    private MachineState State(int processor)
    {
        double clockNow = 0;
        // On the processor that is measured, or on the first of them.
        var counting = new Thread(() =>
        {
            Linux.StayOn(processor);
            clockNow = CycleCounter.Measure();
        });
        counting.Start();
        counting.Join();
        string[] governors = [.. Governors.Read(root).Select(p => p.Governor).Distinct()];
        Dictionary<string, long> limits = [];
        foreach ((string policy, _) in Governors.Read(root))
        {
            if (_sys.Number($"{Processors}/cpufreq/{policy}/scaling_max_freq") is { } limit)
            {
                limits[policy] = limit;
            }
        }
        return new MachineState(clockNow, governors.Length == 0 ? null : string.Join(", ", governors), Linux.Processors().Count, limits);
    }

    private BenchmarkMachine Describe(MachineState state, Moment before) => new(
        new BoardReader(root).ReadModel(),
        RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "amd64",
        before.Reading.Facts.GetValueOrDefault(StatusFact.Bootloader, ""),
        before.Reading.Facts.GetValueOrDefault(StatusFact.Kernel, ""),
        state.Governor, before.Value(Metrics.NominalClock), state.MeasuredClock, state.Processors);

    private static BenchmarkMoment Tell(Moment moment) => new(
        moment.Seconds, LeastOf(moment.Parts(Metrics.Clock)), MostOf(moment.Parts(Metrics.Temperature)), moment.Value(Metrics.Busy),
        moment.Background is { } background ? Math.Max(0, background) : null,
        moment.Value(Metrics.Throttled) is { } throttled ? throttled > 0 : null);

    private static double? LeastOf(IEnumerable<double> values) => values.Select(v => (double?)v).Min();

    private static double? MostOf(IEnumerable<double> values) => values.Select(v => (double?)v).Max();

    /// <summary>As many as a result has: every n-th.</summary>
    private static IReadOnlyList<T> Thin<T>(IReadOnlyList<T> all)
    {
        int step = (all.Count + BenchmarkResult.Longest - 1) / BenchmarkResult.Longest;
        return step <= 1 ? all : [.. all.Where((_, i) => i % step == 0)];
    }
}
