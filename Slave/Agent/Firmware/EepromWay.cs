using System.Text.RegularExpressions;
using Bootstrap.Agent.Commands;
using Bootstrap.Board;

namespace Bootstrap.Agent.Firmware;

/// <summary>
/// By which way a board's EEPROM would be written. One is mended without anybody at the board: after a power cut, the ROM runs recovery.bin
/// from the card once more. By all others a power cut may leave a board that does not start (raspberrypi/rpi-eeprom: usage text of
/// rpi-eeprom-update, README.md, "Immediate (flashrom) updates").
/// </summary>
/// <param name="system">The machine.</param>
internal sealed partial class EepromWay(NodeSystem system)
{
    private const string SettingsFile = "/etc/default/rpi-eeprom-update";

    private const string UseFlashrom = "RPI_EEPROM_USE_FLASHROM", Immediate = "RPI_EEPROM_IMMEDIATE_UPDATE",
        SelfUpdate = "RPI_EEPROM_SELF_UPDATE";

    private const string Allow = "order this with 'allowDirectWrite' (--direct-write) if somebody can get at the board";

    /// <summary>
    /// Keeps rpi-eeprom-update from writing at once, as it does by itself on a Pi 5 that has flashrom (raspberrypi/rpi-eeprom, pull request
    /// 546). The older name and the newer one of the same variable; its settings file counts more than both.
    /// </summary>
    public static readonly IReadOnlyDictionary<string, string> Staged = new Dictionary<string,
        string>
    { [UseFlashrom] = "0", [Immediate] = "0" };

    /// <summary>Why a power cut could leave a board that has to be repaired by hand, with what to do; empty: it would not.</summary>
    /// <param name="boot">Where the update would be staged.</param>
    public string FindFault(BootPartition boot) =>
        new BoardReader(system.Root).ReadRevision() is { Model: "Raspberry Pi Compute Module 4" or "Raspberry Pi Compute Module 4S" } pi
            ? $"the ROM of a {pi.Model} does not run recovery.bin from its eMMC, and after a power failure while its EEPROM is written " +
            $"another way, it is repaired by usbboot alone: {Allow}"
        : ReadSettings().FirstOrDefault(setting => setting.Value is not ("" or "0")) is { Key: { } name, Value: var value }
            ? $"{SettingsFile} says {name}={value}, by which the EEPROM is written without recovery.bin, and a power failure meanwhile " +
                $"leaves a board that does not start: " +
                $"take that out and order this again, or {Allow}"
        : boot.FindDevice() is { } device && !device.StartsWith("/dev/mmcblk", StringComparison.Ordinal)
            ? $"the boot partition is {device}, from which the board's ROM does not run recovery.bin, and a power failure while the " +
            $"EEPROM is written another way leaves a board " +
                $"that does not start: {Allow}"
        : "";

    /// <summary>What the settings file says of the way; a shell reads it, and the last one counts.</summary>
    private Dictionary<string, string> ReadSettings()
    {
        string file = Path.Combine(system.Root, SettingsFile.TrimStart('/'));
        var settings = new Dictionary<string, string>();
        foreach (Match match in File.Exists(file) ? File.ReadLines(file).Select(line => Setting().Match(line)).Where(m => m.Success) : [])
        {
            settings[match.Groups[1].Value] = match.Groups[2].Value;
        }
        return settings;
    }

    [GeneratedRegex($"""^\s*(?:export\s+)?({UseFlashrom}|{Immediate}|{SelfUpdate})=["']?([^"'\s#;]*)""")]
    private static partial Regex Setting();
}
