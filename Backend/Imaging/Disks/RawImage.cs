using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Imaging.Disks;

/// <summary>
/// A raw disk image, read at any place. Its file may still be growing while the image is decoded: whoever reads what is not there yet
/// waits for it.
/// </summary>
public sealed class RawImage
{
    private readonly ReadAt _read;
    private readonly object _growth = new();
    private long _available;
    private bool _complete, _abandoned;

    /// <summary>An image that is whole.</summary>
    /// <param name="file">Open for reading; stays the caller's.</param>
    /// <param name="length">In bytes.</param>
    public RawImage(SafeFileHandle file, long length)
        : this((offset, buffer) => ReadFile(file, offset, buffer), length)
    {
    }

    /// <summary>An image that is whole and lies elsewhere than in a file of its own.</summary>
    /// <param name="read">Fills a buffer from a place below the length.</param>
    /// <param name="length">In bytes.</param>
    internal RawImage(ReadAt read, long length)
    {
        _read = read;
        _available = length;
        _complete = true;
    }

    /// <summary>An image of which nothing is there yet.</summary>
    /// <param name="file">Open for reading; stays the caller's, who writes it from its beginning to its end.</param>
    internal RawImage(SafeFileHandle file) => _read = (offset, buffer) => ReadFile(file, offset, buffer);

    /// <summary>Fills a buffer from a place of an image.</summary>
    internal delegate void ReadAt(long offset, Span<byte> buffer);

    /// <summary>In bytes. Waits until the image is whole.</summary>
    public long Length
    {
        get
        {
            _ = Reaches(long.MaxValue);
            return _available;
        }
    }

    /// <summary>Whether the image has that many bytes. Waits until they are there or the image has ended.</summary>
    /// <exception cref="OperationCanceledException">The image was abandoned: its decoding has failed.</exception>
    public bool Reaches(long end)
    {
        lock (_growth)
        {
            while (_available < end && !_complete)
            {
                if (_abandoned)
                {
                    throw new OperationCanceledException("the image is not decoded any further");
                }
                Monitor.Wait(_growth);
            }
            return _available >= end;
        }
    }

    /// <summary>Fills the buffer from a place.</summary>
    /// <exception cref="ImageException">The place is beyond the end: the image is shorter than its own tables say.</exception>
    public void Read(long offset, Span<byte> buffer)
    {
        if (offset < 0 || !Reaches(offset + buffer.Length))
        {
            throw new ImageException(
                $"the image ends at byte {_available}, but its own tables point to byte {offset}: it is truncated or damaged");
        }
        _read(offset, buffer);
    }

    /// <summary>Reads some bytes from a place.</summary>
    public byte[] Read(long offset, int count)
    {
        if (offset < 0 || !Reaches(offset + count))
        {
            Read(offset, []);
        }
        byte[] bytes = new byte[count];
        Read(offset, bytes);
        return bytes;
    }

    /// <summary>Says how far the file is written.</summary>
    internal void Grow(long available) => Tell(() => _available = available);

    /// <summary>Says that the image ends where the file is written to.</summary>
    internal void Complete() => Tell(() => _complete = true);

    /// <summary>Says that no more will come: whoever waits is told.</summary>
    internal void Abandon() => Tell(() => _abandoned = true);

    private static void ReadFile(SafeFileHandle file, long offset, Span<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            int read = RandomAccess.Read(file, buffer, offset);
            if (read == 0)
            {
                // The file ends in a hole that nothing was written to: zeros.
                buffer.Clear();
                return;
            }
            buffer = buffer[read..];
            offset += read;
        }
    }

    private void Tell(Action change)
    {
        lock (_growth)
        {
            change();
            Monitor.PulseAll(_growth);
        }
    }
}
