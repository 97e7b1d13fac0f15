using System.Buffers.Binary;
using System.Text;

namespace Bootstrap.Imaging.Disks;

/// <summary>
/// An ext2, ext3 or ext4 file system: which blocks are in use (kernel documentation, "ext4 Data Structures and Algorithms").
/// Where the block bitmaps cannot be trusted (the journal still has to be replayed, an unknown feature), all of it counts as used.
/// </summary>
public sealed class Ext4Volume : IVolume
{
    private const int SuperBlockOffset = 1024;
    private const uint Incompat64Bit = 0x80;

    /// <summary>
    /// filetype, extents, 64bit, mmp, flex_bg, ea_inode, csum_seed, largedir, inline_data, encrypt, casefold. Not among them: "recover"
    /// (bitmaps may be older than the journal), an external journal, and meta_bg (descriptors lie elsewhere).
    /// </summary>
    private const uint UnderstoodIncompat = 0x2 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x2000 | 0x4000 | 0x8000 | 0x10000 | 0x20000;

    /// <summary>Descriptors of a million groups: 128 TiB of 4 KiB blocks.</summary>
    private const long MaximumDescriptorBytes = 64 << 20;

    private const uint CompatSparseSuper2 = 0x200;
    private const uint RoCompatSparseSuper = 0x1, RoCompatBigAlloc = 0x200;
    private const ushort GroupBlockBitmapUninitialised = 0x2;

    private readonly RawImage _image;
    private readonly long _start;
    private readonly byte[] _super;
    private readonly int _blockBytes;
    private readonly long _blocks;
    private readonly uint _blocksPerGroup, _firstDataBlock, _inodeTableBlocks, _reservedDescriptorBlocks;
    private readonly int _descriptorBytes;

    private Ext4Volume(RawImage image, long start, byte[] super, long length)
    {
        _image = image;
        _start = start;
        _super = super;
        uint logBlock = U32(24);
        _blocksPerGroup = U32(32);
        uint inodesPerGroup = U32(40);
        int inodeBytes = U32(76) == 0 ? 128 : BinaryPrimitives.ReadUInt16LittleEndian(super.AsSpan(88));
        if (logBlock > 6 || _blocksPerGroup == 0 || inodesPerGroup == 0 || inodeBytes is < 128 or > 4096)
        {
            throw Damaged("its superblock makes no sense");
        }
        _blockBytes = 1024 << (int)logBlock;
        bool wide = (U32(96) & Incompat64Bit) != 0;
        _blocks = U32(4) | (wide ? (long)U32(0x150) << 32 : 0);
        _firstDataBlock = U32(20);
        _descriptorBytes = wide ? Math.Max((ushort)64, BinaryPrimitives.ReadUInt16LittleEndian(super.AsSpan(254))) : 32;
        _inodeTableBlocks = (uint)(((long)inodesPerGroup * inodeBytes + _blockBytes - 1) / _blockBytes);
        _reservedDescriptorBlocks = BinaryPrimitives.ReadUInt16LittleEndian(super.AsSpan(206));
        if (_blocks <= 0 || _blocks > length / _blockBytes)
        {
            throw Damaged($"it has {_blocks} blocks of {_blockBytes} bytes, more than its partition of {length} bytes holds");
        }
        long groups = (_blocks + _blocksPerGroup - 1) / _blocksPerGroup;
        if ((_blocksPerGroup > 8L * _blockBytes && !HasClusters) || _firstDataBlock > 1 || _descriptorBytes > _blockBytes ||
            groups * _descriptorBytes > Math.Min(Length, MaximumDescriptorBytes))
        {
            throw Damaged("its block groups make no sense");
        }
    }

    /// <summary>Reads files and directories of this volume.</summary>
    public Ext4Files Files => new(_image, _start, _super);

    public string FileSystem => "ext4";

    public long Length => _blocks * _blockBytes;

    public string Label => Encoding.UTF8.GetString(_super.AsSpan(120, 16)).TrimEnd('\0');

    /// <summary>False: free space cannot be told from used.</summary>
    public bool MapIsTrustworthy =>
        (U32(96) & ~UnderstoodIncompat) == 0 && !HasClusters && (U32(92) & CompatSparseSuper2) == 0;

    private bool HasClusters => (U32(100) & RoCompatBigAlloc) != 0;

    /// <summary>Opens the volume that starts at a place of the image; null if none does.</summary>
    /// <param name="length">Bytes of the partition.</param>
    /// <exception cref="ImageException">There is one, and it is damaged.</exception>
    public static Ext4Volume? TryOpen(RawImage image, long start, long length)
    {
        if (length < SuperBlockOffset + 1024)
        {
            return null;
        }
        byte[] super = image.Read(start + SuperBlockOffset, 1024);
        return BinaryPrimitives.ReadUInt16LittleEndian(super.AsSpan(56)) == 0xef53 ? new Ext4Volume(image, start, super, length) : null;
    }

