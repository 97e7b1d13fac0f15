using Bootstrap.Protocol.Status;

namespace Bootstrap.Board.Sampling;

/// <summary>Physical network interfaces: Documentation/ABI/testing/sysfs-class-net and sysfs-class-net-statistics.</summary>
/// <param name="root">Where the system's files are.</param>
/// <param name="greatestSpeed">What an interface can do at best, in Mbit/s; null: it does not say.</param>
internal sealed class NetworkSource(string root, Func<string, int?> greatestSpeed) : ISource
{
    private const int ReceivedBytes = 0, SentBytes = 1, ReceiveErrors = 2, SendErrors = 3, ReceiveDrops = 4, SendDrops = 5, Counters = 6;

    private static readonly string[] s_counters = ["rx_bytes", "tx_bytes", "rx_errors", "tx_errors", "rx_dropped", "tx_dropped"];

    private readonly string _folder = Path.Combine(root, "sys/class/net");
    private readonly SortedDictionary<string, Interface> _interfaces = new(StringComparer.Ordinal);

    public void Scan()
    {
        // Bridges, tunnels, veth and loopback have no device behind them.
        HashSet<string> names = [.. KeptFile.NamesIn(_folder).Where(name => Directory.Exists(Path.Combine(_folder, name, "device")))
            .Order(StringComparer.Ordinal).Take(Sample.MaximumParts)];
        foreach (string gone in _interfaces.Keys.Where(name => !names.Contains(name)).ToList())
        {
            _interfaces[gone].Dispose();
            _interfaces.Remove(gone);
        }
        foreach (string name in names.Where(name => !_interfaces.ContainsKey(name)))
        {
            _interfaces[name] = new Interface(Path.Combine(_folder, name), name, greatestSpeed);
        }
    }

    public void Read(Sample sample)
    {
        double received = 0, sent = 0, errors = 0, drops = 0;
        long slowest = long.MaxValue;
        bool any = false;
        bool? isAnySlow = null;
        foreach (Interface each in _interfaces.Values)
        {
            if (each.Read(sample) is { } rates)
            {
                any = true;
                received += rates.Received;
                sent += rates.Sent;
                errors += rates.Errors;
                drops += rates.Drops;
            }
            slowest = Math.Min(slowest, each.Speed ?? long.MaxValue);
            isAnySlow = each.IsSlow is { } isSlow ? isSlow | isAnySlow is true : isAnySlow;
        }
        if (any)
        {
            sample.Set(Metrics.Receive, received);
            sample.Set(Metrics.Transmit, sent);
            sample.Set(Metrics.NetErrors, errors);
            sample.Set(Metrics.NetDrops, drops);
        }
        sample.Set(Metrics.LinkSpeed, slowest < long.MaxValue ? slowest : null);
        sample.Set(Metrics.SlowLink, FlagOf(isAnySlow));
    }

    public void Write(MetricsWriter writer)
    {
        foreach ((string name, int counter, string help) in s_families)
        {
            if (_interfaces.Count > 0)
            {
                writer.Family(name, "counter", help);
            }
            foreach (Interface each in _interfaces.Values.Where(each => each.IsRead))
            {
                writer.Value(name, each.Counts[counter], ("device", each.Name));
            }
        }
        WriteFiles(writer, "node_network_receive_packets_total", "counter", "Network packets received.", "statistics/rx_packets", 1);
        WriteFiles(writer, "node_network_transmit_packets_total", "counter", "Network packets sent.", "statistics/tx_packets", 1);
        WriteFiles(writer, "node_network_carrier", "gauge", "Whether there is a link.", "carrier", 1);
        // As there, -1 Mbit/s, the kernel's "unknown", is told too.
        WriteFiles(writer, "node_network_speed_bytes", "gauge", "Speed of the link in bytes per second.", "speed", 1_000_000 / 8);
    }

    private void WriteFiles(MetricsWriter writer, string name, string type, string help, string file, double unit)
    {
        Span<byte> buffer = stackalloc byte[64];
        bool any = false;
        foreach (Interface each in _interfaces.Values)
        {
            using var kept = new KeptFile(Path.Combine(_folder, each.Name, file));
            if (kept.ReadNumber(buffer) is { } number)
            {
                if (!any)
                {
                    writer.Family(name, type, help);
                    any = true;
                }
                writer.Value(name, number * unit, ("device", each.Name));
            }
        }
    }

