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

    /// <summary>How many resets it makes; at the next it stays off, so that its card can be looked at before what is on it starts.</summary>
    public int Resets { get; init; } = int.MaxValue;

    /// <summary>The switch that it is plugged into.</summary>
    public string Bridge { get; init; } = RackNetwork.Bridge;

    /// <summary>Serial number: a Pi's 16 hex digits (a Pi 3's begins with zeros, a Pi 4's with 1), else the machine's SMBIOS serial.</summary>
    public string Serial => Kind switch
    {
        BoardKind.X86 => $"RACK-{Id:D5}",
        BoardKind.Raspi3b or BoardKind.Raspi3bPlus => $"00000000b077{Id:x4}",
        _ => $"10000000b077{Id:x4}",
    };

    /// <summary>Hardware address. A Pi 3's is its maker's prefix and the low three bytes of the serial.</summary>
    public string Mac => string.Create(CultureInfo.InvariantCulture, $"{Kind switch
    {
        BoardKind.X86 => "52:54:00",
        BoardKind.Raspi3b or BoardKind.Raspi3bPlus => "b8:27:eb",
        BoardKind.Raspi5 => "2c:cf:67",
        _ => "dc:a6:32",
    }}:77:{Id >> 8:x2}:{Id & 0xff:x2}");

    /// <summary>SMBIOS UUID of a PC.</summary>
    public string Uuid => $"77000000-0000-4000-8000-{Id:x12}";

    /// <summary>The node id that the board's own software reports: the Pi's serial, the PC's UUID.</summary>
    public string NodeId => Kind == BoardKind.X86 ? Uuid : Serial;

    /// <summary>The same as command-line arguments of <c>rack board</c>.</summary>
    public IEnumerable<string> ToArguments() =>
    [
        "--kind", Kind.ToString().ToLowerInvariant(), "--id", Text(Id), "--card", Card, "--log", Log,
        "--card-size", Text(CardSize), "--memory", Text(Memory), "--bridge", Bridge,
        "--resets", Text(Resets),
    ];

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
