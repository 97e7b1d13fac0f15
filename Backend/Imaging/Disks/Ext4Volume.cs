using System.Buffers.Binary;
using System.Text;

namespace Bootstrap.Imaging.Disks;

/// <summary>
/// An ext2, ext3 or ext4 file system: which blocks are in use (kernel documentation, "ext4 Data Structures and Algorithms").
/// Where the block bitmaps cannot be trusted (it was not unmounted, they disagree with what else it says, an unknown feature), all of
/// it counts as used.
/// </summary>
public sealed class Ext4Volume : IVolume
{
    private const int SuperBlockOffset = 1024;
    private const uint Incompat64Bit = 0x80;

    /// <summary>Descriptors of a million groups: 128 TiB of 4 KiB blocks.</summary>
    private const long MaximumDescriptorBytes = 64 << 20;

    private const uint IncompatJournalDevice = 0x8;
    private const uint RoCompatSparseSuper = 0x1, RoCompatGroupChecksums = 0x10 | 0x400, RoCompatBigAlloc = 0x200;
    private const ushort GroupBlockBitmapUninitialised = 0x2;

    private readonly RawImage _image;
    private readonly long _start;
    private readonly byte[] _super;
    private readonly Ext4Checksums _checksums;
    private readonly int _blockBytes;
    private readonly long _blocks, _groups;
    private readonly uint _blocksPerGroup, _firstDataBlock, _inodeTableBlocks, _reservedDescriptorBlocks;
    private readonly int _descriptorBytes;

    private Ext4Volume(RawImage image, long start, byte[] super, long length)
    {
        _image = image;
        _start = start;
        _super = super;
        _checksums = new Ext4Checksums(super);
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
        _groups = (_blocks - _firstDataBlock + _blocksPerGroup - 1) / _blocksPerGroup;
        if ((_blocksPerGroup > 8L * _blockBytes && !HasClusters) || _firstDataBlock > 1 || _descriptorBytes > _blockBytes ||
            _groups * _descriptorBytes > Math.Min(Length, MaximumDescriptorBytes))
        {
            throw Damaged("its block groups make no sense");
        }
        Doubt = Ext4Doubts.Find(super);
    }

    /// <summary>Reads files and directories of this volume.</summary>
    public Ext4Files Files => new(_image, _start, _super);

    public string FileSystem => "ext4";

    public long Length => _blocks * _blockBytes;

    public string Label => Encoding.UTF8.GetString(_super.AsSpan(120, 16)).TrimEnd('\0');

    /// <summary>Its UUID, in lower case.</summary>
    public string Uuid => new Guid(_super.AsSpan(104, 16), bigEndian: true).ToString();

