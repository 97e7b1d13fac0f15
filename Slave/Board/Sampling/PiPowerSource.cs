using System.Text;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Board.Sampling;

/// <summary>
/// What a Pi's firmware says of its power: get_throttled (Raspberry Pi documentation, "get_throttled") and, of a Pi 5, the rails of its
/// power management chip ("pmic_read_adc").
/// </summary>
/// <remarks>
/// The kernel's file get_throttled is the second choice: it shows what the driver raspberrypi-hwmon last heard, and that driver clears the
/// bits "since boot" each time that it asks. So a bit that was once seen stays.
/// </remarks>
internal sealed class PiPowerSource(string root, IFirmware firmware) : ISource
{
    private const int SinceBootShift = 16;

    private static readonly (int Bit, string Now, string SinceBoot, string Name)[] s_flags =
    [
        (0, Metrics.UnderVoltage, Metrics.UnderVoltageSinceBoot, "under_voltage"),
        (1, Metrics.Capped, Metrics.CappedSinceBoot, "frequency_capped"),
        (2, Metrics.Throttled, Metrics.ThrottledSinceBoot, "throttled"),
        (3, Metrics.SoftLimit, Metrics.SoftLimitSinceBoot, "soft_temperature_limit"),
    ];

    private readonly string _platform = Path.Combine(root, "sys/devices/platform");
    private readonly Dictionary<string, Rail> _rails = new(StringComparer.Ordinal);
    private KeptFile? _file;
    private bool _isAnswered = true, _hasRails = true;
    private uint _seen;
    private uint? _bits;

    /// <summary>The kernel has said, or a driver has, that the voltage was too low.</summary>
    private bool _wasLow;

    public void Scan()
    {
        _isAnswered = _hasRails = true;
        // "soc/soc:firmware"; on a Pi 5 both have an address in their names.
        _file ??= KeptFile.NamesIn(_platform).Where(name => name.StartsWith("soc", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
            .Select(name => Path.Combine(_platform, name, $"{name}:firmware", "get_throttled")).FirstOrDefault(File.Exists) is { } path
            ? new KeptFile(path) : null;
    }

    public void Read(Sample sample)
    {
        _bits = null;
        if (_isAnswered)
        {
            _bits = FirmwareAnswer.Throttled(sample.Buffer.AsSpan(0, firmware.Ask("get_throttled"u8, sample.Buffer)));
            _isAnswered = _bits is not null;
        }
        if (_bits is null && _file is not null)
        {
            _bits = FirmwareAnswer.Bits(sample.Buffer.AsSpan(0, _file.Read(sample.Buffer.AsSpan(0, 64))));
        }
        if (_bits is { } bits)
        {
            _seen |= bits | bits << SinceBootShift;
            foreach ((int bit, string now, string sinceBoot, _) in s_flags)
            {
                sample.Set(now, (bits >> bit & 1) != 0);
                sample.Set(sinceBoot, (_seen >> SinceBootShift + bit & 1) != 0);
            }
        }
        else
        {
            // Only the alarm of the driver: what was before it was first read, nobody knows.
            _wasLow |= sample.Values.GetValueOrDefault(Metrics.UnderVoltage) != 0;
            sample.Set(Metrics.UnderVoltageSinceBoot, _wasLow ? 1 : null);
        }
        ReadRails(sample);
    }

    private void ReadRails(Sample sample)
    {
        if (_hasRails && sample.IsSlow)
        {
            _rails.Clear();
            var lines = new Lines(sample.Buffer.AsSpan(0, firmware.Ask("pmic_read_adc"u8, sample.Buffer)));
            while (lines.Next(out ReadOnlySpan<byte> line) && _rails.Count < 2 * Sample.MaximumParts)
            {
                if (FirmwareAnswer.TryRail(line, out ReadOnlySpan<byte> rail, out bool isCurrent, out double value))
                {
                    string name = Words.Shown(Encoding.UTF8.GetString(rail));
                    string key = MetricKey.Of(isCurrent ? Metrics.Current : Metrics.Voltage, name);
                    _rails[key] = new Rail(name, isCurrent, value);
                }
            }
            _hasRails = _rails.Count > 0;
        }
        foreach ((string key, Rail rail) in _rails)
        {
            sample.Set(key, rail.Value);
        }
    }

    public void Write(MetricsWriter writer)
    {
        if (_bits is { } bits)
        {
            writer.Family("bootstrap_firmware_throttled", "gauge", "What the board's firmware complains of now.");
            foreach ((int bit, _, _, string name) in s_flags)
            {
                writer.Value("bootstrap_firmware_throttled", bits >> bit & 1, ("reason", name));
            }
            writer.Family("bootstrap_firmware_throttled_since_boot", "gauge", "What the board's firmware has complained of since boot.");
            foreach ((int bit, _, _, string name) in s_flags)
            {
                writer.Value("bootstrap_firmware_throttled_since_boot", _seen >> SinceBootShift + bit & 1, ("reason", name));
            }
        }
        WriteRails(writer, "bootstrap_pmic_voltage_volts", "Voltage of a rail of the power management chip.", isCurrent: false);
        WriteRails(writer, "bootstrap_pmic_current_amperes", "Current of a rail of the power management chip.", isCurrent: true);
    }

    private void WriteRails(MetricsWriter writer, string family, string help, bool isCurrent)
    {
        List<Rail> rails = [.. _rails.Values.Where(rail => rail.IsCurrent == isCurrent)];
        if (rails.Count > 0)
        {
            writer.Family(family, "gauge", help);
            rails.ForEach(rail => writer.Value(family, rail.Value, ("rail", rail.Name)));
        }
    }

    public void Dispose() => _file?.Dispose();

    private readonly record struct Rail(string Name, bool IsCurrent, double Value);
}
