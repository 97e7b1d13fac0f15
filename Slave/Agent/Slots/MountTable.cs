namespace Bootstrap.Agent.Slots;

/// <summary>One mounted file system.</summary>
/// <param name="Device">Major and minor number of its device, "179:5".</param>
/// <param name="IsWhole">Its root is what is mounted, and not a folder of it.</param>
/// <param name="IsWritable">The file system itself is; this place of it may still be read-only, as for a confined service.</param>
internal sealed record MountedPlace(string Device, string Place, bool IsWhole, bool IsWritable, string Type);

/// <summary>What is mounted for this process: /proc/self/mountinfo (proc(5)).</summary>
internal static class MountTable
{
    /// <param name="root">"/" but in tests.</param>
    public static IReadOnlyList<MountedPlace> Read(string root) =>
        [.. File.ReadAllLines(Path.Combine(root, "proc/self/mountinfo")).Select(Parse).OfType<MountedPlace>()];

    // "36 35 179:1 / /boot/firmware rw,noatime shared:1 - vfat /dev/mmcblk0p1 rw": fields of any number stand before the dash.
    private static MountedPlace? Parse(string line)
    {
        string[] fields = line.Split(' ');
        int dash = Array.IndexOf(fields, "-");
        return dash >= 6 && fields.Length > dash + 3
            ? new MountedPlace(fields[2], fields[4], fields[3] == "/", fields[dash + 3].Split(',').Contains("rw"), fields[dash + 1])
            : null;
    }
}
