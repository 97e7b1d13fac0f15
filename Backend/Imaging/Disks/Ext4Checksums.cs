using System.Buffers.Binary;
using System.Numerics;

namespace Bootstrap.Imaging.Disks;

/// <summary>
/// Checksums of an ext4 file system's own tables (kernel documentation, "ext4 Data Structures and Algorithms", checksums): CRC-32C where
/// its feature metadata_csum has them, else CRC-16 of the group descriptors where gdt_csum has them; all are right where it has neither.
/// </summary>
internal sealed class Ext4Checksums
{
    private const uint RoCompatDescriptorChecksums = 0x10, RoCompatMetadataChecksums = 0x400, IncompatSeed = 0x2000, Start = uint.MaxValue;
    private const int SuperBlockChecksum = 0x3fc, DescriptorChecksum = 0x1e, LongDescriptor = 64;

    private readonly byte[] _super;
    private readonly bool _hasChecksums, _hasDescriptorChecksums;
    private readonly uint _seed;

    /// <param name="super">1,024 bytes.</param>
    public Ext4Checksums(byte[] super)
    {
        _super = super;
        _hasChecksums = (U32(super, 100) & RoCompatMetadataChecksums) != 0;
        _hasDescriptorChecksums = (U32(super, 100) & RoCompatDescriptorChecksums) != 0;
        _seed = (U32(super, 96) & IncompatSeed) != 0 ? U32(super, 0x270) : Add(Start, super.AsSpan(104, 16));
    }

    public bool IsSuperBlockRight => !_hasChecksums || Add(Start, _super.AsSpan(0, SuperBlockChecksum)) == U32(_super, SuperBlockChecksum);

    /// <summary>Whether a group's descriptor, 32 bytes or longer, is what was written.</summary>
    public bool IsDescriptorRight(long group, ReadOnlySpan<byte> descriptor)
    {
        if (!_hasChecksums && !_hasDescriptorChecksums)
        {
            return true;
        }
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(number, (uint)group);
        if (!_hasChecksums)
        {
            ushort old = Add16(Add16(Add16(ushort.MaxValue, _super.AsSpan(104, 16)), number), descriptor[..DescriptorChecksum]);
            return Add16(old, descriptor[(DescriptorChecksum + 2)..]) == U16(descriptor, DescriptorChecksum);
        }
        uint sum = Add(Add(Add(_seed, number), descriptor[..DescriptorChecksum]), [0, 0]);
        return (ushort)Add(sum, descriptor[(DescriptorChecksum + 2)..]) == U16(descriptor, DescriptorChecksum);
    }

    /// <summary>Whether a group's block bitmap is what its descriptor says.</summary>
    /// <param name="bitmap">A bit for each block of a whole group.</param>
    public bool IsBitmapRight(ReadOnlySpan<byte> descriptor, ReadOnlySpan<byte> bitmap)
    {
        uint sum = _hasChecksums ? Add(_seed, bitmap) : 0;
        return !_hasChecksums ||
            (ushort)sum == U16(descriptor, 0x18) && (descriptor.Length < LongDescriptor || sum >> 16 == U16(descriptor, 0x38));
    }

    private static uint Add(uint sum, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
        {
            sum = BitOperations.Crc32C(sum, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        }
        foreach (byte b in bytes)
        {
            sum = BitOperations.Crc32C(sum, b);
        }
        return sum;
    }

    /// <summary>CRC-16 with the polynomial x^16 + x^15 + x^2 + 1, lowest bit first.</summary>
    private static ushort Add16(ushort sum, ReadOnlySpan<byte> bytes)
    {
        const int polynomial = 0xa001;
        foreach (byte b in bytes)
        {
            sum ^= b;
            for (int bit = 0; bit < 8; bit++)
            {
                sum = (ushort)((sum & 1) != 0 ? (sum >> 1) ^ polynomial : sum >> 1);
            }
        }
        return sum;
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[offset..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);
}
