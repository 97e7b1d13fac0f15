using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Imaging.Disks;

/// <summary>A raw disk image in a file, read at any place.</summary>
/// <param name="file">Open for reading; stays the caller's.</param>
/// <param name="length">In bytes.</param>
public sealed class RawImage(SafeFileHandle file, long length)
{
    public long Length => length;

    /// <summary>Fills the buffer from a place.</summary>
    /// <exception cref="ImageException">The place is beyond the end: the image is shorter than its own tables say.</exception>
    public void Read(long offset, Span<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            int read = offset < 0 || offset >= length ? 0 : RandomAccess.Read(file, buffer, offset);
            if (read == 0)
            {
                throw new ImageException($"the image ends at byte {length}, but its own tables point to byte {offset}: it is truncated or damaged");
            }
            buffer = buffer[read..];
            offset += read;
        }
    }

    /// <summary>Reads some bytes from a place.</summary>
    public byte[] Read(long offset, int count)
    {
        byte[] bytes = new byte[count];
        Read(offset, bytes);
        return bytes;
    }
}
