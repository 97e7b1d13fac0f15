namespace Bootstrap.Server.Features.Boot.Doctor;

/// <summary>Boards that boot from the network in the same way.</summary>
public enum PiFamily
{
    Unknown,

    /// <summary>Mask ROM and bootcode.bin: 2B v1.2, 3B, 3B+, CM3.</summary>
    Pi3,

    /// <summary>EEPROM and start4.elf: 4B, 400, CM4.</summary>
    Pi4,

    /// <summary>EEPROM that starts the kernel itself: 5, 500, CM5.</summary>
    Pi5,
}

/// <summary>
/// Revision codes (raspberrypi/documentation, "New-style revision codes"): bit 23 set, processor in bits 15–12, model in bits 11–4, board
/// revision in bits 3–0.
/// </summary>
internal static class PiModel
{
    private const uint NewStyle = 1 << 23;

    private static readonly Dictionary<uint, string> s_models = new()
    {
        [0x04] = "2 Model B",
        [0x08] = "3 Model B",
        [0x0a] = "Compute Module 3",
        [0x0d] = "3 Model B Plus",
        [0x0e] = "3 Model A Plus",
        [0x10] = "Compute Module 3 Plus",
        [0x11] = "4 Model B",
        [0x12] = "Zero 2 W",
        [0x13] = "400",
        [0x14] = "Compute Module 4",
        [0x15] = "Compute Module 4S",
        [0x17] = "5 Model B",
        [0x18] = "Compute Module 5",
        [0x19] = "500",
        [0x1a] = "Compute Module 5 Lite",
    };

    /// <summary>How boards with this revision code boot.</summary>
    public static PiFamily FamilyOf(uint revision) => (revision & NewStyle) == 0 ? PiFamily.Unknown : (revision >> 12 & 0xf) switch
    {
        2 => PiFamily.Pi3,
        3 => PiFamily.Pi4,
        4 => PiFamily.Pi5,
        _ => PiFamily.Unknown,
    };

    /// <summary>As the board's own kernel calls it: "Raspberry Pi 4 Model B Rev 1.4"; null for codes that are not known.</summary>
    public static string? NameOf(uint revision) =>
        (revision & NewStyle) != 0 && s_models.TryGetValue(revision >> 4 & 0xff, out string? model)
            ? $"Raspberry Pi {model} Rev 1.{revision & 0xf}"
            : null;
}
