using System.Buffers.Binary;

namespace Bootstrap.Rack.Rom;

/// <summary>A FAT partition of a card with an MBR partition table.</summary>
internal sealed class CardSource : IBootSource
{
    private const int SectorSize = 512;

    private readonly string _volume;

    private CardSource(string volume) => _volume = volume;

    public string Name => "card";

    /// <summary>Null if the card has no such partition: an empty card, or one whose writing was cut short.</summary>
    /// <param name="number">Of a primary partition, 1 to 4; null: the first that is FAT.</param>
    public static CardSource? Open(string card, int? number = null)
    {
        using FileStream file = File.OpenRead(card);
        byte[] sector = new byte[SectorSize];
        if (file.ReadAtLeast(sector, SectorSize, throwOnEndOfStream: false) < SectorSize || sector[510] != 0x55 || sector[511] != 0xaa)
        {
            return null;
        }
        for (int entry = 446, i = 1; entry < 510; entry += 16, i++)
        {
            // Types: FAT12, FAT16 small, FAT16, FAT32 CHS, FAT32 LBA, FAT16 LBA.
            if ((number ?? i) == i && sector[entry + 4] is (0x01 or 0x04 or 0x06 or 0x0b or 0x0c or 0x0e))
            {
                long start = BinaryPrimitives.ReadUInt32LittleEndian(sector.AsSpan(entry + 8)) * (long)SectorSize;
                return new CardSource($"{card}@@{start}");
            }
        }
        return null;
    }

    public async Task<byte[]?> FetchAsync(string path)
    {
        string target = Path.GetTempFileName();
        try
        {
            // MTOOLS_SKIP_CHECK: the card's geometry is not a floppy's.
            (int code, _, _) = await Tool.TryAsync("env", "MTOOLS_SKIP_CHECK=1", "mcopy", "-n", "-o", "-i", _volume, "::" + path, target);
            return code == 0 ? await File.ReadAllBytesAsync(target) : null;
        }
        finally
        {
            File.Delete(target);
        }
    }

    public async Task<bool> ExistsAsync(string path) => (await Tool.TryAsync("env", "MTOOLS_SKIP_CHECK=1", "mdir", "-b", "-i", _volume,
        "::" + path)).Code == 0;
}
