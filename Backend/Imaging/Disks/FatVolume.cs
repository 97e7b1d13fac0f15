using System.Buffers.Binary;
using System.Text;

namespace Bootstrap.Imaging.Disks;

/// <summary>
/// A FAT12, FAT16 or FAT32 file system (Microsoft's FAT specification, 1.03): which clusters are in use, and what its
/// directories hold. Every file has a short name, and most a long one (VFAT).
/// </summary>
public sealed class FatVolume : IVolume
{
    private const uint MaximumDirectoryEntries = 65_536;

    private readonly RawImage _image;
    private readonly long _start;
    private readonly byte[] _table;
    private readonly int _clusterBytes;
    private readonly long _dataStart;
    private readonly uint _clusters;
    private readonly int _bits;
    private readonly uint _rootCluster;
    private readonly Extent _fixedRoot;

    private FatVolume(RawImage image, long start, ReadOnlySpan<byte> boot, long length)
    {
        int sectorBytes = BinaryPrimitives.ReadUInt16LittleEndian(boot[11..]);
        _clusterBytes = sectorBytes * boot[13];
        long reserved = BinaryPrimitives.ReadUInt16LittleEndian(boot[14..]);
        int tables = boot[16];
        int rootEntries = BinaryPrimitives.ReadUInt16LittleEndian(boot[17..]);
        long sectors = BinaryPrimitives.ReadUInt16LittleEndian(boot[19..]);
        long tableSectors = BinaryPrimitives.ReadUInt16LittleEndian(boot[22..]);
        sectors = sectors != 0 ? sectors : BinaryPrimitives.ReadUInt32LittleEndian(boot[32..]);
        bool wide = tableSectors == 0;
        tableSectors = wide ? BinaryPrimitives.ReadUInt32LittleEndian(boot[36..]) : tableSectors;

        _image = image;
        _start = start;
        long tableStart = start + reserved * sectorBytes;
        long rootStart = tableStart + tables * tableSectors * sectorBytes;
        int rootBytes = (rootEntries * 32 + sectorBytes - 1) / sectorBytes * sectorBytes;
        _fixedRoot = new Extent(rootStart, rootBytes);
        _dataStart = rootStart + rootBytes;
        Length = sectors * sectorBytes;
        long tableBytes = tableSectors * sectorBytes;
        // As Linux takes it (fs/fat/inode.c): FAT32 is what has its table's length in the wide field, whatever the count of clusters; and
        // there are no more of these than the table has entries for.
        long clusters = (start + Length - _dataStart) / _clusterBytes;
        _bits = wide ? 32 : clusters < 4085 ? 12 : 16;
        clusters = Math.Min(clusters, tableBytes * 8 / _bits - 2);
        if (Length > length || clusters <= 0 || clusters > 0x0fff_fff5 || tableBytes > 1 << 30)
        {
            throw new ImageException($"the FAT file system at byte {start} does not fit its partition: the image is damaged");
        }
        _clusters = (uint)clusters;
        _rootCluster = wide ? BinaryPrimitives.ReadUInt32LittleEndian(boot[44..]) : 0;
        if (_bits == 16 && _clusters >= 65525)
        {
            throw new ImageException($"the FAT file system at byte {start} has more clusters than FAT16 can: the image is damaged");
        }
        // FAT32 may have one of its copies alone kept up to date (BPB_ExtFlags).
        int flags = wide ? BinaryPrimitives.ReadUInt16LittleEndian(boot[40..]) : 0, active = (flags & 0x80) != 0 ? flags & 0xf : 0;
        if (active >= tables)
        {
            throw new ImageException(
                $"the FAT file system at byte {start} uses copy {active} of its table, and has {tables}: the image is damaged");
        }
        _table = image.Read(tableStart + active * tableBytes, (int)tableBytes);
        bool hasCopies = tables > 1 && (flags & 0x80) == 0;
        Doubt = FindDoubt(boot[wide ? 65 : 37], hasCopies ? image.Read(tableStart + tableBytes, (int)tableBytes) : _table);
        Label = Encoding.ASCII.GetString(boot.Slice(wide ? 71 : 43, 11)).TrimEnd();
    }

