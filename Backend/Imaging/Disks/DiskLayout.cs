using System.Buffers.Binary;
using System.IO.Compression;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Imaging.Disks;

/// <summary>What is on an image: its partitions, the bytes in use, and the processor it is for.</summary>
/// <param name="Used">In rising order; whole sectors.</param>
/// <param name="Architecture"><c>arm64</c>, <c>amd64</c>, or null where the boot partition does not tell.</param>
public sealed record DiskLayout(IReadOnlyList<ImagePartition> Partitions, IReadOnlyList<Extent> Used, string? Architecture)
{
    /// <summary>
    /// Looks at a raw image. Free space of FAT and ext4 is left out; everything else counts as used: gaps between partitions
    /// (boot loaders live there), partitions of other kinds, tails of partitions behind their file system.
    /// </summary>
    /// <exception cref="ImageException">The image is damaged, truncated or has no partition table.</exception>
    public static DiskLayout Of(RawImage image)
    {
        var used = new ExtentList();
        var partitions = new List<ImagePartition>();
        string? architecture = null;
        long at = 0;
        foreach (Partition p in PartitionTable.Read(image))
        {
            used.Add(at, p.Start - at);
            at = p.Start + p.Length;
            (string fileSystem, string label, long covered) = ("", "", 0L);
            if (Ext4Volume.TryOpen(image, p.Start, p.Length) is { } ext4)
            {
                ext4.AddUsed(used);
                (fileSystem, label, covered) = ("ext4", ext4.Label, ext4.Length);
            }
            else if (FatVolume.TryOpen(image, p.Start, p.Length) is { } fat)
            {
                fat.AddUsed(used);
                (fileSystem, label, covered) = ("vfat", fat.Label, fat.Length);
                architecture ??= FindArchitecture(fat);
            }
            used.Add(p.Start + covered, p.Length - covered);
            partitions.Add(new ImagePartition(p.Number, p.Start, p.Length, p.Type, fileSystem, label));
        }
        used.Add(at, image.Length - at);
        return new DiskLayout([.. partitions.OrderBy(p => p.Number)], used.Extents, architecture);
    }

    private static string? FindArchitecture(FatVolume boot)
    {
        foreach (FatEntry file in boot.List("EFI/BOOT") ?? [])
        {
            switch (file.Name)
            {
                case "BOOTX64.EFI":
                    return "amd64";
                case "BOOTAA64.EFI":
                    return "arm64";
            }
        }
        IEnumerable<FatEntry> kernels = (boot.List("") ?? [])
            .Where(e => !e.IsDirectory && (e.Name.StartsWith("KERNEL", StringComparison.Ordinal) || e.Name.StartsWith("VMLINU", StringComparison.Ordinal)));
        return kernels.Any(kernel => IsArm64Kernel(boot.ReadStart(kernel, 4096))) ? "arm64" : null;
    }

    /// <summary>The magic of an arm64 Image (kernel documentation, arch/arm64/booting), plain or within gzip.</summary>
    private static bool IsArm64Kernel(byte[] start)
    {
        Span<byte> header = stackalloc byte[64];
        if (start.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b]))
        {
            try
            {
                using var gzip = new GZipStream(new MemoryStream(start), CompressionMode.Decompress);
                if (gzip.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length)
                {
                    return false;
                }
            }
            catch (InvalidDataException)
            {
                return false;
            }
        }
        else if (start.Length >= header.Length)
        {
            start.AsSpan(0, header.Length).CopyTo(header);
        }
        return BinaryPrimitives.ReadUInt32LittleEndian(header[56..]) == 0x644d5241;
    }
}