    private static readonly (string Name, int Counter, string Help)[] s_families =
    [
        ("node_network_receive_bytes_total", ReceivedBytes, "Bytes received."),
        ("node_network_transmit_bytes_total", SentBytes, "Bytes sent."),
        ("node_network_receive_errs_total", ReceiveErrors, "Errors of receiving."),
        ("node_network_transmit_errs_total", SendErrors, "Errors of sending."),
        ("node_network_receive_drop_total", ReceiveDrops, "Received packets that were dropped."),
        ("node_network_transmit_drop_total", SendDrops, "Packets that were dropped instead of sent."),
    ];

    public void Dispose()
    {
        foreach (Interface each in _interfaces.Values)
        {
            each.Dispose();
        }
        _interfaces.Clear();
    }

    private readonly record struct Rates(double Received, double Sent, double Errors, double Drops);

    private static double? FlagOf(bool? flag) => flag is { } known ? known ? 1 : 0 : null;

    private sealed class Interface(string folder, string name, Func<string, int?> greatestSpeed) : IDisposable
    {
        /// <summary>A link below it is slow, where the interface can do more.</summary>
        private const int Gigabit = 1000;

        private readonly KeptFile[] _files = [.. s_counters.Select(counter => new KeptFile(Path.Combine(folder, "statistics", counter)))];
        private readonly KeptFile _carrier = new(Path.Combine(folder, "carrier")), _changes = new(Path.Combine(folder, "carrier_changes")),
            _speed = new(Path.Combine(folder, "speed"));
        private readonly string _receiveKey = MetricKey.Of(Metrics.Receive, name), _sendKey = MetricKey.Of(Metrics.Transmit, name),
            _errorsKey = MetricKey.Of(Metrics.NetErrors, name), _dropsKey = MetricKey.Of(Metrics.NetDrops, name),
            _speedKey = MetricKey.Of(Metrics.LinkSpeed, name), _slowKey = MetricKey.Of(Metrics.SlowLink, name);

        private readonly Lazy<int?> _greatest = new(() => greatestSpeed(name));
        private long? _seenChanges;

        public string Name { get; } = name;

        public ulong[] Counts { get; } = new ulong[Counters];

        public bool IsRead { get; private set; }

        /// <summary>Megabits per second; null without a link, and where the driver does not know.</summary>
        public long? Speed { get; private set; }

        /// <summary>It has a link that is slower than it can be; null without a link, and where that is not known.</summary>
        public bool? IsSlow => Speed is { } speed && _greatest.Value is { } greatest ? speed < Gigabit && greatest >= Gigabit : null;

        public Rates? Read(Sample sample)
        {
            Span<ulong> now = stackalloc ulong[Counters];
            bool isRead = true;
            for (int i = 0; i < Counters && isRead; i++)
            {
                long count = _files[i].ReadNumber(sample.Buffer) ?? -1;
                isRead = count >= 0;
                now[i] = isRead ? (ulong)count : 0;
            }
            Rates? rates = isRead && IsRead && sample.Elapsed > 0 ? Tell(sample, now) : null;
            now.CopyTo(Counts);
            IsRead = isRead;
            ReadSpeed(sample);
            return rates;
        }

        private Rates? Tell(Sample sample, ReadOnlySpan<ulong> now)
        {
            Span<double> rates = stackalloc double[Counters];
            for (int i = 0; i < Counters; i++)
            {
                if (Counter.Rise(Counts[i], now[i]) is not { } risen)
                {
                    return null;
                }
                rates[i] = risen / sample.Elapsed;
            }
            var told = new Rates(rates[ReceivedBytes], rates[SentBytes], rates[ReceiveErrors] + rates[SendErrors],
                rates[ReceiveDrops] + rates[SendDrops]);
            sample.Set(_receiveKey, told.Received);
            sample.Set(_sendKey, told.Sent);
            sample.Set(_errorsKey, told.Errors);
            sample.Set(_dropsKey, told.Drops);
            return told;
        }

        /// <summary>The driver takes a lock to tell the speed, so it is asked seldom, and whenever the link has come or gone.</summary>
        private void ReadSpeed(Sample sample)
        {
            long? changes = _changes.ReadNumber(sample.Buffer);
            if (sample.IsSlow || changes != _seenChanges)
            {
                _seenChanges = changes;
                // Without a link some drivers refuse to say, some say -1.
                Speed = _carrier.ReadNumber(sample.Buffer) == 1 &&
                    _speed.ReadNumber(sample.Buffer) is > 0 and < int.MaxValue and var megabits ? megabits : null;
            }
            sample.Set(_speedKey, Speed);
            sample.Set(_slowKey, FlagOf(IsSlow));
        }

        public void Dispose()
        {
            foreach (KeptFile file in (ReadOnlySpan<KeptFile>)[.. _files, _carrier, _changes, _speed])
            {
                file.Dispose();
            }
        }
    }
}
