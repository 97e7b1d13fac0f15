using System.Diagnostics;
using Bootstrap.Board.Sampling;
using Bootstrap.Imaging.Tests;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Board.Tests.Sampling;

/// <summary>Faults that this machine's kernel is made to have.</summary>
[Collection(Mounting.Name)]
public sealed class KernelFaultTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fault-").FullName;
    private readonly StatusSampler _sampler;

    public KernelFaultTests()
    {
        // This machine, but for what is mounted: this suite has its own view of that, and the machine's first process does not see it.
        string root = Directory.CreateDirectory(Path.Combine(_folder, "root")).FullName;
        foreach (string entry in Directory.EnumerateFileSystemEntries("/").Where(entry => entry != "/proc"))
        {
            Directory.CreateSymbolicLink(Path.Combine(root, Path.GetFileName(entry)), entry);
        }
        Directory.CreateDirectory(Path.Combine(root, "proc"));
        foreach (string entry in Directory.EnumerateFileSystemEntries("/proc").Where(entry => !char.IsAsciiDigit(entry[6])))
        {
            Directory.CreateSymbolicLink(Path.Combine(root, entry[1..]), entry);
        }
        Directory.CreateSymbolicLink(Path.Combine(root, "proc/1"), "/proc/self");
        // Its time stands still: nothing is read again only because it is due.
        _sampler = new StatusSampler(root, new StepClock());
    }

    public void Dispose()
    {
        _sampler.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void A_file_system_that_the_kernel_makes_read_only_after_an_error_is_told_at_once()
    {
        string image = Path.Combine(_folder, "image"), point = Path.Combine(_folder, "mounted");
        Directory.CreateDirectory(point);
        using (FileStream file = File.Create(image))
        {
            file.SetLength(32 << 20);
        }
        TestDisk.Run("mkfs.ext4", "-q", image);
        TestDisk.Run("mount", "-o", "loop,errors=remount-ro", image, point);
        try
        {
            StatusReading before = _sampler.Sample(withProcesses: false);
            string key = MetricKey.Of(Metrics.ReadOnly, point);
            Assert.Equal(0, before.Values[key]);
            string line = File.ReadLines("/proc/self/mountinfo").Single(line => line.Contains($" {point} ", StringComparison.Ordinal));
            string device = Path.GetFileName(line.Split(" - ")[1].Split(' ')[1]);
            File.WriteAllText($"/sys/fs/ext4/{device}/trigger_fs_error", "made by a test");
            StatusReading after = _sampler.Sample(withProcesses: false);
            Assert.Equal((1.0, 1.0), (after.Values[key], after.Values[Metrics.ReadOnly]));
            Assert.InRange(after.Values[Metrics.FileSystemErrors] - before.Values[Metrics.FileSystemErrors], 1, 100);
            Assert.Contains(device, after.Facts[StatusFact.LastKernelError], StringComparison.Ordinal);
        }
        finally
        {
            TestDisk.Run("umount", point);
        }
    }

    [Fact]
    public void A_process_that_the_kernel_kills_for_its_memory_is_counted_at_once()
    {
        // Mounted for this test: a suite's own /sys has no control groups.
        string groups = Directory.CreateDirectory(Path.Combine(_folder, "groups")).FullName;
        bool isFirstVersion = File.ReadLines("/proc/cgroups").Any(line => line.Split('\t') is ["memory", not "0", ..]);
        TestDisk.Run("mount", isFirstVersion ? ["-t", "cgroup", "-o", "memory", "none", groups] : ["-t", "cgroup2", "none", groups]);
        string group = Path.Combine(groups, $"bootstrap-test-{Guid.NewGuid()}");
        try
        {
            if (!isFirstVersion)
            {
                File.WriteAllText(Path.Combine(groups, "cgroup.subtree_control"), "+memory");
            }
            Directory.CreateDirectory(group);
            File.WriteAllText(Path.Combine(group, isFirstVersion ? "memory.limit_in_bytes" : "memory.max"), $"{16 << 20}");
            double before = _sampler.Sample(withProcesses: false).Values[Metrics.OomKills];
            // A line without an end, which tail keeps.
            using Process greedy = Process.Start("/bin/sh", ["-c", $"echo $$ >{group}/cgroup.procs; exec tail /dev/zero"]);
            greedy.WaitForExit();
            StatusReading reading = _sampler.Sample(withProcesses: false);
            Assert.Equal(128 + Linux.SIGKILL, greedy.ExitCode);
            Assert.InRange(reading.Values[Metrics.OomKills] - before, 1, 10);
            Assert.Contains($"Killed process {greedy.Id} (tail)", reading.Facts[StatusFact.LastKernelError], StringComparison.Ordinal);
        }
        finally
        {
            if (Directory.Exists(group))
            {
                Directory.Delete(group);
            }
            TestDisk.Run("umount", groups);
        }
    }

    [Fact]
    public void What_a_program_writes_to_the_kernels_log_is_no_complaint_of_the_kernel()
    {
        StatusReading before = _sampler.Sample(withProcesses: false);
        File.WriteAllText("/dev/kmsg", "<3>EXT4-fs error (device made-up): by a program\n");
        StatusReading after = _sampler.Sample(withProcesses: false);
        Assert.Equal(before.Values[Metrics.FileSystemErrors], after.Values[Metrics.FileSystemErrors]);
        Assert.DoesNotContain("made-up", after.Facts.GetValueOrDefault(StatusFact.LastKernelError) ?? "", StringComparison.Ordinal);
    }
}
