using Bootstrap.Board;

namespace Bootstrap.Installer;

/// <summary>
/// A disk of the running system, past the page cache (O_DIRECT) where its driver allows: little memory is needed, progress is the
/// card's and not the cache's, and what is read back was read from the medium.
/// </summary>
public sealed unsafe class LinuxBlockDevice : IBlockDevice
{
    private const int SeekEnd = 2;

    // linux/fs.h
    private const nuint BlkFlushBuffers = 0x1261, BlkRereadPartitions = 0x125F, BlkDiscard = 0x1277;

    private readonly int _fd;
    private readonly bool _direct;

    /// <param name="path">"/dev/mmcblk0"; a regular file does as well.</param>
    /// <param name="exclusive">
    /// Only if it is not mounted, and nobody mounts it meanwhile. Not for a whole disk: that would keep its own partitions from being
    /// mounted to configure them.
    /// </param>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public LinuxBlockDevice(string path, bool exclusive = false)
    {
        Name = path;
        int flags = Linux.O_RDWR | Linux.O_CLOEXEC | (exclusive ? Linux.O_EXCL : 0);
        _fd = Linux.Open(path, flags | Linux.O_DIRECT, 0);
        _direct = _fd >= 0;
        if (!_direct)
        {
            _fd = (int)Linux.Check(Linux.Open(path, flags, 0), $"opening {path} for writing");
        }
        Size = Linux.Check(Linux.Seek(_fd, 0, SeekEnd), $"measuring {path}");
    }

    public string Name { get; }

    public long Size { get; }

    public void Read(long offset, Span<byte> buffer)
    {
        fixed (byte* p = buffer)
        {
            for (int done = 0; done < buffer.Length;)
            {
                nint n = Linux.PRead(_fd, p + done, buffer.Length - done, offset + done);
                if (Linux.Check(n, $"reading {buffer.Length} bytes at {offset} of {Name}") == 0)
                {
                    throw new EndOfStreamException($"reading {buffer.Length} bytes at {offset} of {Name}: it ends after {Size} bytes");
                }
                done += (int)n;
            }
        }
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        fixed (byte* p = data)
        {
            for (int done = 0; done < data.Length;)
            {
                nint n = Linux.PWrite(_fd, p + done, data.Length - done, offset + done);
                done += (int)Linux.Check(n, $"writing {data.Length} bytes at {offset} of {Name}");
            }
        }
    }

    public void Flush()
    {
        Linux.Check(Linux.FSync(_fd), $"flushing {Name}");
        if (!_direct)
        {
            // Drops the cached pages, so that read-back reads the medium. A regular file (tests) has no such call.
            _ = Linux.IoCtl(_fd, BlkFlushBuffers, null);
        }
    }

    public void Discard(long offset, long length)
    {
        ulong* range = stackalloc ulong[] { (ulong)offset, (ulong)length };
        _ = Linux.IoCtl(_fd, BlkDiscard, range);
    }

    /// <summary>Makes the kernel forget partitions that the disk no longer has.</summary>
    /// <exception cref="LinuxException">One of them is in use.</exception>
    public void RereadPartitions() =>
        Linux.Check(Linux.IoCtl(_fd, BlkRereadPartitions, null), $"making the kernel forget the old partitions of {Name}");

    /// <summary>
    /// Tells the kernel of a partition while the disk itself holds no table yet (BLKPG, linux/blkpg.h), so that it can be mounted
    /// before the disk looks installed.
    /// </summary>
    /// <param name="start">In bytes.</param>
    /// <param name="length">In bytes.</param>
    public void AddPartition(int number, long start, long length)
    {
        const nuint blkpg = 0x1269;
        const int addPartition = 1;
        // struct blkpg_partition { long long start, length; int pno; char devname[64], volname[64]; } is 152 bytes long.
        long* partition = stackalloc long[19];
        new Span<long>(partition, 19).Clear();
        partition[0] = start;
        partition[1] = length;
        *(int*)(partition + 2) = number;
        // struct blkpg_ioctl_arg { int op, flags, datalen; void *data; }
        long* argument = stackalloc long[3];
        ((int*)argument)[0] = addPartition;
        ((int*)argument)[1] = 0;
        ((int*)argument)[2] = 152;
        argument[2] = (long)partition;
        Linux.Check(Linux.IoCtl(_fd, blkpg, argument), $"telling the kernel of partition {number} of {Name}");
    }

    public void Dispose() => _ = Linux.Close(_fd);
}
