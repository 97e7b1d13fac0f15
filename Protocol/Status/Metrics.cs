namespace Bootstrap.Protocol.Status;

/// <summary>All that is measured. What a node cannot tell has no value there: it is unknown, and never 0.</summary>
public static class Metrics
{
    // ---- Processor. Percent of the time since the reading before (proc(5), /proc/stat) ----

    public const string Busy = "cpu.busy", System = "cpu.system", IoWait = "cpu.iowait", Steal = "cpu.steal";

    /// <summary>What the processor runs at, and what it is made for: the real one falls below where it is throttled or capped.</summary>
    public const string Clock = "cpu.clock", NominalClock = "cpu.clock.nominal";

    /// <summary>Of the run queue, over one, five and fifteen minutes (proc(5), /proc/loadavg).</summary>
    public const string Load1 = "load.1", Load5 = "load.5", Load15 = "load.15";

    public const string Processes = "processes";

    // ---- Memory ----

    public const string Memory = "memory.total", MemoryUsed = "memory.used", MemoryAvailable = "memory.available";

    public const string Swap = "swap.total", SwapUsed = "swap.used";

    /// <summary>Share of the last ten seconds in which somebody waited (Documentation/accounting/psi.rst, "some avg10").</summary>
    public const string PressureCpu = "pressure.cpu", PressureMemory = "pressure.memory", PressureIo = "pressure.io";

    // ---- Disks (Documentation/admin-guide/iostats.rst) and file systems ----

    public const string DiskRead = "disk.read", DiskWrite = "disk.write", DiskBusy = "disk.busy", DiskLatency = "disk.latency",
        DiskErrors = "disk.errors";

    /// <summary>Estimated life of a card or eMMC that is used up (JESD84-B51, 7.4.27 and 7.4.28), in steps of ten.</summary>
    public const string CardWear = "disk.wear";

    public const string FileSystemSize = "fs.size", FileSystemUsed = "fs.used", Inodes = "fs.inodes", ReadOnly = "fs.read-only";

    // ---- Network (Documentation/ABI/testing/sysfs-class-net-statistics) ----

    public const string Receive = "net.receive", Transmit = "net.transmit", NetErrors = "net.errors", NetDrops = "net.drops",
        LinkSpeed = "net.speed";

    /// <summary>The link is slower than the interface can be: a cable, a plug or a switch port.</summary>
    public const string SlowLink = "net.slow";

    // ---- Heat and power ----

    public const string Temperature = "temperature", Fan = "fan";

    /// <summary>
    /// A Pi's firmware, now: the supply's voltage is too low, the clock is capped, throttled, or at the soft limit of temperature
    /// (Raspberry Pi documentation, "get_throttled", bits 0 to 3).
    /// </summary>
    public const string UnderVoltage = "power.under-voltage", Capped = "cpu.capped", Throttled = "cpu.throttled",
        SoftLimit = "cpu.soft-limit";

    /// <summary>The same at any time since the board was started (bits 16 to 19).</summary>
    public const string UnderVoltageSinceBoot = "power.under-voltage.since-boot", CappedSinceBoot = "cpu.capped.since-boot",
        ThrottledSinceBoot = "cpu.throttled.since-boot", SoftLimitSinceBoot = "cpu.soft-limit.since-boot";

    public const string Voltage = "power.voltage", Current = "power.current";

    // ---- The kernel and the system ----

    /// <summary>Messages of the kernel since it was started.</summary>
    public const string OomKills = "kernel.oom-kills", FileSystemErrors = "kernel.fs-errors", CardErrors = "kernel.card-errors";

    public const string Users = "users", Uptime = "uptime";

    /// <summary>By how much the node's clock is ahead of the appliance's.</summary>
    public const string ClockOffset = "clock.offset";

