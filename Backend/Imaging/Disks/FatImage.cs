using System.Buffers.Binary;
using System.Text;

namespace Bootstrap.Imaging.Disks;

/// <summary>
/// A new FAT16 file system without a partition table, for files whose lengths are known: its tables and directories are made in memory, and
/// the files' bytes follow them in the order given, each from the next multiple of <see cref="ClusterBytes"/> on. So an image of any size
/// is sent without ever being stored. Same files, same bytes: there are no times in it.
/// </summary>
public sealed class FatImage
{
    public const int ClusterBytes = 2048;

    private const int SectorBytes = 512, SectorsPerCluster = ClusterBytes / SectorBytes, EntryBytes = 32, RootEntries = 1024;

    /// <summary>With fewer clusters it would be FAT12, with more FAT32 (FAT specification, 3.5).</summary>
    private const int FewestClusters = 4200, MostClusters = 65_500;

    // An even number of sectors in each table and four before them: files begin on multiples of the cluster size of the whole image, too.
    private const int ReservedSectors = 4;

    private readonly int _tableSectors;

    /// <param name="label">At most eleven characters, upper case.</param>
    /// <param name="files">Paths with '/' and at most one folder, ASCII, and lengths in bytes.</param>
    /// <exception cref="ImageException">That is more than FAT16 holds.</exception>
    public FatImage(string label, IReadOnlyList<(string Path, long Length)> files)
    {
        if (files.FirstOrDefault(file => file.Path.Count(c => c == '/') > 1) is { Path: { } deep })
        {
            throw new ImageException($"a boot image has one level of folders, which {deep} is too deep for");
        }
        string[] folders = [.. files.Select(file => FolderOf(file.Path)).Where(folder => folder.Length > 0).Distinct()];
        var directories = new Dictionary<string, List<(string Name, long Length, bool IsFolder, int Cluster)>> { [""] = [] };
        int next = 2;
        foreach (string folder in folders)
        {
            int entries = 2 + files.Where(file => FolderOf(file.Path) == folder).Sum(file => 1 + LongEntries(Path.GetFileName(file.Path)));
            directories[""].Add((folder, Clusters((long)entries * EntryBytes) * (long)ClusterBytes, true, next));
            directories[folder] = [];
            next += Clusters((long)entries * EntryBytes);
        }
        int firstFile = next;
        var chains = directories[""].Select(d => (d.Cluster, Clusters(d.Length))).ToList();
        foreach ((string path, long length) in files)
        {
            int count = Clusters(length);
            directories[FolderOf(path)].Add((Path.GetFileName(path), length, false, count == 0 ? 0 : next));
            chains.Add((next, count));
            next = count <= MostClusters - next ? next + count
                : throw new ImageException($"{path} with its {length} bytes is more than a boot image holds");
        }
        int clusters = Math.Max(FewestClusters, next - 2);
        _tableSectors = ((clusters + 2) * 2 + SectorBytes - 1) / SectorBytes + 1 & ~1;
        int dataStart = (ReservedSectors + 2 * _tableSectors) * SectorBytes + RootEntries * EntryBytes;
        Length = dataStart + (long)clusters * ClusterBytes;
        Tables = new byte[dataStart + (firstFile - 2) * ClusterBytes];

        WriteBootSector(label, clusters);
        for (int table = 0; table < 2; table++)
        {
            WriteTable(Tables.AsSpan((ReservedSectors + table * _tableSectors) * SectorBytes), chains);
        }
        int root = (ReservedSectors + 2 * _tableSectors) * SectorBytes;
        int used = WriteEntry(Tables.AsSpan(root), Encoding.ASCII.GetBytes(label.PadRight(11)), 0x08, 0, 0);
        WriteDirectory(Tables.AsSpan(root + used, RootEntries * EntryBytes - used), directories[""]);
        foreach ((string folder, long length, _, int cluster) in directories[""].Where(entry => entry.IsFolder))
        {
            Span<byte> own = Tables.AsSpan(dataStart + (cluster - 2) * ClusterBytes, (int)length);
            own = own[WriteEntry(own, ".          "u8, 0x10, cluster, 0)..];
            own = own[WriteEntry(own, "..         "u8, 0x10, 0, 0)..];
            WriteDirectory(own, directories[folder]);
        }
    }

    /// <summary>All that comes before the first file.</summary>
    public byte[] Tables { get; }

    /// <summary>Of the whole file system, in bytes; what comes after the last file is zeros.</summary>
    public long Length { get; }

    private static string FolderOf(string path) => path.Contains('/', StringComparison.Ordinal)
        ? path[..path.IndexOf('/', StringComparison.Ordinal)] : "";

    private static int Clusters(long bytes) => (int)Math.Min((bytes + ClusterBytes - 1) / ClusterBytes, MostClusters + 1);

    private static int LongEntries(string name) => (name.Length + 12) / 13;

