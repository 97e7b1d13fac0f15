using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Netboot;

/// <summary>An open boot file, readable at any place, over TFTP and HTTP alike. Its length and bytes stay the same until it is disposed.</summary>
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
public sealed class DiskBootFile : BootFile
{
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
