using Bootstrap.Board;
using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Benchmarks.Measurement;

/// <summary>What the processor counts while the calling thread works; nothing at first.</summary>
internal sealed class HardwareCounters : IDisposable
{
    private readonly SafeFileHandle[] _counters;

    private HardwareCounters(SafeFileHandle[] counters) => _counters = counters;

    /// <summary>Null: this machine, or its kernel, has none for us.</summary>
    public static HardwareCounters? Open() => Open(PerfEvent.Cycles, PerfEvent.Instructions, PerfEvent.CacheMisses);

    /// <summary>Others, for tests: every machine has those of the kernel.</summary>
    internal static HardwareCounters? Open(params ReadOnlySpan<PerfEvent> events) =>
        Linux.OpenCounters(events) is { } counters ? new HardwareCounters(counters) : null;

    /// <summary>Counts from now on.</summary>
    public void Start() => Linux.Count(_counters[0], isOn: true);

    /// <summary>Counts no more.</summary>
    public void Stop() => Linux.Count(_counters[0], isOn: false);

    /// <summary>What was counted between all starts and stops, in the order of the events.</summary>
    public double[] Read() => Linux.ReadCounters(_counters[0], _counters.Length);

    public void Dispose() => Array.ForEach(_counters, counter => counter.Dispose());
}
