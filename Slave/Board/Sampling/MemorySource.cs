using System.IO.Enumeration;
using System.Text;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Board.Sampling;

/// <summary>Memory, load, pressure and uptime: what the kernel tells of the whole machine (proc(5)).</summary>
internal sealed class MemorySource(string root) : ISource
{
    private const int LongestMemInfo = 4096;

    private readonly KeptFile _memInfo = new(Path.Combine(root, "proc/meminfo")), _load = new(Path.Combine(root, "proc/loadavg")),
        _uptime = new(Path.Combine(root, "proc/uptime"));

    private readonly Pressure[] _pressures =
    [
        new(root, "cpu", Metrics.PressureCpu), new(root, "memory", Metrics.PressureMemory), new(root, "io", Metrics.PressureIo),
    ];

    private readonly byte[] _text = new byte[LongestMemInfo];
    private readonly double[] _loads = new double[3];
    private int _length;
    private bool _hasLoads;
    private int? _processes;

    public void Scan()
    {
        // The kernel was built with them, or was not.
    }

    public void Read(Sample sample)
    {
        ReadMemory(sample);
        var words = new Words(sample.Buffer.AsSpan(0, _load.Read(sample.Buffer.AsSpan(0, 128))));
        _hasLoads = words.Next(out _loads[0]) && words.Next(out _loads[1]) && words.Next(out _loads[2]);
        if (_hasLoads)
        {
            sample.Set(Metrics.Load1, _loads[0]);
            sample.Set(Metrics.Load5, _loads[1]);
            sample.Set(Metrics.Load15, _loads[2]);
        }
        words = new Words(sample.Buffer.AsSpan(0, _uptime.Read(sample.Buffer.AsSpan(0, 128))));
        sample.Set(Metrics.Uptime, words.Next(out double uptime) ? uptime : null);
        foreach (Pressure pressure in _pressures)
        {
            pressure.Read(sample);
        }
        if (sample.IsSlow)
        {
            _processes = CountProcesses(Path.Combine(root, "proc"));
        }
        sample.Set(Metrics.Processes, _processes);
    }

    private void ReadMemory(Sample sample)
    {
        _length = _memInfo.Read(_text);
        double? total = null, available = null, swap = null, swapFree = null;
        var lines = new Lines(_text.AsSpan(0, _length));
        while (lines.Next(out ReadOnlySpan<byte> line) && TryField(line, out ReadOnlySpan<byte> name, out ulong value, out _))
        {
            switch (name.Length)
            {
                case 8 when name.SequenceEqual("MemTotal"u8): total = value; break;
                case 12 when name.SequenceEqual("MemAvailable"u8): available = value; break;
                case 9 when name.SequenceEqual("SwapTotal"u8): swap = value; break;
                case 8 when name.SequenceEqual("SwapFree"u8): swapFree = value; break;
            }
        }
        sample.Set(Metrics.Memory, total);
        sample.Set(Metrics.MemoryAvailable, available);
        sample.Set(Metrics.Swap, swap);
        if (total > 0)
        {
            sample.Set(Metrics.MemoryUsed, Share(total - available, total));
        }
        // Of no swap no part can be used.
        if (swap > 0)
        {
            sample.Set(Metrics.SwapUsed, Share(swap - swapFree, swap));
        }
    }

    private static double? Share(double? part, double? whole) => part / whole is { } share ? Math.Clamp(100 * share, 0, 100) : null;

    /// <summary><c>MemTotal:        3884356 kB</c>; some lines count pages, without a unit.</summary>
    private static bool TryField(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> name, out ulong value, out bool isBytes)
    {
        value = 0;
        isBytes = false;
        var words = new Words(line);
        if (!words.Next(out name) || name[^1] != ':' || !words.Next(out value))
        {
            return false;
        }
        name = name[..^1];
        isBytes = words.Next(out ReadOnlySpan<byte> unit) && unit.SequenceEqual("kB"u8);
        value *= isBytes ? 1024UL : 1;
        return true;
    }

    /// <summary>A process has a folder with its number; null where there is none to be seen.</summary>
    private static int? CountProcesses(string folder)
    {
        try
        {
            int count = new FileSystemEnumerable<bool>(folder, static (ref entry) => true)
            {
                ShouldIncludePredicate = static (ref entry) => entry.FileName[0] is >= '1' and <= '9',
            }.Count();
            return count > 0 ? count : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public void Write(MetricsWriter writer)
    {
        var lines = new Lines(_text.AsSpan(0, _length));
        while (lines.Next(out ReadOnlySpan<byte> line) && TryField(line, out ReadOnlySpan<byte> name, out ulong value, out bool isBytes))
        {
            // "Active(anon)" is node_memory_Active_anon_bytes there.
            string field = new([.. Encoding.UTF8.GetString(name).Replace(")", "", StringComparison.Ordinal)
                .Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_')]);
            writer.Single($"node_memory_{field}{(isBytes ? "_bytes" : "")}", "gauge", $"Memory information field {field}.", value);
        }
        if (_hasLoads)
        {
            writer.Single("node_load1", "gauge", "1m load average.", _loads[0]);
            writer.Single("node_load5", "gauge", "5m load average.", _loads[1]);
            writer.Single("node_load15", "gauge", "15m load average.", _loads[2]);
        }
        foreach (Pressure pressure in _pressures)
        {
            pressure.Write(writer);
        }
    }

    public void Dispose()
    {
        _memInfo.Dispose();
        _load.Dispose();
        _uptime.Dispose();
        foreach (Pressure pressure in _pressures)
        {
            pressure.Dispose();
        }
    }

    /// <summary>One file of /proc/pressure (Documentation/accounting/psi.rst); a kernel may be built or started without them.</summary>
    private sealed class Pressure(string root, string name, string key) : IDisposable
    {
        private const double MicrosecondsPerSecond = 1e6;

        private readonly KeptFile _file = new(Path.Combine(root, "proc/pressure", name));
        private double? _waiting, _stalled;

        public void Read(Sample sample)
        {
            _waiting = _stalled = null;
            var lines = new Lines(sample.Buffer.AsSpan(0, _file.Read(sample.Buffer.AsSpan(0, 512))));
            while (lines.Next(out ReadOnlySpan<byte> line))
            {
                double? total = Field(line, "total="u8) / MicrosecondsPerSecond;
                if (line.StartsWith("some "u8))
                {
                    _waiting = total;
                    sample.Set(key, Field(line, "avg10="u8));
                }
                else if (line.StartsWith("full "u8))
                {
                    _stalled = total;
                }
            }
        }

        private static double? Field(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name)
        {
            var words = new Words(line);
            while (words.Next(out ReadOnlySpan<byte> word))
            {
                if (word.StartsWith(name))
                {
                    return Words.TryDouble(word[name.Length..], out double value) && value >= 0 ? value : null;
                }
            }
            return null;
        }

        public void Write(MetricsWriter writer)
        {
            if (_waiting is { } waiting)
            {
                writer.Single($"node_pressure_{name}_waiting_seconds_total", "counter",
                    $"Total time in seconds that processes have waited for {name}.", waiting);
            }
            // Of the processor as a whole it is always 0 (psi.rst), and node_exporter leaves it out.
            if (_stalled is { } stalled && name != "cpu")
            {
                writer.Single($"node_pressure_{name}_stalled_seconds_total", "counter",
                    $"Total time in seconds in which nothing went on for want of {name}.", stalled);
            }
        }

        public void Dispose() => _file.Dispose();
    }
}
