namespace Bootstrap.Board.Tests.Sampling;

/// <summary>Files of /proc and /sys as boards with Raspberry Pi OS have them, as far as they are read.</summary>
public static class FakePi
{
    private const string Frequencies = "sys/devices/system/cpu/cpufreq/policy0";

    /// <summary>What all of them have.</summary>
    public static FixtureRoot AddLinux(this FixtureRoot root) => root
        .File("proc/stat", Stat((1000, 100, 8000), (500, 50, 4000), (200, 25, 2000), (200, 15, 1500), (100, 10, 500)))
        .File("proc/meminfo", """
            MemTotal:        3884376 kB
            MemFree:         3012300 kB
            MemAvailable:    3495936 kB
            Buffers:           36448 kB
            Active(anon):      88204 kB
            SwapTotal:        102396 kB
            SwapFree:          76797 kB
            HugePages_Total:       0
            """)
        .File("proc/loadavg", "0.52 0.38 0.17 2/162 2140\n").File("proc/uptime", "5400.25 20923.91\n")
        .File("proc/pressure/cpu", "some avg10=1.25 avg60=0.41 avg300=0.09 total=8431203\n" +
            "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n")
        .File("proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=31\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=12\n")
        .File("proc/pressure/io", "some avg10=7.50 avg60=3.10 avg300=1.20 total=15120443\n" +
            "full avg10=5.02 avg60=2.00 avg300=0.80 total=12904112\n")
        .File("proc/vmstat", "nr_free_pages 753075\noom_kill 2\n").File("proc/sys/kernel/hostname", "pi-1\n")
        .File("proc/sys/kernel/osrelease", "6.12.25+rpt-rpi-v8\n")
        .File("proc/sys/kernel/random/boot_id", "2f1d3c5e-0b1a-4c8d-9e7f-1a2b3c4d5e6f\n")
        .File("sys/block/mmcblk0/size", "62333952\n").File("sys/block/mmcblk0/stat", DiskStat(1000, 40000, 2500, 500, 16000, 5000, 3000))
        .File("sys/block/loop0/size", "100\n").File("sys/block/loop0/stat", DiskStat(1, 1, 1, 1, 1, 1, 1))
        .File("sys/block/mmcblk0/device/cid", "035344534333324780b2cf7d0d016700\n").File("sys/block/mmcblk0/device/type", "SD\n")
        .File("sys/block/mmcblk0/device/manfid", "0x000003\n").File("sys/block/mmcblk0/device/name", "SC32G\n")
        .File("sys/block/mmcblk0/device/date", "07/2022\n")
        .AddWired("eth0", 1000).File("sys/class/net/lo/statistics/rx_bytes", "5\n")
        .File("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n").File("sys/class/thermal/thermal_zone0/temp", "48312\n")
        .File("sys/class/hwmon/hwmon0/name", "cpu_thermal\n").File("sys/class/hwmon/hwmon0/temp1_input", "48312\n");

    /// <summary>Its port has 100 Mbit/s, and its kernel only knows the clock that it asked for.</summary>
    public static FixtureRoot AddPi3(this FixtureRoot root) => root.AddLinux().AddClock(600_000, 1_200_000).AddThrottled("soc", "50005")
        .File("sys/class/net/eth0/speed", "100\n").File("sys/class/hwmon/hwmon1/name", "rpi_volt\n")
        .File("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n");

