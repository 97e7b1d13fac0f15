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

    /// <summary>GPU firmware, by preference.</summary>
    public required string[] StartFiles { get; init; }

    /// <summary>Fetched after the GPU firmware.</summary>
    public required string FixupFile { get; init; }

    /// <summary>The device tree that the firmware asks for where config.txt names none.</summary>
    public required string DeviceTree { get; init; }

    /// <summary>A mask ROM fetches bootcode.bin first, by a DHCP exchange of its own (Pi 3).</summary>
    public required bool HasBootcode { get; init; }

    /// <summary>The FourCC at the start of option 97; null: the serial four times.</summary>
    public required string? FourCC { get; init; }

    /// <summary>TFTP options. A Pi 3 asks for the size alone, and so gets 512-byte blocks (raspberrypi/firmware#1041).</summary>
    public required (string Name, string Value)[] TftpOptions { get; init; }

    /// <summary>Files that are only probed for before the firmware is loaded.</summary>
    public required string[] EarlyProbes { get; init; }

    public static PiModel Of(BoardKind kind) => kind == BoardKind.Raspi3b
        ? new PiModel
        {
            Name = "Raspberry Pi 3 Model B Rev 1.2",
            Revision = 0xa02082,
            Section = "pi3",
            StartFiles = ["start.elf"],
            FixupFile = "fixup.dat",
            DeviceTree = "bcm2837-rpi-3-b.dtb", // what Debian's kernel calls it; Raspberry Pi's own: bcm2710-rpi-3-b.dtb
            HasBootcode = true,
            FourCC = null,
            TftpOptions = [("tsize", "0")],
            EarlyProbes = ["autoboot.txt", "recovery.elf"],
        }
        : new PiModel
        {
            Name = "Raspberry Pi (virtual) Rev 1.0",
            Revision = 0xb03115,
            Section = "pi4",
            StartFiles = ["start4.elf", "start.elf"],
            FixupFile = "fixup4.dat",
            DeviceTree = "virt.dtb",
            HasBootcode = false,
            FourCC = "RPi4",
            TftpOptions = [("tsize", "0"), ("blksize", "1468")],
            EarlyProbes = ["recover4.elf", "recovery.elf", "pieeprom.sig"],
        };
}
