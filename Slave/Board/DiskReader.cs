using Bootstrap.Protocol;

namespace Bootstrap.Board;

/// <summary>Whole disks in /sys/block.</summary>
internal static class DiskReader
{
    /// <summary>/sys/block/*/size counts these, whatever the disk's own block size is.</summary>
    private const int SectorBytes = 512;

    public static IReadOnlyList<DiskInfo> Read(SysFile sys) =>
        [.. sys.Names("sys/block").Where(IsDisk).Select(name => Describe(sys, name)).Where(disk => disk.SizeBytes > 0)];

    /// <summary>Leaves out RAM, loop and optical devices, maps and arrays, and an eMMC's boot areas (mmcblk0boot0, mmcblk0rpmb).</summary>
    public static bool IsDisk(string name) =>
        (name.StartsWith("mmcblk", StringComparison.Ordinal) && name[6..].All(char.IsAsciiDigit)) ||
        (name.StartsWith("nvme", StringComparison.Ordinal) && !name.Contains('c')) ||
        ((name.StartsWith("sd", StringComparison.Ordinal) || name.StartsWith("vd", StringComparison.Ordinal)) &&
        name[2..].All(char.IsAsciiLetterLower));

    // A card reader without a card has the size 0: it is left out above.
    private static DiskInfo Describe(SysFile sys, string name)
    {
        string at = $"sys/block/{name}";
        string? model = sys.Text($"{at}/device/model") ?? sys.Text($"{at}/device/name");
        string? vendor = sys.Text($"{at}/device/vendor");
        // virtio and PCI say their vendor as a number.
        string fullName = vendor is null || vendor.StartsWith("0x", StringComparison.Ordinal) ? model ?? "" : $"{vendor} {model}".Trim();
        string serial = sys.Text($"{at}/device/cid") ?? sys.Text($"{at}/serial") ?? sys.Text($"{at}/device/serial") ??
            sys.Text($"{at}/wwid") ?? sys.Text($"{at}/device/wwid") ?? "";
        return new DiskInfo(
            name,
            (sys.Number($"{at}/size") ?? 0) * SectorBytes,
            (int)(sys.Number($"{at}/queue/logical_block_size") ?? SectorBytes),
            Kind(sys, name),
            fullName,
            serial,
            Removable: sys.Number($"{at}/removable") == 1,
            ReadOnly: sys.Number($"{at}/ro") == 1,
            Card: CardReader.Read(sys, $"{at}/device"));
    }

    private static string Kind(SysFile sys, string name) => name[..2] switch
    {
        "mm" => "sd",
        "nv" => "nvme",
        "vd" => "virtio",
        _ => ScsiKind(sys.Target($"sys/block/{name}")),
    };

    /// <summary>SCSI disks: the bus they hang on is a part of their path.</summary>
    private static string ScsiKind(string path) =>
        path.Contains("/usb", StringComparison.Ordinal) ? "usb" : path.Contains("/ata", StringComparison.Ordinal) ? "ata" : "other";
}
