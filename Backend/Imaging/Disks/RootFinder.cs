using System.Text;
using Bootstrap.Protocol.Images;
using Place = (Bootstrap.Imaging.Disks.Partition Partition, Bootstrap.Imaging.Disks.IVolume? Volume);

namespace Bootstrap.Imaging.Disks;

/// <summary>
/// Finds out which file system of an image is its system's root: the one that boot loaders' configurations name, else the one that an
/// fstab(5) names, else the only one that holds a system. Where they name several, or nothing does, it is not known: nobody's keys and
/// programs are put where somebody's data may be.
/// </summary>
internal static class RootFinder
{
    private const int MaximumText = 256 << 10, MaximumEntries = 64;

    /// <summary>Read from the root of each file system: boot partitions have them there, roots below /boot.</summary>
    private static readonly string[] s_configurations =
    [
        "cmdline.txt", "current/cmdline.txt", "armbianEnv.txt", "extlinux/extlinux.conf", "grub/grub.cfg",
        "boot/armbianEnv.txt", "boot/extlinux/extlinux.conf", "boot/grub/grub.cfg",
    ];

    /// <summary>Folders of which several files say it, and how those end.</summary>
    private static readonly (string Folder, string End)[] s_entries =
        [("loader/entries", ".conf"), ("boot/loader/entries", ".conf"), ("EFI", "/grub.cfg")];

    private static readonly string[] s_signs =
        ["sbin/init", "usr/sbin/init", "usr/lib/systemd", "lib/systemd", "etc/os-release", "usr/lib/os-release"];

    /// <returns>Null where there is no ext4 file system at all.</returns>
    public static ImageRoot? Find(IReadOnlyList<Place> volumes)
    {
        Place[] possible = [.. volumes.Where(v => v.Volume is Ext4Volume)];
        if (possible.Length == 0)
        {
            return null;
        }
        if ((FindNamed(volumes, "boot loader's configuration", BootLoaders) ?? FindNamed(volumes, "/etc/fstab", MountTable)) is { } named)
        {
            return named;
        }
        const string nothing = "no boot loader's configuration and no /etc/fstab names its root, and";
        Place[] systems = [.. possible.Where(v => HoldsSystem((Ext4Volume)v.Volume!))];
        return systems switch
        {
            [var only] => new ImageRoot(only.Partition.Number),
            [] => new ImageRoot(null, $"{nothing} none of its ext4 file systems holds a system: {Described(possible)}"),
            _ => new ImageRoot(null, $"{nothing} several ext4 file systems may hold a system: {Described(systems)}"),
        };
    }

    /// <summary>What one kind of statement comes to; null where it names no partition of the image.</summary>
    private static ImageRoot? FindNamed(IReadOnlyList<Place> volumes, string who, Func<IVolume, IEnumerable<string>> says)
    {
        string[] words = [.. volumes.Where(v => v.Volume is not null).SelectMany(v => says(v.Volume!)).Distinct()];
        Place[] named = [.. volumes.Where(v => words.Any(word => IsNamed(v, word)))];
        return named switch
        {
            [] => null,
            [{ Volume: Ext4Volume } root] => new ImageRoot(root.Partition.Number),
            [_] => new ImageRoot(null, $"its {who} names {Described(named)} as root, which holds no ext4 file system"),
            _ => new ImageRoot(null, $"its {who} names several roots: {Described(named)}"),
        };
    }

    private static string Described(IEnumerable<Place> volumes) =>
        string.Join(", ", volumes.OrderBy(v => v.Partition.Number).Select(v => DiskLayout.Describe(v.Partition, v.Volume).Described));

    /// <summary>What kernels' command lines in a file system name as root.</summary>
    private static IEnumerable<string> BootLoaders(IVolume volume)
    {
        IEnumerable<string> entries =
            from entry in s_entries
            from name in Names(volume, entry.Folder).Take(MaximumEntries)
            let path = $"{entry.Folder}/{name}{(entry.End[0] == '/' ? entry.End : "")}"
            where path.EndsWith(entry.End, StringComparison.OrdinalIgnoreCase)
            select path;
        // armbianEnv.txt has "rootdev=UUID=…", all others the kernel's own word.
        const string rootDevice = "rootdev=";
        return from line in s_configurations.Concat(entries).SelectMany(path => Lines(volume, path))
               let root = line.StartsWith(rootDevice, StringComparison.Ordinal) ? line[rootDevice.Length..] : PartitionNames.RootOf(line)
               where root is not null
               select root;
    }

    /// <summary>What is mounted as / by the fstab of a file system.</summary>
    private static IEnumerable<string> MountTable(IVolume volume) =>
        from line in volume is Ext4Volume ? Lines(volume, "etc/fstab") : []
        let fields = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)
        where fields.Length >= 2 && fields[1] == "/"
        select fields[0].Trim('"');

    private static bool IsNamed(Place volume, string word)
    {
        return Has("UUID=", "/dev/disk/by-uuid/") is { } uuid
            ? volume.Volume is Ext4Volume ext4 && ext4.Uuid.Equals(uuid, StringComparison.OrdinalIgnoreCase)
            : Has("LABEL=", "/dev/disk/by-label/") is { } label ? label.Length > 0 && volume.Volume?.Label == label
            : volume.Partition.Names.AreNamed(word);

        string? Has(string start, string folder) => word.StartsWith(start, StringComparison.Ordinal) ? word[start.Length..]
            : word.StartsWith(folder, StringComparison.Ordinal) ? word[folder.Length..] : null;
    }

    /// <summary>Also where it cannot be read: then it may.</summary>
    private static bool HoldsSystem(Ext4Volume volume)
    {
        try
        {
            Ext4Files files = volume.Files;
            return files.Exists("etc") && s_signs.Any(files.Exists);
        }
        catch (ImageException)
        {
            return true;
        }
    }

    /// <summary>Lines of a text without comments; none where it cannot be read.</summary>
    private static IEnumerable<string> Lines(IVolume volume, string path)
    {
        try
        {
            byte[]? content = volume switch
            {
                FatVolume fat => fat.ReadFile(path, MaximumText),
                Ext4Volume ext4 => ext4.Files.ReadFile(path, MaximumText),
                _ => null,
            };
            string[] lines = content is null ? [] : Encoding.UTF8.GetString(content).Split('\n', StringSplitOptions.TrimEntries);
            return lines.Where(line => !line.StartsWith('#'));
        }
        catch (ImageException)
        {
            return [];
        }
    }

    private static IEnumerable<string> Names(IVolume volume, string folder)
    {
        try
        {
            return (volume switch
            {
                FatVolume fat => fat.List(folder)?.Select(entry => entry.LongName),
                Ext4Volume ext4 => ext4.Files.List(folder),
                _ => null,
            } ?? []).Order(StringComparer.Ordinal);
        }
        catch (ImageException)
        {
            return [];
        }
    }
}
