using System.Text.Json.Serialization;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Protocol.Images;

/// <summary>
/// Everything that a node must know of an image to write it: which bytes go where, and the digest of each piece.
/// An image is cut on a grid of <see cref="ChunkSize"/>. What is in use within one cell of the grid, in order and without the
/// gaps, is the chunk's payload; free space of file systems is in no chunk and is never sent or written.
/// The digest of the manifest's JSON is the image's identity.
/// </summary>
/// <param name="Format">1.</param>
/// <param name="Name">What people call the image.</param>
/// <param name="Architecture"><c>arm64</c> or <c>amd64</c>: which boards can run it.</param>
/// <param name="SizeBytes">Size of the raw image; a multiple of 512. A disk must have at least this.</param>
/// <param name="ChunkSize">Cell size of the grid in bytes, a multiple of 4096.</param>
/// <param name="Partitions">What the partition table says, in the order of their numbers.</param>
/// <param name="Chunks">In rising order of <see cref="ImageChunk.Index"/>; cells without used bytes are absent.</param>
/// <param name="Slots">Two places for a system, the one that a fresh disk starts first; null where there is one place alone.</param>
/// <param name="Root">Where the system is, or why that is not known; null where slots and partitions alone tell
/// (<see cref="FindRoot"/>).</param>
public sealed record ImageManifest(
    int Format,
    string Name,
    string Architecture,
    long SizeBytes,
    int ChunkSize,
    IReadOnlyList<ImagePartition> Partitions,
    IReadOnlyList<ImageChunk> Chunks,
    // Not written where there is nothing to say: such an image keeps the digest that it had before slots and roots were known.
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<ImageSlot>? Slots = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ImageRoot? Root = null)
{
    /// <summary>The format this code reads and writes.</summary>
    public const int CurrentFormat = 1;

    /// <summary>The cell size that images are cut with, in bytes.</summary>
    public const int DefaultChunkSize = 4 << 20;

    /// <summary>Bytes that are written to a disk: the payloads of all chunks.</summary>
    public long UsedBytes => Chunks.Sum(chunk => (long)chunk.Length);

    /// <summary>Bytes that travel over the network.</summary>
    public long StoredBytes => Chunks.Sum(chunk => (long)chunk.StoredLength);

    /// <summary>
    /// The first thing that is wrong with the manifest, in words, or null. A signature says who made it, not that it fits
    /// together: nobody writes to a disk by a manifest that was not asked this.
    /// </summary>
    public string? FindFault()
    {
        if (Format != CurrentFormat)
        {
            return $"manifest format {Format} is not known (this program reads {CurrentFormat})";
        }
        if (ChunkSize is < 4096 or > (64 << 20) || ChunkSize % 4096 != 0)
        {
            return $"chunk size {ChunkSize} is not a multiple of 4096 up to 64 MiB";
        }
        if (SizeBytes <= 0 || SizeBytes % 512 != 0)
        {
            return $"image size {SizeBytes} is not a positive multiple of 512";
        }
        long previous = -1;
        foreach (ImageChunk chunk in Chunks)
        {
            if (chunk.Index <= previous)
            {
                return $"chunk {chunk.Index} stands behind chunk {previous}";
            }
            previous = chunk.Index;
            if (chunk.FindFault(ChunkSize, SizeBytes) is { } fault)
            {
                return $"chunk {chunk.Index}: {fault}";
            }
        }
        if (Root is { Partition: { } root } && Partitions.All(p => p.Number != root))
        {
            return "its root is a partition that is not there";
        }
        return Slots is null ? null : FindSlotFault(Slots);
    }

    /// <summary>
    /// The ext4 partition that holds the system: of two slots the one that a fresh disk starts, else what the image was found to state,
    /// else its only ext4 one. No other rule chooses a root.
    /// </summary>
    /// <param name="fault">Why there is none, in words that follow the image's name; null where there is one.</param>
    public ImagePartition? FindRoot(out string? fault)
    {
        ImagePartition[] possible = [.. Partitions.Where(p => p.FileSystem == "ext4")];
        int? found = Slots is [var first, _] ? first.Root : Root is not null ? Root.Partition : possible is [var only] ? only.Number : null;
        ImagePartition? root = found is { } number ? Partition(number) : null;
        fault = root is { FileSystem: "ext4" } ? null
            : Root?.Fault ?? (root is not null ? $"its root is partition {root.Number}, which holds no ext4 file system"
            : possible.Length == 0 ? "it has no ext4 partition to configure"
            : "which of its ext4 file systems is the root was not looked for when it was imported " +
                $"({string.Join(", ", possible.Select(p => p.Described))}): import it again");
        return fault is null ? root : null;
    }

    /// <summary>The partition of a number.</summary>
    /// <exception cref="InvalidOperationException">There is none, which <see cref="FindFault"/> would have told of a slot.</exception>
    public ImagePartition Partition(int number) => Partitions.First(p => p.Number == number);

    private string? FindSlotFault(IReadOnlyList<ImageSlot> slots)
    {
        if (slots.Count != 2)
        {
            return $"it has {slots.Count} slots, and two are possible";
        }
        int[] numbers = [.. slots.SelectMany(slot => new[] { slot.Boot, slot.Root })];
        if (numbers.Distinct().Count() != numbers.Length)
        {
            return "its slots share a partition";
        }
        if (numbers.Any(number => Partitions.All(p => p.Number != number)))
        {
            return "a slot has a partition that is not there";
        }
        (ImageSlot first, ImageSlot second) = (slots[0], slots[1]);
        return Partition(second.Boot).Length < Partition(first.Boot).Length || Partition(second.Root).Length < Partition(first.Root).Length
            ? "its second slot is smaller than the first"
            : null;
    }
}

