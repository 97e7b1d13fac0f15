using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Imaging.Disks;

/// <summary>One partition as the table has it.</summary>
/// <param name="Type">MBR type byte in hex, or GPT type GUID.</param>
/// <param name="Uuid">As <see cref="PartitionNames"/> has it.</param>
/// <param name="Name">Of a GPT's entry; empty elsewhere.</param>
public sealed record Partition(int Number, long Start, long Length, string Type, string Uuid, string Name = "")
{
    /// <summary>What it is called on command lines.</summary>
    public PartitionNames Names => new(Number, Uuid, Name);
}

/// <summary>
/// Reads MBR (primary entries, and in the place of an extended one its logical partitions, which are numbered from 5 on) and GPT (UEFI
/// specification 2.10, chapter 5) tables with sectors of 512 bytes, which is what images for cards and disks have.
/// </summary>
public static class PartitionTable
{
    private const int SectorSize = Mbr.SectorBytes, MinimumHeaderBytes = 92;
    private const int MaximumGptEntries = 1024, MaximumLogical = 60, FirstLogical = 5;

    /// <summary>8 TiB: more than any disk of a board. Tables are read before it is known where the image ends.</summary>
    private const long MaximumSectors = (8L << 40) / SectorSize;

    /// <summary>The partitions in the order of their place on the disk.</summary>
    /// <exception cref="ImageException">There is no table, or it makes no sense.</exception>
    public static IReadOnlyList<Partition> Read(RawImage image)
    {
        byte[] mbr = image.Read(0, SectorSize);
        if (!Mbr.IsMbr(mbr))
        {
            throw new ImageException("the image has no partition table: its first sector does not end in 55 AA");
        }
        List<Partition> partitions = Mbr.ProtectiveEntry(mbr) is not null ? ReadGpt(image) : ReadMbr(image, mbr);
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

    private static List<Partition> ReadMbr(RawImage image, byte[] mbr)
    {
        uint signature = BinaryPrimitives.ReadUInt32LittleEndian(mbr.AsSpan(440));
        var partitions = new List<Partition>();
        for (int i = 0; i < Mbr.Entries; i++)
        {
            (byte type, long start, long length) = Entry(mbr, i);
            if (IsExtended(type) && length > 0)
            {
                ReadLogical(image, start, start + length, signature, partitions);
            }
            else if (type != 0 && length > 0)
            {
                partitions.Add(Named(i + 1, start, length, type, signature));
            }
        }
        return partitions;
    }

    /// <summary>
    /// A chain of sectors like the MBR: the first entry of each is a partition, counted from that sector, the second one the next sector,
    /// counted from the start of the extended partition (block/partitions/msdos.c of Linux).
    /// </summary>
    private static void ReadLogical(RawImage image, long start, long end, uint signature, List<Partition> partitions)
    {
        int number = FirstLogical;
        for (long at = start; at >= start && at < end && number < FirstLogical + MaximumLogical;)
        {
            byte[] sector = image.Read(at, SectorSize);
            if (!Mbr.IsMbr(sector))
            {
                throw new ImageException($"the image's extended partition has no table at byte {at}: it is damaged");
            }
            (byte type, long offset, long length) = Entry(sector, 0);
            if (type != 0 && length > 0)
            {
                if (at + offset + length > end)
                {
                    throw new ImageException(
                        $"partition {number} of the image does not lie within its extended partition: the table is damaged");
                }
                partitions.Add(Named(number++, at + offset, length, type, signature));
            }
            (byte nextType, long next, long nextLength) = Entry(sector, 1);
            if (!IsExtended(nextType) || nextLength == 0)
            {
                return;
            }
            if (start + next <= at)
            {
                throw new ImageException("the image's logical partitions lead back to themselves: the table is damaged");
            }
            at = start + next;
        }
    }

    private static bool IsExtended(byte type) => type is 0x05 or 0x0f or 0x85;

    private static Partition Named(int number, long start, long length, byte type, uint signature) =>
        new(number, start, length, type.ToString("x2", CultureInfo.InvariantCulture), PartitionNames.MbrUuid(signature, number));

    private static (byte Type, long Start, long Length) Entry(byte[] sector, int index)
    {
        ReadOnlySpan<byte> entry = sector.AsSpan(446 + 16 * index, 16);
        return (entry[4], BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]) * (long)SectorSize,
            BinaryPrimitives.ReadUInt32LittleEndian(entry[12..]) * (long)SectorSize);
    }

    private static List<Partition> ReadGpt(RawImage image)
    {
        byte[] header = image.Read(SectorSize, SectorSize);
        if (!header.AsSpan().StartsWith("EFI PART"u8))
        {
            throw new ImageException("the image's protective MBR promises a GPT, but there is none: it is damaged");
        }
        int headerBytes = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(12));
        long table = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(72));
        int count = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(80));
        int size = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(84));
        if (headerBytes is < MinimumHeaderBytes or > SectorSize || !IsSealed(header.AsSpan(0, headerBytes)) ||
            count is < 0 or > MaximumGptEntries || size is < 128 or > 4096 || table is < 2 or > 1 << 20)
        {
            throw new ImageException("the image's GPT header is damaged");
        }
        byte[] entries = image.Read(table * SectorSize, count * size);
        if (Crc32.HashToUInt32(entries) != BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(88)))
        {
            throw new ImageException("the image's GPT is damaged: its entries are not those that its header was made for");
        }
        var partitions = new List<Partition>();
        for (int i = 0; i < count; i++)
        {
            Span<byte> entry = entries.AsSpan(i * size, 128);
            var type = new Guid(entry[..16]);
            long first = BinaryPrimitives.ReadInt64LittleEndian(entry[32..]);
            long last = BinaryPrimitives.ReadInt64LittleEndian(entry[40..]);
            if (type == Guid.Empty)
            {
                continue;
            }
            if (first < 2 || last < first || last >= MaximumSectors)
            {
                throw new ImageException($"partition {i + 1} of the image cannot lie from sector {first} to {last}: the GPT is damaged");
            }
            partitions.Add(new Partition(i + 1, first * SectorSize, (last - first + 1) * SectorSize, type.ToString(),
                new Guid(entry.Slice(16, 16)).ToString(), Encoding.Unicode.GetString(entry.Slice(56, 72)).TrimEnd('\0')));
        }
        return partitions;
    }

    /// <summary>Whether a header's own sum is right: that of its bytes, with zeros in the sum's place.</summary>
    private static bool IsSealed(Span<byte> header)
    {
        uint sum = BinaryPrimitives.ReadUInt32LittleEndian(header[16..]);
        header.Slice(16, 4).Clear();
        return Crc32.HashToUInt32(header) == sum;
    }
}
