using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;

namespace Bootstrap.Support;

/// <summary>The smallest disk image that nodes can be installed with: an MBR, and one ext4 partition with what looks like a
/// system.</summary>
public static class TinyImage
{
    private const int SectorBytes = 512;
    private const int FirstSector = 2048;

    private static readonly ConcurrentDictionary<(int, int), Lazy<byte[]>> s_made = new();

    /// <summary>Makes one, the same each time.</summary>
    /// <param name="partitionBytes">Whole kibibytes, 128 at least; half of them are bytes that do not compress.</param>
    /// <param name="seed">Images of different seeds share no chunk.</param>
    public static byte[] Create(int partitionBytes = 1 << 20, int seed = 1) =>
        [.. s_made.GetOrAdd((partitionBytes, seed), _ => new Lazy<byte[]>(() => Make(partitionBytes, seed))).Value];

    /// <summary>One that nodes cannot be installed with: its partition holds no file system, and so all of it counts as used.</summary>
    /// <param name="partitionBytes">Whole sectors; filled with bytes that do not compress.</param>
    public static byte[] CreateWithoutRoot(int partitionBytes = 1 << 20)
    {
        byte[] image = new byte[FirstSector * SectorBytes + partitionBytes];
        new Random(1).NextBytes(image.AsSpan(FirstSector * SectorBytes));
        WriteTable(image, partitionBytes);
        return image;
    }

    private static byte[] Make(int partitionBytes, int seed)
    {
        byte[] image = new byte[FirstSector * SectorBytes + partitionBytes];
        WriteTable(image, partitionBytes);
        string folder = Directory.CreateTempSubdirectory("tiny-image-").FullName;
        try
        {
            FileSystem(folder, partitionBytes, seed).CopyTo(image.AsSpan(FirstSector * SectorBytes));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        return image;
    }

    /// <summary>The first entry of the partition table: type 83 (Linux), LBA of its start, sectors; little-endian.</summary>
    private static void WriteTable(byte[] image, int partitionBytes)
    {
        Span<byte> entry = image.AsSpan(446, 16);
        entry[4] = 0x83;
        BinaryPrimitives.WriteInt32LittleEndian(entry[8..], FirstSector);
        BinaryPrimitives.WriteInt32LittleEndian(entry[12..], partitionBytes / SectorBytes);
        image[510] = 0x55;
        image[511] = 0xaa;
    }

    private static byte[] FileSystem(string folder, int bytes, int seed)
    {
        string files = Path.Combine(folder, "files"), volume = Path.Combine(folder, "volume");
        Directory.CreateDirectory(Path.Combine(files, "etc"));
        File.WriteAllText(Path.Combine(files, "etc/os-release"), "ID=tiny\n");
        byte[] random = new byte[bytes / 2 - 8192];
        new Random(seed).NextBytes(random);
        File.WriteAllBytes(Path.Combine(files, "random"), random);
        using Process make = Process.Start(new ProcessStartInfo("/usr/sbin/mkfs.ext4",
        [
            "-q", "-F", "-b", "1024", "-N", "16", "-m", "0", "-O", "^has_journal,^resize_inode", "-d", files, volume, $"{bytes / 1024}k",
        ])
        { RedirectStandardError = true })!;
        string errors = make.StandardError.ReadToEnd();
        make.WaitForExit();
        return make.ExitCode == 0 ? File.ReadAllBytes(volume) : throw new InvalidOperationException($"mkfs.ext4 failed: {errors}");
    }
}
