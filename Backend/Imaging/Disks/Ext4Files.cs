using System.Buffers.Binary;
using System.Text;

namespace Bootstrap.Imaging.Disks;

/// <summary>
/// Reads the files of an ext2, ext3 or ext4 file system (kernel documentation, "ext4 Data Structures and Algorithms"): extents and indirect
/// blocks, directories (an htree directory reads as a linear one), symbolic links. What the journal still holds is not
/// replayed: of a file system that was not unmounted, what is read may be older than what its system would see. Encrypted, compressed and
/// inline files are refused.
/// </summary>
public sealed class Ext4Files
{
    private const int RootInode = 2, MaximumLinks = 16, MaximumDirectoryBytes = 64 << 20, MaximumLinkBytes = 4096, ExtentTreeDepth = 5,
        MaximumExtentNodes = 65_536;
    private const uint FlagCompressed = 0x4, FlagEncrypted = 0x800, FlagExtents = 0x80000, FlagInlineData = 0x10000000;
    private const ushort TypeMask = 0xf000, TypeDirectory = 0x4000, TypeFile = 0x8000, TypeLink = 0xa000;
    private const uint IncompatMetaBlockGroups = 0x10, Incompat64Bit = 0x80;

    private readonly RawImage _image;
    private readonly long _start, _blocks;
    private readonly int _blockBytes, _inodeBytes, _descriptorBytes;
    private readonly uint _inodes, _inodesPerGroup, _firstDataBlock;

    /// <param name="super">A superblock that <see cref="Ext4Volume"/> has found sound.</param>
    internal Ext4Files(RawImage image, long start, byte[] super)
    {
        uint U32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(super.AsSpan(offset));
        (_image, _start) = (image, start);
        if ((U32(96) & IncompatMetaBlockGroups) != 0)
        {
            throw new ImageException($"the ext4 file system at byte {start} has meta block groups, which are not read here");
        }
        bool wide = (U32(96) & Incompat64Bit) != 0;
        _blockBytes = 1024 << (int)U32(24);
        _blocks = U32(4) | (wide ? (long)U32(0x150) << 32 : 0);
        _inodes = U32(0);
        _inodesPerGroup = U32(40);
        _inodeBytes = U32(76) == 0 ? 128 : BinaryPrimitives.ReadUInt16LittleEndian(super.AsSpan(88));
        _firstDataBlock = U32(20);
        _descriptorBytes = wide ? Math.Max((ushort)64, BinaryPrimitives.ReadUInt16LittleEndian(super.AsSpan(254))) : 32;
    }

    /// <summary>Names in a directory, without "." and ".."; null if there is no such directory.</summary>
    /// <param name="path">From the root, with '/'; links are followed and never lead out of this file system.</param>
    /// <exception cref="ImageException">The file system is damaged, or has what is not read here.</exception>
    public IReadOnlyList<string>? List(string path) =>
        Find(path) is { } inode && inode.Type == TypeDirectory ? [.. Entries(inode, path).Select(e => e.Name)] : null;

    /// <summary>A file's bytes; null if there is none of this name.</summary>
    /// <param name="path">From the root, with '/'; links are followed and never lead out of this file system.</param>
    /// <param name="limit">A longer file is refused.</param>
    /// <exception cref="ImageException">The file system is damaged, or has what is not read here; or the file is too long.</exception>
    public byte[]? ReadFile(string path, int limit) =>
        Find(path) is { } inode && inode.Type == TypeFile ? Read(inode, limit, path) : null;

    /// <summary>True if there is something of this name.</summary>
    /// <param name="path">From the root, with '/'; links are followed and never lead out of this file system.</param>
    /// <exception cref="ImageException">The file system is damaged, or has what is not read here.</exception>
    public bool Exists(string path) => Find(path) is not null;

    /// <summary>The first block of a file without a name; null where it is a hole.</summary>
    /// <exception cref="ImageException">The file system is damaged.</exception>
    internal byte[]? ReadFirstBlock(uint inode)
    {
        Inode file = ReadInode(inode);
        long block = (file.Flags & FlagExtents) != 0
            ? Blocks(file).Where(b => b.Logical == 0).Select(b => b.Physical).FirstOrDefault()
            : BinaryPrimitives.ReadUInt32LittleEndian(file.Map);
        return block == 0 ? null : _image.Read(Place(block), _blockBytes);
    }

