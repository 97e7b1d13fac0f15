using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Imaging.Store;

/// <summary>What a power cut does not take.</summary>
public static partial class Durable
{
    /// <summary>Writes all of a file system to its medium, names of files included (syncfs(2)).</summary>
    /// <param name="path">A file on it.</param>
    /// <exception cref="IOException">It cannot be.</exception>
    public static void SyncFileSystem(string path)
    {
        using SafeFileHandle file = File.OpenHandle(path);
        if (syncfs(file.DangerousGetHandle().ToInt32()) != 0)
        {
            throw new IOException($"cannot make {path} durable: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int syncfs(int fd);
}
