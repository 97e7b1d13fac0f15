using Bootstrap.Protocol;

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

/// <summary>What a revision code tells before the board's own kernel can.</summary>
internal static class PiModel
{
    /// <summary>How boards with this revision code boot.</summary>
    public static PiFamily FamilyOf(uint revision) => PiRevision.Read(revision)?.Processor switch
    {
        "BCM2837" => PiFamily.Pi3,
        "BCM2711" => PiFamily.Pi4,
        "BCM2712" => PiFamily.Pi5,
        _ => PiFamily.Unknown,
    };

    /// <summary>As the board's own kernel calls it: "Raspberry Pi 4 Model B Rev 1.4"; null for codes that are not known.</summary>
    public static string? NameOf(uint revision) =>
        PiRevision.Read(revision) is { Model.Length: > 0 } board ? $"{board.Model} Rev {board.Revision}" : null;
}
