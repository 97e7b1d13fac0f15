using System.Buffers.Binary;

namespace Bootstrap.Support;

/// <summary>The smallest disk image that the appliance takes: an MBR and one partition of no known file system.</summary>
public static class TinyImage
{
    private const int SectorBytes = 512;
    private const int FirstSector = 2048;

    /// <summary>Makes one.</summary>
    /// <param name="partitionBytes">Whole sectors; filled with bytes that do not compress.</param>
    /// <param name="seed">Images of different seeds share no chunk.</param>
    public static byte[] Create(int partitionBytes = 1 << 20, int seed = 1)
    {
        byte[] image = new byte[FirstSector * SectorBytes + partitionBytes];
        new Random(seed).NextBytes(image.AsSpan(FirstSector * SectorBytes));
        // The first entry of the partition table: type 83 (Linux), LBA of its start, sectors; little-endian.
        Span<byte> entry = image.AsSpan(446, 16);
        entry[4] = 0x83;
        BinaryPrimitives.WriteInt32LittleEndian(entry[8..], FirstSector);
        BinaryPrimitives.WriteInt32LittleEndian(entry[12..], partitionBytes / SectorBytes);
        image[510] = 0x55;
        image[511] = 0xaa;
        return image;
    }
}
