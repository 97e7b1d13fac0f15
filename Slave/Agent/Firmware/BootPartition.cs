using System.Globalization;
using Bootstrap.Agent.Commands;

namespace Bootstrap.Agent.Firmware;

/// <summary>The partition that a Pi's ROM and bootloader read.</summary>
/// <param name="system">The machine.</param>
/// <param name="folder">Where it is mounted, as the machine's programs know it.</param>
internal sealed class BootPartition(NodeSystem system, string folder)
{
    /// <summary>An EEPROM's image of a Pi 5 has 2 MiB; recovery.bin, a USB controller's image and signatures come with it.</summary>
    private const long NeededBytes = 4 << 20;

    private string Path => System.IO.Path.Combine(system.Root, folder.TrimStart('/'));

    /// <summary>An update lies there that the next start takes, or a part of one.</summary>
    public bool IsPending => new[] { "pieeprom.upd", "recovery.bin" }.Any(name => File.Exists(System.IO.Path.Combine(Path, name)));

    /// <summary>What is mounted there (/dev/mmcblk0p1); null: nothing.</summary>
    public string? FindDevice() => FindMount()?.Device;

    /// <summary>Why nothing can be staged on it, with what to do; empty: it can.</summary>
    public string FindFault()
    {
        if (FindMount() is not var (kind, _, options))
        {
            return $"nothing is mounted at {folder}, and so the board's ROM would find no update there: mount the boot partition, and " +
                $"order this again";
        }
        if (kind is not ("vfat" or "msdos"))
        {
            return $"{folder} is a file system of kind {kind}, which the board's ROM cannot read (FAT is needed): mount the boot " +
                $"partition there, and order this again";
        }
        if (options.Split(',').Contains("ro"))
        {
            return $"{folder} is mounted read-only: mount it writable (mount -o remount,rw {folder}), and order this again";
        }
        long free = new DriveInfo(Path).AvailableFreeSpace;
        return free >= NeededBytes ? "" : string.Create(CultureInfo.InvariantCulture,
            $"{folder} has {free / 1e6:0.0} MB free, and {NeededBytes / 1e6:0.0} MB are needed: make room there, and order this again");
    }

    /// <summary>
    /// Kind, device and options of the file system that is mounted there last (proc_pid_mountinfo(5): the mount point is the fifth field;
    /// after a lone '-' come kind, source and the file system's own options). The mount's options are left aside: the Slave sees most of
    /// the machine read-only, and what it starts does not.
    /// </summary>
    private (string Kind, string Device, string Options)? FindMount() =>
        File.ReadLines(System.IO.Path.Combine(system.Root, "proc/self/mountinfo"))
            .Select(line => line.Split(' ')).Where(fields => fields.Length > 4 && fields[4] == folder)
            .Select(fields => fields[(Array.IndexOf(fields, "-") + 1)..])
            .Select(own => ((string, string, string)?)(own[0], own[1], own[2])).LastOrDefault();
}
