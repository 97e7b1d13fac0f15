using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Bootstrap.Lab.Tests;

/// <summary>A partition of an MBR, in bytes.</summary>
internal sealed record Partition(byte Type, long Start, long Length);

/// <summary>Looks into a disk's or image's file from outside, without mounting it.</summary>
internal sealed class Disk(string path)
{
    private const int SectorBytes = 512, TableOffset = 446, EntryBytes = 16;
    private const byte LinuxType = 0x83, ExtendedType = 0x05;

    /// <summary>The primary partitions; none where there is no MBR.</summary>
    public IReadOnlyList<Partition> Partitions { get; } = ReadPartitions(path);

    /// <summary>The last partition: the root file system.</summary>
    public Partition Root => Partitions[^1];

    /// <summary>The partition with the number 5, whose own table stands at the start of the extended one.</summary>
    public Partition FirstLogical
    {
        get
        {
            long extended = Partitions.Single(p => p.Type == ExtendedType).Start;
            Partition inner = ReadPartitions(path, extended)[0];
            return inner with { Start = extended + inner.Start };
        }
    }

    /// <summary>The partition of a GPT that has this name.</summary>
    public async Task<Partition> FindAsync(string name)
    {
        JsonNode table = JsonNode.Parse(await Tool.RunAsync("sfdisk", "--json", path))!["partitiontable"]!;
        JsonNode found = table["partitions"]!.AsArray().Single(p => p!["name"]?.ToString() == name)!;
        return new Partition(LinuxType, SectorBytes * (long)found["start"]!, SectorBytes * (long)found["size"]!);
    }

    /// <summary>Bytes of the whole disk.</summary>
    public long Length => new FileInfo(path).Length;

    /// <summary>Makes a disk that is full of somebody's data.</summary>
    /// <param name="size">In bytes.</param>
    public static async Task MakeUsedAsync(string path, int size, CancellationToken cancel)
    {
        byte[] noise = new byte[size];
        RandomNumberGenerator.Fill(noise);
        await File.WriteAllBytesAsync(path, noise, cancel);
    }

    /// <summary>SHA-256 of every byte.</summary>
    public async Task<string> DigestAsync(CancellationToken cancel)
    {
        await using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancel));
    }

    /// <summary>Every file, folder and link of a FAT or ext4 partition: its path, and what it is with the digest of its content.</summary>
    public async Task<SortedDictionary<string, string>> ReadFilesAsync(Partition partition, CancellationToken cancel)
    {
        string folder = Directory.CreateTempSubdirectory("bootstrap-lab-files-").FullName;
        try
        {
            if (partition.Type == LinuxType)
            {
                await Tool.RunAsync("debugfs", "-R", $"rdump / {folder}", At(partition));
            }
            else
            {
                await Tool.RunAsync("mcopy", "-s", "-n", "-i", string.Create(CultureInfo.InvariantCulture, $"{path}@@{partition.Start}"),
                    "::/", folder);
            }
            var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
            foreach (FileSystemInfo entry in Walk(new DirectoryInfo(folder)))
            {
                files.Add(Path.GetRelativePath(folder, entry.FullName), await DescribeAsync(entry, cancel));
            }
            return files;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Text of one file of an ext4 partition; empty where there is none.</summary>
    public Task<string> ReadTextAsync(Partition partition, string file) => Tool.RunAsync("debugfs", "-R", $"cat {file}", At(partition));

    /// <summary>Puts a file into an ext4 partition that is not in use.</summary>
    public Task WriteFileAsync(Partition partition, string source, string file) =>
        Tool.RunAsync("debugfs", "-w", "-R", $"write {source} {file}", At(partition));

    /// <summary>Makes a folder in an ext4 partition that is not in use.</summary>
    public Task MakeFolderAsync(Partition partition, string folder) =>
        Tool.RunAsync("debugfs", "-w", "-R", $"mkdir {folder}", At(partition));

    /// <summary>Takes a file away from an ext4 partition that is not in use.</summary>
    public Task RemoveFileAsync(Partition partition, string file) => Tool.RunAsync("debugfs", "-w", "-R", $"rm {file}", At(partition));

    /// <summary>Checks an ext4 partition.</summary>
    /// <exception cref="RackException">It has faults.</exception>
    public Task CheckAsync(Partition partition) => Tool.RunAsync("e2fsck", "-f", "-n", At(partition));

    /// <summary>Bytes that an ext4 file system has taken of its partition.</summary>
    public async Task<long> FileSystemBytesAsync(Partition partition)
    {
        string[] header = (await Tool.RunAsync("dumpe2fs", "-h", At(partition))).Split('\n');
        return Field("Block count:") * Field("Block size:");

        long Field(string name) =>
            long.Parse(header.First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..], CultureInfo.InvariantCulture);
    }

    private string At(Partition partition) => string.Create(CultureInfo.InvariantCulture, $"{path}?offset={partition.Start}");

    /// <summary>Everything below a folder. Links are not followed: absolute ones would lead out of the copy.</summary>
    private static IEnumerable<FileSystemInfo> Walk(DirectoryInfo folder) => folder.EnumerateFileSystemInfos().SelectMany(entry =>
        entry is DirectoryInfo { LinkTarget: null } inner ? Walk(inner).Prepend(entry) : [entry]);

    private static async Task<string> DescribeAsync(FileSystemInfo entry, CancellationToken cancel)
    {
        switch (entry)
        {
            case { LinkTarget: { } target }:
                return $"link to {target}";
            case FileInfo file:
                await using (FileStream content = file.OpenRead())
                {
                    return $"file {file.UnixFileMode} {Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancel))}";
                }
            default:
                return $"folder {entry.UnixFileMode}";
        }
    }

    private static List<Partition> ReadPartitions(string path, long table = 0)
    {
        byte[] sector = new byte[SectorBytes];
        using (FileStream file = File.OpenRead(path))
        {
            file.Position = table;
            file.ReadExactly(sector);
        }
        var partitions = new List<Partition>();
        if (sector is not [.., 0x55, 0xaa])
        {
            return partitions;
        }
        for (int offset = TableOffset; offset < TableOffset + 4 * EntryBytes; offset += EntryBytes)
        {
            ReadOnlySpan<byte> entry = sector.AsSpan(offset, EntryBytes);
            if (entry[4] != 0)
            {
                partitions.Add(new Partition(entry[4], (long)SectorBytes * BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]),
                    (long)SectorBytes * BinaryPrimitives.ReadUInt32LittleEndian(entry[12..])));
            }
        }
        return partitions;
    }
}
