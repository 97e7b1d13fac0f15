using System.Text;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Imaging.Disks;

/// <summary>
/// Finds out whether an image has two places for a system: by a Raspberry Pi's <c>autoboot.txt</c>, or by names of a GPT's partitions that
/// end in
/// <c>_a</c> and <c>_b</c>. An image of which this cannot be told for certain has one.
/// </summary>
internal static class SlotFinder
{
    private const int MaximumCommandLine = 4096;

    /// <returns>The slot that a fresh disk starts first, and the other one; null where there is one place alone.</returns>
    public static IReadOnlyList<ImageSlot>? Find(IReadOnlyList<(Partition Partition, IVolume? Volume)> volumes)
    {
        ImageSlot[]? slots = FindByAutoboot(volumes) ?? FindByName(volumes);
        return slots is [var first, var second] && Fits(first.Boot, second.Boot) && Fits(first.Root, second.Root) ? slots : null;

        bool Fits(int one, int other) => LengthOf(other) >= LengthOf(one);

        long LengthOf(int number) => volumes.First(v => v.Partition.Number == number).Partition.Length;
    }

    private static ImageSlot[]? FindByAutoboot(IReadOnlyList<(Partition Partition, IVolume? Volume)> volumes)
    {
        (Partition chooser, IVolume? volume) = volumes.FirstOrDefault(v => v.Volume is FatVolume);
        if (volume is not FatVolume fat || ReadText(fat, Autoboot.FileName, Autoboot.MaximumBytes) is not { } text
            || Autoboot.Parse(text) is not { } autoboot)
        {
            return null;
        }
        if (RootOf(autoboot.Usual) is not { } first)
        {
            return null;
        }
        int[] taken = [chooser.Number, autoboot.Usual, autoboot.Tried, first.Number];
        bool isEmpty = volumes.FirstOrDefault(v => v.Partition.Number == autoboot.Tried) is { Partition: not null } tried &&
            (tried.Volume is not FatVolume other || ReadText(other, "cmdline.txt", MaximumCommandLine) is null);
        Partition[] like = [.. volumes.Select(v => v.Partition).Where(p => p.Length == first.Length && !taken.Contains(p.Number))];
        Partition? second = RootOf(autoboot.Tried) ?? (isEmpty && like is [var only] ? only : null);
        return second is null || taken.Contains(second.Number) ? null
            : [new(autoboot.Usual, first.Number), new(autoboot.Tried, second.Number)];

        Partition? RootOf(int boot) =>
            volumes.FirstOrDefault(v => v.Partition.Number == boot).Volume is FatVolume files
                && ReadText(files, "cmdline.txt", MaximumCommandLine) is { } line &&
            PartitionNames.RootOf(line) is { } root ? volumes.Select(v => v.Partition).FirstOrDefault(p => p.Names.AreNamed(root)) : null;
    }

    private static ImageSlot[]? FindByName(IReadOnlyList<(Partition Partition, IVolume? Volume)> volumes)
    {
        var pairs = new List<(Partition A, IVolume? Volume, Partition B)>();
        foreach ((Partition a,
            IVolume? volume) in volumes.Where(v => v.Partition.Name.Length > 2 && v.Partition.Name[^1] is 'a' or 'A'
            && v.Partition.Name[^2] is '_' or '-'))
        {
            if (volumes.FirstOrDefault(v => v.Partition.Name.Equals(a.Name[..^1] + 'b', StringComparison.OrdinalIgnoreCase))
                .Partition is { } b)
            {
                pairs.Add((a, volume, b));
            }
        }
        (Partition A, IVolume? Volume, Partition B)[] boots = [.. pairs.Where(p => p.Volume is FatVolume)],
            roots = [.. pairs.Where(p => p.Volume is Ext4Volume)];
        return boots is [var boot] && roots is [var root] ? [new(boot.A.Number, root.A.Number), new(boot.B.Number, root.B.Number)] : null;
    }

    private static string? ReadText(FatVolume volume, string name, int limit) =>
        volume.ReadFile(name, limit) is { } content ? Encoding.UTF8.GetString(content) : null;
}
