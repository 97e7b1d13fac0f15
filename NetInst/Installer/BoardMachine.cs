using System.Globalization;
using System.Runtime.InteropServices;
using Bootstrap.Board;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Installer;

/// <summary>The real board: needs root, and a kernel that is not running from the disk in question.</summary>
public sealed class BoardMachine(BoardReader board) : IInstallMachine
{
    private const string MountPoint = "/mnt";

    public Inventory ReadInventory() => board.ReadInventory("NetInst") ??
        throw new InstallException("this board has neither a serial number nor a network interface to be named by");

    public IBlockDevice Open(DiskInfo disk) => new LinuxBlockDevice($"/dev/{disk.Name}");

    public IMountedRoot MountRoot(IBlockDevice device, int number, long start, long length)
    {
        var disk = (LinuxBlockDevice)device;
        disk.RereadPartitions();
        disk.AddPartition(number, start, length);
        return new MountedExt4(PathOf(disk, number), MountPoint);
    }

    public IMounted MountOldRoot(IBlockDevice device)
    {
        var disk = (LinuxBlockDevice)device;
        // A disk that was begun to be written has no partitions any more, whatever the kernel was told of before.
        disk.RereadPartitions();
        int[] numbers = [.. Directory.EnumerateFiles($"/sys/block/{Path.GetFileName(disk.Name)}", "partition",
            new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1 })
            .Select(file => int.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture)).OrderDescending()];
        string fault = "it has no partitions";
        // Of two slots, one holds an older system: people's files of today are in the one that has staged this program.
        int? running = int.TryParse(board.ReadKernelArguments().Value(StagedBoot.RunningRoot), CultureInfo.InvariantCulture, out int number)
            ? number : null;
        var systems = new List<int>();
        foreach (int candidate in numbers.Where(n => (running ?? n) == n))
        {
            if (IsSystem(PathOf(disk, candidate), ref fault))
            {
                systems.Add(candidate);
            }
        }
        return systems switch
        {
            [var only] => new MountedExt4(PathOf(disk, only), MountPoint, readOnly: true),
            [] => throw new InstallException(
            $"no system can be read from {disk.Name} of which anything could be kept ({fault}). Nothing was written; without kept " +
                $"paths it can be installed anew"),
            _ => throw new InstallException(
            $"{disk.Name} holds several systems (partitions {string.Join(", ", systems.Order())}), and which of them ran last is not " +
            $"known here: order the update while " +
                "the node's system runs. Nothing was written; without kept paths it can be installed anew"),
        };
    }

    public void ForgetSlots()
    {
        // Without it there are no such variables: a Raspberry Pi, or a PC with a BIOS.
        if (!Directory.Exists(EfiVariables.Folder))
        {
            return;
        }
        const nuint flags = Linux.MountNoSuid | Linux.MountNoDev | Linux.MountNoExec;
        if (Linux.Mount("efivarfs", EfiVariables.Folder, "efivarfs", flags, null) < 0 && Marshal.GetLastPInvokeError() is not Linux.EBUSY)
        {
            // Firmware without variables for a running system has no slots' entries either: nobody could write them.
            return;
        }
        SlotEntries.Remove(new EfiVariables(EfiVariables.Folder));
    }

    private static bool IsSystem(string partition, ref string fault)
    {
        try
        {
            using var mounted = new MountedExt4(partition, MountPoint, readOnly: true);
            using var root = new RootedFolder(mounted.Path);
            if (root.Exists("/etc/passwd"))
            {
                return true;
            }
            fault = $"{partition} holds no system";
        }
        catch (LinuxException e)
        {
            fault = e.Message;
        }
        return false;
    }

    // "mmcblk0p2", "nvme0n1p2", but "sda2".
    private static string PathOf(LinuxBlockDevice disk, int number) =>
        $"{disk.Name}{(char.IsAsciiDigit(disk.Name[^1]) ? "p" : "")}{number}";
}
