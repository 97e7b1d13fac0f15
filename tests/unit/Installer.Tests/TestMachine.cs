using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Installer.Tests;

/// <summary>A disk in memory that can lose its power.</summary>
public sealed class MemoryDisk(int size) : IBlockDevice
{
    private readonly Lock _writing = new();

    public byte[] Content { get; } = new byte[size];

    /// <summary>Writes until the power goes; null: it stays.</summary>
    public int? WritesLeft { get; set; }

    public int Writes { get; private set; }

    public long BytesWritten { get; private set; }

    /// <summary>What was written, in order; null: all of it was flushed.</summary>
    public List<(int Offset, byte[] Data)?> Log { get; } = [];

    /// <summary>A bad cell: what is written to this byte is lost.</summary>
    public long? DeadByte { get; set; }

    public string Name => "/dev/vda";

    public long Size => Content.Length;

    public void Read(long offset, Span<byte> buffer) => Content.AsSpan((int)offset, buffer.Length).CopyTo(buffer);

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        using Lock.Scope one = _writing.EnterScope();
        Assert.Equal(0, (offset | (long)data.Length) % 512);
        if (WritesLeft is 0)
        {
            // Half of the data reached the medium.
            data[..(data.Length / 1024 * 512)].CopyTo(Content.AsSpan((int)offset));
            throw new IOException("the power is gone");
        }
        WritesLeft--;
        Log.Add(((int)offset, data.ToArray()));
        Writes++;
        BytesWritten += data.Length;
        data.CopyTo(Content.AsSpan((int)offset));
        if (DeadByte is { } dead && dead >= offset && dead < offset + data.Length)
        {
            Content[dead] ^= 0xff;
        }
    }

    public void Flush()
    {
        using Lock.Scope one = _writing.EnterScope();
        Log.Add(null);
    }

    public void Discard(long offset, long length)
    {
        using Lock.Scope one = _writing.EnterScope();
        Discarded.Add((offset, length));
    }

    /// <summary>What was said that nobody needs.</summary>
    public List<(long Offset, long Length)> Discarded { get; } = [];

    /// <summary>
    /// What the medium may hold if the power went, for every moment of what was done to it: what was flushed is there, and of what was not,
    /// all, all but a half of the last, or the last alone.
    /// </summary>
    /// <param name="before">What it held at first.</param>
    public IEnumerable<byte[]> Moments(byte[] before)
    {
        byte[] flushed = (byte[])before.Clone(), all = (byte[])before.Clone();
        foreach ((int Offset, byte[] Data)? step in Log)
        {
            if (step is not (var offset, var data))
            {
                flushed = (byte[])all.Clone();
                continue;
            }
            byte[] torn = (byte[])all.Clone(), last = (byte[])flushed.Clone();
            data.AsSpan(0, data.Length / 1024 * 512).CopyTo(torn.AsSpan(offset));
            data.CopyTo(last.AsSpan(offset));
            data.CopyTo(all.AsSpan(offset));
            yield return torn;
            yield return last;
            yield return (byte[])all.Clone();
        }
    }

    public void Dispose()
    {
    }
}

/// <summary>A board with one disk, whose root file system is a folder.</summary>
public sealed class TestMachine : IInstallMachine, IDisposable
{
    public TestMachine(MemoryDisk disk, string architecture = "arm64")
    {
        Disk = disk;
        Board = new Inventory(NodeId.Parse("mac-525400000001"), architecture, "test board", "", "", "", 1 << 28, 1, [],
            [new DiskInfo("vda", disk.Size, 512, "virtio", "", "", false, false)], "6.1", "NetInst");
    }

    public MemoryDisk Disk { get; }

    public Inventory Board { get; set; }

    public string RootFolder { get; } = Directory.CreateTempSubdirectory("root-").FullName;

    /// <summary>What the root file system was made to grow to.</summary>
    public long? Grown { get; private set; }

    /// <summary>Number of the partition that was mounted as the new root.</summary>
    public int? Mounted { get; private set; }

    /// <summary>Sector 0 when the root file system was mounted.</summary>
    public byte[]? SectorZeroWhenMounted { get; private set; }

    public Inventory ReadInventory() => Board;

    public IBlockDevice Open(DiskInfo disk) => Disk;

    public IMountedRoot MountRoot(IBlockDevice device, int number, long start, long length)
    {
        Mounted = number;
        SectorZeroWhenMounted = Disk.Content[..512];
        return new MountedFolder(this, RootFolder);
    }

    /// <summary>Root folder of the system that was on the disk; null: there is none.</summary>
    public string? OldRoot { get; set; }

    public IMounted MountOldRoot(IBlockDevice device) => OldRoot is { } old && Disk.Content[511] != 0
        ? new MountedFolder(this, old)
        : throw new InstallException("no system can be read");

    /// <summary>Sector 0 when the firmware was told to forget an older system's slots.</summary>
    public byte[]? SectorZeroWhenForgotten { get; private set; }

    public void ForgetSlots() => SectorZeroWhenForgotten = Disk.Content[..512];

    public void Dispose() => Directory.Delete(RootFolder, recursive: true);

    private sealed class MountedFolder(TestMachine machine, string path) : IMountedRoot
    {
        public string Path => path;

        public long Grow(long length)
        {
            machine.Grown = length;
            return length;
        }

        public void Dispose()
        {
        }
    }
}