/// <summary>One of two places for a system on a disk.</summary>
/// <param name="Boot">Number of its FAT boot partition.</param>
/// <param name="Root">Number of its ext4 root partition.</param>
public sealed record ImageSlot(int Boot, int Root);

/// <summary>Where an image's system is, as it was found when it was imported.</summary>
/// <param name="Partition">Its number; null where it is not known.</param>
/// <param name="Fault">Why it is not known, in words that follow the image's name; null where it is.</param>
public sealed record ImageRoot(int? Partition, string? Fault = null);

/// <summary>One cell of an image.</summary>
/// <param name="Index">Number of the cell: it starts at Index × ChunkSize of the raw image.</param>
/// <param name="Digest">Of the payload.</param>
/// <param name="Length">Payload bytes: the sum of the ranges.</param>
/// <param name="StoredDigest">Of the chunk as stored and sent: one zstd frame (RFC 8878) that decodes to the payload.</param>
/// <param name="StoredLength">Bytes as stored and sent.</param>
/// <param name="Ranges">Used ranges within the cell, rising and apart, each offset and length in bytes, multiples of 512.</param>
public sealed record ImageChunk(
    int Index, Digest Digest, int Length, Digest StoredDigest, int StoredLength, IReadOnlyList<ChunkRange> Ranges)
{
    /// <summary>The ranges, each with its place in the payload.</summary>
    public IEnumerable<(int Offset, int From, int Length)> Pieces()
    {
        int from = 0;
        foreach (ChunkRange range in Ranges)
        {
            yield return (range.Offset, from, range.Length);
            from += range.Length;
        }
    }

    internal string? FindFault(int chunkSize, long imageSize)
    {
        // A frame of incompressible bytes is a little longer than its payload (RFC 8878: 3 bytes a block of 128 KiB, header, checksum).
        if (StoredLength <= 0 || StoredLength > chunkSize + chunkSize / 256 + 1024)
        {
            return $"stored length {StoredLength} cannot be";
        }
        long start = (long)Index * chunkSize;
        int end = 0;
        long sum = 0;
        foreach (ChunkRange range in Ranges)
        {
            if (range.Offset < end || range.Length <= 0 || range.Offset > chunkSize - range.Length ||
                start + range.Offset + range.Length > imageSize || (range.Offset | range.Length) % 512 != 0)
            {
                return $"range {range.Offset}+{range.Length} does not fit";
            }
            end = range.Offset + range.Length;
            sum += range.Length;
        }
        return sum == Length && sum > 0 ? null : $"its ranges hold {sum} bytes, not {Length}";
    }
}

/// <summary>Some used bytes within a cell.</summary>
/// <param name="Offset">From the start of the cell, in bytes.</param>
/// <param name="Length">In bytes.</param>
public readonly record struct ChunkRange(int Offset, int Length);

/// <summary>One entry of the image's partition table.</summary>
/// <param name="Number">1 to 4 for the primary entries of an MBR; logical partitions start at 5.</param>
/// <param name="Start">First byte.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Type">MBR type byte in hex ("0c", "83") or GPT type GUID.</param>
/// <param name="FileSystem"><c>vfat</c>, <c>ext4</c> or empty where it is neither.</param>
/// <param name="Label">The file system's label; empty where there is none.</param>
public sealed record ImagePartition(int Number, long Start, long Length, string Type, string FileSystem, string Label)
{
    /// <summary>As people tell it from others.</summary>
    [JsonIgnore]
    public string Described => Label.Length > 0 ? $"partition {Number} '{Label}'" : $"partition {Number}";
}
