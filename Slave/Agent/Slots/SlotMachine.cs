using Bootstrap.Board;
using Bootstrap.Installer;

namespace Bootstrap.Agent.Slots;

/// <summary>The running machine's disk, as an update of a slot sees it; tests put files in the place of power cuts and of the running
/// system.</summary>
public interface ISlotMachine
{
    /// <summary>The first bytes of the disk.</summary>
    /// <param name="disk">"/dev/mmcblk0".</param>
    byte[] ReadHead(string disk);

    /// <summary>Opens a partition for writing, which nobody has mounted and nobody mounts meanwhile.</summary>
    /// <exception cref="IOException">It is in use.</exception>
    IBlockDevice Open(SlotPartition partition);

    /// <summary>Mounts a partition, or gives the place where it is mounted already.</summary>
    /// <param name="type"><c>vfat</c> or <c>ext4</c>.</param>
    /// <exception cref="IOException">It cannot be mounted.</exception>
    IMounted Mount(SlotPartition partition, string type, bool readOnly);

    /// <summary>The running system's root file system, without what is mounted into it.</summary>
    IMounted MountRunningRoot();
}

/// <summary>The real one. Needs root, outside of what confines the Slave's own service.</summary>
/// <param name="folder">Where it mounts; made where it is missing.</param>
public sealed class SlotMachine(string folder = "/run/bootstrap-slots") : ISlotMachine
{
    private const nuint Bind = 4096;
    private const int Detach = 2;

    private const string RunningRoot = "running";

    public byte[] ReadHead(string disk)
    {
        using FileStream device = new(disk, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        byte[] head = new byte[DiskHead.Bytes];
        int read = device.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        return head[..read];
    }

    public IBlockDevice Open(SlotPartition partition) => new LinuxBlockDevice(partition.Device, exclusive: true);

    public IMounted Mount(SlotPartition partition, string type, bool readOnly)
    {
        string device = File.ReadAllText($"/sys/class/block/{Path.GetFileName(partition.Device)}/dev").Trim();
        if (MountTable.Read("/")
            .FirstOrDefault(m => m.Device == device && m.IsWhole && !m.Place.StartsWith(folder, StringComparison.Ordinal)) is { } there)
        {
            return readOnly || there.IsWritable
                ? new Place(there.Place)
                : throw new IOException($"{partition.Device} is mounted read-only at {there.Place}: mount it for writing, or not at all");
        }
        return new MountedVolume(partition.Device, MakePlace($"{partition.Number}"), type, $"partition {partition.Number}", readOnly);
    }

    public IMounted MountRunningRoot()
    {
        string place = MakePlace(RunningRoot);
        Linux.Check(Linux.Mount("/", place, "none", Bind, null), "mounting the running system's root once more");
        return new BoundPlace(place);
    }

    /// <summary>Unmounts what an earlier program left that was killed.</summary>
    public void Clear()
    {
        foreach (MountedPlace left in MountTable.Read("/").Where(m => m.Place.StartsWith(folder + "/", StringComparison.Ordinal)))
        {
            Linux.Check(Linux.Unmount(left.Place, Detach), $"unmounting {left.Place}, which an earlier update has left");
        }
    }

    private string MakePlace(string name) => Directory.CreateDirectory(Path.Combine(folder, name)).FullName;

    private sealed record Place(string Path) : IMounted
    {
        public void Dispose() => Linux.Sync();
    }

    private sealed record BoundPlace(string Path) : IMounted
    {
        public void Dispose() => Linux.Unmount(Path, $"unmounting {Path}");
    }
}
