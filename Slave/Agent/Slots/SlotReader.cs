using System.Buffers.Binary;
using System.Globalization;
using Bootstrap.Board;
using Bootstrap.Installer;
using Bootstrap.Protocol.Images;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent.Slots;

/// <summary>
/// Finds out whether the disk that this system runs from has two slots, and which of them it is in: where <c>/</c> is mounted from. Slots
/// count only where the firmware can start the other one once.
/// </summary>
/// <param name="root">"/" but in tests.</param>
/// <param name="machine">Reads the disk.</param>
internal sealed class SlotReader(string root, ISlotMachine machine)
{
    private const int SectorBytes = 512;

    /// <summary>Where a Pi's firmware tells from which partition it has started (raspberrypi/documentation, configuration/device-tree.adoc,
    /// "partition"): 32 bits, big-endian.</summary>
    private const string StartedFrom = "proc/device-tree/chosen/bootloader/partition";

    private sealed record RunningDisk(string Name, int Running, DirectoryInfo[] Partitions);

    /// <summary>
    /// Whether it is worth looking closer, which takes root's full rights: there may be firmware that can start something else once, and
    /// there are partitions enough. The Slave's own service, which asks, has a /proc and a /sys of its own.
    /// </summary>
    /// <param name="root">"/" but in tests.</param>
    public static bool IsPossible(string root) => (TryBoot.IsKnown(root) || Directory.Exists(Path.Combine(root, "sys/firmware/efi"))) &&
        FindDisk(root) is { Partitions.Length: >= 4 };

    /// <summary>Number of the partition that the running system has; null where it is none of a disk.</summary>
    /// <param name="root">"/" but in tests.</param>
    public static int? RunningRoot(string root) => FindDisk(root)?.Running;

    /// <returns>Null where there is one slot, or none can be tried.</returns>
    /// <exception cref="IOException">The disk cannot be read, or its firmware chooses between slots of which nobody can tell which one
    /// runs.</exception>
    public SlotLayout? Find()
    {
        bool isPi = TryBoot.IsOffered(root);
        if (FindDisk(root) is not { Partitions.Length: >= 4 } disk || !isPi && !MayWriteVariables)
        {
            return null;
        }
        byte[] head = machine.ReadHead($"/dev/{disk.Name}");
        SlotPartition[] partitions = [.. disk.Partitions.Select(folder => Describe(folder, head)).OrderBy(p => p.Number)];
        return isPi ? FindByAutoboot(partitions, disk.Running) : FindByName(partitions, disk.Running, head);
    }

    /// <summary>UEFI firmware lets a running system write variables; efivarfs is mounted read-only where it does not.</summary>
    private bool MayWriteVariables => MountTable.Read(root).Any(m => m is { Type: "efivarfs", IsWritable: true });

    private static RunningDisk? FindDisk(string root)
    {
        MountedPlace? mount = MountTable.Read(root).LastOrDefault(m => m.Place == "/");
        string link = Path.Combine(root, "sys/dev/block", mount?.Device ?? "");
        // A root that is no partition (an overlay, btrfs, a container's) has a device number, and nothing of that number in sysfs.
        return mount is not null && Directory.Exists(link) && new DirectoryInfo(link).ResolveLinkTarget(
            returnFinalTarget: true) is DirectoryInfo { Exists: true, Parent: { } disk } partition && NumberOf(partition) is { } running
            ? new RunningDisk(disk.Name, running, [.. disk.EnumerateDirectories().Where(folder => NumberOf(folder) is not null)])
            : null;
    }

    private SlotLayout? FindByAutoboot(SlotPartition[] partitions, int running)
    {
        foreach (SlotPartition chooser in partitions)
        {
            if (ReadText(chooser, Autoboot.FileName) is not { } read)
            {
                continue; // no FAT file system
            }
            // The firmware looks at the first one alone.
            if (Autoboot.Parse(read) is not { } autoboot)
            {
                return read.Contains("tryboot_a_b", StringComparison.Ordinal)
                    ? throw new IOException(
                    $"{Autoboot.FileName} on {chooser.Device} has tryboot_a_b and does not choose between two partitions: give it " +
                    $"both, or take that out")
                    : null;
            }
            int own = OwnBoot(chooser, autoboot, partitions, partitions.First(p => p.Number == running).Names);
            return new SlotLayout(SlotChoice.Autoboot, partitions, chooser.Number, new ImageSlot(own, running),
                own == autoboot.Usual ? autoboot.Tried : autoboot.Usual);
        }
        return null;
    }

