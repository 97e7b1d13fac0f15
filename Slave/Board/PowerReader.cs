namespace Bootstrap.Board;

/// <summary>What feeds the machine: a supply, a battery or a UPS.</summary>
/// <param name="Name">The kernel's ("BAT0", "rpi-poe").</param>
/// <param name="Kind"><c>Mains</c>, <c>Battery</c>, <c>UPS</c>, <c>USB</c> or <c>Wireless</c>.</param>
/// <param name="Status">Of a battery: <c>Charging</c>, <c>Discharging</c>, <c>Not charging</c>, <c>Full</c>, <c>Unknown</c>; empty where it
/// does not say.</param>
/// <param name="Online">Of a supply: it feeds the machine; null where it does not say.</param>
/// <param name="Percent">Of a battery: what is left; null where it does not say.</param>
public sealed record PowerSupply(string Name, string Kind, string Status, bool? Online, long? Percent)
{
    public bool IsBattery => Kind is "Battery" or "UPS";
}

/// <summary>What a machine measures of its power, beside <see cref="BoardReader.ReadHealth"/>.</summary>
/// <param name="root">"/" but in tests.</param>
public sealed class PowerReader(string root)
{
    private const string Supplies = "sys/class/power_supply", Monitors = "sys/class/hwmon";

    private readonly SysFile _sys = new(root);

    /// <summary>All that feeds it (Documentation/ABI/testing/sysfs-class-power). A battery of a mouse feeds the mouse, and is left
    /// out.</summary>
    public IReadOnlyList<PowerSupply> ReadSupplies() =>
        [.. _sys.Names(Supplies).Select(name => $"{Supplies}/{name}")
            .Where(at => _sys.Text($"{at}/scope") != "Device" && _sys.Number($"{at}/present") != 0)
            .Select(at => new PowerSupply(Path.GetFileName(at), _sys.Text($"{at}/type") ?? "", _sys.Text($"{at}/status") ?? "",
                _sys.Number($"{at}/online") is { } online ? online != 0 : null, _sys.Number($"{at}/capacity")))];

    /// <summary>
    /// The voltage of a Pi's supply is too low: now, or within the last two seconds (drivers/hwmon/raspberrypi-hwmon.c); null where the
    /// kernel has not that driver.
    /// </summary>
    public bool? ReadUnderVoltage() =>
        _sys.Names(Monitors).Select(name => $"{Monitors}/{name}")
        .FirstOrDefault(at => _sys.Text($"{at}/name") == "rpi_volt") is { } monitor &&
            _sys.Number($"{monitor}/in0_lcrit_alarm") is { } alarm ? alarm != 0 : null;
}
