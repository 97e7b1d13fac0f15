using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Installer;

/// <summary>
/// The GUID Partition Table of an image, fitted to the disk that the image was written to (UEFI specification 2.10, section 5.3): the
/// header is in sector 1, the entries stand where it says, and a second copy of both ends the disk. All numbers are little-endian.
/// Sectors are of 512 bytes.
/// </summary>
public static class Gpt
{
    private const int SectorBytes = Mbr.SectorBytes;
    private const int MinimumHeaderBytes = 92, MinimumEntryBytes = 128;

    // Places within the header.
    private const int HeaderBytes = 12, HeaderCrc = 16, OwnSector = 24, OtherSector = 32, LastUsable = 48, EntriesSector = 72,
        EntryCount = 80,
        EntryBytes = 84, EntriesCrc = 88;

    // Places within an entry.
    private const int Unique = 16, LastSector = 40, Name = 56, NameBytes = 72, TypeBytes = 16;

    /// <summary>Whether the first bytes of a disk hold a whole GPT that is understood.</summary>
    public static bool IsGpt(ReadOnlySpan<byte> head)
    {
        if (head.Length < 3 * SectorBytes || !Mbr.IsMbr(head) || Mbr.ProtectiveEntry(head) is null ||
            !head[SectorBytes..].StartsWith("EFI PART"u8))
        {
            return false;
        }
        ReadOnlySpan<byte> header = head.Slice(SectorBytes, SectorBytes);
        return U32(header, HeaderBytes) is >= MinimumHeaderBytes and <= SectorBytes &&
            U32(header, EntryBytes) is >= MinimumEntryBytes and <= 4096 &&
            U64(header, EntriesSector) is >= 2 and <= 4096 && U32(header, EntryCount) is > 0 and <= 1024 &&
            Entries(header).End <= head.Length;
    }

    /// <summary>The type of a partition, and what it is called.</summary>
    /// <param name="head">For which <see cref="IsGpt"/> holds.</param>
    /// <param name="number">1 for the first entry.</param>
    public static (Guid Type, PartitionNames Names) Describe(ReadOnlySpan<byte> head, int number)
    {
        ReadOnlySpan<byte> header = head.Slice(SectorBytes, SectorBytes);
        (int start, int end) = Entries(header);
        int at = start + (number - 1) * (int)U32(header, EntryBytes);
        if (number < 1 || at + MinimumEntryBytes > end)
        {
            return (Guid.Empty, new PartitionNames(number, "", ""));
        }
        ReadOnlySpan<byte> entry = head.Slice(at, MinimumEntryBytes);
        return (new Guid(entry[..TypeBytes]), new PartitionNames(number, new Guid(entry.Slice(Unique, TypeBytes)).ToString(),
            Encoding.Unicode.GetString(entry.Slice(Name, NameBytes)).TrimEnd('\0')));
    }

    /// <summary>Bytes that a partition from <paramref name="start"/> to the end of a disk may have, before the table's second
    /// copy.</summary>
    /// <param name="head">For which <see cref="IsGpt"/> holds.</param>
    public static long LengthToEnd(ReadOnlySpan<byte> head, long start, long diskSize) =>
        Math.Max(0, Mbr.AlignDown(diskSize - BackupBytes(head)) - start);

    /// <summary>
    /// Makes the table that of a disk: its last usable sector, the place of the second copy, and the length of one partition.
    /// </summary>
    /// <param name="head">For which <see cref="IsGpt"/> holds; changed.</param>
    /// <param name="diskSize">In bytes.</param>
    /// <param name="number">1 for the first entry.</param>
    /// <param name="end">Where that partition is to end, in bytes; null: it stays as it is.</param>
    /// <returns>The second copy: the disk's last bytes.</returns>
    public static byte[] Fit(Span<byte> head, long diskSize, int number, long? end)
    {
        Span<byte> header = head.Slice(SectorBytes, SectorBytes);
        (int entriesStart, int entriesEnd) = Entries(header);
        Span<byte> entries = head[entriesStart..entriesEnd];
        if (end is { } last)
        {
            BinaryPrimitives.WriteInt64LittleEndian(
                entries[((number - 1) * (int)U32(header, EntryBytes) + LastSector)..], last / SectorBytes - 1);
        }
        long sectors = diskSize / SectorBytes;
        BinaryPrimitives.WriteUInt32LittleEndian(header[EntriesCrc..], Crc32.HashToUInt32(entries));
        BinaryPrimitives.WriteInt64LittleEndian(header[LastUsable..], sectors - BackupBytes(head) / SectorBytes - 1);
        BinaryPrimitives.WriteInt64LittleEndian(header[OtherSector..], sectors - 1);
        Seal(header);
        if (Mbr.ProtectiveEntry(head) is { } protective && Mbr.IsAlone(head, protective))
        {
            // It covers the disk; beside others it covers what they leave, and they stay where they are.
            Mbr.SetLength(head, protective, Math.Min(diskSize - SectorBytes, uint.MaxValue * (long)SectorBytes));
        }

        byte[] backup = new byte[BackupBytes(head)];
        entries.CopyTo(backup);
        Span<byte> second = backup.AsSpan(backup.Length - SectorBytes);
        header.CopyTo(second);
        BinaryPrimitives.WriteInt64LittleEndian(second[OwnSector..], sectors - 1);
        BinaryPrimitives.WriteInt64LittleEndian(second[OtherSector..], 1);
        BinaryPrimitives.WriteInt64LittleEndian(second[EntriesSector..], sectors - backup.Length / SectorBytes);
        Seal(second);
        return backup;
    }

    private static void Seal(Span<byte> header)
    {
        header.Slice(HeaderCrc, 4).Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header[HeaderCrc..], Crc32.HashToUInt32(header[..(int)U32(header, HeaderBytes)]));
    }

    private static int BackupBytes(ReadOnlySpan<byte> head)
    {
        (int start, int end) = Entries(head.Slice(SectorBytes, SectorBytes));
        return (end - start + SectorBytes - 1) / SectorBytes * SectorBytes + SectorBytes;
    }

    private static (int Start, int End) Entries(ReadOnlySpan<byte> header)
    {
        int start = (int)U64(header, EntriesSector) * SectorBytes;
        return (start, start + (int)(U32(header, EntryCount) * U32(header, EntryBytes)));
    }

    private static uint U32(ReadOnlySpan<byte> header, int at) => BinaryPrimitives.ReadUInt32LittleEndian(header[at..]);

    private static ulong U64(ReadOnlySpan<byte> header, int at) => BinaryPrimitives.ReadUInt64LittleEndian(header[at..]);
}
