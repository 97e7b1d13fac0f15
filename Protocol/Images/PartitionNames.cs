using System.Globalization;
using System.Text;

namespace Bootstrap.Protocol.Images;

/// <summary>
/// What one partition is called on a kernel's command line (kernel documentation, "root=") and in fstab(5). Only names of the partition
/// itself: the file system's own (UUID=, LABEL=) are the same in both slots of a disk.
/// </summary>
/// <param name="Number">1 for the first one; logical partitions start at 5.</param>
/// <param name="Uuid">GPT: its unique GUID; MBR: the disk's signature and the number ("1a2b3c4d-05").</param>
/// <param name="Label">GPT: its name; empty elsewhere.</param>
public sealed record PartitionNames(int Number, string Uuid, string Label)
{
    private const string ByUuid = "PARTUUID=", ByLabel = "PARTLABEL=", UuidFolder = "/dev/disk/by-partuuid/",
        LabelFolder = "/dev/disk/by-partlabel/", Device = "/dev/";

    private static readonly string[] s_starts = [ByUuid, ByLabel, Device];

    /// <summary>The MBR's kind of unique name.</summary>
    public static string MbrUuid(uint signature, int number) => string.Create(CultureInfo.InvariantCulture, $"{signature:x8}-{number:x2}");

    /// <summary>The name by its number and disk, as fstab has it for all kinds of tables: never another slot's.</summary>
    public string Best => Uuid.Length > 0 ? ByUuid + Uuid : ByLabel + Label;

    /// <summary>True if a word such as <c>PARTUUID=1a2b3c4d-05</c> or <c>/dev/mmcblk0p5</c> names this partition.</summary>
    public bool AreNamed(string word) => Renamed(word, this) is not null;

    /// <summary>The word of the same kind for another partition of the disk; null if this one is not named.</summary>
    public string? Renamed(string word, PartitionNames other)
    {
        foreach ((string start, string name, string otherName) in new[] { (ByUuid, Uuid, other.Uuid), (UuidFolder, Uuid, other.Uuid),
            (ByLabel, Label, other.Label), (LabelFolder, Label, other.Label) })
        {
            if (word.StartsWith(start, StringComparison.Ordinal))
            {
                bool isSame = name.Length > 0 && word.AsSpan(start.Length)
                    .Equals(name, start is ByUuid or UuidFolder ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);
                return isSame ? start + otherName : null;
            }
        }
        int digits = word.Length - word.AsSpan().TrimEnd("0123456789").Length;
        string disk = word[..^digits];
        return digits > 0 && IsDisk(disk) && word[^digits..] == Number.ToString(CultureInfo.InvariantCulture)
            ? disk + other.Number.ToString(CultureInfo.InvariantCulture) : null;
    }

    /// <summary>Gives each partition that is named anywhere in a text the name of another one.</summary>
    /// <param name="pairs">From and to.</param>
    public static string Rename(string text, IReadOnlyList<(PartitionNames From, PartitionNames To)> pairs)
    {
        var result = new StringBuilder(text.Length);
        for (int start = 0, end; start < text.Length; start = end)
        {
            end = start + 1;
            if (IsBetween(text[start]))
            {
                result.Append(text[start]);
                continue;
            }
            while (end < text.Length && !IsBetween(text[end]))
            {
                end++;
            }
            string word = text[start..end];
            int at = s_starts.Select(s => word.IndexOf(s, StringComparison.Ordinal)).Where(i => i >= 0).DefaultIfEmpty(word.Length).Min();
            string name = word[at..];
            result.Append(word.AsSpan(0, at))
                .Append(pairs.Select(pair => pair.From.Renamed(name, pair.To)).FirstOrDefault(n => n is not null) ?? name);
        }
        return result.ToString();
    }

    /// <summary>What a kernel's command line says of its root file system ("PARTUUID=1a2b3c4d-05"); null where it says nothing.</summary>
    public static string? RootOf(string commandLine)
    {
        const string root = "root=";
        return commandLine.Split([' ', '\t', '\r', '\n', '"', '\''], StringSplitOptions.RemoveEmptyEntries)
            .LastOrDefault(word => word.StartsWith(root, StringComparison.Ordinal))?[root.Length..];
    }

    // "/dev/mmcblk0p", "/dev/nvme0n1p", "/dev/sda", "/dev/vda".
    private static bool IsDisk(string device) =>
        device.StartsWith(Device, StringComparison.Ordinal) && device[Device.Length..] is { Length: >= 3 } name &&
        (name[0] is 's' or 'v' or 'h' && name[1] == 'd' && name.AsSpan(2).ContainsAnyExceptInRange('a', 'z') is false ||
        (name.StartsWith("mmcblk", StringComparison.Ordinal) || name.StartsWith("nvme", StringComparison.Ordinal) ||
        name.StartsWith("loop", StringComparison.Ordinal)) && name[^1] == 'p');

    private static bool IsBetween(char c) => char.IsWhiteSpace(c) || c is '"' or '\'' or ',' or ';';
}
