using Bootstrap.Board;

namespace Bootstrap.Init;

/// <summary>A kernel file system that has to be mounted before anything else works.</summary>
internal sealed record EarlyMount(string Type, string Target, nuint Flags, string? Options = null)
{
    /// <summary>In order: .NET itself needs /dev/urandom and /proc.</summary>
    public static IReadOnlyList<EarlyMount> All { get; } =
    [
        new("devtmpfs", "/dev", Linux.MountNoSuid),
        new("proc", "/proc", Linux.MountNoSuid | Linux.MountNoDev | Linux.MountNoExec),
        new("sysfs", "/sys", Linux.MountNoSuid | Linux.MountNoDev | Linux.MountNoExec),
        new("tmpfs", "/run", Linux.MountNoSuid | Linux.MountNoDev, "mode=0755"),
        new("tmpfs", "/tmp", Linux.MountNoSuid | Linux.MountNoDev, "mode=1777"),
    ];

    /// <exception cref="LinuxException">The kernel refuses; one that has mounted /dev itself already is well.</exception>
    public void Do()
    {
        const int ownerAndAll = 0x1ed; // 0755
        // Not System.IO: it looks into /proc, which this is about to mount.
        _ = Linux.MakeDirectoryAt(-1, Target, ownerAndAll);
        if (Linux.Mount(Type, Target, Type, Flags, Options) < 0 &&
            System.Runtime.InteropServices.Marshal.GetLastPInvokeError() is var errno && errno != Linux.EBUSY)
        {
            throw new LinuxException($"mounting {Type} on {Target}", errno);
        }
    }
}