    public string FileSystem => "vfat";

    public string Label { get; }

    public long Length { get; }

    public string? Doubt { get; }

    /// <summary>Opens the volume that starts at a place of the image; null if none does.</summary>
    /// <param name="length">Bytes of the partition.</param>
    /// <exception cref="ImageException">There is one, and it is damaged.</exception>
    public static FatVolume? TryOpen(RawImage image, long start, long length)
    {
        if (length < 512)
        {
            return null;
        }
        byte[] boot = image.Read(start, 512);
        int sectorBytes = BinaryPrimitives.ReadUInt16LittleEndian(boot.AsSpan(11));
        bool plausible = boot[510] == 0x55 && boot[511] == 0xaa && boot[0] is 0xeb or 0xe9 &&
            sectorBytes is 512 or 1024 or 2048 or 4096 && boot[13] is 1 or 2 or 4 or 8 or 16 or 32 or 64 or 128 &&
            boot[16] is 1 or 2 && BinaryPrimitives.ReadUInt16LittleEndian(boot.AsSpan(14)) > 0 &&
            !boot.AsSpan(3, 4).SequenceEqual("NTFS"u8);
        return plausible ? new FatVolume(image, start, boot, length) : null;
    }

    /// <summary>
    /// Tables, root directory, and each cluster that the FAT does not call free; all of the volume where there is a <see cref="Doubt"/>.
    /// </summary>
    public IEnumerable<Extent> Used()
    {
        if (Doubt is not null)
        {
            yield return new Extent(_start, Length);
            yield break;
        }
        yield return new Extent(_start, _dataStart - _start);
        for (uint cluster = 2; cluster < _clusters + 2; cluster++)
        {
            if (Entry(cluster) != 0)
            {
                yield return new Extent(Place(cluster), _clusterBytes);
            }
        }
        // Sectors behind the last whole cluster belong to nobody.
    }

    /// <summary>The entries of a directory; null if a part of the path is missing or is a file.</summary>
    /// <param name="path">Long or short names in either case, separated by '/'; empty for the root.</param>
    public IReadOnlyList<FatEntry>? List(string path)
    {
        IReadOnlyList<FatEntry> entries = _bits == 32 ? ReadDirectory(Chain(_rootCluster)) : ReadDirectory([_fixedRoot]);
        foreach (string name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (entries.FirstOrDefault(e => e.IsDirectory && e.Is(name)) is not { } directory)
            {
                return null;
            }
            entries = ReadDirectory(Chain(directory.FirstCluster));
        }
        return entries;
    }

    /// <summary>The first bytes of a file, at most one cluster.</summary>
    public byte[] ReadStart(FatEntry file, int count) =>
        file.FirstCluster < 2 || file.FirstCluster >= _clusters + 2
            ? []
            : _image.Read(Place(file.FirstCluster), (int)Math.Min(Math.Min(count, file.Length), _clusterBytes));

    /// <summary>A file's bytes; null if there is none of this name, or it is longer than the limit.</summary>
    /// <param name="path">Long or short names in either case, separated by '/'.</param>
    /// <param name="limit">In bytes.</param>
    /// <exception cref="ImageException">Its chain of clusters ends before the file does.</exception>
    public byte[]? ReadFile(string path, int limit)
    {
        int slash = path.LastIndexOf('/');
        IReadOnlyList<FatEntry>? folder = List(slash < 0 ? "" : path[..slash]);
        if (folder?.FirstOrDefault(e => !e.IsDirectory && e.Is(path[(slash + 1)..])) is not { } file || file.Length > limit)
        {
            return null;
        }
        using var content = new MemoryStream();
        CopyTo(file, content);
        return content.ToArray();
    }

