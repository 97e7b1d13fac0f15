using System.Buffers.Binary;

namespace Bootstrap.Protocol.Images;

/// <summary>
/// The four primary entries of a Master Boot Record: 16 bytes each from byte 446 of sector 0; type at +4, first sector at +8 and
/// count of sectors at +12, little-endian; 55 AA at 510. Sectors are of 512 bytes.
/// </summary>
public static class Mbr
{
    public const int SectorBytes = 512;
    private const int TableOffset = 446;
    private const int EntryBytes = 16;

    /// <summary>Primary ones.</summary>
    public const int Entries = 4;

    /// <summary>Ends of partitions are kept on this, as partitioning tools do.</summary>
    private const long Granularity = 1 << 20;

    /// <summary>What a 32-bit count of sectors reaches.</summary>
    private const long MaximumSectors = uint.MaxValue;

    /// <summary>Type of a GPT's protective entry: the real table stands elsewhere.</summary>
    private const byte ProtectiveType = 0xee;

    /// <summary>True if the sector ends like an MBR.</summary>
    public static bool IsMbr(ReadOnlySpan<byte> sector) => sector.Length >= SectorBytes && sector[510] == 0x55 && sector[511] == 0xaa;

    /// <summary>
    /// The entry that says that a GPT is the real table; null where none does. It is the first and only one of a usual disk, and any of the
    /// four of a hybrid MBR, whose others repeat partitions for firmware that knows no GPT.
    /// </summary>
    public static int? ProtectiveEntry(ReadOnlySpan<byte> sector)
    {
        for (int number = 1; number <= Entries; number++)
        {
            if (Type(sector, number) == ProtectiveType)
            {
                return number;
            }
        }
        return null;
    }

    /// <summary>Whether an entry is the only one in use.</summary>
    /// <param name="number">1 to 4.</param>
    public static bool IsAlone(ReadOnlySpan<byte> sector, int number)
    {
        for (int other = 1; other <= Entries; other++)
        {
            if (other != number && Type(sector, other) != 0)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>The disk's signature, after which its partitions are named.</summary>
    public static uint Signature(ReadOnlySpan<byte> sector) => BinaryPrimitives.ReadUInt32LittleEndian(sector[440..]);

    /// <summary>The type of an entry.</summary>
    /// <param name="number">1 to 4.</param>
    public static byte Type(ReadOnlySpan<byte> sector, int number) => Entry(sector, number)[4];

    /// <summary>Bytes that a partition from <paramref name="start"/> to the end of a disk may have.</summary>
    public static long LengthToEnd(long start, long diskSize)
    {
        long length = Math.Min(AlignDown(diskSize) - start, AlignDown(MaximumSectors * SectorBytes));
        return Math.Max(length, 0);
    }

    /// <summary>The last place before another one at which a partition is to end.</summary>
    public static long AlignDown(long place) => place / Granularity * Granularity;

    /// <summary>Gives an entry another length.</summary>
    /// <param name="length">In bytes.</param>
    public static void SetLength(Span<byte> sector, int number, long length) =>
        BinaryPrimitives.WriteUInt32LittleEndian(Entry(sector, number)[12..], checked((uint)(length / SectorBytes)));

    private static ReadOnlySpan<byte> Entry(ReadOnlySpan<byte> sector, int number) =>
        sector.Slice(TableOffset + (number - 1) * EntryBytes, EntryBytes);

    private static Span<byte> Entry(Span<byte> sector, int number) => sector.Slice(TableOffset + (number - 1) * EntryBytes, EntryBytes);
}
