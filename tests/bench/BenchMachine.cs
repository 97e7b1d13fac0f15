using System.Runtime.InteropServices;
using Bootstrap.Installer;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Bench;

/// <summary>This machine as a board with one disk: the block device that is measured.</summary>
internal sealed class BenchMachine(string device) : IInstallMachine
{
    public Inventory ReadInventory()
    {
        using var disk = new LinuxBlockDevice(device);
        string architecture = RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "amd64";
        return new Inventory(NodeId.Parse("mac-525400000001"), architecture, "bench", "", "", "", 1 << 28, Environment.ProcessorCount, [],
            [new DiskInfo(Path.GetFileName(device), disk.Size, 512, "loop", "", "", false, false)], "", "NetInst");
    }

    public IBlockDevice Open(DiskInfo disk) => new LinuxBlockDevice(device);

    public IMountedRoot MountRoot(IBlockDevice device, int number, long start, long length) =>
        throw new InvalidOperationException("nothing is configured here");

    public IMounted MountOldRoot(IBlockDevice device) => throw new InvalidOperationException("nothing is kept here");

    // A loop device is in no firmware's list.
    public void ForgetSlots()
    {
    }
}