    /// <summary>Copies a file.</summary>
    /// <exception cref="ImageException">Its chain of clusters ends before the file does.</exception>
    public void CopyTo(FatEntry file, Stream target)
    {
        long left = file.Length;
        byte[] buffer = new byte[_clusterBytes];
        foreach (Extent piece in Chain(file.FirstCluster))
        {
            if (left == 0)
            {
                return;
            }
            Span<byte> part = buffer.AsSpan(0, (int)Math.Min(left, _clusterBytes));
            _image.Read(piece.Start, part);
            target.Write(part);
            left -= part.Length;
        }
        if (left > 0)
        {
            throw new ImageException(
                $"the file {file.LongName} of the FAT file system at byte {_start} ends {left} bytes too early: the image is damaged");
        }
    }

    private List<FatEntry> ReadDirectory(IEnumerable<Extent> pieces)
    {
        var entries = new List<FatEntry>();
        var longName = new FatLongName();
        uint read = 0;
        foreach (Extent piece in pieces)
        {
            byte[] bytes = _image.Read(piece.Start, (int)piece.Length);
            for (int at = 0; at < bytes.Length; at += 32)
            {
                ReadOnlySpan<byte> entry = bytes.AsSpan(at, 32);
                if (entry[0] == 0 || ++read > MaximumDirectoryEntries)
                {
                    return entries;
                }
                const int VolumeLabel = 0x08, LongName = 0x0f;
                if (entry[0] != 0xe5 && (entry[11] & 0x3f) == LongName)
                {
                    longName.Add(entry);
                    continue;
                }
                if (entry[0] != 0xe5 && (entry[11] & VolumeLabel) == 0)
                {
                    entries.Add(FatEntry.Parse(entry, longName.For(entry)));
                }
                longName = new FatLongName();
            }
        }
        return entries;
    }

    private IEnumerable<Extent> Chain(uint cluster)
    {
        for (uint steps = 0; cluster >= 2 && cluster < _clusters + 2 && steps < _clusters; steps++)
        {
            yield return new Extent(Place(cluster), _clusterBytes);
            cluster = Entry(cluster);
        }
    }

    private long Place(uint cluster) => _dataStart + (cluster - 2) * (long)_clusterBytes;

    /// <summary>
    /// Why the table is not to be believed. What FSInfo says of free clusters is a hint that systems bring up to date when they like,
    /// and nothing here goes by it.
    /// </summary>
    /// <param name="state">Bits of the boot sector: Windows' (BS_Reserved1) and Linux' (fat_boot_sector.state).</param>
    private string? FindDoubt(byte state, ReadOnlySpan<byte> copy)
    {
        const int isDirty = 1, needsScan = 2;
        // In the second entry, a set bit is the good one (FAT specification, 3.5: ClnShutBitMask, HrdErrBitMask); FAT12 has none.
        uint cleanBit = _bits == 32 ? 0x0800_0000u : 0x8000u, soundBit = cleanBit >> 1;
        int used = (int)((_clusters + 2) * (long)_bits / 8);
        return (state & isDirty) != 0 || _bits != 12 && (Entry(1) & cleanBit) == 0 ? "was not cleanly unmounted"
            : (state & needsScan) != 0 || _bits != 12 && (Entry(1) & soundBit) == 0 ? "has errors that were not repaired"
            : !copy[..used].SequenceEqual(_table.AsSpan(0, used)) ? "has two copies of its table that differ"
            : null;
    }

    private uint Entry(uint cluster)
    {
        switch (_bits)
        {
            case 12:
                int pair = BinaryPrimitives.ReadUInt16LittleEndian(_table.AsSpan((int)(cluster + cluster / 2)));
                return (uint)((cluster & 1) == 0 ? pair & 0xfff : pair >> 4);
            case 16:
                return BinaryPrimitives.ReadUInt16LittleEndian(_table.AsSpan((int)cluster * 2));
            default:
                return BinaryPrimitives.ReadUInt32LittleEndian(_table.AsSpan((int)(cluster * 4))) & 0x0fff_ffff;
        }
    }
}