    /// <summary>
    /// The boot partition that the running system was started from: the one whose command line names its root. Both do where the other slot
    /// was freshly written and its command line still is the image's, on a disk with the image's signature: then it is the firmware's word,
    /// or the one that every ordinary start takes.
    /// </summary>
    private int OwnBoot(SlotPartition chooser, Autoboot autoboot, SlotPartition[] partitions, PartitionNames running)
    {
        int[] boots = [.. new[] { autoboot.Usual, autoboot.Tried }.Where(boot =>
            partitions.FirstOrDefault(p => p.Number == boot) is { } found && ReadText(found, SlotFiles.CommandLine) is { } line &&
            PartitionNames.RootOf(line) is { } named && running.AreNamed(named))];
        return boots switch
        {
            [var one] => one,
            [_, _] when ReadStartedFrom() is { } told && boots.Contains(told) => told,
            [_, _] when !SlotTrial.IsOn(Path.Combine(root, NodeFiles.Directory.TrimStart('/'))) => autoboot.Usual,
            _ => throw new IOException(
                $"{Autoboot.FileName} on {chooser.Device} chooses between partitions {autoboot.Usual} and {autoboot.Tried}, and " +
                $"{SlotFiles.CommandLine} of {(boots.Length > 0 ? "both" : "neither")} " +
                "names the running system's root: make each name its own slot's root by PARTUUID="),
        };
    }

    private int? ReadStartedFrom()
    {
        string file = Path.Combine(root, StartedFrom);
        return File.Exists(file) && File.ReadAllBytes(file) is { Length: sizeof(uint) } number ? BinaryPrimitives.ReadInt32BigEndian(number)
            : null;
    }

    /// <summary>Names that end in the slot's letter: "root_a", "esp-b".</summary>
    private static SlotLayout? FindByName(SlotPartition[] partitions, int running, byte[] head)
    {
        string own = partitions.First(p => p.Number == running).Names.Label;
        if (own.Length < 3 || own[^2] is not ('_' or '-') || char.ToLowerInvariant(own[^1]) is not ('a' or 'b') || !Gpt.IsGpt(head))
        {
            return null;
        }
        char letter = char.ToLowerInvariant(own[^1]), other = letter == 'a' ? 'b' : 'a';
        SlotPartition[] efi = [.. partitions.Where(p => DiskHead.IsEfi(head, p.Number))];
        SlotPartition[] boots = [.. efi.Where(p => EndsIn(p, letter))], others = [.. efi.Where(p => EndsIn(p, other))];
        SlotPartition[] roots = [.. partitions.Where(p => p.Names.Label.Equals(own[..^1] + other, StringComparison.OrdinalIgnoreCase))];
        return boots is [var boot] && others is [var otherBoot] && roots is [var otherRoot]
            ? new SlotLayout(SlotChoice.Efi, partitions, 0, new ImageSlot(boot.Number, running), otherBoot.Number, otherRoot.Number)
            : null;

        static bool EndsIn(SlotPartition partition, char letter) =>
            partition.Names.Label is { Length: > 2 } label && label[^2] is '_' or '-' && char.ToLowerInvariant(label[^1]) == letter;
    }

    /// <summary>A file of a FAT partition; empty where there is none of that name, null where there is no FAT.</summary>
    private string? ReadText(SlotPartition partition, string name)
    {
        try
        {
            using IMounted mounted = machine.Mount(partition, "vfat", readOnly: true);
            string file = Path.Combine(mounted.Path, name);
            return File.Exists(file) ? File.ReadAllText(file) : "";
        }
        catch (LinuxException e) when (e.Errno is Linux.EINVAL or Linux.EBUSY)
        {
            return null;
        }
    }

    private static SlotPartition Describe(DirectoryInfo folder, byte[] head)
    {
        int number = NumberOf(folder)!.Value;
        long Sectors(string file) => long.Parse(File.ReadAllText(Path.Combine(folder.FullName, file)), CultureInfo.InvariantCulture);
        return new SlotPartition(
            number, $"/dev/{folder.Name}", Sectors("start") * SectorBytes, Sectors("size") * SectorBytes, DiskHead.NamesOf(head, number));
    }

    private static int? NumberOf(DirectoryInfo folder)
    {
        string file = Path.Combine(folder.FullName, "partition");
        return File.Exists(file) ? int.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture) : null;
    }
}
