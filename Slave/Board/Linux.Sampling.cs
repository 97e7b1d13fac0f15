using System.Runtime.InteropServices;

namespace Bootstrap.Board;

/// <summary>How full a file system is, as statvfs(3) tells it.</summary>
/// <param name="Size">In bytes.</param>
/// <param name="Free">Of these; some of it may be kept for root.</param>
/// <param name="Available">Of these, for everybody.</param>
/// <param name="Files">Inodes; 0 where it makes them as it needs them (btrfs, FAT).</param>
/// <param name="FreeFiles">Of these.</param>
internal readonly record struct FileSystemSpace(ulong Size, ulong Free, ulong Available, ulong Files, ulong FreeFiles);

/// <content>What is read of a running system.</content>
public static partial class Linux
{
    internal const int EINTR = 4, ENXIO = 6, EAGAIN = 11, ENODEV = 19, EPIPE = 32, ESTALE = 116;

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    internal static unsafe partial nint Read(int fd, byte* buffer, nint count);

    // Large-file layout on every architecture: two longs, then six numbers of 64 bits.
    [LibraryImport("libc", EntryPoint = "statvfs64", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatVfs(string path, ulong* status);

    /// <summary>How full the file system at a path is; null: it cannot be asked. May wait for a server that is silent: only for those on
    /// disks.</summary>
    internal static unsafe FileSystemSpace? SpaceOf(string path)
    {
        const int words = 32; // struct statvfs64 has 112 bytes at most
        ulong* status = stackalloc ulong[words];
        if (StatVfs(path, status) != 0)
        {
            return null;
        }
        ulong fragment = sizeof(nint) == 8 ? status[1] : ((uint*)status)[1];
        ulong* counts = status + (sizeof(nint) == 8 ? 2 : 1);
        return new FileSystemSpace(counts[0] * fragment, counts[1] * fragment, counts[2] * fragment, counts[3], counts[4]);
    }
}
