using System.Text;

namespace Bootstrap.Board.Sampling;

/// <summary>A file system on a disk of this machine.</summary>
/// <param name="Point">Where it is mounted.</param>
/// <param name="Device">Its block device: <c>/dev/mmcblk0p2</c>.</param>
/// <param name="Number">The kernel's of that file system, major and minor: <c>179:2</c>.</param>
/// <param name="Type"><c>ext4</c>.</param>
/// <param name="IsReadOnly">It cannot be written to through this mount.</param>
/// <param name="HasFailed">It was mounted for writing, and the kernel has made it read-only.</param>
internal sealed record DiskMount(string Point, string Device, string Number, string Type, bool IsReadOnly, bool HasFailed);

/// <summary>Reads /proc/PID/mountinfo (proc(5), Documentation/filesystems/proc.rst).</summary>
internal static class MountTable
{
    /// <summary>What can be written to. FUSE is not there: its server may be silent.</summary>
    private static readonly HashSet<string> s_types = new(StringComparer.Ordinal)
    {
        "ext2", "ext3", "ext4", "vfat", "msdos", "exfat", "xfs", "btrfs", "f2fs", "ntfs3", "jfs", "reiserfs", "nilfs2", "bcachefs",
        "hfsplus",
    };

    /// <summary>Whoever looks at a path below one of these may wait for a server for ever.</summary>
    private static bool MayHang(string type) =>
        type is "nfs" or "nfs4" or "cifs" or "smb3" or "smbfs" or "9p" or "ceph" or "afs" or "coda" or "autofs" or "glusterfs" or
            "lustre" or "ocfs2" or "gfs2" || type.StartsWith("fuse", StringComparison.Ordinal);

    /// <summary>Block devices that are somewhere else.</summary>
    private static bool IsRemote(string device) =>
        device.StartsWith("/dev/nbd", StringComparison.Ordinal) || device.StartsWith("/dev/rbd", StringComparison.Ordinal);

    /// <summary>Those on disks, each disk's partition once.</summary>
    /// <param name="mountInfo">The file's content.</param>
    /// <param name="limit">More are not told.</param>
    public static IReadOnlyList<DiskMount> Read(ReadOnlySpan<byte> mountInfo, int limit)
    {
        // What is mounted later hides what is below it.
        var mounts = new Dictionary<string, DiskMount?>(StringComparer.Ordinal);
        var hanging = new List<string>();
        var lines = new Lines(mountInfo);
        while (lines.Next(out ReadOnlySpan<byte> line))
        {
            if (!TryParse(line, out string point, out string type, out DiskMount? mount))
            {
                continue;
            }
            mounts[point] = mount;
            if (MayHang(type))
            {
                hanging.Add(point == "/" ? point : point + '/');
            }
        }
        return [.. mounts.Values.OfType<DiskMount>()
            .Where(mount => !hanging.Exists(above => mount.Point.StartsWith(above, StringComparison.Ordinal)))
            // Bind mounts and subvolumes show the same device again.
            .GroupBy(mount => mount.Device, StringComparer.Ordinal).Select(same => same.MinBy(mount => mount.Point.Length)!)
            .OrderBy(mount => mount.Point, StringComparer.Ordinal).Take(limit)];
    }

    /// <summary>36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw,errors=continue</summary>
    /// <param name="mount">Null: it is none on a disk.</param>
    private static bool TryParse(ReadOnlySpan<byte> line, out string point, out string type, out DiskMount? mount)
    {
        point = type = "";
        mount = null;
        var words = new Words(line);
        bool ok = words.Next(out ReadOnlySpan<byte> _) & words.Next(out ReadOnlySpan<byte> _) &
            words.Next(out ReadOnlySpan<byte> number) & words.Next(out ReadOnlySpan<byte> _);
        ok &= words.Next(out ReadOnlySpan<byte> where) & words.Next(out ReadOnlySpan<byte> options);
        ReadOnlySpan<byte> word;
        do
        {
            ok &= words.Next(out word);
        }
        while (ok && !word.SequenceEqual("-"u8));
        ok &= words.Next(out ReadOnlySpan<byte> kind) & words.Next(out ReadOnlySpan<byte> source);
        if (!ok)
        {
            return false;
        }
        words.Next(out ReadOnlySpan<byte> super);
        point = Unescaped(where);
        type = Encoding.UTF8.GetString(kind);
        string device = Unescaped(source);
        if (s_types.Contains(type) && device.StartsWith("/dev/", StringComparison.Ordinal) && !IsRemote(device))
        {
            bool mountReadOnly = Has(options, "ro"u8), superReadOnly = Has(super, "ro"u8);
            // After an error only the file system as a whole becomes read-only, its mount stays as it was; newer ext4 says so in words.
            bool failed = (superReadOnly && !mountReadOnly) || Has(super, "emergency_ro"u8) || Has(super, "shutdown"u8);
            mount = new DiskMount(point, device, Encoding.UTF8.GetString(number), type, mountReadOnly || superReadOnly || failed, failed);
        }
        return true;
    }

    private static bool Has(ReadOnlySpan<byte> options, ReadOnlySpan<byte> option)
    {
        foreach (Range each in options.Split((byte)','))
        {
            if (options[each].SequenceEqual(option))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Blanks, tabs, line ends and backslashes stand there as three octal digits.</summary>
    private static string Unescaped(ReadOnlySpan<byte> text)
    {
        if (text.IndexOf((byte)'\\') < 0)
        {
            return Encoding.UTF8.GetString(text);
        }
        byte[] plain = new byte[text.Length];
        int length = 0;
        for (int i = 0; i < text.Length; i++)
        {
            bool isEscape = text[i] == '\\' && i + 3 < text.Length && text[i + 1] is >= (byte)'0' and <= (byte)'3' &&
                text[i + 2] is >= (byte)'0' and <= (byte)'7' && text[i + 3] is >= (byte)'0' and <= (byte)'7';
            plain[length++] = isEscape ? (byte)((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + text[i + 3] - '0') : text[i];
            i += isEscape ? 3 : 0;
        }
        return Encoding.UTF8.GetString(plain, 0, length);
    }

    /// <summary>Mount points that fstab(5) wants to be written to.</summary>
    public static HashSet<string> WritableIn(string? fstab)
    {
        var points = new HashSet<string>(StringComparer.Ordinal);
        foreach (string line in (fstab ?? "").Split('\n'))
        {
            string[] fields = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length >= 4 && !fields[0].StartsWith('#') && !fields[3].Split(',').Contains("ro"))
            {
                points.Add(Unescaped(Encoding.UTF8.GetBytes(fields[1])));
            }
        }
        return points;
    }
}
