using System.Globalization;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Board.Sampling;

/// <summary>
/// What the cores run at (Documentation/admin-guide/pm/cpufreq.rst). A Pi's kernel says what it asked for, not what the firmware made of it
/// where it throttles: there the firmware's own measurement counts.
/// </summary>
internal sealed class ClockSource(string root, IFirmware firmware) : ISource
{
    private const double KilohertzPerMegahertz = 1000, HertzPerKilohertz = 1000, HertzPerMegahertz = 1_000_000;

    private readonly string _folder = Path.Combine(root, "sys/devices/system/cpu/cpufreq");
    private readonly SortedDictionary<string, Policy> _policies = new(StringComparer.Ordinal);
    private bool _isMeasured = true;

    /// <summary>Which governor rules the first cores; null: none.</summary>
    public string? Governor { get; private set; }

    public void Scan()
    {
        _isMeasured = true;
        HashSet<string> names = [.. KeptFile.NamesIn(_folder).Where(name => name.StartsWith("policy", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).Take(Sample.MaximumParts)];
        foreach (string gone in _policies.Keys.Where(name => !names.Contains(name)).ToList())
        {
            _policies[gone].Dispose();
            _policies.Remove(gone);
        }
        foreach (string name in names)
        {
            if (!_policies.TryGetValue(name, out Policy? policy))
            {
                _policies[name] = policy = new Policy(Path.Combine(_folder, name));
            }
            policy.Scan();
        }
        Governor = _policies.Count > 0 ? KeptFile.LineOf(Path.Combine(_folder, _policies.Keys.First(), "scaling_governor"), 64) : null;
    }

    public void Read(Sample sample)
    {
        double sum = 0, nominal = 0;
        int cores = 0;
        double? measured = Measure(sample);
        foreach (Policy policy in _policies.Values)
        {
            nominal = Math.Max(nominal, policy.Maximum ?? 0);
            double? clock = policy.ReadKilohertz(sample.Buffer) / KilohertzPerMegahertz;
            // One clock for all cores is what the firmware measures.
            clock = _policies.Count == 1 ? measured ?? clock : clock;
            if (clock is { } megahertz)
            {
                foreach (string key in policy.Keys)
                {
                    sample.Set(key, megahertz);
                    sum += megahertz;
                    cores++;
                }
            }
        }
        sample.Set(Metrics.Clock, cores > 0 ? sum / cores : measured);
        sample.Set(Metrics.NominalClock, nominal > 0 ? nominal / KilohertzPerMegahertz : null);
    }

    private double? Measure(Sample sample)
    {
        double? hertz = _isMeasured ? FirmwareAnswer.Frequency(sample.Buffer.AsSpan(0, firmware.Ask("measure_clock arm"u8, sample.Buffer)))
            : null;
        // A board that is no Pi is asked again when something may have changed, not every time.
        _isMeasured = hertz is not null;
        return hertz / HertzPerMegahertz;
    }

    public void Write(MetricsWriter writer)
    {
        Span<byte> buffer = stackalloc byte[64];
        foreach ((string name, string file, string help) in s_families)
        {
            bool any = false;
            foreach (Policy policy in _policies.Values)
            {
                using var kept = new KeptFile(Path.Combine(policy.Folder, file));
                if (kept.ReadNumber(buffer) is not { } kilohertz)
                {
                    continue;
                }
                if (!any)
                {
                    writer.Family(name, "gauge", help);
                    any = true;
                }
                foreach (string core in policy.Cores)
                {
                    writer.Value(name, kilohertz * HertzPerKilohertz, ("cpu", core));
                }
            }
        }
    }

    private static readonly (string Name, string File, string Help)[] s_families =
    [
        ("node_cpu_frequency_hertz", "cpuinfo_cur_freq", "Current CPU thread frequency in hertz."),
        ("node_cpu_frequency_max_hertz", "cpuinfo_max_freq", "Maximum CPU thread frequency in hertz."),
        ("node_cpu_scaling_frequency_hertz", "scaling_cur_freq", "Current scaled CPU thread frequency in hertz."),
        ("node_cpu_scaling_frequency_max_hertz", "scaling_max_freq", "Maximum scaled CPU thread frequency in hertz."),
    ];

    public void Dispose()
    {
        foreach (Policy policy in _policies.Values)
        {
            policy.Dispose();
        }
        _policies.Clear();
    }

    /// <summary>Cores that share a clock.</summary>
    private sealed class Policy(string folder) : IDisposable
    {
        // What the hardware says, which not every driver can read; else what was asked for.
        private readonly KeptFile _hardware = new(Path.Combine(folder, "cpuinfo_cur_freq")),
            _asked = new(Path.Combine(folder, "scaling_cur_freq"));

        private string _cpus = "";

        public string Folder { get; } = folder;

        public string[] Cores { get; private set; } = [];

        public string[] Keys { get; private set; } = [];

        /// <summary>What the cores are made for, in kilohertz.</summary>
        public long? Maximum { get; private set; }

        public void Scan()
        {
            Maximum = long.TryParse(KeptFile.TextOf(Path.Combine(Folder, "cpuinfo_max_freq"), 64), out long kilohertz) && kilohertz > 0
                ? kilohertz : null;
            // Those that are not away.
            string cpus = KeptFile.TextOf(Path.Combine(Folder, "affected_cpus")) ?? "";
            if (cpus != _cpus)
            {
                _cpus = cpus;
                Cores = [.. cpus.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(IsTold).Take(Sample.MaximumParts)];
                Keys = [.. Cores.Select(core => MetricKey.Of(Metrics.Clock, core))];
            }
        }

        private static bool IsTold(string core) =>
            int.TryParse(core, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number < Sample.MaximumParts;

        public long? ReadKilohertz(Span<byte> buffer) =>
            _hardware.ReadNumber(buffer) is > 0 and var hardware ? hardware : _asked.ReadNumber(buffer) is > 0 and var asked ? asked : null;

        public void Dispose()
        {
            _hardware.Dispose();
            _asked.Dispose();
        }
    }
}
