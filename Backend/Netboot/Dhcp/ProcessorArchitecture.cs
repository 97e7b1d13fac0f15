namespace Bootstrap.Netboot.Dhcp;

/// <summary>
/// What a boot program says to be (option 93, RFC 4578 §2.1): numbers of IANA's registry "Processor Architecture Types" (RFC 5970 §3.3).
/// </summary>
public static class ProcessorArchitecture
{
    /// <summary>A Raspberry Pi's boot program; those of today say 0 all the same (raspberrypi/firmware#1928).</summary>
    public const int RaspberryPi = 41;

    /// <summary>A PC's BIOS, and whoever makes himself out to be one.</summary>
    public const int Bios = 0;

    /// <summary>U-Boot on a 64-bit Arm board.</summary>
    public const int UBootArm64 = 22;

    /// <summary>What is served for one.</summary>
    public static BootClientKind KindOf(int number) => number switch
    {
        Bios => BootClientKind.BiosPxe,
        7 or 9 => BootClientKind.UefiX64, // RFC 4578 has the two the other way round than the registry, and firmware sends both
        11 or UBootArm64 => BootClientKind.UefiArm64, // U-Boot starts EFI programs, too
        16 => BootClientKind.UefiHttpX64,
        19 => BootClientKind.UefiHttpArm64,
        RaspberryPi => BootClientKind.RaspberryPi,
        _ => BootClientKind.Unserved,
    };

    /// <summary>Its name for people.</summary>
    public static string NameOf(int number) => number switch
    {
        Bios => "x86 BIOS",
        2 => "Itanium UEFI",
        6 => "32-bit x86 UEFI",
        7 => "64-bit x86 UEFI",
        9 => "EFI byte code",
        10 => "32-bit Arm UEFI",
        11 => "64-bit Arm UEFI",
        12 or 13 => "PowerPC",
        14 => "POWER",
        15 => "32-bit x86 UEFI, HTTP boot",
        16 => "64-bit x86 UEFI, HTTP boot",
        17 => "EFI byte code, HTTP boot",
        18 => "32-bit Arm UEFI, HTTP boot",
        19 => "64-bit Arm UEFI, HTTP boot",
        20 => "x86 BIOS, HTTP boot",
        21 => "32-bit Arm U-Boot",
        UBootArm64 => "64-bit Arm U-Boot",
        23 => "32-bit Arm U-Boot, HTTP boot",
        24 => "64-bit Arm U-Boot, HTTP boot",
        25 => "32-bit RISC-V UEFI",
        26 => "32-bit RISC-V UEFI, HTTP boot",
        27 => "64-bit RISC-V UEFI",
        28 => "64-bit RISC-V UEFI, HTTP boot",
        29 => "128-bit RISC-V UEFI",
        30 => "128-bit RISC-V UEFI, HTTP boot",
        31 or 32 => "s390",
        33 => "32-bit MIPS UEFI",
        34 => "64-bit MIPS UEFI",
        35 => "32-bit Sunway UEFI",
        36 => "64-bit Sunway UEFI",
        37 => "32-bit LoongArch UEFI",
        38 => "32-bit LoongArch UEFI, HTTP boot",
        39 => "64-bit LoongArch UEFI",
        40 => "64-bit LoongArch UEFI, HTTP boot",
        RaspberryPi => "Raspberry Pi",
        _ => $"architecture {number}",
    };
}
