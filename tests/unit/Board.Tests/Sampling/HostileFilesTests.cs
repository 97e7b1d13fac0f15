using System.Buffers;
using System.Text;
using Bootstrap.Board.Sampling;
using Bootstrap.Protocol.Status;
using CsCheck;

namespace Bootstrap.Board.Tests.Sampling;

/// <summary>Files may vanish, hold anything, and be of any length: a reading is made all the same.</summary>
public sealed class HostileFilesTests : IDisposable
{
    private readonly FixtureRoot _root = new();
    private readonly StepClock _clock = new();

    public void Dispose() => _root.Dispose();

    private string[] AddEverything()
    {
        _root.AddPi5().File("proc/self/mountinfo", "27 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw\n")
            .File("etc/fstab", "/dev/a / ext4 rw 0 0\n").File("run/systemd/sessions/1", "USER=pi\nCLASS=user\n")
            .File("dev/kmsg", "3,2,15,-;mmc0: error -110 whilst initialising SD card\n")
            .File("proc/7/stat", "7 (a) S 1 1 1 0 -1 4 1 2 3 4 5 0 0 0 20 0 1 0 5 17 1 1\n");
        return Directory.GetFiles(_root.Folder, "*", SearchOption.AllDirectories);
    }

    private static void CheckReading(StatusReading reading)
    {
        Assert.All(reading.Values, value => Assert.True(double.IsFinite(value.Value), value.Key));
        Assert.All(reading.Values.Keys, key => Assert.NotNull(Metrics.Find(key)));
        Assert.InRange(reading.Values.Count, 0, Metrics.All.Count * 65);
        Assert.All(reading.Facts.Values, fact => Assert.DoesNotContain(fact, char.IsControl));
        Assert.All(reading.Facts.Values, fact => Assert.InRange(fact.Length, 0, 8192));
    }

    [Fact]
    public void Any_bytes_in_any_file_are_survived()
    {
        string[] files = AddEverything();
        Gen<byte[]> junk = Gen.OneOf(Gen.Byte.Array[0, 300],
            Gen.OneOf("-1", "99999999999999999999", "1e308", "NaN", "0x", "cpu", "cpu0 1 2", "\n\n\n", "a b c d e f g", "[]", "\0", "∞")
                .Array[0, 20].Select(words => Encoding.UTF8.GetBytes(string.Join(' ', words))));
        using var sampler = new StatusSampler(_root.Folder, _clock, new FakeFirmware());
        Gen.Select(Gen.Int[0, files.Length - 1], junk).Array[1, 20].Sample(damages =>
        {
            foreach ((int file, byte[] content) in damages)
            {
                File.WriteAllBytes(files[file], content);
            }
            _clock.Step(10);
            CheckReading(sampler.Sample(withProcesses: true));
            MetricsText.Write(sampler, new ArrayBufferWriter<byte>());
            using var fresh = new StatusSampler(_root.Folder, _clock, new FakeFirmware());
            CheckReading(fresh.Sample(withProcesses: true));
        }, iter: 150, threads: 1);
    }

    [Fact]
    public void Files_that_vanish_one_by_one_are_survived()
    {
        using var sampler = new StatusSampler(_root.Folder, _clock, new FakeFirmware());
        foreach (string file in AddEverything())
        {
            File.Delete(file);
            _clock.Step(5);
            CheckReading(sampler.Sample(withProcesses: true));
        }
        MetricsText.Write(sampler, new ArrayBufferWriter<byte>());
        Directory.Delete(Path.Combine(_root.Folder, "sys"), recursive: true);
        Directory.Delete(Path.Combine(_root.Folder, "proc"), recursive: true);
        _clock.Step(10);
        CheckReading(sampler.Sample(withProcesses: true));
    }

