using System.Diagnostics;
using System.Globalization;
using Bootstrap.Board.Sampling;

/// <summary>Reads this machine's status as a Slave does once a second, without waiting the second.</summary>
internal static class SamplerLoad
{
    /// <summary>Prints what a reading costs: microseconds of the processor, bytes of memory that are given back; the same with
    /// processes.</summary>
    public static int Run(int readings)
    {
        Measure("", readings, withProcesses: false);
        Measure("processes-", Math.Max(20, readings / 20), withProcesses: true);
        return 0;
    }

    private static void Measure(string prefix, int readings, bool withProcesses)
    {
        const int warmUp = 20;
        var clock = new HastyClock();
        using var sampler = new StatusSampler("/", clock);
        using Process me = Process.GetCurrentProcess();
        TimeSpan started = default;
        long bytes = 0;
        for (int i = -warmUp; i < readings; i++)
        {
            if (i == 0)
            {
                me.Refresh();
                started = me.TotalProcessorTime;
                bytes = GC.GetTotalAllocatedBytes();
            }
            sampler.Sample(withProcesses);
            clock.Seconds++;
        }
        me.Refresh();
        double microseconds = (me.TotalProcessorTime - started).TotalMicroseconds / readings;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{prefix}cpu {microseconds:0.0}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{prefix}bytes {(GC.GetTotalAllocatedBytes() - bytes) / readings}"));
    }

    /// <summary>A second goes by when it is told to: what a reading does only now and then is done as often as it would be.</summary>
    private sealed class HastyClock : TimeProvider
    {
        public long Seconds { get; set; }

        public override long GetTimestamp() => Seconds * TimestampFrequency;
    }
}
