using System.Globalization;
using Bootstrap.Protocol;

namespace Bootstrap.Board;

/// <summary>
/// SD cards and eMMC: their identification register as the kernel has taken it apart (Documentation/driver-api/mmc/mmc-dev-attrs.rst). How
/// it is laid out depends on the card's type and version.
/// </summary>
internal static class CardReader
{
    /// <summary>Numbers that the SD Association has given; it publishes no list, these are what cards of these brands show.</summary>
    private static readonly Dictionary<long, string> s_sdMakers = new()
    {
        [0x01] = "Panasonic",
        [0x02] = "Toshiba",
        [0x03] = "SanDisk",
        [0x1b] = "Samsung",
        [0x1d] = "ADATA",
        [0x27] = "Phison",
        [0x28] = "Lexar",
        [0x31] = "Silicon Power",
        [0x41] = "Kingston",
        [0x5d] = "Swissbit",
        [0x74] = "Transcend",
        [0x82] = "Sony",
        [0x9f] = "Kingston",
        [0xad] = "Longsys",
    };

    /// <summary>eMMC has numbers of its own, given by JEDEC.</summary>
    private static readonly Dictionary<long, string> s_mmcMakers = new()
    {
        [0x11] = "Toshiba",
        [0x13] = "Micron",
        [0x15] = "Samsung",
        [0x45] = "SanDisk",
        [0x70] = "Kingston",
        [0x90] = "SK hynix",
        [0xd6] = "Longsys",
        [0xf4] = "Biwin",
        [0xfe] = "Micron",
    };

    /// <summary>Reads a card.</summary>
    /// <param name="at">The disk's device folder.</param>
    /// <returns>Null for disks that are no cards.</returns>
    public static CardInfo? Read(SysFile sys, string at)
    {
        if (sys.Text($"{at}/cid") is null || Hex(sys.Text($"{at}/manfid")) is not { } maker)
        {
            return null;
        }
        bool embedded = sys.Text($"{at}/type") == "MMC";
        return new CardInfo(
            embedded ? "MMC" : "SD",
            (embedded ? s_mmcMakers : s_sdMakers).GetValueOrDefault(maker) ?? string.Create(CultureInfo.InvariantCulture, $"0x{maker:x2}"),
            sys.Text($"{at}/name") ?? "",
            sys.Text($"{at}/date") ?? "",
            sys.Text($"{at}/serial") ?? "",
            LifeUsed(sys.Text($"{at}/life_time")),
            Hex(sys.Text($"{at}/pre_eol_info")) switch { 1 => "normal", 2 => "warning", 3 => "urgent", _ => "" });
    }

    /// <summary>
    /// Two estimates, for two kinds of memory cells, of which the worse counts: 1 is up to 10 % used, 10 up to 100 %, 11 more (JESD84-B51,
    /// DEVICE_LIFE_TIME_EST). 0 is "not defined".
    /// </summary>
    private static int? LifeUsed(string? lifeTime)
    {
        long? worst = lifeTime?.Split(' ', StringSplitOptions.RemoveEmptyEntries).Max(Hex);
        return worst is >= 1 and <= 11 ? (int)worst * 10 : null;
    }

    private static long? Hex(string? text) =>
        text is not null && text.StartsWith("0x", StringComparison.Ordinal) &&
        long.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long number) ? number : null;
}
