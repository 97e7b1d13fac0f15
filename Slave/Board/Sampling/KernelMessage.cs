namespace Bootstrap.Board.Sampling;

/// <summary>What the kernel complains of.</summary>
internal enum KernelMessageKind
{
    /// <summary>Of nothing that is counted.</summary>
    Other,
    OomKill,
    FileSystemError,
    CardError,
}

/// <summary>The kernel's messages, as its sources write them.</summary>
internal static class KernelMessage
{
    /// <summary>What kind a message is.</summary>
    public static KernelMessageKind KindOf(ReadOnlySpan<byte> text) =>
        IsOomKill(text) ? KernelMessageKind.OomKill
        : IsCardError(text) ? KernelMessageKind.CardError
        : IsFileSystemError(text) ? KernelMessageKind.FileSystemError
        : KernelMessageKind.Other;

    /// <summary>mm/oom_kill.c: one line for each process that was killed, for the whole machine or for a control group.</summary>
    private static bool IsOomKill(ReadOnlySpan<byte> text) =>
        (text.StartsWith("Out of memory"u8) || text.StartsWith("Memory cgroup out of memory"u8)) && Has(text, ": Killed process "u8);

    /// <summary>
    /// fs/ext4/super.c, fs/jbd2, fs/btrfs/messages.c, fs/fat/misc.c, fs/f2fs, fs/xfs, fs/exfat; fs/buffer.c where it is no card. A warning
    /// that a volume was not unmounted is none.
    /// </summary>
    private static bool IsFileSystemError(ReadOnlySpan<byte> text)
    {
        if (text.StartsWith("EXT4-fs error"u8) || text.StartsWith("EXT2-fs error"u8) || text.StartsWith("EXT3-fs error"u8) ||
            text.StartsWith("EXT4-fs critical"u8) || text.StartsWith("BTRFS error"u8) || text.StartsWith("BTRFS critical"u8) ||
            text.StartsWith("BTRFS: error"u8) || text.StartsWith("Aborting journal on device "u8) || text.StartsWith("JBD2: I/O error"u8) ||
            text.StartsWith("JBD2: Detected IO errors"u8))
        {
            return true;
        }
        return (text.StartsWith("EXT4-fs ("u8) && (Has(text, "Remounting filesystem read-only"u8) || Has(text, "I/O error"u8))) ||
            (text.StartsWith("BTRFS"u8) && (Has(text, "forced readonly"u8) || Has(text, "csum failed"u8))) ||
            (text.StartsWith("FAT-fs ("u8) &&
                (Has(text, "): error, "u8) || Has(text, "set read-only"u8) || Has(text, "unable to read"u8))) ||
            (text.StartsWith("exFAT-fs ("u8) && (Has(text, "): error, "u8) || Has(text, "set read-only"u8))) ||
            (text.StartsWith("F2FS-fs ("u8) && (Has(text, "nconsisten"u8) || Has(text, "I/O error"u8) || Has(text, "orrupt"u8))) ||
            (text.StartsWith("XFS ("u8) && (Has(text, "orruption"u8) || Has(text, "I/O error"u8) || Has(text, "Shutting down"u8)));
    }

    /// <summary>
    /// drivers/mmc/core and drivers/mmc/host (<c>mmc0: …</c>, <c>mmcblk0: …</c>), block/blk-core.c and fs/buffer.c (<c>I/O error, dev
    /// mmcblk0, sector …</c>). What has no card in its slot, and a wireless chip on the same kind of bus, are none.
    /// </summary>
    private static bool IsCardError(ReadOnlySpan<byte> text)
    {
        if (Has(text, "I/O error, dev mmcblk"u8) || Has(text, "I/O error on dev mmcblk"u8))
        {
            return true;
        }
        if (!text.StartsWith("mmc"u8) || text.IndexOf(": "u8) is not (> 3 and < 16 and var colon))
        {
            return false;
        }
        ReadOnlySpan<byte> says = text[(colon + 2)..];
        if (Has(says, "SDIO"u8))
        {
            return false;
        }
        return says.StartsWith("error -"u8) || Has(says, ": error -"u8) || Has(says, "timed out"u8) || Has(says, "imeout waiting for"u8) ||
            Has(says, "stuck"u8) || Has(says, "never left busy"u8) || Has(says, "recovery failed"u8) || Has(says, "CRC error"u8) ||
            Has(says, "cache flush error"u8) || Has(says, "tuning execution failed"u8) || Has(says, "problem reading SD Status"u8) ||
            Has(says, "REGISTER DUMP"u8) || Has(says, "retrying using single block"u8);
    }

    private static bool Has(ReadOnlySpan<byte> text, ReadOnlySpan<byte> part) => text.IndexOf(part) >= 0;
}
