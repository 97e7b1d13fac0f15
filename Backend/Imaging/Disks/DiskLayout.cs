using System.Buffers.Binary;
using System.IO.Compression;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Imaging.Disks;

/// <summary>What is on an image: its partitions, the bytes in use, and the processor it is for.</summary>
public sealed class DiskLayout
{
    /// <summary>Of a slot that holds nothing yet: whatever a disk had there before looks like no file system afterwards.</summary>
    private const long EmptySlotBytes = 1 << 20;

    private readonly RawImage _image;
    private readonly List<(Partition Partition, IVolume? Volume)> _volumes;

    private DiskLayout(RawImage image, List<(Partition, IVolume?)> volumes)
    {
        _image = image;
        _volumes = volumes;
        Partitions = [.. _volumes.OrderBy(v => v.Partition.Number).Select(v => Describe(v.Partition, v.Volume))];
        Architecture = _volumes.Select(v => v.Volume).OfType<FatVolume>().Select(FindArchitecture).FirstOrDefault(a => a is not null);
        Slots = SlotFinder.Find(_volumes);
    }

    /// <summary>By their numbers.</summary>
    public IReadOnlyList<ImagePartition> Partitions { get; }

    /// <summary>Two places for a system, the one that starts first; null where there is one alone.</summary>
    public IReadOnlyList<ImageSlot>? Slots { get; }

    /// <summary><c>arm64</c>, <c>amd64</c>, or null where the boot partition does not tell.</summary>
    public string? Architecture { get; }

    /// <summary>
    /// What whoever imports the image should know, a sentence each. More may come to it while <see cref="Used"/> is looked at: then
    /// not all of that was named, and it is to be asked for once more.
    /// </summary>
    public IReadOnlyList<string> Notes => [.. from v in _volumes
        where v.Volume?.Doubt is not null
        let which = $"The {v.Volume.FileSystem} file system in partition {v.Partition.Number}"
        select $"{which} {v.Volume.Doubt}: all of it is stored, free space, too."];

    /// <summary>
    /// The bytes in use, in rising order, whole sectors; found as they are asked for, so that an image can be stored while it is
    /// still being decoded. Free space of FAT and ext4 is left out, unless what calls it free is in doubt; everything else counts as
    /// used: gaps between partitions (boot loaders live there), partitions of other kinds (but for a slot that holds nothing yet),
    /// tails of partitions behind their file system.
    /// </summary>
    /// <exception cref="ImageException">While enumerating: the image is damaged or truncated.</exception>
    public IEnumerable<Extent> Used => FindUsed().Melt();

    /// <summary>Looks at the tables of a raw image, as far as the start of its last partition.</summary>
    /// <exception cref="ImageException">The image is damaged, truncated or has no partition table.</exception>
    public static DiskLayout Of(RawImage image) =>
        new(image, [.. PartitionTable.Read(image).Select(p => (p, OpenVolume(image, p)))]);

    /// <summary>Looks for the system's root, anywhere in the image.</summary>
    public ImageRoot FindRoot() => Slots is [var first, _] ? new ImageRoot(first.Root)
        : RootFinder.Find(_volumes) ?? new ImageRoot(null, $"no partition of it holds an ext4 file system{DescribeForeign()}");

    private string DescribeForeign()
    {
        string[] others = [.. from v in _volumes
            where v.Volume is null
            let what = ForeignVolume.Describe(_image, v.Partition)
            where what is not null
            orderby v.Partition.Number
            select $"partition {v.Partition.Number} holds {what}"];
        return others.Length == 0 ? "" : $" ({string.Join(", ", others)})";
    }

    internal static ImagePartition Describe(Partition p, IVolume? volume) =>
        new(p.Number, p.Start, p.Length, p.Type, volume?.FileSystem ?? "", volume?.Label ?? "");

    private static IVolume? OpenVolume(RawImage image, Partition p) =>
        Ext4Volume.TryOpen(image, p.Start, p.Length) ?? (IVolume?)FatVolume.TryOpen(image, p.Start, p.Length);

    private IEnumerable<Extent> FindUsed()
    {
        long at = 0;
        foreach ((Partition p, IVolume? volume) in _volumes)
        {
            long end = p.Start + p.Length, covered = p.Start + (volume?.Length ?? 0);
            yield return new Extent(at, p.Start - at);
            foreach (Extent extent in volume?.Used() ?? [])
            {
                yield return extent;
            }
            if (!_image.Reaches(end))
            {
                // Tools that shrink an image may leave its last entry as it was: what counts is that all of the file system is there.
                if (volume is null || !_image.Reaches(covered))
                {
                    throw new ImageException(
                        $"partition {p.Number} ends at byte {end}, but the image has only {_image.Length} bytes: it is truncated");
                }
                end = _image.Length;
            }
            yield return new Extent(covered, volume is null && IsEmptySlot(p) ? Math.Min(EmptySlotBytes, end - covered) : end - covered);
            at = end;
        }
        yield return new Extent(at, _image.Length - at);
    }

    /// <summary>Of the second slot, and without the beginning of anything: a file system that is not known here begins in these bytes, and
    /// is content.</summary>
    private bool IsEmptySlot(Partition p) =>
        Slots is [_, var second] && (p.Number == second.Boot || p.Number == second.Root) &&
        !_image.Read(p.Start, (int)Math.Min(EmptySlotBytes, p.Length)).AsSpan().ContainsAnyExcept((byte)0);

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
            .Where(e => !e.IsDirectory
                && (e.Name.StartsWith("KERNEL", StringComparison.Ordinal) || e.Name.StartsWith("VMLINU", StringComparison.Ordinal)));
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
