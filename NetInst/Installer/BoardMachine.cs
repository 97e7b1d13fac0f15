using System.Globalization;
using Bootstrap.Board;
using Bootstrap.Protocol;

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
        int[] numbers = [.. Directory.EnumerateFiles($"/sys/block/{Path.GetFileName(disk.Name)}", "partition", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1 })
            .Select(file => int.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture)).OrderDescending()];
        string fault = "it has no partitions";
        foreach (int number in numbers)
        {
            try
            {
                var mounted = new MountedExt4(PathOf(disk, number), MountPoint, readOnly: true);
                using (var root = new RootedFolder(mounted.Path))
                {
                    if (root.Exists("/etc/passwd"))
                    {
                        return mounted;
                    }
                }
                mounted.Dispose();
                fault = $"partition {number} holds no system";
            }
            catch (LinuxException e)
            {
                fault = e.Message;
            }
        }
        throw new InstallException($"no system can be read from {disk.Name} of which anything could be kept ({fault}). Nothing was written; without kept paths it can be installed anew");
    }

    // "mmcblk0p2", "nvme0n1p2", but "sda2".
    private static string PathOf(LinuxBlockDevice disk, int number) => $"{disk.Name}{(char.IsAsciiDigit(disk.Name[^1]) ? "p" : "")}{number}";
}
