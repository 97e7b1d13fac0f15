using System.Globalization;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Flash;

/// <summary>A device that may be written: removable, not in use. Or a new plain file, which is made as large as it must be.</summary>
/// <param name="Path">"/dev/sdb", or the file's.</param>
/// <param name="SizeBytes">Capacity; null for a file.</param>
/// <param name="Description">For people: model and what is on it.</param>
internal sealed record FlashTarget(string Path, long? SizeBytes, string Description)
{
    private const string SysBlock = "/sys/class/block";

    /// <summary>Looks at what the user named.</summary>
    /// <exception cref="CliException">It must not be written; the message says why.</exception>
    public static FlashTarget Open(string path)
    {
        FileSystemInfo named = new FileInfo(path);
        FileSystemInfo resolved = named.LinkTarget is null ? named : named.ResolveLinkTarget(returnFinalTarget: true)!;
        if (!resolved.FullName.StartsWith("/dev/", StringComparison.Ordinal))
        {
            return Directory.Exists(path) ? throw new CliException($"{path} is a folder: name a card, such as /dev/sdb")
                : File.Exists(path)
                    ? throw new CliException($"{path} exists already, and is not a card: name a card, such as /dev/sdb, or a new file")
                : new FlashTarget(resolved.FullName, null, "a new file");
        }
        string name = System.IO.Path.GetFileName(resolved.FullName);
        string sys = System.IO.Path.Combine(SysBlock, name);
        if (!Directory.Exists(sys))
        {
            throw new CliException(
                $"{path} is not a block device: name the whole card or stick, such as /dev/sdb or /dev/mmcblk0 (see lsblk)");
        }
        if (File.Exists(System.IO.Path.Combine(sys, "partition")))
        {
            throw new CliException($"{path} is a partition: name the whole card or stick (see lsblk)");
        }
        RefuseInUse(path, name);
        if (!IsRemovable(sys, name))
        {
            throw new CliException($"{path} is not removable: only cards, USB sticks and loop devices are written");
        }
        if (Read(sys, "ro") == "1")
        {
            throw new CliException($"{path} is write-protected: look for a lock switch on the card");
        }
        long size = long.Parse(Read(sys, "size"), CultureInfo.InvariantCulture) * 512;
        return size > 0
            ? new FlashTarget(resolved.FullName, size, Describe(sys, name, size))
            : throw new CliException($"{path} has no medium: put a card in");
    }

    private static void RefuseInUse(string path, string name)
    {
        string[] numbers = [.. Members(name).Select(member => Read(System.IO.Path.Combine(SysBlock, member), "dev"))];
        foreach (string line in File.ReadLines("/proc/self/mountinfo"))
        {
            string[] fields = line.Split(' ');
            if (numbers.Contains(fields[2]))
            {
                throw new CliException(fields[4] == "/"
                    ? $"{path} is the disk that this machine runs from"
                    : $"{path} is in use: it is mounted at {fields[4]}; unmount it first (umount {fields[4]})");
            }
        }
        foreach (string member in Members(name))
        {
            string holders = System.IO.Path.Combine(SysBlock, member, "holders");
            if (Directory.Exists(holders) && Directory.EnumerateFileSystemEntries(holders).Any())
            {
                throw new CliException($"{path} is in use: {member} belongs to a RAID, LVM or encrypted volume");
            }
            if (File.ReadLines("/proc/swaps").Any(line => line.StartsWith($"/dev/{member} ", StringComparison.Ordinal)))
            {
                throw new CliException($"{path} is in use: this machine swaps to {member}");
            }
        }
    }

    private static IEnumerable<string> Members(string name) =>
        Directory.EnumerateDirectories(System.IO.Path.Combine(SysBlock, name))
            .Where(folder => File.Exists(System.IO.Path.Combine(folder, "partition")))
            .Select(folder => System.IO.Path.GetFileName(folder)!).Append(name);

    /// <summary>A card in a built-in reader does not call itself removable: its type does (MMC is soldered, SD is not).</summary>
    private static bool IsRemovable(string sys, string name) =>
        Read(sys, "removable") == "1" || name.StartsWith("loop", StringComparison.Ordinal) || Read(sys, "device/type") == "SD";

    private static string Describe(string sys, string name, long size)
    {
        string model = ($"{Read(sys, "device/vendor")} {Read(sys, "device/model")}" +
            $"{Read(sys, "device/name")}{Read(sys, "loop/backing_file")}").Trim();
        int partitions = Members(name).Count() - 1;
        string content = partitions switch { 0 => "no partitions", 1 => "1 partition", _ => $"{partitions} partitions" };
        return $"{(model.Length > 0 ? model : "unknown model")}, {Output.Bytes(size)}, {content}";
    }

    private static string Read(string folder, string name)
    {
        string path = System.IO.Path.Combine(folder, name);
        return File.Exists(path) ? File.ReadAllText(path).Trim() : "";
    }
}
