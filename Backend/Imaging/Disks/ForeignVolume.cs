namespace Bootstrap.Imaging.Disks;

/// <summary>Partitions that hold neither FAT nor ext4: what they hold, for people. All of their bytes are stored.</summary>
internal static class ForeignVolume
{
    // Magic numbers and their places: btrfs' and XFS' on-disk formats, LUKS 1 and 2, LVM2's label, swap, f2fs, SquashFS 4, EROFS, NTFS,
    // exFAT (include/uapi/linux/magic.h and the formats' own papers).
    private static readonly (int Place, byte[] Magic, string What)[] s_kinds =
    [
        (0x10040, "_BHRfS_M"u8.ToArray(), "btrfs"),
        (0, [0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe], "LUKS encryption"),
        (512, "LABELONE"u8.ToArray(), "LVM"),
        (0, "XFSB"u8.ToArray(), "XFS"),
        (1024, [0x10, 0x20, 0xf5, 0xf2], "F2FS"),
        (0, "hsqs"u8.ToArray(), "SquashFS"),
        (1024, [0xe2, 0xe1, 0xf5, 0xe0], "EROFS"),
        (4086, "SWAPSPACE2"u8.ToArray(), "swap"),
        (3, "NTFS    "u8.ToArray(), "NTFS"),
        (3, "EXFAT   "u8.ToArray(), "exFAT"),
    ];

    /// <summary>What a partition holds; null: nothing that is known, or the image ends before it.</summary>
    public static string? Describe(RawImage image, Partition partition)
    {
        foreach ((int place, byte[] magic, string what) in s_kinds)
        {
            long end = place + (long)magic.Length;
            if (end <= partition.Length && image.Reaches(partition.Start + end)
                && image.Read(partition.Start + place, magic.Length).AsSpan().SequenceEqual(magic))
            {
                return what;
            }
        }
        return null;
    }
}
