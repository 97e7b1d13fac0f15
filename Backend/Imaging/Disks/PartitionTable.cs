using System.Buffers.Binary;
using System.Globalization;

namespace Bootstrap.Imaging.Disks;

/// <summary>One partition as the table has it.</summary>
/// <param name="Type">MBR type byte in hex, or GPT type GUID.</param>
public sealed record Partition(int Number, long Start, long Length, string Type);

/// <summary>
/// Reads MBR (primary entries; an extended partition counts as one piece) and GPT (UEFI specification 2.10, chapter 5) tables with
/// sectors of 512 bytes, which is what images for cards and disks have.
/// </summary>
public static class PartitionTable
{
    private const int SectorSize = 512;
    private const int MaximumGptEntries = 1024;

    /// <summary>8 TiB: more than any disk of a board. Tables are read before it is known where the image ends.</summary>
    private const long MaximumSectors = (8L << 40) / SectorSize;

    /// <summary>The partitions in the order of their place on the disk.</summary>
    /// <exception cref="ImageException">There is no table, or it makes no sense.</exception>
    public static IReadOnlyList<Partition> Read(RawImage image)
    {
        byte[] mbr = image.Read(0, SectorSize);
        if (mbr[510] != 0x55 || mbr[511] != 0xaa)
        {
            throw new ImageException("the image has no partition table: its first sector does not end in 55 AA");
        }
        List<Partition> partitions = mbr[450] == 0xee ? ReadGpt(image) : ReadMbr(mbr);
        if (partitions.Count == 0)
        {
            throw new ImageException("the image's partition table is empty");
        }
        partitions.Sort((a, b) => a.Start.CompareTo(b.Start));
        long end = 0;
        foreach (Partition p in partitions)
        {
            if (p.Start < end)
            {
                throw new ImageException($"partition {p.Number} of the image overlaps the one before it");
            }
            end = p.Start + p.Length;
        }
        return partitions;
    }

    private static List<Partition> ReadMbr(byte[] mbr)
    {
        var partitions = new List<Partition>();
        for (int i = 0; i < 4; i++)
        {
            ReadOnlySpan<byte> entry = mbr.AsSpan(446 + 16 * i, 16);
            long start = BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]) * (long)SectorSize;
            long length = BinaryPrimitives.ReadUInt32LittleEndian(entry[12..]) * (long)SectorSize;
            if (entry[4] != 0 && length > 0)
            {
                partitions.Add(new Partition(i + 1, start, length, entry[4].ToString("x2", CultureInfo.InvariantCulture)));
            }
        }
        return partitions;
    }

    private static List<Partition> ReadGpt(RawImage image)
    {
        byte[] header = image.Read(SectorSize, SectorSize);
        if (!header.AsSpan().StartsWith("EFI PART"u8))
        {
            throw new ImageException("the image's protective MBR promises a GPT, but there is none: it is damaged");
        }
        long table = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(72));
        int count = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(80));
        int size = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(84));
        if (count is < 0 or > MaximumGptEntries || size is < 128 or > 4096 || table is < 2 or > 1 << 20)
        {
            throw new ImageException("the image's GPT header is damaged");
        }
        var partitions = new List<Partition>();
        for (int i = 0; i < count; i++)
        {
            byte[] entry = image.Read(table * SectorSize + (long)i * size, 128);
            var type = new Guid(entry.AsSpan(0, 16));
            long first = BinaryPrimitives.ReadInt64LittleEndian(entry.AsSpan(32));
            long last = BinaryPrimitives.ReadInt64LittleEndian(entry.AsSpan(40));
            if (type == Guid.Empty)
            {
                continue;
            }
            if (first < 2 || last < first || last >= MaximumSectors)
            {
                throw new ImageException($"partition {i + 1} of the image cannot lie from sector {first} to {last}: the GPT is damaged");
            }
            partitions.Add(new Partition(i + 1, first * SectorSize, (last - first + 1) * SectorSize, type.ToString()));
        }
        return partitions;
    }
}
