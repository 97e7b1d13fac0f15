using System.Globalization;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Board.Sampling;

/// <summary>Whole disks and cards: Documentation/block/stat.rst.</summary>
internal sealed class DiskSource(string root) : ISource
{
    private const int ReadsDone = 0, ReadSectors = 2, ReadTime = 3, WritesDone = 4, WrittenSectors = 6, WriteTime = 7, BusyTime = 9,
        Fields = 11;

    /// <summary>Of /sys/block/*/stat, whatever the disk's own block size is.</summary>
    private const double SectorBytes = 512, MillisecondsPerSecond = 1000;

    /// <summary>All of a card's register is read at every so manieth look only.</summary>
    private const int CardScans = 6;

    private readonly string _folder = Path.Combine(root, "sys/block");
    private readonly SortedDictionary<string, Disk> _disks = new(StringComparer.Ordinal);

    private int _scan;

    /// <summary>The first card, for people; null: none.</summary>
    public string? Card { get; private set; }

    public void Scan()
    {
        var sys = new SysFile(root);
        HashSet<string> names = [.. KeptFile.NamesIn(_folder).Where(name => DiskReader.IsDisk(name))
            .Where(name => HasMedium(Path.Combine(_folder, name))).Order(StringComparer.Ordinal).Take(Sample.MaximumParts)];
        foreach (string gone in _disks.Keys.Where(name => !names.Contains(name)).ToList())
        {
            _disks[gone].Dispose();
            _disks.Remove(gone);
        }
        foreach (string name in names)
        {
            if (!_disks.TryGetValue(name, out Disk? disk))
            {
                _disks[name] = disk = new Disk(Path.Combine(_folder, name), name);
            }
            // A card that was exchanged has another register, and wear comes slowly.
            if ((_scan % CardScans == 0 || KeptFile.TextOf(Path.Combine(_folder, name, "device/cid"), 64) != disk.CardId) &&
                CardReader.Read(sys, $"sys/block/{name}/device") is { } found)
            {
                disk.CardId = KeptFile.TextOf(Path.Combine(_folder, name, "device/cid"), 64);
                disk.Wear = found.LifeUsedPercent;
                disk.Card = Words.Shown(string.Join(' ', new[]
                {
                    found.Manufacturer, found.Product, found.Date, found.ReserveUsed.Length > 0 ? $"(reserve: {found.ReserveUsed})" : "",
                }.Where(word => word.Length > 0)));
            }
        }
        _scan++;
        Card = _disks.Values.FirstOrDefault(disk => disk.Card is not null)?.Card;
    }

    /// <summary>A card reader without a card has none.</summary>
    private static bool HasMedium(string folder) =>
        long.TryParse(KeptFile.TextOf(Path.Combine(folder, "size"), 64), NumberStyles.None, CultureInfo.InvariantCulture,
            out long sectors) && sectors > 0;

    public void Read(Sample sample)
    {
        var sum = default(Rates);
        bool any = false;
        foreach (Disk disk in _disks.Values)
        {
            if (disk.Read(sample) is { } rates)
            {
                any = true;
                sum = new Rates(sum.Read + rates.Read, sum.Write + rates.Write, Math.Max(sum.Busy, rates.Busy),
                    sum.Requests + rates.Requests, sum.Time + rates.Time);
            }
        }
        if (any)
        {
            sample.Set(Metrics.DiskRead, sum.Read);
            sample.Set(Metrics.DiskWrite, sum.Write);
            sample.Set(Metrics.DiskBusy, sum.Busy);
            sample.Set(Metrics.DiskLatency, sum.Requests > 0 ? sum.Time / sum.Requests : null);
        }
        bool areCounted = _disks.Values.Any(disk => disk.Errors is not null);
        sample.Set(Metrics.DiskErrors, areCounted ? _disks.Values.Sum(disk => disk.Errors ?? 0) : null);
        sample.Set(Metrics.CardWear, _disks.Values.Max(disk => disk.Wear));
    }

    public void Write(MetricsWriter writer)
    {
        foreach ((string name, int field, double times, double over, string type, string help) in s_families)
        {
            if (_disks.Count > 0)
            {
                writer.Family(name, type, help);
            }
            foreach (Disk disk in _disks.Values.Where(disk => disk.IsRead))
            {
                writer.Value(name, disk.Counts[field] * times / over, ("device", disk.Name));
            }
        }
        WriteKnown(writer, "bootstrap_disk_errors_total", "counter", "Requests that a disk ended with an error.", disk => disk.Errors);
        WriteKnown(writer, "bootstrap_disk_wear_ratio", "gauge", "Estimated life of a card that is used up.", disk => disk.Wear / 100.0);
    }

    private void WriteKnown(MetricsWriter writer, string name, string type, string help, Func<Disk, double?> value)
    {
        bool any = false;
        foreach (Disk disk in _disks.Values)
        {
            if (value(disk) is { } known)
            {
                if (!any)
                {
                    writer.Family(name, type, help);
                    any = true;
                }
                writer.Value(name, known, ("device", disk.Name));
            }
        }
    }

