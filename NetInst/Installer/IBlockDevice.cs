using Bootstrap.Board;

namespace Bootstrap.Installer;

/// <summary>
/// A disk to write. Calls block; <see cref="DeviceThreads"/> keep them off the thread pool. Offsets and lengths are multiples of
/// 512 bytes; buffers come from <see cref="AlignedBuffer"/>. Several calls may be under way at once, each at its own place.
/// </summary>
public interface IBlockDevice : IDisposable
{
    /// <summary>For messages: "/dev/mmcblk0".</summary>
    string Name { get; }

    /// <summary>In bytes.</summary>
    long Size { get; }

    /// <summary>Fills the buffer from an offset.</summary>
    /// <exception cref="IOException">The medium failed, or ends before.</exception>
    void Read(long offset, Span<byte> buffer);

    /// <summary>Writes all of the data at an offset.</summary>
    /// <exception cref="IOException">The medium failed, or ends before.</exception>
    void Write(long offset, ReadOnlySpan<byte> data);

    /// <summary>Returns when all that was written is on the medium; what is read from now on comes from there and from no cache.</summary>
    void Flush();

    /// <summary>Tells the medium that nobody needs what is there: a card writes faster then, and lives longer. One that cannot be told so
    /// goes on as it is.</summary>
    void Discard(long offset, long length);
}