    [Fact]
    public void Folders_in_the_place_of_files_and_files_in_that_of_folders_are_survived()
    {
        foreach (string file in AddEverything())
        {
            File.Delete(file);
            Directory.CreateDirectory(file);
        }
        using var sampler = new StatusSampler(_root.Folder, _clock, new FakeFirmware());
        CheckReading(sampler.Sample(withProcesses: true));
        foreach (string folder in (string[])["sys/class/net", "sys/class/hwmon", "sys/class/thermal", "sys/block", "sys/class/power_supply",
            "sys/devices/system/cpu/cpufreq", "sys/devices/platform", "run/systemd/sessions", "proc"])
        {
            string full = Path.Combine(_root.Folder, folder);
            if (Directory.Exists(full))
            {
                Directory.Delete(full, recursive: true);
            }
            _root.File(folder, "no folder");
        }
        _clock.Step(10);
        CheckReading(sampler.Sample(withProcesses: true));
    }

    [Fact]
    public void Only_the_beginning_of_a_huge_file_is_read()
    {
        string[] files = AddEverything();
        foreach (string file in files)
        {
            using FileStream huge = File.OpenWrite(file);
            huge.SetLength(64L << 30); // sparse: reading it would never end
        }
        using var sampler = new StatusSampler(_root.Folder, _clock, new FakeFirmware());
        CheckReading(sampler.Sample(withProcesses: true));
        _clock.Step(1);
        StatusReading reading = sampler.Sample(withProcesses: true);
        CheckReading(reading);
        Assert.Equal(0.52, reading.Values[Metrics.Load1]);
    }

    [Fact]
    public void A_thousand_interfaces_disks_and_sensors_are_bounded()
    {
        _root.AddPi4();
        for (int i = 0; i < 1000; i++)
        {
            Directory.CreateDirectory(Path.Combine(_root.Folder, $"sys/class/net/en{i:000}/device"));
        }
        for (int i = 0; i < 100; i++)
        {
            _root.AddWired($"en{i:000}", 1000).File($"sys/class/thermal/thermal_zone{i}/type", "cpu-thermal\n")
                .File($"sys/class/thermal/thermal_zone{i}/temp", "40000\n")
                .File($"sys/block/mmcblk{i}/size", "100\n").File($"sys/block/mmcblk{i}/stat", FakePi.DiskStat(1, 1, 1, 1, 1, 1, 1));
        }
        _root.File("proc/stat", FakePi.Stat([.. Enumerable.Range(0, 1000).Select(i => (i, i, i))]));
        using var sampler = new StatusSampler(_root.Folder, _clock, new FakeFirmware());
        sampler.Sample(withProcesses: false);
        _root.File("proc/stat", FakePi.Stat([.. Enumerable.Range(0, 1000).Select(i => (i + 1, i, i))]));
        _clock.Step(1);
        StatusReading reading = sampler.Sample(withProcesses: false);
        CheckReading(reading);
        Assert.All(reading.Values.Keys.GroupBy(MetricKey.MetricOf), metric => Assert.InRange(metric.Count(), 1, 65));
        Assert.Equal(64, reading.Values.Keys.Count(key => key.StartsWith("net.receive[", StringComparison.Ordinal)));
        Assert.Equal(64, reading.Values.Keys.Count(key => key.StartsWith("temperature[", StringComparison.Ordinal)));
    }

    [Fact]
    public void Temperatures_that_no_board_has_are_unknown()
    {
        _root.AddLinux().File("sys/class/thermal/thermal_zone0/temp", "-273000\n").File("sys/class/thermal/thermal_zone1/type", "gpu\n")
            .File("sys/class/thermal/thermal_zone1/temp", "999999999\n").File("sys/class/thermal/thermal_zone2/type", "cpu-thermal\n")
            .File("sys/class/thermal/thermal_zone2/temp", "-5000\n");
        using var sampler = new StatusSampler(_root.Folder, _clock, new FakeFirmware());
        Assert.Equal([KeyValuePair.Create("temperature[cpu-thermal-2]", -5.0), KeyValuePair.Create("temperature", -5.0)],
            sampler.Sample(withProcesses: false).Values.Where(value => MetricKey.MetricOf(value.Key) == Metrics.Temperature));
    }
}