    /// <summary>The blocks in use, or all of the volume where <see cref="MapIsTrustworthy"/> is false.</summary>
    public IEnumerable<Extent> Used()
    {
        if (!MapIsTrustworthy)
        {
            yield return new Extent(_start, Length);
            yield break;
        }
        long groups = (_blocks - _firstDataBlock + _blocksPerGroup - 1) / _blocksPerGroup;
        byte[] descriptors = _image.Read(_start + (_firstDataBlock + 1L) * _blockBytes, (int)(groups * _descriptorBytes));
        ReadOnlySpan<byte> Descriptor(long group) => descriptors.AsSpan((int)(group * _descriptorBytes), _descriptorBytes);

        // Metadata is marked by its own tables, not by the bitmaps alone: a group whose bitmap was never initialised has none. It may
        // lie in another group than its own.
        byte[] map = new byte[(_blocks + 7) / 8];
        Mark(map, 0, _firstDataBlock + 1L);
        for (long group = 0; group < groups; group++)
        {
            MarkMetadata(map, group, Descriptor(group), descriptors.Length);
        }
        for (long group = 0; group < groups; group++)
        {
            long first = _firstDataBlock + group * _blocksPerGroup;
            if ((BinaryPrimitives.ReadUInt16LittleEndian(Descriptor(group)[18..]) & GroupBlockBitmapUninitialised) == 0)
            {
                MarkBitmap(map, first, _image.Read(_start + BlockBitmap(Descriptor(group)) * _blockBytes, _blockBytes));
            }
            for (long block = group == 0 ? 0 : first; block < Math.Min(first + _blocksPerGroup, _blocks); block++)
            {
                if ((map[block >> 3] & 1 << (int)(block & 7)) != 0)
                {
                    yield return new Extent(_start + block * _blockBytes, _blockBytes);
                }
            }
        }
    }

    private void MarkMetadata(byte[] map, long group, ReadOnlySpan<byte> descriptor, int descriptorBytes)
    {
        if (HasSuperBlock(group))
        {
            long descriptorBlocks = (descriptorBytes + _blockBytes - 1) / _blockBytes;
            Mark(map, _firstDataBlock + group * _blocksPerGroup, 1 + descriptorBlocks + _reservedDescriptorBlocks);
        }
        Mark(map, BlockBitmap(descriptor), 1);
        Mark(map, BlockNumber(descriptor, 4, 0x24), 1);
        Mark(map, BlockNumber(descriptor, 8, 0x28), _inodeTableBlocks);
    }

    private long BlockBitmap(ReadOnlySpan<byte> descriptor) => BlockNumber(descriptor, 0, 0x20);

    private bool HasSuperBlock(long group) =>
        group <= 1 || (U32(100) & RoCompatSparseSuper) == 0 || IsPowerOf(3, group) || IsPowerOf(5, group) || IsPowerOf(7, group);

    private static bool IsPowerOf(long root, long number)
    {
        long power = root;
        while (power < number)
        {
            power *= root;
        }
        return power == number;
    }

    private void MarkBitmap(byte[] map, long firstBlock, byte[] bitmap)
    {
        long count = Math.Min(_blocksPerGroup, _blocks - firstBlock);
        for (int i = 0; i < count; i++)
        {
            if ((bitmap[i >> 3] & 1 << (i & 7)) != 0)
            {
                long block = firstBlock + i;
                map[block >> 3] |= (byte)(1 << (int)(block & 7));
            }
        }
    }

    private void Mark(byte[] map, long block, long count)
    {
        if (block < 0 || block >= _blocks)
        {
            throw Damaged($"its tables point to block {block} of {_blocks}");
        }
        for (long b = block; b < Math.Min(block + count, _blocks); b++)
        {
            map[b >> 3] |= (byte)(1 << (int)(b & 7));
        }
    }

    private long BlockNumber(ReadOnlySpan<byte> descriptor, int low, int high) =>
        BinaryPrimitives.ReadUInt32LittleEndian(descriptor[low..]) |
        (_descriptorBytes >= 64 ? (long)BinaryPrimitives.ReadUInt32LittleEndian(descriptor[high..]) << 32 : 0);

    private uint U32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_super.AsSpan(offset));

    private ImageException Damaged(string why) => new($"the ext4 file system at byte {_start} is damaged: {why}");
}
