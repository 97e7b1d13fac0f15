using System.Text;
using System.Text.RegularExpressions;
using Bootstrap.Installer;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Agent.Slots;

/// <summary>
/// The files by which a freshly written slot is started, made to name that slot's partitions in the place of those that the image has: a
/// Raspberry Pi's command line, or the menus of systemd-boot and GRUB; and the root's fstab(5).
/// </summary>
internal static partial class SlotFiles
{
    /// <summary>A Raspberry Pi's kernel arguments.</summary>
    public const string CommandLine = "cmdline.txt";

    /// <summary>A kernel that has lost its way restarts the machine. The second blank tells it from one that the image has
    /// itself.</summary>
    private const string RestartOnPanic = "  panic=10";

    private const string Table = "/etc/fstab";

    // Octal 0644.
    private const int PublicFile = 0x1a4;

    /// <summary>Makes the boot partition start its own slot.</summary>
    /// <param name="boot">The slot's boot partition, mounted.</param>
    /// <param name="pairs">Names that the image has, and the slot's own: of the boot partition, then of the root.</param>
    /// <returns>Files that restart the machine on a panic now and did not before.</returns>
    /// <exception cref="InstallException">A command line names the root by what both slots have, or none names it.</exception>
    public static IReadOnlyList<string> TranslateBoot(
        RootedFolder boot, SlotChoice choice, IReadOnlyList<(PartitionNames From, PartitionNames To)> pairs)
    {
        var armed = new List<string>();
        bool isNamed = false;
        foreach (string path in choice == SlotChoice.Autoboot ? [$"/{CommandLine}"] : Menus(boot))
        {
            if (boot.ReadText(path) is not { } text)
            {
                continue;
            }
            if (choice == SlotChoice.Efi && path.EndsWith(".cfg", StringComparison.Ordinal) &&
                OtherPartition().Match(text) is { Success: true, Value: var found })
            {
                throw new InstallException(
                    $"{path.TrimStart('/')} of the image finds its partition by '{found.Trim()}', which is not one slot's alone: " +
                    "the GRUB of an image with two slots loads what stands on the partition that it was started from");
            }
            string[] lines = PartitionNames.Rename(text, pairs).Split('\n');
            for (int i = 0; i < lines.Length; i++)
            {
                if (PartitionNames.RootOf(lines[i]) is not { } root)
                {
                    continue;
                }
                if (!pairs[^1].To.AreNamed(root))
                {
                    throw new InstallException(
                        $"{path.TrimStart('/')} of the image names its root by root={root}, which is not one slot's alone: " +
                        "an image with two slots names it by PARTUUID=, PARTLABEL= or /dev/…");
                }
                isNamed = true;
                if (!lines[i].Contains(" panic=", StringComparison.Ordinal))
                {
                    lines[i] = lines[i].TrimEnd('\r', ' ') + RestartOnPanic;
                    armed.Add(path);
                }
            }
            boot.WriteFile(path, Encoding.UTF8.GetBytes(string.Join('\n', lines)), PublicFile);
        }
        return isNamed ? [.. armed.Distinct()]
            : throw new InstallException("nothing on the image's boot partition says which root file system its kernel gets: " +
            (choice == SlotChoice.Autoboot ? $"{CommandLine} has no root=" : "neither loader/entries/*.conf nor a grub.cfg has a root="));
    }

    /// <summary>Makes the root's fstab mount its own slot. What it names by UUID= or LABEL= of a file system that both slots have is named
    /// by partition from now on.</summary>
    /// <param name="ids">UUIDs and labels of the image's file systems, each with the place of its partition in
    /// <paramref name="pairs"/>.</param>
    public static void TranslateRoot(
        RootedFolder root, IReadOnlyList<(PartitionNames From, PartitionNames To)> pairs, IReadOnlyList<(string Word, int Pair)> ids)
    {
        if (root.Read(Table) is not var (content, mode))
        {
            return;
        }
        string[] lines = [.. PartitionNames.Rename(Encoding.UTF8.GetString(content), pairs).Split('\n').Select(line =>
        {
            string first = line.TrimStart().Split([' ', '\t'])[0];
            (string? word, int pair) = ids.FirstOrDefault(id => id.Word.Equals(first, StringComparison.OrdinalIgnoreCase));
            int at = line.IndexOf(first, StringComparison.Ordinal);
            return word is null ? line : line[..at] + pairs[pair].To.Best + line[(at + first.Length)..];
        })];
        root.WriteFile(Table, Encoding.UTF8.GetBytes(string.Join('\n', lines)), mode);
    }

    /// <summary>Takes out what <see cref="TranslateBoot"/> added to a command line. The file keeps its length: one sector is written, and
    /// nothing else of the file system.</summary>
    /// <param name="path">In the file system.</param>
    public static void Disarm(string path)
    {
        if (!File.Exists(path))
        {
            return;
        }
        string text = File.ReadAllText(path, Encoding.Latin1);
        InPlace(path, Encoding.Latin1.GetBytes(
            text.Replace(RestartOnPanic, new string(' ', RestartOnPanic.Length), StringComparison.Ordinal)));
    }

    /// <summary>
    /// Writes a file's bytes over those that it has. Of FAT, which has no journal, that changes the file's own sectors alone; a file beside
    /// it and a renaming would change tables and the folder, and a power cut between them could lose both.
    /// </summary>
    /// <param name="content">As long as the file.</param>
    public static void InPlace(string path, ReadOnlySpan<byte> content)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        file.Write(content);
        file.Flush(flushToDisk: true);
    }

    /// <summary>GRUB's ways to another partition: both slots may have the UUID or label that is searched for, and numbers are the image's
    /// first slot's.</summary>
    [GeneratedRegex(@"^\s*search\b.*|\bhd\d+,(gpt|msdos)\d+", RegexOptions.Multiline)]
    private static partial Regex OtherPartition();

    private static IEnumerable<string> Menus(RootedFolder boot)
    {
        const string entries = "/loader/entries";
        return boot.Names(entries).Where(name => name.EndsWith(".conf", StringComparison.OrdinalIgnoreCase)).Order(StringComparer.Ordinal)
            .Select(name => $"{entries}/{name}")
            .Append("/grub/grub.cfg").Concat(boot.Names("/EFI").Order(StringComparer.Ordinal).Select(name => $"/EFI/{name}/grub.cfg"));
    }
}
