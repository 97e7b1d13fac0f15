using System.Globalization;
using Bootstrap.Agent.Commands;
using Bootstrap.Board;

namespace Bootstrap.Agent.Firmware;

/// <summary>Whether packages are being changed at this moment: the firmware's images may be half replaced then, and a restart breaks it
/// off.</summary>
internal static class PackagesAtWork
{
    private const string Dpkg = "var/lib/dpkg";

    /// <summary>What speaks against a restart, with what to do; empty: nothing, or the node has no dpkg.</summary>
    public static string FindFault(NodeSystem system)
    {
        string folder = Path.Combine(system.Root, Dpkg);
        string updates = Path.Combine(folder, "updates");
        // dpkg's own sign that it was broken off: it keeps there what it has not yet written into its status.
        int left = Directory.Exists(updates)
            ? Directory.EnumerateFiles(updates).Count(file => Path.GetFileName(file).All(char.IsAsciiDigit)) : 0;
        return left > 0 ? $"dpkg was interrupted ({left} {(left == 1 ? "file" : "files")} in /{Dpkg}/updates): run `dpkg --configure " +
            $"-a` on the node, and order this again"
            : new[] { "lock-frontend", "lock" }.FirstOrDefault(name => IsHeld(system, Path.Combine(folder, name))) is { } held
                ? $"a package manager is at work (/{Dpkg}/{held} is locked): order this again when it is done"
            : "";
    }

    /// <summary>A line of /proc/locks (proc_locks(5)) names the device and the inode of the file: "1: POSIX ADVISORY WRITE 512 b3:02:1044 0
    /// EOF".</summary>
    private static bool IsHeld(NodeSystem system, string file)
    {
        if (!File.Exists(file))
        {
            return false;
        }
        FileStatus status = Linux.StatusOf(file);
        string id = string.Create(
            CultureInfo.InvariantCulture, $"{status.Device >> 32:x2}:{status.Device & uint.MaxValue:x2}:{status.Inode}");
        return File.ReadLines(Path.Combine(system.Root, "proc/locks")).Any(line => line.Split(' ').Contains(id));
    }
}