    private sealed record Inode(uint Number, ushort Type, uint Flags, long Size, byte[] Map);

    private Inode? Find(string path)
    {
        var parts = new Stack<string>(path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        var above = new Stack<Inode>();
        Inode current = ReadInode(RootInode);
        for (int links = 0; parts.TryPop(out string? part);)
        {
            if (part is "." or "..")
            {
                current = part == ".." && above.TryPop(out Inode? parent) ? parent : current;
                continue;
            }
            if (current.Type != TypeDirectory || Entries(current, path).FirstOrDefault(e => e.Name == part) is not { Inode: > 0 } entry)
            {
                return null;
            }
            Inode next = ReadInode(entry.Inode);
            if (next.Type != TypeLink)
            {
                above.Push(current);
                current = next;
                continue;
            }
            if (++links > MaximumLinks)
            {
                throw Damaged($"{path} goes through more than {MaximumLinks} links");
            }
            string target = Encoding.UTF8.GetString(ReadLink(next, path));
            if (target.StartsWith('/'))
            {
                above.Clear();
                current = ReadInode(RootInode);
            }
            foreach (string step in target.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
            {
                parts.Push(step);
            }
        }
        return current;
    }

    /// <summary>Short targets lie in the inode itself, where other files have their map.</summary>
    private byte[] ReadLink(Inode link, string path) =>
        link.Size < link.Map.Length && (link.Flags & FlagExtents) == 0 ? link.Map[..(int)link.Size] : Read(link, MaximumLinkBytes, path);

    private IEnumerable<(string Name, uint Inode)> Entries(Inode directory, string path)
    {
        byte[] bytes = Read(directory, MaximumDirectoryBytes, path);
        for (int at = 0; at + 8 <= bytes.Length;)
        {
            uint inode = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));
            int length = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at + 4));
            int nameLength = bytes[at + 6];
            if (length < 8 || length % 4 != 0 || at + length > bytes.Length || nameLength > length - 8)
            {
                throw Damaged($"the directory {path} has an entry that does not fit");
            }
            // Inode 0: a removed entry, a node of the htree, a checksum.
            if (inode != 0 && Encoding.UTF8.GetString(bytes, at + 8, nameLength) is not ("." or "..") and var name)
            {
                yield return (name, inode);
            }
            at += length;
        }
    }

    private Inode ReadInode(uint number)
    {
        if (number == 0 || number > _inodes)
        {
            throw Damaged($"a directory names inode {number} of {_inodes}");
        }
        long group = (number - 1) / _inodesPerGroup, within = (number - 1) % _inodesPerGroup;
        byte[] descriptor = _image.Read(_start + (_firstDataBlock + 1L) * _blockBytes + group * _descriptorBytes, _descriptorBytes);
        long table = BinaryPrimitives.ReadUInt32LittleEndian(descriptor.AsSpan(8)) |
            (_descriptorBytes >= 64 ? (long)BinaryPrimitives.ReadUInt32LittleEndian(descriptor.AsSpan(0x28)) << 32 : 0);
        byte[] inode = _image.Read(Place(table) + within * _inodeBytes, 128);
        long size = BinaryPrimitives.ReadUInt32LittleEndian(inode.AsSpan(4)) | (long)BinaryPrimitives.ReadUInt32LittleEndian(
            inode.AsSpan(108)) << 32;
        return new Inode(number, (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(inode) & TypeMask),
            BinaryPrimitives.ReadUInt32LittleEndian(inode.AsSpan(32)), size, inode[40..100]);
    }

    private byte[] Read(Inode inode, int limit, string path)
    {
        if ((inode.Flags & (FlagInlineData | FlagEncrypted | FlagCompressed)) is not 0 and var kind)
        {
            string what = (kind & FlagInlineData) != 0 ? "inline data" : (kind & FlagEncrypted) != 0 ? "encryption" : "compression";
            throw new ImageException($"{path} of the ext4 file system at byte {_start} is stored with {what}, which is not read here");
        }
        if (inode.Size < 0 || inode.Size > limit)
        {
            throw new ImageException(
                $"{path} of the ext4 file system at byte {_start} has {inode.Size} bytes, more than the {limit} that are taken");
        }
        // A size is only a claim until there are blocks for it: the holes of a small image must not become memory.
        if (inode.Size > _blocks * _blockBytes)
        {
            throw Damaged($"{path} is larger than its file system");
        }
        byte[] bytes = new byte[inode.Size];
        foreach ((long logical, long physical, long count) in Blocks(inode))
        {
            long at = logical * _blockBytes;
            if (logical >= 0 && at < bytes.Length && count > 0)
            {
                _image.Read(Place(physical), bytes.AsSpan((int)at, (int)Math.Min(count * _blockBytes, bytes.Length - at)));
            }
        }
        return bytes;
    }

    /// <summary>Where a file's blocks lie; what is not named is a hole.</summary>
    private List<(long Logical, long Physical, long Count)> Blocks(Inode inode)
    {
        var found = new List<(long, long, long)>();
        if ((inode.Flags & FlagExtents) != 0)
        {
            int nodes = 0;
            Extents(inode.Map, ExtentTreeDepth + 1, inode.Number, ref nodes, found);
            return found;
        }
        long wanted = (inode.Size + _blockBytes - 1) / _blockBytes, perBlock = _blockBytes / 4;
        long next = 0;
        for (int i = 0; i < 15 && next < wanted; i++)
        {
            // Twelve blocks, then one block of numbers, one of blocks of numbers, and one of those.
            Indirect(BinaryPrimitives.ReadUInt32LittleEndian(inode.Map.AsSpan(4 * i)), Math.Max(0, i - 11), ref next, wanted, perBlock,
                found);
        }
        return found;
    }

    private void Indirect(uint block, int level, ref long next, long wanted, long perBlock, List<(long, long, long)> found)
    {
        if (block == 0)
        {
            next += level switch { 0 => 1, 1 => perBlock, 2 => perBlock * perBlock, _ => perBlock * perBlock * perBlock };
            return;
        }
        if (level == 0)
        {
            found.Add((next++, block, 1));
            return;
        }
        byte[] numbers = _image.Read(Place(block), _blockBytes);
        for (int at = 0; at < numbers.Length && next < wanted; at += 4)
        {
            Indirect(BinaryPrimitives.ReadUInt32LittleEndian(numbers.AsSpan(at)), level - 1, ref next, wanted, perBlock, found);
        }
    }

    private void Extents(byte[] node, int maximumDepth, uint inode, ref int nodes, List<(long, long, long)> found)
    {
        int entries = BinaryPrimitives.ReadUInt16LittleEndian(node.AsSpan(2)),
            depth = BinaryPrimitives.ReadUInt16LittleEndian(node.AsSpan(6));
        // Depth falls with each level, so a tree that points to itself ends here; one whose branches all meet again is counted out.
        if (++nodes > MaximumExtentNodes || BinaryPrimitives.ReadUInt16LittleEndian(node) != 0xf30a || depth >= maximumDepth
            || 12 * (entries + 1) > node.Length)
        {
            throw Damaged($"the extent tree of inode {inode} makes no sense");
        }
        for (int at = 12; at <= 12 * entries; at += 12)
        {
            byte[] entry = node[at..(at + 12)];
            uint logical = BinaryPrimitives.ReadUInt32LittleEndian(entry);
            if (depth == 0)
            {
                const int Uninitialised = 32768; // longer: blocks that were set aside and never written, which read as zeros
                int count = BinaryPrimitives.ReadUInt16LittleEndian(entry.AsSpan(4));
                long physical = (long)BinaryPrimitives.ReadUInt16LittleEndian(
                    entry.AsSpan(6)) << 32 | BinaryPrimitives.ReadUInt32LittleEndian(entry.AsSpan(8));
                if (count <= Uninitialised)
                {
                    found.Add((logical, physical, count));
                }
                continue;
            }
            long child = (long)BinaryPrimitives.ReadUInt16LittleEndian(entry.AsSpan(8)) << 32 | BinaryPrimitives.ReadUInt32LittleEndian(
                entry.AsSpan(4));
            Extents(_image.Read(Place(child), _blockBytes), depth, inode, ref nodes, found);
        }
    }

    private long Place(long block) =>
        block > 0 && block < _blocks ? _start + block * _blockBytes : throw Damaged($"its tables point to block {block} of {_blocks}");

    private ImageException Damaged(string why) => new($"the ext4 file system at byte {_start} is damaged: {why}");
}
