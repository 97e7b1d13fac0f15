using System.Buffers.Binary;
using Bootstrap.Board;

namespace Bootstrap.Installer;

/// <summary>A mounted ext4 file system that can grow while it is mounted.</summary>
/// <param name="readOnly">Nothing is changed, but that the kernel ends what its journal has begun, as any start of that system
/// would.</param>
/// <exception cref="LinuxException">It cannot be mounted.</exception>
public sealed unsafe class MountedExt4(string device, string mountPoint, bool readOnly = false)
    : MountedVolume(device, mountPoint, "ext4", "the root file system", readOnly), IMountedRoot
{
    // _IOW('f', 16, __u64), fs/ext4/ext4.h: the new number of blocks.
    private const nuint ResizeFileSystem = 0x40086610;

    public long Grow(long length)
    {
        int blockBytes = ReadBlockSize();
        long blocks = length / blockBytes;
        int fd = (int)Linux.Check(Linux.Open(Path, Linux.O_RDONLY | Linux.O_DIRECTORY | Linux.O_CLOEXEC, 0), $"opening {Path}");
        try
        {
            Linux.Check(Linux.IoCtl(fd, ResizeFileSystem, &blocks),
                $"growing the file system of {Device} to {blocks} blocks of {blockBytes} bytes");
        }
        finally
        {
            _ = Linux.Close(fd);
        }
        return blocks * blockBytes;
    }

    /// <summary>s_log_block_size, 24 bytes into the superblock, which is 1024 bytes into the file system (fs/ext4/ext4.h).</summary>
    private int ReadBlockSize()
    {
        using FileStream device = File.OpenRead(Device);
        Span<byte> word = stackalloc byte[4];
        device.Position = 1024 + 24;
        device.ReadExactly(word);
        return 1024 << (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(word), 6);
    }
}