    public static FixtureRoot AddPi4(this FixtureRoot root) => root.AddLinux().AddClock(1_500_000, 1_800_000).AddThrottled("soc", "0")
        .File("sys/class/hwmon/hwmon1/name", "rpi_volt\n").File("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "0\n")
        .File("sys/class/power_supply/rpi-poe/type", "Mains\n").File("sys/class/power_supply/rpi-poe/online", "1\n")
        .File("sys/class/power_supply/rpi-poe/current_now", "420000\n").File("sys/class/power_supply/rpi-poe/present", "1\n");

    /// <summary>With a fan, a chip that measures voltages, and an NVMe disk.</summary>
    public static FixtureRoot AddPi5(this FixtureRoot root) => root.AddLinux().AddClock(1_500_000, 2_400_000)
        .AddThrottled("soc@107c000000", "0")
        .File("sys/class/hwmon/hwmon1/name", "rp1_adc\n").File("sys/class/hwmon/hwmon1/in1_input", "1471\n")
        .File("sys/class/hwmon/hwmon1/temp1_input", "51200\n")
        .File("sys/class/hwmon/hwmon2/name", "pwmfan\n").File("sys/class/hwmon/hwmon2/fan1_input", "3012\n")
        .File("sys/class/hwmon/hwmon3/name", "rpi_volt\n").File("sys/class/hwmon/hwmon3/in0_lcrit_alarm", "0\n")
        .File("sys/class/hwmon/hwmon4/name", "nvme\n").File("sys/class/hwmon/hwmon4/temp1_input", "39850\n")
        .File("sys/class/hwmon/hwmon4/temp1_label", "Composite\n")
        .File("sys/block/nvme0n1/size", "500118192\n").File("sys/block/nvme0n1/stat", DiskStat(10, 80, 1, 10, 80, 2, 3));

    public static FixtureRoot AddClock(this FixtureRoot root, int now, int maximum) => root
        .File($"{Frequencies}/affected_cpus", "0 1 2 3\n").File($"{Frequencies}/cpuinfo_max_freq", $"{maximum}\n")
        .File($"{Frequencies}/cpuinfo_cur_freq", $"{now}\n").File($"{Frequencies}/scaling_cur_freq", $"{maximum}\n")
        .File($"{Frequencies}/scaling_governor", "ondemand\n");

    public static FixtureRoot AddThrottled(this FixtureRoot root, string bus, string bits) =>
        root.File($"sys/devices/platform/{bus}/{bus}:firmware/get_throttled", $"{bits}\n");

    public static FixtureRoot AddWired(this FixtureRoot root, string name, int speed) => root
        .File($"sys/class/net/{name}/device/uevent", "").File($"sys/class/net/{name}/carrier", "1\n")
        .File($"sys/class/net/{name}/carrier_changes", "2\n").File($"sys/class/net/{name}/speed", $"{speed}\n")
        .AddTraffic(name, 1_000_000, 200_000);

    public static FixtureRoot AddTraffic(
        this FixtureRoot root, string name, ulong received, ulong sent, ulong errors = 0, ulong drops = 0) => root
        .File($"sys/class/net/{name}/statistics/rx_bytes", $"{received}\n").File($"sys/class/net/{name}/statistics/tx_bytes", $"{sent}\n")
        .File($"sys/class/net/{name}/statistics/rx_errors", $"{errors}\n").File($"sys/class/net/{name}/statistics/tx_errors", "0\n")
        .File($"sys/class/net/{name}/statistics/rx_dropped", $"{drops}\n").File($"sys/class/net/{name}/statistics/tx_dropped", "0\n");

    /// <summary>/proc/stat: first all cores, then each: what users, the kernel and nobody had.</summary>
    public static string Stat(params (int User, int System, int Idle)[] cores) =>
        string.Concat(cores.Select((core, i) => StatLine(i == 0 ? "cpu " : $"cpu{i - 1}", core))) +
        "intr 5184371 0 12 0\nctxt 8302193\nbtime 1795960299\nprocesses 2140\nprocs_running 2\nprocs_blocked 0\nsoftirq 1 2 3\n";

    private static string StatLine(string name, (int User, int System, int Idle) core) =>
        $"{name} {core.User} 0 {core.System} {core.Idle} 0 0 0 0 0 0\n";

    /// <summary>/sys/block/*/stat.</summary>
    public static string DiskStat(
        ulong reads, ulong readSectors, ulong readTime, ulong writes, ulong writtenSectors, ulong writeTime, ulong busyTime) =>
        $"{reads,8} 7 {readSectors} {readTime} {writes} 9 {writtenSectors} {writeTime} 0 {busyTime} 8000 0 0 0 0 0 0\n";
}
