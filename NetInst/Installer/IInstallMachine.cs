using Bootstrap.Protocol;

namespace Bootstrap.Installer;

/// <summary>The board as an installation sees it; tests put files in the place of disks.</summary>
public interface IInstallMachine
{
    /// <summary>What the board is, read anew.</summary>
    Inventory ReadInventory();

    /// <summary>Opens a disk for writing; nothing is written yet.</summary>
    IBlockDevice Open(DiskInfo disk);

    /// <summary>Mounts the written root file system, though the disk holds no partition table yet.</summary>
    /// <param name="device">From <see cref="Open"/>.</param>
    /// <param name="number">Number that the partition will have.</param>
    /// <param name="start">In bytes.</param>
    /// <param name="length">In bytes: what it will have once it has grown.</param>
    IMountedRoot MountRoot(IBlockDevice device, int number, long start, long length);

    /// <summary>Mounts the root file system of the system that the disk holds, read-only.</summary>
    /// <param name="device">From <see cref="Open"/>.</param>
    /// <exception cref="InstallException">The disk holds none that can be read.</exception>
    IMounted MountOldRoot(IBlockDevice device);

    /// <summary>Has the firmware forget the slots of the system that the disk held, so that it starts the new one.</summary>
    /// <exception cref="IOException">It does not.</exception>
    void ForgetSlots();
}

/// <summary>A mounted file system. Disposing unmounts it: all is on the medium then.</summary>
public interface IMounted : IDisposable
{
    /// <summary>Where it is mounted.</summary>
    string Path { get; }
}

/// <summary>A mounted ext4 root file system.</summary>
public interface IMountedRoot : IMounted
{
    /// <summary>Makes the file system as long as its partition.</summary>
    /// <param name="length">In bytes.</param>
    /// <returns>Its size afterwards, in bytes.</returns>
    long Grow(long length);
}