    private void WriteBootSector(string label, int clusters)
    {
        Span<byte> boot = Tables;
        ((ReadOnlySpan<byte>)[0xeb, 0x3c, 0x90]).CopyTo(boot);
        "BOOTSTRP"u8.CopyTo(boot[3..]);
        BinaryPrimitives.WriteUInt16LittleEndian(boot[11..], SectorBytes);
        boot[13] = SectorsPerCluster;
        BinaryPrimitives.WriteUInt16LittleEndian(boot[14..], ReservedSectors);
        boot[16] = 2;
        BinaryPrimitives.WriteUInt16LittleEndian(boot[17..], RootEntries);
        boot[21] = 0xf8; // a fixed disk
        BinaryPrimitives.WriteUInt16LittleEndian(boot[22..], (ushort)_tableSectors);
        BinaryPrimitives.WriteUInt16LittleEndian(boot[24..], 32); // sectors of a track and heads: any
        BinaryPrimitives.WriteUInt16LittleEndian(boot[26..], 64);
        uint sectors = (uint)(Length / SectorBytes);
        if (sectors < 65_536)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(boot[19..], (ushort)sectors);
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(boot[32..], sectors);
        }
        boot[36] = 0x80;
        boot[38] = 0x29; // volume id, label and type follow
        BinaryPrimitives.WriteUInt32LittleEndian(boot[39..], (uint)clusters);
        Encoding.ASCII.GetBytes(label.PadRight(11), boot[43..]);
        "FAT16   "u8.CopyTo(boot[54..]);
        boot[510] = 0x55;
        boot[511] = 0xaa;
    }

    private static void WriteTable(Span<byte> table, List<(int First, int Count)> chains)
    {
        const ushort End = 0xffff;
        BinaryPrimitives.WriteUInt16LittleEndian(table, 0xfff8);
        BinaryPrimitives.WriteUInt16LittleEndian(table[2..], End);
        foreach ((int first, int count) in chains)
        {
            for (int i = 0; i < count; i++)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(table[(2 * (first + i))..], i == count - 1 ? End : (ushort)(first + i + 1));
            }
        }
    }

    private static void WriteDirectory(Span<byte> directory, List<(string Name, long Length, bool IsFolder, int Cluster)> entries)
    {
        var taken = new HashSet<string>();
        foreach ((string name, long length, bool isFolder, int cluster) in entries)
        {
            int parts = LongEntries(name);
            if (directory.Length < (parts + 2) * EntryBytes && directory.Length != (parts + 1) * EntryBytes)
            {
                throw new ImageException($"a boot image's root holds {RootEntries} directory entries, too few for {name}");
            }
            byte[] shortName = ShortName(name, taken);
            byte checksum = FatLongName.Checksum(shortName);
            for (int part = parts; part >= 1; part--)
            {
                WriteLongEntry(directory, name, part, part == parts, checksum);
                directory = directory[EntryBytes..];
            }
            directory = directory[WriteEntry(directory, shortName, (byte)(isFolder ? 0x10 : 0x20), cluster, isFolder ? 0 : (uint)length)..];
        }
    }

    private static void WriteLongEntry(Span<byte> entry, string name, int part, bool isLast, byte checksum)
    {
        entry[0] = (byte)(isLast ? part | 0x40 : part);
        entry[11] = 0x0f;
        entry[13] = checksum;
        for (int i = 0; i < 13; i++)
        {
            int at = i < 5 ? 1 + 2 * i : i < 11 ? 14 + 2 * (i - 5) : 28 + 2 * (i - 11), character = (part - 1) * 13 + i;
            // A zero ends the name, ones fill what is left.
            BinaryPrimitives.WriteUInt16LittleEndian(entry[at..], character < name.Length ? name[character] : character == name.Length
                ? (ushort)0 : (ushort)0xffff);
        }
    }

    private static int WriteEntry(Span<byte> entry, ReadOnlySpan<byte> shortName, byte attributes, int cluster, uint length)
    {
        shortName.CopyTo(entry);
        entry[11] = attributes;
        BinaryPrimitives.WriteUInt16LittleEndian(entry[24..], 0x21); // 1980-01-01, the first day that FAT knows
        BinaryPrimitives.WriteUInt16LittleEndian(entry[26..], (ushort)cluster);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[28..], length);
        return EntryBytes;
    }

    /// <summary>Eight and three characters: the name itself in upper case where it fits, else its beginning and a number.</summary>
    private static byte[] ShortName(string name, HashSet<string> taken)
    {
        static string Fitting(string text) =>
            string.Concat(text.ToUpperInvariant().Where(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'));
        string stem = Path.GetFileNameWithoutExtension(name), extension = Path.GetExtension(name).TrimStart('.');
        string shortStem = Fitting(stem), shortExtension = Fitting(extension)[..Math.Min(3, Fitting(extension).Length)];
        string candidate = shortStem.PadRight(8) + shortExtension.PadRight(3);
        bool fits = shortStem.Length is > 0 and <= 8 && shortStem.Length == stem.Length && shortExtension.Length == extension.Length;
        for (int number = 1; !fits || !taken.Add(candidate); number++)
        {
            string tail = FormattableString.Invariant($"~{number}");
            candidate = (shortStem[..Math.Min(shortStem.Length, 8 - tail.Length)] + tail).PadRight(8) + shortExtension.PadRight(3);
            fits = true;
        }
        return Encoding.ASCII.GetBytes(candidate);
    }
}
