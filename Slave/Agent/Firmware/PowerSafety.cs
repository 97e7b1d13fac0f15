using System.Globalization;
using System.Text.RegularExpressions;
using Bootstrap.Agent.Commands;
using Bootstrap.Board;
using Bootstrap.Protocol;

namespace Bootstrap.Agent.Firmware;

/// <summary>What a board measures of its power and its heat at one moment.</summary>
/// <param name="Throttled">A Pi's flags, bit 0 under-voltage now, 16 under-voltage since the start …; null where nothing tells
/// them.</param>
/// <param name="UnderVoltage">The kernel's own watch on a Pi's supply; null where it has none.</param>
/// <param name="Celsius">Of the processor; null where there is no sensor.</param>
/// <param name="Supplies">What feeds the machine, as far as it knows.</param>
internal sealed record PowerReading(uint? Throttled, bool? UnderVoltage, double? Celsius, IReadOnlyList<PowerSupply> Supplies)
{
    /// <summary>A Pi slows down between 80 and 85 °C (Raspberry Pi documentation, "Frequency management and thermal control").</summary>
    private const double MaximumCelsius = 80;

    private const uint UnderVoltageNow = 1, SlowNow = 0b1110, UnderVoltageEarlier = 1 << 16;

    /// <summary>What speaks against writing boot firmware now, with what was measured and what to do; empty: nothing.</summary>
    /// <param name="isChecked">A person answers for what the board cannot measure.</param>
    public string FindFault(bool isChecked) => this switch
    {
        { Throttled: { } flags } when (flags & UnderVoltageNow) != 0 =>
            $"the supply's voltage is too low now (throttled=0x{flags:x}): " +
            $"give the board a supply and a cable that hold their voltage under load",
        { UnderVoltage: true } =>
            "the supply's voltage is too low now (in0_lcrit_alarm of rpi_volt is 1): give the board a supply and a cable that hold " +
            "their voltage under load",
        { Throttled: { } flags } when (flags & UnderVoltageEarlier) != 0 =>
            $"the supply's voltage has been too low since the board was started (throttled=0x{flags:x}): give it a better supply or " +
            $"cable, restart it, and order this again",
        { Throttled: { } flags } when (flags & SlowNow) != 0 =>
            $"the board is slowed down now, by heat or by its supply (throttled=0x{flags:x}): cool it, and order this again",
        { Celsius: > MaximumCelsius } => string.Create(CultureInfo.InvariantCulture,
            $"the processor has {Celsius:0.0} °C, and {MaximumCelsius:0} are the most for this: cool the board, and order this again"),
        _ when Supplies.FirstOrDefault(s => s.IsBattery && s.Status == "Discharging") is { } battery =>
            $"the machine runs on its battery ({battery.Name}: {battery.Status}{Percent(battery)}): connect it to mains",
        _ when Supplies.FirstOrDefault(s => s.IsBattery) is { } battery &&
        Supplies.Where(s => s.Kind == "Mains").ToArray() is { Length: > 0 } mains &&
            mains.All(s => s.Online == false) =>
            $"no mains supply is connected ({string.Join(", ", mains.Select(s => $"{s.Name}: online 0"))}; {battery.Name}: " +
            $"{battery.Status}{Percent(battery)}): connect the machine to mains",
        { Throttled: null, UnderVoltage: null } when !isChecked =>
            "the board's supply cannot be checked: no vcgencmd answers (package raspi-utils or libraspberrypi-bin), and rpi_volt is " +
            "not among the kernel's sensors: " +
            "look at the supply yourself, and order this with 'powerChecked' (--power-checked)",
        _ => "",
    };

    public override string ToString()
    {
        string flags = Throttled is { } throttled ? $"0x{throttled:x}" : "unknown";
        string alarm = UnderVoltage is { } isLow ? isLow ? "1" : "0" : "unknown";
        string heat = Celsius is { } celsius ? string.Create(CultureInfo.InvariantCulture, $"{celsius:0.0} °C") : "temperature unknown";
        return string.Join(", ", [$"power: throttled={flags}", $"rpi_volt alarm {alarm}", heat, .. Supplies.Select(Words)]);
    }

    private static string Words(PowerSupply supply) =>
        supply.IsBattery ? $"{supply.Name} {supply.Status}{Percent(supply)}"
        : $"{supply.Name} {(supply.Online is { } online ? online ? "online" : "offline" : supply.Kind)}";

    private static string Percent(PowerSupply battery) => battery.Percent is { } percent ? $" at {percent} %" : "";
}

/// <summary>Boot firmware is written only while the power is good: what is cut off in the middle may not start again.</summary>
/// <param name="system">The machine.</param>
internal sealed partial class PowerSafety(NodeSystem system)
{
    /// <summary>vcgencmd answers at once, or hangs with the firmware that it asks.</summary>
    private static readonly TimeSpan s_askLimit = TimeSpan.FromSeconds(10);

    /// <summary>Measures, with what it measured in the task's log.</summary>
    /// <returns>What speaks against it; empty: nothing.</returns>
    public async Task<string> FindFaultAsync(bool isChecked, WorkContext context)
    {
        uint? told = await AskFirmwareAsync(context).ConfigureAwait(false);
        var board = new BoardReader(system.Root);
        Health health = board.ReadHealth();
        // Raspberry Pi's own kernels have the flags in a file besides; what either tells counts.
        uint? throttled = told is null ? health.Throttled : told | (health.Throttled ?? 0);
        var power = new PowerReader(system.Root);
        var reading = new PowerReading(throttled, power.ReadUnderVoltage(), health.TemperatureCelsius, power.ReadSupplies());
        context.Line($"{reading}");
        return reading.FindFault(isChecked);
    }

    /// <summary>`vcgencmd get_throttled` says "throttled=0x50005"; null: it does not answer.</summary>
    private async Task<uint?> AskFirmwareAsync(WorkContext context)
    {
        if (system.Find("vcgencmd") is not { } program)
        {
            return null;
        }
        uint? flags = null;
        CommandEnd end = await context.Runner.RunAsync(Command.ByRoot(program, "get_throttled"), context.Cancellation, line =>
        {
            if (Throttled().Match(line) is { Success: true } match)
            {
                flags = uint.Parse(match.Groups[1].ValueSpan, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            }
        }, s_askLimit).ConfigureAwait(false);
        if (end.TimedOut)
        {
            context.Line($"vcgencmd did not answer within {s_askLimit.TotalSeconds:0} s");
            return null;
        }
        return flags;
    }

    [GeneratedRegex(@"\Athrottled=0x([0-9a-fA-F]{1,8})\z")]
    private static partial Regex Throttled();
}
