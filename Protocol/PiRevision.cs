using System.Text.Json.Serialization;

namespace Bootstrap.Protocol;

/// <summary>Boards that boot in the same way and run the same kernels. The processor tells it, and not the model: there are models with
/// two.</summary>
public enum PiFamily
{
    /// <summary>One that boots from no network, or is not known here.</summary>
    Unknown,

    /// <summary>Mask ROM and bootcode.bin: 2B v1.2, 3A+, 3B, 3B+, CM3, Zero 2 W.</summary>
    Pi3,

    /// <summary>EEPROM and start4.elf: 4B, 400, CM4.</summary>
    Pi4,

    /// <summary>EEPROM that starts the kernel itself: 5, 500, CM5.</summary>
    Pi5,
}

/// <summary>
/// What a Raspberry Pi's revision code says (raspberrypi/documentation, "Raspberry Pi revision codes"). New style, bit 23 set: memory in
/// bits 22–20, maker in 19–16, processor in 15–12, model in 11–4, board revision in 3–0.
/// </summary>
/// <param name="Model">As the board's own kernel calls it: "Raspberry Pi 4 Model B"; empty for models that are not known here.</param>
/// <param name="Revision">Of the board: "1.4".</param>
/// <param name="MemoryBytes">RAM that is soldered on.</param>
/// <param name="Maker">Who made the board: "Sony UK"; empty for those that are not known here.</param>
/// <param name="Processor">"BCM2711"; empty for those that are not known here.</param>
public sealed record PiRevision(string Model, string Revision, long MemoryBytes, string Maker, string Processor)
{
    private const uint NewStyle = 1 << 23;

    /// <summary>How it boots.</summary>
    [JsonIgnore]
    public PiFamily Family => Processor switch
    {
        "BCM2837" => PiFamily.Pi3,
        "BCM2711" => PiFamily.Pi4,
        "BCM2712" => PiFamily.Pi5,
        _ => PiFamily.Unknown,
    };

    /// <summary>As the board's own kernel calls it: "Raspberry Pi 4 Model B Rev 1.4"; null for models that are not known here.</summary>
    [JsonIgnore]
    public string? Name => Model.Length > 0 ? $"{Model} Rev {Revision}" : null;

    private static readonly string[] s_makers = ["Sony UK", "Egoman", "Embest", "Sony Japan", "Embest", "Stadium"];

    private static readonly string[] s_processors = ["BCM2835", "BCM2836", "BCM2837", "BCM2711", "BCM2712"];

    private static readonly Dictionary<uint, string> s_models = new()
    {
        [0x00] = "Model A",
        [0x01] = "Model B",
        [0x02] = "Model A Plus",
        [0x03] = "Model B Plus",
        [0x04] = "2 Model B",
        [0x06] = "Compute Module",
        [0x08] = "3 Model B",
        [0x09] = "Zero",
        [0x0a] = "Compute Module 3",
        [0x0c] = "Zero W",
        [0x0d] = "3 Model B Plus",
        [0x0e] = "3 Model A Plus",
        [0x10] = "Compute Module 3 Plus",
        [0x11] = "4 Model B",
        [0x12] = "Zero 2 W",
        [0x13] = "400",
        [0x14] = "Compute Module 4",
        [0x15] = "Compute Module 4S",
        [0x17] = "5 Model B",
        [0x18] = "Compute Module 5",
        [0x19] = "500",
        [0x1a] = "Compute Module 5 Lite",
    };

    /// <summary>Reads a code. Null for those of the first boards (until 2014), which are plain numbers.</summary>
    public static PiRevision? Read(uint code) => (code & NewStyle) == 0 ? null : new PiRevision(
        s_models.TryGetValue(code >> 4 & 0xff, out string? model) ? $"Raspberry Pi {model}" : "",
        $"1.{code & 0xf}",
        (256L << 20) << (int)(code >> 20 & 7),
        Word(s_makers, code >> 16 & 0xf),
        Word(s_processors, code >> 12 & 0xf));

    private static string Word(string[] words, uint number) => number < words.Length ? words[number] : "";
}