    /// <summary>Every metric, in the order in which people read them.</summary>
    public static IReadOnlyList<Metric> All { get; } =
    [
        new(Busy, MetricUnit.Percent, "CPU busy", 2, "core", IsKept: true),
        new(System, MetricUnit.Percent, "CPU in the kernel", 2, "core"),
        new(IoWait, MetricUnit.Percent, "CPU waiting for I/O", 2, "core", IsKept: true),
        new(Steal, MetricUnit.Percent, "CPU stolen", 2, "core"),
        new(Clock, MetricUnit.Megahertz, "CPU clock", 50, "core", IsKept: true),
        new(NominalClock, MetricUnit.Megahertz, "Nominal CPU clock", 1),
        new(Load1, MetricUnit.Count, "Load, 1 min", 0.05, IsKept: true),
        new(Load5, MetricUnit.Count, "Load, 5 min", 0.05),
        new(Load15, MetricUnit.Count, "Load, 15 min", 0.05),
        new(Processes, MetricUnit.Count, "Processes", 5),
        new(Memory, MetricUnit.Bytes, "Memory", 1),
        new(MemoryUsed, MetricUnit.Percent, "Memory used", 0.5, IsKept: true),
        new(MemoryAvailable, MetricUnit.Bytes, "Memory available", 4 << 20),
        new(Swap, MetricUnit.Bytes, "Swap", 1),
        new(SwapUsed, MetricUnit.Percent, "Swap used", 0.5, IsKept: true),
        new(PressureCpu, MetricUnit.Percent, "Waiting for CPU", 1),
        new(PressureMemory, MetricUnit.Percent, "Waiting for memory", 1, IsKept: true),
        new(PressureIo, MetricUnit.Percent, "Waiting for I/O", 1, IsKept: true),
        new(DiskRead, MetricUnit.BytesPerSecond, "Disk read", 64 << 10, "disk", IsKept: true),
        new(DiskWrite, MetricUnit.BytesPerSecond, "Disk write", 64 << 10, "disk", IsKept: true),
        new(DiskBusy, MetricUnit.Percent, "Disk busy", 2, "disk"),
        new(DiskLatency, MetricUnit.Milliseconds, "Disk latency", 1, "disk"),
        new(DiskErrors, MetricUnit.Count, "Disk errors", 1, "disk"),
        new(CardWear, MetricUnit.Percent, "Card wear", 1, "disk"),
        new(FileSystemSize, MetricUnit.Bytes, "File system", 1, "file system"),
        new(FileSystemUsed, MetricUnit.Percent, "Space used", 0.5, "file system", IsKept: true),
        new(Inodes, MetricUnit.Percent, "Inodes used", 0.5, "file system"),
        new(ReadOnly, MetricUnit.Flag, "Read-only", 1, "file system"),
        new(Receive, MetricUnit.BytesPerSecond, "Network in", 16 << 10, "interface", IsKept: true),
        new(Transmit, MetricUnit.BytesPerSecond, "Network out", 16 << 10, "interface", IsKept: true),
        new(NetErrors, MetricUnit.PerSecond, "Network errors", 0.1, "interface"),
        new(NetDrops, MetricUnit.PerSecond, "Packets dropped", 0.1, "interface"),
        new(LinkSpeed, MetricUnit.MegabitsPerSecond, "Link speed", 1, "interface"),
        new(SlowLink, MetricUnit.Flag, "Slow link", 1, "interface"),
        new(Temperature, MetricUnit.Celsius, "Temperature", 0.5, "sensor", IsKept: true),
        new(Fan, MetricUnit.RevolutionsPerMinute, "Fan", 100),
        new(UnderVoltage, MetricUnit.Flag, "Under-voltage", 1, IsKept: true),
        new(Capped, MetricUnit.Flag, "Clock capped", 1),
        new(Throttled, MetricUnit.Flag, "Throttled", 1, IsKept: true),
        new(SoftLimit, MetricUnit.Flag, "At the soft temperature limit", 1),
        new(UnderVoltageSinceBoot, MetricUnit.Flag, "Under-voltage since boot", 1),
        new(CappedSinceBoot, MetricUnit.Flag, "Clock capped since boot", 1),
        new(ThrottledSinceBoot, MetricUnit.Flag, "Throttled since boot", 1),
        new(SoftLimitSinceBoot, MetricUnit.Flag, "At the soft temperature limit since boot", 1),
        new(Voltage, MetricUnit.Volts, "Voltage", 0.02, "rail"),
        new(Current, MetricUnit.Amperes, "Current", 0.05, "rail"),
        new(OomKills, MetricUnit.Count, "Out-of-memory kills", 1),
        new(FileSystemErrors, MetricUnit.Count, "File system errors", 1),
        new(CardErrors, MetricUnit.Count, "Card errors", 1),
        new(Users, MetricUnit.Count, "Users logged in", 1),
        new(Uptime, MetricUnit.Seconds, "Uptime", 60),
        new(ClockOffset, MetricUnit.Seconds, "Clock offset", 0.1),
    ];

    private static readonly Dictionary<string, Metric> s_byName = All.ToDictionary(metric => metric.Name);

    /// <summary>The metric of a key; null: none that this program knows.</summary>
    public static Metric? Find(string key) => s_byName.GetValueOrDefault(MetricKey.MetricOf(key));
}
