namespace Bootstrap.Imaging.BootSets;

/// <summary>What boards' boot programs can load. A set that one of them would choke on is refused when it is made, not found out at a
/// rack.</summary>
public static class BootLimits
{
    private const int TftpBlocks = 65_535;

    /// <summary>Bytes of config.txt that a netbooting Pi's firmware reads (raspberrypi/firmware#1012, #1575).</summary>
    public const int ConfigBytes = 4096;

    /// <summary>A Pi 3 asks with 512-byte blocks, and its counter of blocks does not roll over (raspberrypi/firmware#1041).</summary>
    public const long Pi3FileBytes = TftpBlocks * 512L;

    /// <summary>A Pi 4 whose EEPROM is older than 2022-10 asks with blocks of 1024 bytes.</summary>
    public const long Pi4FileBytes = TftpBlocks * 1024L;

    /// <summary>Later EEPROMs ask with 1468; the counter rolls over since 2025-09-23 alone.</summary>
    public const long Pi5FileBytes = TftpBlocks * 1468L;

    /// <summary>boot.img of an EEPROM of 2021; later ones take 128 MB.</summary>
    public const long BootImageBytes = 96L << 20;

    /// <summary>What is wrong with a file, in one sentence; null for nothing.</summary>
    /// <param name="name">The file's name, as boards ask for it.</param>
    /// <param name="bytes">Its length.</param>
    /// <param name="section">The boards that load it, as config.txt names them.</param>
    public static string? FindFault(string name, long bytes, string section)
    {
        (long limit, string why) = section == "pi5" ? (Pi5FileBytes, "a Raspberry Pi 5 loads at most 65,535 blocks of 1,468 bytes")
            : IsOfPi4(name) ? (Pi4FileBytes, "an older Raspberry Pi 4 loads at most 65,535 blocks of 1,024 bytes")
            : (Pi3FileBytes, "a Raspberry Pi 3 loads at most 65,535 blocks of 512 bytes");
        return bytes <= limit ? null : FormattableString.Invariant($"{name} has {bytes:N0} bytes, more than {limit:N0}: {why} by TFTP");
    }

    /// <summary>What is wrong with a config.txt; null for nothing.</summary>
    public static string? FindConfigFault(long bytes) => bytes < ConfigBytes ? null :
        FormattableString.Invariant(
            $"config.txt has {bytes:N0} bytes, and must have fewer than {ConfigBytes:N0}: a netbooting Raspberry Pi reads no more of it");

    /// <summary>What is wrong with a boot.img; null for nothing.</summary>
    public static string? FindBootImageFault(long bytes) => bytes <= BootImageBytes ? null :
        FormattableString.Invariant(
            $"boot.img has {bytes:N0} bytes, more than {BootImageBytes:N0}: an older EEPROM loads no larger one by HTTP");

    private static bool IsOfPi4(string name) =>
        name.StartsWith("start4", StringComparison.Ordinal) || name.StartsWith("fixup4", StringComparison.Ordinal);
}
