using System.Globalization;

namespace Bootstrap.Rack;

/// <summary>What hardware is played.</summary>
public enum BoardKind
{
    /// <summary>A 64-bit Arm board that boots as a Raspberry Pi 4 does, on QEMU's "virt" machine.</summary>
    Virt,

    /// <summary>A Raspberry Pi 3B.</summary>
    Raspi3b,

    /// <summary>A Raspberry Pi 3B+: its boot ROM alone, QEMU has no such machine.</summary>
    Raspi3bPlus,

    /// <summary>A Raspberry Pi 4B: its EEPROM and firmware alone.</summary>
    Raspi4,

    /// <summary>A Raspberry Pi 5: its EEPROM alone.</summary>
    Raspi5,

    /// <summary>An x86-64 PC with UEFI.</summary>
    X86,

    /// <summary>An x86-64 PC with a BIOS, and iPXE in its network card's boot ROM.</summary>
    X86Bios,

    /// <summary>A 64-bit Arm machine with UEFI and ACPI.</summary>
    ArmUefi,
}

/// <summary>One board.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Id">Number in the rack, 1 to 65535; serial and MAC follow from it.</param>
/// <param name="Card">Its card or disk; an empty one is made where there is no such file.</param>
/// <param name="Log">Its serial console is appended here.</param>
public sealed record BoardOptions(BoardKind Kind, int Id, string Card, string Log)
{
    /// <summary>Bytes of the card, if it has to be made. A Pi 3's must be a power of two.</summary>
    public long CardSize { get; init; } = 2L << 30;

    /// <summary>MiB of RAM; a Pi 3 always has 1024.</summary>
    public int Memory { get; init; } = 512;

    /// <summary>How many resets it makes; at the next it stays off, so that its card can be looked at before what is on it
    /// starts.</summary>
    public int Resets { get; init; } = int.MaxValue;

    /// <summary>The network is before the card or disk in its boot order; else behind.</summary>
    public bool NetworkFirst { get; init; }

    /// <summary>UEFI: its network boot is HTTP boot, not PXE.</summary>
    public bool HttpBoot { get; init; }

    /// <summary>UEFI: it boots in the order that its variables say, in which disks come first at the beginning; else QEMU sets the order
    /// at each start.</summary>
    public bool KeepsOrder { get; init; }

    /// <summary>The switch that it is plugged into.</summary>
    public string Bridge { get; init; } = RackNetwork.Bridge;

    /// <summary>Boots itself, by firmware that QEMU runs; no boot ROM of a Pi is played for it.</summary>
    public bool HasFirmware => Kind is BoardKind.X86 or BoardKind.X86Bios or BoardKind.ArmUefi;

    /// <summary>Serial number: a Pi's 16 hex digits (a Pi 3's begins with zeros, a Pi 4's with 1), else the machine's SMBIOS
    /// serial.</summary>
    public string Serial => Kind switch
    {
        _ when HasFirmware => $"RACK-{Id:D5}",
        BoardKind.Raspi3b or BoardKind.Raspi3bPlus => $"00000000b077{Id:x4}",
        _ => $"10000000b077{Id:x4}",
    };

    /// <summary>Hardware address. A Pi 3's is its maker's prefix and the low three bytes of the serial.</summary>
    public string Mac => string.Create(CultureInfo.InvariantCulture, $"{Kind switch
    {
        _ when HasFirmware => "52:54:00",
        BoardKind.Raspi3b or BoardKind.Raspi3bPlus => "b8:27:eb",
        BoardKind.Raspi5 => "2c:cf:67",
        _ => "dc:a6:32",
    }}:77:{Id >> 8:x2}:{Id & 0xff:x2}");

    /// <summary>SMBIOS UUID of a machine with firmware.</summary>
    public string Uuid => $"77000000-0000-4000-8000-{Id:x12}";

    /// <summary>The node id that the board's own software reports: the Pi's serial, else the UUID.</summary>
    public string NodeId => HasFirmware ? Uuid : Serial;

    /// <summary>The same as command-line arguments of <c>rack board</c>.</summary>
    public IEnumerable<string> ToArguments() =>
    [
        "--kind", Kind.ToString().ToLowerInvariant(), "--id", Text(Id), "--card", Card, "--log", Log,
        "--card-size", Text(CardSize), "--memory", Text(Memory), "--bridge", Bridge,
        "--resets", Text(Resets),
        .. NetworkFirst ? (string[])["--network-first", "yes"] : [],
        .. HttpBoot ? (string[])["--http-boot", "yes"] : [],
        .. KeepsOrder ? (string[])["--keeps-order", "yes"] : [],
    ];

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
