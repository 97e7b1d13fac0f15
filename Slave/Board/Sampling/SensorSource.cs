using Bootstrap.Protocol.Status;

namespace Bootstrap.Board.Sampling;

/// <summary>
/// Temperatures, fans, voltages and currents that the kernel has drivers for: Documentation/ABI/testing/sysfs-class-thermal,
/// Documentation/hwmon/sysfs-interface.rst and Documentation/ABI/testing/sysfs-class-power.
/// </summary>
internal sealed class SensorSource(string root) : ISource
{
    private const double Thousandths = 1000, Millionths = 1_000_000;

    /// <summary>A sensor that is not connected says -273, one that is broken 255 or far more.</summary>
    private const double Coldest = -100, Hottest = 200;

    /// <summary>No chip has more of a kind.</summary>
    private const int MostOfAKind = 24;

    private readonly string _zones = Path.Combine(root, "sys/class/thermal"), _monitors = Path.Combine(root, "sys/class/hwmon"),
        _supplies = Path.Combine(root, "sys/class/power_supply");

    private Dictionary<string, Sensor> _sensors = new(StringComparer.Ordinal);

    /// <summary>What feeds the machine, for people; null: it does not say.</summary>
    public string? Supplies { get; private set; }

    public void Scan()
    {
        var found = new List<Sensor>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (string zone in Sorted(_zones, "thermal_zone"))
        {
            string type = KeptFile.LineOf(Path.Combine(_zones, zone, "type"), 64) ?? zone;
            // Two of a type are told apart by their numbers.
            string name = names.Add(type) ? type : $"{type}-{zone["thermal_zone".Length..]}";
            Add(found, Kind.Zone, Path.Combine(_zones, zone, "temp"), name, Thousandths, isQuick: true);
        }
        var chips = new HashSet<string>(StringComparer.Ordinal);
        foreach (string monitor in Sorted(_monitors, "hwmon"))
        {
            string chip = KeptFile.LineOf(Path.Combine(_monitors, monitor, "name"), 64) ?? monitor;
            // A thermal zone shows itself here again, its dashes as lines.
            bool isZone = names.Any(zone => zone.Replace('-', '_') == chip);
            AddMonitor(found, Path.Combine(_monitors, monitor), chips.Add(chip) ? chip : $"{chip}-{monitor["hwmon".Length..]}", isZone);
        }
        AddSupplies(found);

        // Files of sensors that are still there stay open.
        var before = _sensors;
        _sensors = new Dictionary<string, Sensor>(StringComparer.Ordinal);
        foreach (Sensor sensor in found.GroupBy(sensor => sensor.Kind).SelectMany(kind => kind.Take(Sample.MaximumParts)))
        {
            bool isKnown = before.Remove(sensor.Path, out Sensor? known) && known.Key == sensor.Key;
            _sensors[sensor.Path] = isKnown ? known! : sensor;
            if (!isKnown)
            {
                known?.Dispose();
            }
        }
        foreach (Sensor gone in before.Values)
        {
            gone.Dispose();
        }
    }

    private static IEnumerable<string> Sorted(string folder, string prefix) => KeptFile.NamesIn(folder)
        .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
        // By their numbers.
        .OrderBy(name => name.Length).ThenBy(name => name, StringComparer.Ordinal).Take(Sample.MaximumParts);

