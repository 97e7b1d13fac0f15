using System.Buffers;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Board.Sampling;

/// <summary>
/// Reads all of <see cref="Metrics"/> that this machine can tell, again and again, at little cost: files stay open, what changes slowly is
/// read seldom, no program is started. Several may call it at once; they wait for each other.
/// </summary>
public sealed class StatusSampler : IDisposable
{
    /// <summary>New disks, interfaces and sensors are looked for so often.</summary>
    private static readonly TimeSpan s_scanInterval = TimeSpan.FromSeconds(10);

    /// <summary>What changes slowly or costs much is read so often.</summary>
    private static readonly TimeSpan s_slowInterval = TimeSpan.FromSeconds(5);

    /// <summary>What a process has used over a longer time says nothing of now.</summary>
    private static readonly TimeSpan s_processTimeout = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly TimeProvider _clock;
    private readonly IFirmware _firmware;
    private readonly Sample _sample = new();
    private readonly ISource[] _sources;
    private readonly ProcessReader _processes;
    private readonly FactReader _facts;
    private readonly ClockSource _clocks;
    private readonly DiskSource _disks;
    private readonly SensorSource _sensors;
    private readonly KernelLogSource _log;
    private readonly UserSource _users;
    private long? _last, _lastScan, _lastSlow, _lastProcesses;

    /// <summary>Reads this machine.</summary>
    /// <param name="root">"/" but in tests.</param>
    public StatusSampler(string root, TimeProvider clock)
        : this(root, clock, new FirmwareMailbox(Path.Combine(root, "dev/vcio")))
    {
    }

    /// <param name="firmware">Answers instead of a Pi's.</param>
    internal StatusSampler(string root, TimeProvider clock, IFirmware firmware)
    {
        _clock = clock;
        _firmware = firmware;
        _processes = new ProcessReader(root);
        _facts = new FactReader(root);
        // The log tells when file systems are to be looked at; the firmware's word on the voltage counts for more than the driver's, and
        // comes after the sensors.
        _sources =
        [
            new ProcessorSource(root), _clocks = new ClockSource(root, firmware), new MemorySource(root), _disks = new DiskSource(root),
            _log = new KernelLogSource(root), new FileSystemSource(root),
            // Of interfaces in another root the kernel knows nothing.
            new NetworkSource(root, root == "/" ? Linux.GreatestSpeedOf : _ => null), _sensors = new SensorSource(root),
            new PiPowerSource(root, firmware), _users = new UserSource(root),
        ];
    }

    /// <summary>Reads everything. Rates are those since the call before: the first has none.</summary>
    /// <param name="withProcesses">Those that use most, too: that costs more, and needs two calls that ask for it within half a
    /// minute.</param>
    /// <param name="clockOffset">Seconds by which this machine's clock is ahead of the appliance's; null: unknown.</param>
    public StatusReading Sample(bool withProcesses, double? clockOffset = null)
    {
        lock (_lock)
        {
            long now = _clock.GetTimestamp();
            if (IsDue(ref _lastScan, now, s_scanInterval))
            {
                foreach (ISource source in _sources)
                {
                    source.Scan();
                }
            }
            _sample.Begin(_last is { } last ? _clock.GetElapsedTime(last, now).TotalSeconds : 0, IsDue(ref _lastSlow, now, s_slowInterval));
            _last = now;
            foreach (ISource source in _sources)
            {
                source.Read(_sample);
            }
            _sample.Set(Metrics.ClockOffset, clockOffset);
            IReadOnlyDictionary<string, string> facts = _facts.Read(
            [
                (StatusFact.Governor, _clocks.Governor), (StatusFact.Card, _disks.Card), (StatusFact.PowerSupply, _sensors.Supplies),
                (StatusFact.LoggedIn, _users.Names), (StatusFact.LastKernelError, _log.LastError),
            ]);
            return new StatusReading(_clock.GetUtcNow().ToUnixTimeMilliseconds(), _sample.Values, facts, ReadProcesses(withProcesses, now));
        }
    }

    /// <summary>Writes what was last read for Prometheus (<see cref="MetricsText"/>).</summary>
    internal void Write(IBufferWriter<byte> output)
    {
        lock (_lock)
        {
            var writer = new MetricsWriter(output);
            foreach (ISource source in _sources)
            {
                source.Write(writer);
            }
            _facts.Write(writer);
            writer.Single("node_time_seconds", "gauge", "System time in seconds since epoch (1970).",
                _clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (ISource source in _sources)
            {
                source.Dispose();
            }
            _facts.Dispose();
            _firmware.Dispose();
        }
    }

    private IReadOnlyList<ProcessReading> ReadProcesses(bool isAsked, long now)
    {
        TimeSpan? since = _lastProcesses is { } last ? _clock.GetElapsedTime(last, now) : null;
        if (since > s_processTimeout)
        {
            _processes.Forget();
            _lastProcesses = null;
            since = null;
        }
        if (!isAsked)
        {
            return [];
        }
        _lastProcesses = now;
        return _processes.Read(_sample.Buffer, since?.TotalSeconds ?? 0);
    }

    private bool IsDue(ref long? last, long now, TimeSpan interval)
    {
        if (last is { } before && _clock.GetElapsedTime(before, now) < interval)
        {
            return false;
        }
        last = now;
        return true;
    }
}
