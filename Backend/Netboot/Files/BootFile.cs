using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Netboot;

/// <summary>An open boot file, readable at any place, over TFTP and HTTP alike. Its length and bytes stay the same until it is
/// disposed.</summary>
public abstract class BootFile : IDisposable
{
    /// <summary>Bytes.</summary>
    public abstract long Length { get; }

    /// <summary>Reads at a place. Fewer bytes than the buffer holds are returned at the end of the file alone.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public abstract int ReadAt(long offset, Span<byte> buffer);

    /// <summary>The file as a stream that can seek; disposing the stream disposes the file.</summary>
    public Stream AsStream() => new BootFileStream(this);

    public virtual void Dispose() => GC.SuppressFinalize(this);
}

/// <summary>A file on disk. What was opened is served to the end, even if another file takes its name meanwhile.</summary>
public sealed partial class DiskBootFile : BootFile
{
    private const int PathMax = 4096;

    private readonly SafeFileHandle _handle;

    /// <summary>Opens a file.</summary>
    /// <exception cref="IOException">There is no such file, or it cannot be opened.</exception>
    public DiskBootFile(string path)
    {
        Path = path;
        try
        {
            _handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (UnauthorizedAccessException reason)
        {
            throw new IOException(reason.Message, reason);
        }
        Length = RandomAccess.GetLength(_handle);
    }

    /// <summary>Opens a file below a folder. Null if there is none.</summary>
    /// <param name="folder">The folder, which may be a link itself.</param>
    /// <param name="path">A path that <see cref="BootPath.TryNormalise"/> has passed.</param>
    /// <exception cref="IOException">It cannot be opened, or a link leads out of the folder.</exception>
    public static DiskBootFile? OpenBelow(string folder, string path)
    {
        string full = System.IO.Path.Combine(folder, path);
        if (!File.Exists(full))
        {
            return null;
        }
        var file = new DiskBootFile(full);
        // What was opened is looked at, not the path once more: a link could have been changed in between.
        string? opened = new FileInfo($"/proc/self/fd/{file._handle.DangerousGetHandle()}").LinkTarget;
        if (opened?.StartsWith(Resolve(folder) + '/', StringComparison.Ordinal) == true)
        {
            return file;
        }
        file.Dispose();
        throw new IOException($"{full} is a link out of its folder, to {opened}; such files are not served");
    }

    /// <summary>Where it lies, for servers that have a faster way to send a file.</summary>
    public string Path { get; }

    public override long Length { get; }

    public override int ReadAt(long offset, Span<byte> buffer)
    {
        int total = 0;
        while (total < buffer.Length)
        {
            int read = RandomAccess.Read(_handle, buffer[total..], offset + total);
            if (read == 0)
            {
                break;
            }
            total += read;
        }
        return total;
    }

    public override void Dispose()
    {
        _handle.Dispose();
        base.Dispose();
    }

    private static string Resolve(string folder)
    {
        Span<byte> resolved = stackalloc byte[PathMax];
        return RealPath(folder, ref resolved[0]) != 0
            ? Encoding.UTF8.GetString(resolved[..resolved.IndexOf((byte)0)])
            : throw new IOException($"{folder} cannot be found: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", EntryPoint = "realpath", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial nint RealPath(string path, ref byte resolved);
}

/// <summary>A file that was made in memory, such as a board's cmdline.txt.</summary>
public sealed class MemoryBootFile(ReadOnlyMemory<byte> content) : BootFile
{
    public override long Length => content.Length;

    public override int ReadAt(long offset, Span<byte> buffer)
    {
        if (offset >= content.Length)
        {
            return 0;
        }
        ReadOnlySpan<byte> rest = content.Span[(int)offset..];
        int count = Math.Min(rest.Length, buffer.Length);
        rest[..count].CopyTo(buffer);
        return count;
    }
}
