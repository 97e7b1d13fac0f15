using System.Diagnostics;
using System.Security.Cryptography;
using Bootstrap.Agent.Slots;
using Bootstrap.Imaging.Tests;
using Bootstrap.Installer;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Board.Tests;

/// <summary>
/// Tests that unmount: a program that another test starts has, for a moment, a copy of all that is open here. One that has a mount
/// namespace of its own has a copy of the mounts for as long as it lives: tests/run gives each suite its own.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Mounting
{
    public const string Name = "mounting";
}

/// <summary>
/// A disk with two slots that can lose its power: each partition is a loop device, and ext4 is the kernel's. FAT, which not every kernel
/// here knows, is read and written by mtools: what is mounted is a folder, and goes back when it is unmounted.
/// </summary>
internal sealed class LoopSlots : ISlotMachine, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("loop-slots-").FullName;
    private readonly Dictionary<int, string> _loops = [];
    private readonly int _runningRoot;

    /// <param name="image">Copied: the disk is this image, installed.</param>
    /// <param name="runsSecond">The running system is in the second slot.</param>
    public LoopSlots(string image, bool runsSecond = false)
    {
        Disk = Path.Combine(_folder, "disk");
        File.Copy(image, Disk);
        byte[] head = ReadHead(Disk);
        foreach ((int number, (long start, long length)) in TwoSlotDisk.Partitions)
        {
            _loops[number] = Capture(
                "losetup", "-f", "--show", "-o", $"{start * TwoSlotDisk.Mega}", "--sizelimit", $"{length * TwoSlotDisk.Mega}", Disk).Trim();
        }
        ImageSlot first = new(2, 5), second = new(3, 6);
        _runningRoot = runsSecond ? 6 : 5;
        Layout = new SlotLayout(SlotChoice.Autoboot,
            [.. TwoSlotDisk.Partitions.Select(p => new SlotPartition(
            p.Key, _loops[p.Key], p.Value.Start * TwoSlotDisk.Mega, p.Value.Length * TwoSlotDisk.Mega, DiskHead.NamesOf(head, p.Key)))],
            1, runsSecond ? second : first, runsSecond ? 2 : 3);
    }

    public string Disk { get; }

    public SlotLayout Layout { get; }

    /// <summary>Writes until the power goes; null: it stays.</summary>
    public int? WritesLeft { get; set; }

    public int Writes { get; private set; }

    public long BytesWritten { get; private set; }

    public byte[] ReadHead(string disk)
    {
        using FileStream file = File.OpenRead(disk);
        byte[] head = new byte[DiskHead.Bytes];
        file.ReadExactly(head);
        return head;
    }

    public IBlockDevice Open(SlotPartition partition) => new Device(this, new LinuxBlockDevice(partition.Device, exclusive: true));

    public IMounted Mount(SlotPartition partition, string type, bool readOnly)
    {
        string place = Directory.CreateDirectory(Path.Combine(_folder, $"{type}-{partition.Number}")).FullName;
        return type == "ext4" ? MountRoot(partition, place, readOnly) : new Folder(partition.Device, place, readOnly);
    }

    /// <summary>Until it has begun, a program that another test starts has a copy of all that is open here, and a file system of which
    /// something is open is not gone yet.</summary>
    private static MountedVolume MountRoot(SlotPartition partition, string place, bool readOnly)
    {
        using var never = new ManualResetEventSlim();
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return new MountedVolume(partition.Device, place, "ext4", "a root", readOnly);
            }
            catch (LinuxException e) when (e.Errno == Linux.EBUSY && attempt < 50)
            {
                never.Wait(TimeSpan.FromMilliseconds(20));
            }
        }
    }

    public IMounted MountRunningRoot() => Mount(Layout.Find(_runningRoot)!, "ext4", readOnly: true);

    /// <summary>The same for those who know partitions by names of /dev: "mmcblk0p5".</summary>
    public ISlotMachine AsDisk(string name) => new Named(this, name);

    /// <summary>The digest of partitions.</summary>
    public string DigestOf(params int[] partitions)
    {
        using FileStream disk = File.OpenRead(Disk);
        return string.Join(' ', partitions.Select(number =>
        {
            (long start, long length) = TwoSlotDisk.Partitions[number];
            byte[] content = new byte[length * TwoSlotDisk.Mega];
            disk.Position = start * TwoSlotDisk.Mega;
            disk.ReadExactly(content);
            return new Digest(SHA256.HashData(content)).ToString();
        }));
    }

    /// <summary>Does something with a partition's files.</summary>
    public T With<T>(int partition, Func<string, T> look, bool readOnly = true)
    {
        using IMounted mounted = Mount(Layout.Find(partition)!, partition >= 5 ? "ext4" : "vfat", readOnly);
        return look(mounted.Path);
    }

    public string Text(int partition, string path) => With(partition, folder => File.ReadAllText(Path.Combine(folder, path)));

    /// <summary>A full check of an ext4 file system, without mending.</summary>
    public void Check(int partition) => TestDisk.Run("e2fsck", "-f", "-n", _loops[partition]);

    /// <summary>Whether a partition holds no file system that anybody would mount.</summary>
    public bool IsBlank(int partition)
    {
        using FileStream disk = File.OpenRead(Disk);
        byte[] head = new byte[4096];
        disk.Position = TwoSlotDisk.Partitions[partition].Start * TwoSlotDisk.Mega;
        disk.ReadExactly(head);
        return !head.AsSpan().ContainsAnyExcept((byte)0);
    }

    public void Dispose()
    {
        foreach (string loop in _loops.Values)
        {
            TestDisk.Run("losetup", "-d", loop);
        }
        Directory.Delete(_folder, recursive: true);
    }

    private static string Capture(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    private sealed class Named(LoopSlots slots, string name) : ISlotMachine
    {
        public byte[] ReadHead(string disk)
        {
            Assert.Equal($"/dev/{name}", disk);
            return slots.ReadHead(slots.Disk);
        }

        public IBlockDevice Open(SlotPartition partition) => slots.Open(slots.Layout.Find(partition.Number)!);

        public IMounted Mount(SlotPartition partition, string type, bool readOnly) =>
            slots.Mount(slots.Layout.Find(partition.Number)!, type, readOnly);

        public IMounted MountRunningRoot() => slots.MountRunningRoot();
    }

    private sealed class Device(LoopSlots disk, LinuxBlockDevice device) : IBlockDevice
    {
        private static readonly Lock s_writing = new();

        public string Name => device.Name;

        public long Size => device.Size;

        public void Read(long offset, Span<byte> buffer) => device.Read(offset, buffer);

        public void Write(long offset, ReadOnlySpan<byte> data)
        {
            using Lock.Scope one = s_writing.EnterScope();
            if (disk.WritesLeft is 0)
            {
                // Half of the data reached the medium.
                if (data.Length >= 1024)
                {
                    device.Write(offset, data[..(data.Length / 1024 * 512)]);
                }
                throw new IOException("the power is gone");
            }
            disk.WritesLeft--;
            disk.Writes++;
            disk.BytesWritten += data.Length;
            device.Write(offset, data);
        }

        public void Flush() => device.Flush();

        public void Discard(long offset, long length) => device.Discard(offset, length);

        public void Dispose() => device.Dispose();
    }

    private sealed class Folder : IMounted
    {
        private readonly string _device;
        private readonly bool _readOnly;

        public Folder(string device, string place, bool readOnly)
        {
            (_device, Path, _readOnly) = (device, place, readOnly);
            Directory.Delete(place, recursive: true);
            Directory.CreateDirectory(place);
            TestDisk.Run("mcopy", "-s", "-n", "-i", device, "::*", place);
        }

        public string Path { get; }

        public void Dispose()
        {
            if (!_readOnly)
            {
                TestDisk.Run("mcopy", ["-s", "-o", "-i", _device, .. Directory.EnumerateFileSystemEntries(Path), "::"]);
            }
        }
    }
}
