using System.Buffers.Text;
using System.Globalization;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Board.Sampling;

/// <summary>What the processor's cores spend their time on: proc(5), /proc/stat.</summary>
internal sealed class ProcessorSource(string root) : ISource
{
    private const int User = 0, Nice = 1, Kernel = 2, Idle = 3, IoWait = 4, Irq = 5, SoftIrq = 6, Steal = 7, Modes = 8;

    /// <summary>USER_HZ: the same on every architecture that Linux has of these.</summary>
    public const int TicksPerSecond = 100;

    private static readonly string[] s_modes = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];

    private readonly KeptFile _stat = new(Path.Combine(root, "proc/stat"));
    private readonly Core _all = new(null);
    private readonly Core?[] _cores = new Core?[Sample.MaximumParts];
    private readonly ulong?[] _counts = new ulong?[s_counts.Length];
    private uint _reading;

    /// <summary>Lines behind those of the cores, for Prometheus.</summary>
    private static readonly (string Line, string Name, string Type, string Help)[] s_counts =
    [
        ("intr", "node_intr_total", "counter", "Total number of interrupts serviced."),
        ("ctxt", "node_context_switches_total", "counter", "Total number of context switches."),
        ("btime", "node_boot_time_seconds", "gauge", "Node boot time, in unixtime."),
        ("processes", "node_forks_total", "counter", "Total number of forks."),
        ("procs_running", "node_procs_running", "gauge", "Number of processes in runnable state."),
        ("procs_blocked", "node_procs_blocked", "gauge", "Number of processes blocked waiting for I/O to complete."),
    ];

    public void Scan()
    {
        // A core that goes or comes does so in /proc/stat.
    }

    public void Read(Sample sample)
    {
        _reading++;
        Array.Clear(_counts);
        var lines = new Lines(sample.Buffer.AsSpan(0, _stat.Read(sample.Buffer)));
        while (lines.Next(out ReadOnlySpan<byte> line))
        {
            var words = new Words(line);
            if (!words.Next(out ReadOnlySpan<byte> name))
            {
                continue;
            }
            if (name.StartsWith("cpu"u8))
            {
                ReadCore(sample, CoreOf(name[3..]), ref words);
                continue;
            }
            for (int i = 0; i < s_counts.Length; i++)
            {
                if (IsNamed(name, s_counts[i].Line) && words.Next(out ulong count))
                {
                    _counts[i] = count;
                }
            }
        }
    }

    /// <summary>Null: it is none, or one too many.</summary>
    private Core? CoreOf(ReadOnlySpan<byte> number) =>
        number.Length == 0 ? _all
        : Utf8Parser.TryParse(number, out uint core, out int read) && read == number.Length && core < _cores.Length
            ? _cores[core] ??= new Core(core.ToString(CultureInfo.InvariantCulture)) : null;

    private void ReadCore(Sample sample, Core? core, ref Words words)
    {
        Span<ulong> now = stackalloc ulong[Modes];
        // Linux 2.6.11 and later tell of all eight.
        if (core is null || words.Fill(now) < Modes)
        {
            return;
        }
        // A core that was away has started anew, or has stood still.
        if (core.Reading == _reading - 1 && sample.Elapsed > 0)
        {
            core.Tell(sample, now);
        }
        now.CopyTo(core.Ticks);
        core.Reading = _reading;
    }

    public void Write(MetricsWriter writer)
    {
        writer.Family("node_cpu_seconds_total", "counter", "Seconds the CPUs spent in each mode.");
        foreach (Core core in _cores.OfType<Core>().Where(core => core.Reading == _reading))
        {
            for (int mode = 0; mode < Modes; mode++)
            {
                writer.Value("node_cpu_seconds_total", core.Ticks[mode] / (double)TicksPerSecond, ("cpu", core.Name!),
                    ("mode", s_modes[mode]));
            }
        }
        for (int i = 0; i < s_counts.Length; i++)
        {
            if (_counts[i] is { } count)
            {
                writer.Single(s_counts[i].Name, s_counts[i].Type, s_counts[i].Help, count);
            }
        }
    }

    public void Dispose() => _stat.Dispose();

    private static bool IsNamed(ReadOnlySpan<byte> name, string line) =>
        name.Length == line.Length && System.Text.Ascii.Equals(name, line);

    private sealed class Core(string? name)
    {
        private readonly string _busy = Key(Metrics.Busy, name), _system = Key(Metrics.System, name), _ioWait = Key(Metrics.IoWait, name),
            _steal = Key(Metrics.Steal, name);

        /// <summary>Null: all together.</summary>
        public string? Name { get; } = name;

        public ulong[] Ticks { get; } = new ulong[Modes];

        /// <summary>In which it was last there.</summary>
        public uint Reading { get; set; }

        public void Tell(Sample sample, ReadOnlySpan<ulong> now)
        {
            Span<double> spent = stackalloc double[Modes];
            double total = 0;
            for (int mode = 0; mode < Modes; mode++)
            {
                // The idle and waiting times of a core may fall a little (proc(5)).
                spent[mode] = now[mode] > Ticks[mode] ? now[mode] - Ticks[mode] : 0;
                total += spent[mode];
            }
            if (total == 0)
            {
                return;
            }
            double system = spent[Kernel] + spent[Irq] + spent[SoftIrq];
            sample.Set(_busy, 100 * (spent[User] + spent[Nice] + system) / total);
            sample.Set(_system, 100 * system / total);
            sample.Set(_ioWait, 100 * spent[IoWait] / total);
            sample.Set(_steal, 100 * spent[Steal] / total);
        }

        private static string Key(string metric, string? name) => name is null ? metric : MetricKey.Of(metric, name);
    }
}
