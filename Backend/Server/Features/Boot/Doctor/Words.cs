using System.Globalization;
using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol;

namespace Bootstrap.Server.Features.Boot.Doctor;

/// <summary>Numbers and things as findings write them.</summary>
internal static class Words
{
    /// <summary>"0.2 s", "14 s", "3 min 5 s".</summary>
    public static string Seconds(long milliseconds) => milliseconds switch
    {
        < 9_950 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000.0:0.0} s"),
        < 119_500 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000.0:0} s"),
        _ => $"{milliseconds / 60_000} min {milliseconds / 1000 % 60} s",
    };

    /// <summary>"512 B", "21 MB", "33.5 MB": powers of 1000.</summary>
    public static string Bytes(long bytes)
    {
        (double value, string unit) = bytes switch
        {
            < 1000 => (bytes, "B"),
            < 1_000_000 => (bytes / 1e3, "kB"),
            < 1_000_000_000 => (bytes / 1e6, "MB"),
            _ => (bytes / 1e9, "GB"),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {unit}");
    }

    /// <summary>"1 file", "9 files".</summary>
    public static string Count(int number, string noun) => $"{number} {noun}{(number == 1 ? "" : "s")}";

    /// <summary>The program that asks, in words.</summary>
    public static string Program(BootClientKind kind, PiFamily family, int? architecture) => kind switch
    {
        BootClientKind.RaspberryPi when family == PiFamily.Pi3 => "Raspberry Pi's boot ROM",
        BootClientKind.RaspberryPi when family is PiFamily.Pi4 or PiFamily.Pi5 => "Raspberry Pi's EEPROM",
        BootClientKind.RaspberryPi => "Raspberry Pi's boot program",
        BootClientKind.Unserved => Architecture(architecture),
        BootClientKind.UefiArm64 when architecture == ProcessorArchitecture.UBootArm64 => "U-Boot",
        BootClientKind.BiosPxe => "PXE in a PC's BIOS",
        BootClientKind.UefiX64 or BootClientKind.UefiArm64 => "PXE in UEFI firmware",
        BootClientKind.UefiHttpX64 or BootClientKind.UefiHttpArm64 => "HTTP boot in UEFI firmware",
        BootClientKind.Ipxe => "iPXE",
        _ => "A program that fetches boot files",
    };

    /// <summary>"32-bit x86 UEFI".</summary>
    public static string Architecture(int? number) =>
        number is { } said ? ProcessorArchitecture.NameOf(said) : "a PXE client of no architecture";
}
