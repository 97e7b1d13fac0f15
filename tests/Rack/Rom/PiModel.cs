namespace Bootstrap.Rack.Rom;

/// <summary>What differs from one Raspberry Pi to the next until its kernel runs.</summary>
internal sealed record PiModel
{
    /// <summary>What firmware writes into the device tree as /model.</summary>
    public required string Name { get; init; }

    /// <summary>Board revision code, /system/linux,revision.</summary>
    public required uint Revision { get; init; }

    /// <summary>The config.txt section that applies besides [all].</summary>
    public required string Section { get; init; }

    /// <summary>GPU firmware, by preference; none where it is in the EEPROM (Pi 5).</summary>
    public required string[] StartFiles { get; init; }

    /// <summary>Fetched after the GPU firmware.</summary>
    public required string? FixupFile { get; init; }

    /// <summary>The device tree that the firmware asks for where config.txt names none.</summary>
    public required string DeviceTree { get; init; }

    /// <summary>
    /// What a mask ROM (Pi 3) sends as option 97 in an exchange of its own, by which it fetches bootcode.bin; null: an EEPROM, which needs
    /// none.
    /// Empty: the serial four times, as bootcode.bin does.
    /// </summary>
    public required byte[]? MaskRomId { get; init; }

    /// <summary>Its bootloader is in an EEPROM, knows tryboot, and tells the kernel of it in the device tree.</summary>
    public bool HasEeprom => MaskRomId is null;

    /// <summary>The FourCC at the start of option 97; null: the serial four times.</summary>
    public required string? FourCC { get; init; }

    /// <summary>TFTP options. A Pi 3 asks for the size alone, and so gets 512-byte blocks (raspberrypi/firmware#1041).</summary>
    public required (string Name, string Value)[] TftpOptions { get; init; }

    /// <summary>Files that are only probed for before the firmware is loaded.</summary>
    public required string[] EarlyProbes { get; init; }

    public static PiModel Of(BoardKind kind) => kind switch
    {
        BoardKind.Raspi3b => s_pi3b,
        BoardKind.Raspi3bPlus => s_pi3b with
        {
            Name = "Raspberry Pi 3 Model B Plus Rev 1.3",
            Revision = 0xa020d3,
            Section = "pi3+",
            DeviceTree = "bcm2710-rpi-3-b-plus.dtb",
            MaskRomId = [],
            EarlyProbes = ["autoboot.txt", "recovery.elf"],
        },
        BoardKind.Raspi4 => s_pi4 with { Name = "Raspberry Pi 4 Model B Rev 1.5", Revision = 0xc03115, DeviceTree = "bcm2711-rpi-4-b.dtb" },
        BoardKind.Raspi5 => s_pi4 with
        {
            Name = "Raspberry Pi 5 Model B Rev 1.0",
            Revision = 0xc04170,
            Section = "pi5",
            StartFiles = [], // its firmware is in the EEPROM
            FixupFile = null,
            DeviceTree = "bcm2712-rpi-5-b.dtb",
            FourCC = "RPi5",
            EarlyProbes = ["pieeprom.sig", "recovery.bin"],
        },
        _ => s_pi4,
    };

    private static readonly PiModel s_pi3b = new()
    {
        Name = "Raspberry Pi 3 Model B Rev 1.2",
        Revision = 0xa02082,
        Section = "pi3",
        StartFiles = ["start.elf"],
        FixupFile = "fixup.dat",
        DeviceTree = "bcm2837-rpi-3-b.dtb", // what Debian's kernel calls it; Raspberry Pi's own: bcm2710-rpi-3-b.dtb
        MaskRomId = [.. Enumerable.Repeat((byte)0x44, 16)],
        FourCC = null,
        TftpOptions = [("tsize", "0")],
        EarlyProbes = ["autoboot.txt", "recovery.elf"],
    };

    private static readonly PiModel s_pi4 = new()
    {
        Name = "Raspberry Pi (virtual) Rev 1.0",
        Revision = 0xb03115,
        Section = "pi4",
        StartFiles = ["start4.elf", "start.elf"],
        FixupFile = "fixup4.dat",
        DeviceTree = "virt.dtb",
        MaskRomId = null,
        FourCC = "RPi4",
        TftpOptions = [("tsize", "0"), ("blksize", "1468")],
        EarlyProbes = ["recover4.elf", "recovery.elf", "pieeprom.sig", "vl805.sig"],
    };
}