    private static readonly (string Name, int Field, double Times, double Over, string Type, string Help)[] s_families =
    [
        ("node_disk_reads_completed_total", ReadsDone, 1, 1, "counter", "The total number of reads completed successfully."),
        ("node_disk_reads_merged_total", 1, 1, 1, "counter", "The total number of reads merged."),
        ("node_disk_read_bytes_total", ReadSectors, SectorBytes, 1, "counter", "The total number of bytes read successfully."),
        ("node_disk_read_time_seconds_total", ReadTime, 1, MillisecondsPerSecond, "counter", "Total seconds spent by all reads."),
        ("node_disk_writes_completed_total", WritesDone, 1, 1, "counter", "The total number of writes completed successfully."),
        ("node_disk_writes_merged_total", 5, 1, 1, "counter", "The number of writes merged."),
        ("node_disk_written_bytes_total", WrittenSectors, SectorBytes, 1, "counter", "The total number of bytes written successfully."),
        ("node_disk_write_time_seconds_total", WriteTime, 1, MillisecondsPerSecond, "counter", "Total seconds spent by all writes."),
        ("node_disk_io_now", 8, 1, 1, "gauge", "The number of I/Os currently in progress."),
        ("node_disk_io_time_seconds_total", BusyTime, 1, MillisecondsPerSecond, "counter", "Total seconds spent doing I/Os."),
        ("node_disk_io_time_weighted_seconds_total", 10, 1, MillisecondsPerSecond, "counter", "Weighted seconds spent doing I/Os."),
    ];

    public void Dispose()
    {
        foreach (Disk disk in _disks.Values)
        {
            disk.Dispose();
        }
        _disks.Clear();
    }

    /// <param name="Requests">Done since the reading before.</param>
    /// <param name="Time">What they took together, in milliseconds.</param>
    private readonly record struct Rates(double Read, double Write, double Busy, double Requests, double Time);

    private sealed class Disk(string folder, string name) : IDisposable
    {
        private readonly KeptFile _stat = new(Path.Combine(folder, "stat")), _errors = new(Path.Combine(folder, "device/ioerr_cnt"));
        private readonly string _readKey = MetricKey.Of(Metrics.DiskRead, name), _writeKey = MetricKey.Of(Metrics.DiskWrite, name),
            _busyKey = MetricKey.Of(Metrics.DiskBusy, name), _latencyKey = MetricKey.Of(Metrics.DiskLatency, name),
            _errorsKey = MetricKey.Of(Metrics.DiskErrors, name), _wearKey = MetricKey.Of(Metrics.CardWear, name);

        public string Name { get; } = name;

        public ulong[] Counts { get; } = new ulong[Fields];

        public bool IsRead { get; private set; }

        /// <summary>Only SCSI disks count theirs (drivers/scsi/scsi_sysfs.c).</summary>
        public double? Errors { get; private set; }

        public int? Wear { get; set; }

        /// <summary>Its identification register, where it is a card.</summary>
        public string? CardId { get; set; }

        /// <summary>What card it is, for people.</summary>
        public string? Card { get; set; }

        public Rates? Read(Sample sample)
        {
            Span<ulong> now = stackalloc ulong[Fields];
            var words = new Words(sample.Buffer.AsSpan(0, _stat.Read(sample.Buffer.AsSpan(0, 512))));
            bool isRead = words.Fill(now) == Fields;
            Rates? rates = isRead && IsRead && sample.Elapsed > 0 ? Tell(sample, now) : null;
            now.CopyTo(Counts);
            IsRead = isRead;
            if (sample.IsSlow)
            {
                ReadOnlySpan<byte> errors = sample.Buffer.AsSpan(0, _errors.Read(sample.Buffer.AsSpan(0, 64)));
                Errors = errors.StartsWith("0x"u8) ? FirmwareAnswer.Bits(errors[2..]) : null;
            }
            sample.Set(_errorsKey, Errors);
            sample.Set(_wearKey, Wear);
            return rates;
        }

        private Rates? Tell(Sample sample, ReadOnlySpan<ulong> now)
        {
            Span<ulong> rise = stackalloc ulong[Fields];
            foreach (int field in (ReadOnlySpan<int>)[ReadsDone, ReadSectors, ReadTime, WritesDone, WrittenSectors, WriteTime, BusyTime])
            {
                if (Counter.Rise(Counts[field], now[field]) is not { } risen)
                {
                    return null;
                }
                rise[field] = risen;
            }
            var rates = new Rates(rise[ReadSectors] * SectorBytes / sample.Elapsed, rise[WrittenSectors] * SectorBytes / sample.Elapsed,
                Math.Min(100, 100 * rise[BusyTime] / MillisecondsPerSecond / sample.Elapsed),
                rise[ReadsDone] + (double)rise[WritesDone], rise[ReadTime] + (double)rise[WriteTime]);
            sample.Set(_readKey, rates.Read);
            sample.Set(_writeKey, rates.Write);
            sample.Set(_busyKey, rates.Busy);
            // Nothing was asked of it: nobody knows how long that would have taken.
            sample.Set(_latencyKey, rates.Requests > 0 ? rates.Time / rates.Requests : null);
            return rates;
        }

        public void Dispose()
        {
            _stat.Dispose();
            _errors.Dispose();
        }
    }
}
