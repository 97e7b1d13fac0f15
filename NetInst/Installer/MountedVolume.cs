using Bootstrap.Board;

namespace Bootstrap.Installer;

/// <summary>A mounted file system of a disk.</summary>
public class MountedVolume : IMounted
{
    private readonly string _what;

    /// <param name="device">"/dev/mmcblk0p3".</param>
    /// <param name="mountPoint">A folder that is there.</param>
    /// <param name="type">As the kernel calls it.</param>
    /// <param name="what">For messages: "the boot partition".</param>
    /// <param name="readOnly">Nothing is changed.</param>
    /// <param name="options">Of the file system; null: its own.</param>
    /// <exception cref="LinuxException">It cannot be mounted.</exception>
    public MountedVolume(string device, string mountPoint, string type, string what, bool readOnly, string? options = null)
    {
        (Device, Path, _what) = (device, mountPoint, what);
        nuint flags = Linux.MountNoATime | Linux.MountNoSuid | Linux.MountNoDev | (readOnly ? Linux.MountReadOnly : 0);
        Linux.Check(Linux.Mount(device, mountPoint, type, flags, options), $"mounting {what} {device}");
    }

    public string Path { get; }

    protected string Device { get; }

    public void Dispose()
    {
        Linux.Unmount(Path, $"unmounting {_what} {Device}");
        GC.SuppressFinalize(this);
    }
}
