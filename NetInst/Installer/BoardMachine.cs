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
        // "mmcblk0p2", "nvme0n1p2", but "sda2".
        string path = $"{disk.Name}{(char.IsAsciiDigit(disk.Name[^1]) ? "p" : "")}{number}";
        return new MountedExt4(path, MountPoint);
    }
}
