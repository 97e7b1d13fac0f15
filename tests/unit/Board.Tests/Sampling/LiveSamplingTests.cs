using System.Diagnostics;
using System.Globalization;
using Bootstrap.Board.Sampling;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Board.Tests.Sampling;

/// <summary>The machine that the tests run on.</summary>
[Collection("readings of this machine")]
public sealed class LiveSamplingTests
{
    private static readonly int s_cores = File.ReadLines("/proc/stat").Count(line => line.StartsWith("cpu", StringComparison.Ordinal)) - 1;

    private static TimeSpan OwnTime()
    {
        using Process me = Process.GetCurrentProcess();
        return me.TotalProcessorTime;
    }

    /// <summary>Works until this process has used so much of the processor.</summary>
    private static void Spin(TimeSpan time)
    {
        TimeSpan until = OwnTime() + time;
        while (OwnTime() < until)
        {
            long sum = 0;
            for (int i = 0; i < 1_000_000; i++)
            {
                sum += i;
            }
            Assert.True(sum > 0);
        }
    }

    [Fact]
    public void Work_of_a_thread_is_seen_on_the_cores_and_in_its_process()
    {
        using var sampler = new StatusSampler("/", TimeProvider.System);
        sampler.Sample(withProcesses: true);
        long started = TimeProvider.System.GetTimestamp();
        TimeSpan work = TimeSpan.FromSeconds(1);
        Spin(work);
        StatusReading reading = sampler.Sample(withProcesses: true);
        double seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;

        // What the cores did together holds this work, but for what the kernel's ticks are rounded by.
        double busy = Enumerable.Range(0, s_cores).Sum(core => reading.Values.GetValueOrDefault(MetricKey.Of(Metrics.Busy, $"{core}")));
        Assert.InRange(busy / 100 * seconds, 0.9 * work.TotalSeconds, 1.1 * s_cores * seconds);
        Assert.InRange(reading.Values[Metrics.Busy], 0, 100);
        ProcessReading me = reading.TopProcesses.Single(process => process.Id == Environment.ProcessId);
        Assert.InRange(me.Busy / 100 * seconds, 0.9 * work.TotalSeconds, 1.1 * s_cores * seconds);
        Assert.InRange(me.Memory, 10 << 20, (long)reading.Values[Metrics.Memory]);
    }

    [Fact]
    public void What_is_written_to_a_disk_is_what_the_kernel_counts()
    {
        var clock = new StepClock();
        using var sampler = new StatusSampler("/", clock);
        double beforeFirst = Written();
        sampler.Sample(withProcesses: false);
        double afterFirst = Written();
        const int size = 4 << 20;
        string path = Path.Combine(AppContext.BaseDirectory, $"sampling-{Guid.NewGuid()}");
        using (var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose))
        {
            file.Write(new byte[size]);
            file.Flush(flushToDisk: true);
        }
        clock.Step(1);
        double beforeSecond = Written();
        StatusReading reading = sampler.Sample(withProcesses: false);
        double afterSecond = Written();
        Assert.InRange(reading.Values.GetValueOrDefault(Metrics.DiskWrite), beforeSecond - afterFirst, afterSecond - beforeFirst);
    }

    /// <summary>To whole disks, in bytes: iostats.rst, the tenth field of a line is sectors written.</summary>
    private static double Written() => File.ReadLines("/proc/diskstats")
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(fields => DiskReader.IsDisk(fields[2]))
        .Sum(fields => 512 * double.Parse(fields[9], CultureInfo.InvariantCulture));

    [Fact]
    public void Memory_that_is_taken_is_seen()
    {
        const int size = 256 << 20;
        using var sampler = new StatusSampler("/", TimeProvider.System);
        double before = Field("MemAvailable");
        StatusReading reading = sampler.Sample(withProcesses: false);
        double after = Field("MemAvailable");
        Assert.Equal(Field("MemTotal"), reading.Values[Metrics.Memory]);
        // Others take and give meanwhile.
        Assert.InRange(reading.Values[Metrics.MemoryAvailable], Math.Min(before, after) - size, Math.Max(before, after) + size);
        Assert.InRange(reading.Values[Metrics.MemoryUsed], 0.1, 99.9);
    }

    private static double Field(string name) => 1024 * double.Parse(File.ReadLines("/proc/meminfo")
        .First(line => line.StartsWith(name + ':', StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);

    [Fact]
    public void Every_value_is_plausible_and_of_a_known_metric()
    {
        using var sampler = new StatusSampler("/", TimeProvider.System);
        sampler.Sample(withProcesses: false);
        Spin(TimeSpan.FromMilliseconds(100));
        StatusReading reading = sampler.Sample(withProcesses: false);
        foreach ((string key, double value) in reading.Values)
        {
            Metric metric = Assert.IsType<Metric>(Metrics.Find(key));
            (double least, double most) = metric.Unit switch
            {
                MetricUnit.Flag => (0, 1),
                MetricUnit.Percent => (0, 110),
                MetricUnit.Celsius => (-40, 150),
                _ => (0.0, 1e15),
            };
            Assert.True(value >= least && value <= most, $"{key} is {value}");
        }
        Assert.Equal(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim(), reading.Facts[StatusFact.BootId]);
        Assert.Equal(File.ReadAllText("/proc/sys/kernel/osrelease").Trim(), reading.Facts[StatusFact.Kernel]);
        Assert.Contains(Metrics.Load1, reading.Values.Keys);
        Assert.InRange(reading.Values[Metrics.Processes], 1, 1_000_000);
    }

    [Fact]
    public void Files_stay_open_and_are_closed_in_the_end()
    {
        int before = OpenFiles();
        using (var sampler = new StatusSampler("/", TimeProvider.System))
        {
            sampler.Sample(withProcesses: true);
            int first = OpenFiles();
            Assert.True(first > before);
            for (int i = 0; i < 20; i++)
            {
                sampler.Sample(withProcesses: true);
            }
            Assert.InRange(OpenFiles(), 0, first + 5);
        }
        Assert.InRange(OpenFiles(), 0, before + 5);
    }

    private static int OpenFiles() =>
        Directory.EnumerateFileSystemEntries("/proc/self/fd").Select(entry => new FileInfo(entry).LinkTarget ?? "")
            .Count(target => target.StartsWith("/proc/", StringComparison.Ordinal) ||
                target.StartsWith("/sys/", StringComparison.Ordinal) || target == "/dev/kmsg");
}
