using System.Buffers.Binary;

namespace Bootstrap.Imaging.Disks;

/// <summary>
/// Why the block bitmaps of an ext2, ext3 or ext4 file system are not to be believed, by its superblock and its journal: what was
/// written last may lie in blocks that they still call free. Each is said in words that follow "the file system".
/// </summary>
internal static class Ext4Doubts
{
    private const uint CompatJournal = 0x4, CompatSparseSuper2 = 0x200;
    private const uint IncompatRecover = 0x4;
    private const uint RoCompatOrphans = 0x10000;
    private const ushort StateValid = 1, StateErrors = 2;

    /// <summary>
    /// filetype, extents, 64bit, mmp, flex_bg, ea_inode, csum_seed, largedir, inline_data, encrypt, casefold. Not meta_bg: descriptors
    /// lie elsewhere.
    /// </summary>
    private const uint KnownIncompat = 0x2 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x2000 | 0x4000 | 0x8000 | 0x10000 | 0x20000;

    /// <summary>
    /// sparse_super, large_file, btree_dir, huge_file, gdt_csum, dir_nlink, extra_isize, quota, metadata_csum, readonly, project,
    /// verity. Not bigalloc, whose bitmaps have bits for clusters, nor snapshots and shared blocks.
    /// </summary>
    private const uint KnownRoCompat = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x20 | 0x40 | 0x100 | 0x400 | 0x1000 | 0x2000 | 0x8000;

    private const int JournalInode = 224, LastOrphan = 232;
    private const int JournalStart = 0x1c, JournalError = 0x20;
    private const uint JournalMagic = 0xc03b3998;

    /// <summary>The first reason that the superblock gives; null: none.</summary>
    /// <param name="super">1,024 bytes.</param>
    public static string? Find(byte[] super)
    {
        uint U32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(super.AsSpan(offset));
        ushort state = BinaryPrimitives.ReadUInt16LittleEndian(super.AsSpan(58));
        uint incompat = U32(96), roCompat = U32(100);
        return (incompat & IncompatRecover) != 0 || (state & StateValid) == 0 ? "was not cleanly unmounted"
            : (state & StateErrors) != 0 ? "has errors that were not repaired"
            : state != StateValid ? $"is in a state ({state:x}) that is not known here"
            : U32(LastOrphan) != 0 || (roCompat & RoCompatOrphans) != 0 ? "has deleted files whose blocks are not free yet"
            : (U32(92) & CompatJournal) != 0 && U32(JournalInode) == 0 ? "has its journal on another device"
            : (incompat & ~KnownIncompat) is > 0 and var others ? $"has features that are not known here (incompat {others:x})"
            : (roCompat & ~KnownRoCompat) is > 0 and var more ? $"has features that are not known here (ro_compat {more:x})"
            : (U32(92) & CompatSparseSuper2) != 0 ? "has features that are not known here (sparse_super2)"
            : !new Ext4Checksums(super).IsSuperBlockRight ? "has a superblock with a wrong checksum"
            : null;
    }

    /// <summary>What the journal says; null: it is empty, or there is none. Reads it, which may lie anywhere.</summary>
    public static string? FindInJournal(byte[] super, Ext4Files files)
    {
        if ((BinaryPrimitives.ReadUInt32LittleEndian(super.AsSpan(92)) & CompatJournal) == 0)
        {
            return null;
        }
        try
        {
            byte[]? journal = files.ReadFirstBlock(BinaryPrimitives.ReadUInt32LittleEndian(super.AsSpan(JournalInode)));
            uint Word(int offset) => BinaryPrimitives.ReadUInt32BigEndian(journal.AsSpan(offset));
            return journal is null || Word(0) != JournalMagic ? "has no journal where it ought to be"
                : Word(JournalStart) != 0 ? "has a journal that was not replayed"
                : Word(JournalError) != 0 ? "has a journal that was given up after an error"
                : null;
        }
        catch (ImageException)
        {
            return "has a journal that cannot be read";
        }
    }
}
