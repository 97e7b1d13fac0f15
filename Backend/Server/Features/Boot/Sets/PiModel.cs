namespace Bootstrap.Server.Features.Boot.Sets;

/// <summary>Generations of Raspberry Pi boards, which a boot set is chosen for.</summary>
internal static class PiModel
{
    /// <summary>Any board.</summary>
    public const string All = "all";

    public static readonly IReadOnlyList<string> Names = [All, "pi3", "pi4", "pi5"];

    /// <summary>Reads a revision code (Raspberry Pi documentation, "Raspberry Pi revision codes"); null for one that is not known
    /// here.</summary>
    public static string? Of(uint revision)
    {
        const uint NewStyle = 1 << 23;
        return (revision & NewStyle) == 0 ? null : (revision >> 4 & 0xff) switch
        {
            0x08 or 0x0a or 0x0d or 0x0e or 0x10 or 0x12 => "pi3", // 3B, CM3, 3B+, 3A+, CM3+, Zero 2 W
            0x11 or 0x13 or 0x14 or 0x15 => "pi4", // 4B, 400, CM4, CM4S
            0x17 or 0x18 or 0x19 or 0x1a => "pi5", // 5, CM5, 500, CM5 Lite
            _ => null,
        };
    }
}
