namespace Bootstrap.Netboot;

/// <summary>What kind of program asks to be booted.</summary>
public enum BootClientKind
{
    /// <summary>Does not ask for boot files: a phone, a printer, an operating system that runs.</summary>
    None,

    /// <summary>Asks for boot files, and there are none for what it says to be.</summary>
    Unserved,

    /// <summary>The boot ROM, bootcode.bin or EEPROM of a Raspberry Pi.</summary>
    RaspberryPi,

    /// <summary>PXE in a PC's BIOS.</summary>
    BiosPxe,

    /// <summary>PXE in x86-64 UEFI firmware.</summary>
    UefiX64,

    /// <summary>PXE in 64-bit Arm UEFI firmware.</summary>
    UefiArm64,

    /// <summary>HTTP boot in x86-64 UEFI firmware.</summary>
    UefiHttpX64,

    /// <summary>HTTP boot in 64-bit Arm UEFI firmware.</summary>
    UefiHttpArm64,

    /// <summary>iPXE with support of HTTP, loaded by one of the others.</summary>
    Ipxe,
}
