using System.IO.MemoryMappedFiles;
using Bootstrap.Benchmarks.Measurement;
using Bootstrap.Board;
using Bootstrap.Protocol.Benchmarks;

namespace Bootstrap.Benchmarks.Tests;

/// <summary>Counters of the kernel itself, which every machine has, by the same way as those of processors.</summary>
public sealed class HardwareCounterTests
{
    [Fact]
    public void Only_what_this_thread_does_between_start_and_stop_is_counted()
    {
        using HardwareCounters counters = HardwareCounters.Open(PerfEvent.TaskClock, PerfEvent.PageFaults)!;
        Touch(1000);
        Assert.Equal([0, 0], counters.Read());
        counters.Start();
        Touch(100);
        counters.Stop();
        double[] counted = counters.Read();
        Assert.InRange(counted[0], 1, 60e9);
        Assert.InRange(counted[1], 100, 900);
        Touch(1000);
        Assert.Equal(counted, counters.Read());
        counters.Start();
        Touch(200);
        counters.Stop();
        Assert.InRange(counters.Read()[1], counted[1] + 200, counted[1] + 900);
    }

    [Fact]
    public void Where_one_of_them_is_not_there_there_are_none() =>
        Assert.Null(HardwareCounters.Open(PerfEvent.TaskClock, new PerfEvent(0xffff, 1)));

    /// <summary>Virtual machines often have none: then the result says so, and is a result all the same.</summary>
    [Fact]
    public void A_result_has_what_the_processor_counted_or_nothing()
    {
        using HardwareCounters? here = HardwareCounters.Open();
        BenchmarkRequest request = BenchmarkRequest.Read("crc32", new Dictionary<string, string>(), allCores: true, out _)!;
        var plan = new SamplePlan(TimeSpan.FromMilliseconds(2), TimeSpan.Zero, 6, 8, 0.01, TimeSpan.FromSeconds(30));
        Samples samples = new Sampler(request, [0], plan, AppContext.BaseDirectory).Run(null, TestContext.Current.CancellationToken);
        Assert.Equal(here is null, samples.Counters is null);
        Assert.All(samples.Counters is { } c ? [c.Cycles, c.Instructions] : Array.Empty<double>(),
            counted => Assert.InRange(counted, 1, double.MaxValue));
    }

    /// <summary>Uses pages of memory for the first time: a fault each.</summary>
    private static void Touch(int pages)
    {
        using var memory = MemoryMappedFile.CreateNew(null, (long)pages * Environment.SystemPageSize);
        using MemoryMappedViewAccessor view = memory.CreateViewAccessor();
        for (int i = 0; i < pages; i++)
        {
            view.Write((long)i * Environment.SystemPageSize, (byte)1);
        }
    }
}