    private static void AddMonitor(List<Sensor> found, string folder, string chip, bool isZone)
    {
        if (chip == "rpi_volt")
        {
            Add(found, Kind.Alarm, Path.Combine(folder, "in0_lcrit_alarm"), chip, 1, isQuick: true);
            return;
        }
        foreach (string file in KeptFile.NamesIn(folder).Where(name => name.EndsWith("_input", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).Take(MostOfAKind))
        {
            string channel = file[..^"_input".Length];
            string name = $"{chip} {KeptFile.LineOf(Path.Combine(folder, channel + "_label"), 64) ?? channel}";
            string path = Path.Combine(folder, file);
            switch (channel.TrimEnd("0123456789".ToCharArray()))
            {
                case "fan": Add(found, Kind.Fan, path, name, 1, isQuick: true); break;
                case "in": Add(found, Kind.Voltage, path, name, Thousandths); break;
                case "curr": Add(found, Kind.Current, path, name, Thousandths); break;
                case "temp" when !isZone: Add(found, Kind.Temperature, path, name, Thousandths); break;
            }
        }
    }

    private void AddSupplies(List<Sensor> found)
    {
        var told = new List<string>();
        // The order of the folder is the order in which they came.
        foreach (PowerSupply supply in new PowerReader(root).ReadSupplies().Take(Sample.MaximumParts))
        {
            string name = Words.Shown(supply.Name), folder = Path.Combine(_supplies, supply.Name);
            string state = supply.Online switch { true => "online", false => "offline", null => supply.Status.ToLowerInvariant() };
            told.Add(Words.Shown(supply.Percent is { } percent ? $"{name} ({state}, {percent} %)" : $"{name} ({state})"));
            Add(found, Kind.Voltage, Path.Combine(folder, "voltage_now"), name, Millionths);
            Add(found, Kind.Current, Path.Combine(folder, "current_now"), name, Millionths);
        }
        Supplies = told.Count > 0 ? string.Join(", ", told) : null;
    }

    private static void Add(List<Sensor> found, Kind kind, string path, string name, double parts, bool isQuick = false)
    {
        if (File.Exists(path))
        {
            found.Add(new Sensor(kind, path, name, parts, isQuick));
        }
    }

    public void Read(Sample sample)
    {
        double? zone = null, other = null;
        foreach (Sensor sensor in _sensors.Values)
        {
            // Some ask a chip on a slow bus, or wake a disk.
            if (sensor.IsQuick || sample.IsSlow)
            {
                double? value = sensor.File.ReadNumber(sample.Buffer) / sensor.Parts;
                bool isHeat = sensor.Kind is Kind.Zone or Kind.Temperature;
                sensor.Value = isHeat && value is (< Coldest or > Hottest) ? null : value;
            }
            if (sensor.Value is not { } known)
            {
                continue;
            }
            switch (sensor.Kind)
            {
                case Kind.Zone: zone = Math.Max(zone ?? known, known); break;
                case Kind.Temperature: other = Math.Max(other ?? known, known); break;
                case Kind.Fan when sample.Values.ContainsKey(Metrics.Fan): continue;
                case Kind.Alarm: sample.Set(Metrics.UnderVoltage, known != 0); continue;
            }
            sample.Set(sensor.Key, known);
        }
        sample.Set(Metrics.Temperature, zone ?? other);
    }

    public void Write(MetricsWriter writer)
    {
        foreach ((Kind kind, string name, string label, string help) in s_families)
        {
            bool any = false;
            foreach (Sensor sensor in _sensors.Values)
            {
                if (sensor.Kind != kind || sensor.Value is not { } value)
                {
                    continue;
                }
                if (!any)
                {
                    writer.Family(name, "gauge", help);
                    any = true;
                }
                if (kind == Kind.Zone)
                {
                    string zone = Path.GetFileName(Path.GetDirectoryName(sensor.Path)!)["thermal_zone".Length..];
                    writer.Value(name, value, ("zone", zone), ("type", KeptFile.LineOf(sensor.Path[..^4] + "type", 64) ?? ""));
                }
                else
                {
                    writer.Value(name, value, (label, sensor.Name));
                }
            }
        }
    }

    private static readonly (Kind Kind, string Name, string Label, string Help)[] s_families =
    [
        (Kind.Zone, "node_thermal_zone_temp", "zone", "Zone temperature in Celsius."),
        (Kind.Temperature, "bootstrap_temperature_celsius", "sensor", "Temperature of a sensor that is no thermal zone."),
        (Kind.Fan, "bootstrap_fan_rpm", "fan", "Speed of a fan."),
        (Kind.Voltage, "bootstrap_voltage_volts", "rail", "Voltage of a rail, as a chip on the board measures it."),
        (Kind.Current, "bootstrap_current_amperes", "rail", "Current of a rail, as a chip on the board measures it."),
    ];

    public void Dispose()
    {
        foreach (Sensor sensor in _sensors.Values)
        {
            sensor.Dispose();
        }
        _sensors.Clear();
    }

    private enum Kind
    {
        Zone,
        Temperature,
        Fan,
        Voltage,
        Current,
        Alarm,
    }

    private sealed class Sensor(Kind kind, string path, string name, double parts, bool isQuick) : IDisposable
    {
        public Kind Kind { get; } = kind;

        public string Path { get; } = path;

        public string Name { get; } = name;

        /// <summary>Of a unit, that the number counts.</summary>
        public double Parts { get; } = parts;

        public bool IsQuick { get; } = isQuick;

        public string Key { get; } = kind switch
        {
            Kind.Zone or Kind.Temperature => MetricKey.Of(Metrics.Temperature, name),
            Kind.Voltage => MetricKey.Of(Metrics.Voltage, name),
            Kind.Current => MetricKey.Of(Metrics.Current, name),
            _ => Metrics.Fan,
        };

        public KeptFile File { get; } = new(path);

        public double? Value { get; set; }

        public void Dispose() => File.Dispose();
    }
}