    public string? Doubt { get; private set; }

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
        bool isJournal = (BinaryPrimitives.ReadUInt32LittleEndian(super.AsSpan(96)) & IncompatJournalDevice) != 0;
        bool isOne = BinaryPrimitives.ReadUInt16LittleEndian(super.AsSpan(56)) == 0xef53 && !isJournal;
        return isOne ? new Ext4Volume(image, start, super, length) : null;
    }

    /// <summary>The blocks in use, or all of the volume where there is a <see cref="Doubt"/>.</summary>
    public IEnumerable<Extent> Used()
    {
        byte[] descriptors = Doubt is null ? ReadDescriptors() : [];
        Doubt ??= FindDoubt(descriptors);
        if (Doubt is not null)
        {
            yield return new Extent(_start, Length);
            yield break;
        }
        // Metadata is marked by its own tables, not by the bitmaps alone: a group whose bitmap was never initialised has none. It may
        // lie in another group than its own.
        byte[] map = new byte[(_blocks + 7) / 8];
        Mark(map, 0, _firstDataBlock + 1L);
        for (long group = 0; group < _groups; group++)
        {
            MarkMetadata(map, group, Descriptor(descriptors, group));
        }
        for (long group = 0; group < _groups; group++)
        {
            long first = group == 0 ? 0 : _firstDataBlock + group * _blocksPerGroup;
            if (MarkBitmap(map, group, Descriptor(descriptors, group)) is { } doubt)
            {
                Doubt = doubt;
                yield return new Extent(_start + first * _blockBytes, (_blocks - first) * _blockBytes);
                yield break;
            }
            for (long block = first; block < EndOf(group); block++)
            {
                if (IsMarked(map, block))
                {
                    yield return new Extent(_start + block * _blockBytes, _blockBytes);
                }
            }
        }
        Doubt = Ext4Doubts.FindInJournal(_super, Files);
    }

    private byte[] ReadDescriptors() => _image.Read(_start + (_firstDataBlock + 1L) * _blockBytes, (int)(_groups * _descriptorBytes));

    private ReadOnlySpan<byte> Descriptor(byte[] descriptors, long group) =>
        descriptors.AsSpan((int)(group * _descriptorBytes), _descriptorBytes);

    private long EndOf(long group) => Math.Min(_firstDataBlock + (group + 1) * _blocksPerGroup, _blocks);

    /// <summary>What is wrong with the groups' descriptors; null: nothing.</summary>
    private string? FindDoubt(byte[] descriptors)
    {
        long free = 0;
        for (long group = 0; group < _groups; group++)
        {
            ReadOnlySpan<byte> descriptor = Descriptor(descriptors, group);
            if (!_checksums.IsDescriptorRight(group, descriptor))
            {
                return $"has a wrong checksum in the descriptor of block group {group}";
            }
            if (IsUninitialised(descriptor) && (U32(100) & RoCompatGroupChecksums) == 0)
            {
                return $"calls the block bitmap of group {group} not initialised, which its features do not allow";
            }
            (long, long)[] tables = [(BlockBitmap(descriptor), 1), (InodeBitmap(descriptor), 1),
                (InodeTable(descriptor), _inodeTableBlocks)];
            foreach ((long block, long count) in tables)
            {
                // What lies before them is the superblock and the descriptors.
                if (block <= _firstDataBlock || block > _blocks - count)
                {
                    return $"has a bitmap or a table of block group {group} at block {block}, where none can be";
                }
            }
            free += FreeBlocks(descriptor);
        }
        long all = U32(12) | (_descriptorBytes >= 64 ? (long)U32(0x158) << 32 : 0);
        return free == all ? null : $"has {all} free blocks by its superblock and {free} by its block groups";
    }

    private void MarkMetadata(byte[] map, long group, ReadOnlySpan<byte> descriptor)
    {
        if (HasSuperBlock(group))
        {
            long descriptorBlocks = (_groups * _descriptorBytes + _blockBytes - 1) / _blockBytes;
            Mark(map, _firstDataBlock + group * _blocksPerGroup, 1 + descriptorBlocks + _reservedDescriptorBlocks);
        }
        Mark(map, BlockBitmap(descriptor), 1);
        Mark(map, InodeBitmap(descriptor), 1);
        Mark(map, InodeTable(descriptor), _inodeTableBlocks);
    }

    private long BlockBitmap(ReadOnlySpan<byte> descriptor) => BlockNumber(descriptor, 0, 0x20);

    private long InodeBitmap(ReadOnlySpan<byte> descriptor) => BlockNumber(descriptor, 4, 0x24);

    private long InodeTable(ReadOnlySpan<byte> descriptor) => BlockNumber(descriptor, 8, 0x28);

    private long FreeBlocks(ReadOnlySpan<byte> descriptor) => BinaryPrimitives.ReadUInt16LittleEndian(descriptor[12..]) |
        (_descriptorBytes >= 64 ? (long)BinaryPrimitives.ReadUInt16LittleEndian(descriptor[0x2c..]) << 16 : 0);

    private static bool IsUninitialised(ReadOnlySpan<byte> descriptor) =>
        (BinaryPrimitives.ReadUInt16LittleEndian(descriptor[18..]) & GroupBlockBitmapUninitialised) != 0;

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

    /// <summary>Marks what the bitmap of a group calls used.</summary>
    /// <returns>Why it is not to be believed; null: it is.</returns>
    private string? MarkBitmap(byte[] map, long group, ReadOnlySpan<byte> descriptor)
    {
        long first = _firstDataBlock + group * _blocksPerGroup, count = EndOf(group) - first;
        if (!IsUninitialised(descriptor))
        {
            byte[] bitmap = _image.Read(_start + BlockBitmap(descriptor) * _blockBytes, _blockBytes);
            if (!_checksums.IsBitmapRight(descriptor, bitmap.AsSpan(0, (int)(_blocksPerGroup / 8))))
            {
                return $"has a block bitmap with a wrong checksum (group {group})";
            }
            for (int i = 0; i < count; i++)
            {
                if ((bitmap[i >> 3] & 1 << (i & 7)) != 0)
                {
                    Mark(map, first + i, 1);
                }
            }
        }
        long free = 0;
        for (long block = first; block < first + count; block++)
        {
            free += IsMarked(map, block) ? 0 : 1;
        }
        long counted = FreeBlocks(descriptor);
        return free == counted ? null : $"has {free} free blocks in group {group} by its bitmap and tables, and {counted} by their count";
    }

    private static bool IsMarked(byte[] map, long block) => (map[block >> 3] & 1 << (int)(block & 7)) != 0;

    private void Mark(byte[] map, long block, long count)
    {
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
