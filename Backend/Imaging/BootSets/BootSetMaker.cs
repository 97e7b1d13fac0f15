using System.Text;
using System.Text.RegularExpressions;
using Bootstrap.Imaging.Disks;
using Bootstrap.Imaging.Store;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Imaging.BootSets;

/// <summary>
/// Takes a boot set out of an image that is laid out as Raspberry Pi OS is: firmware, kernels, device trees and overlays from its FAT boot
/// partition, kernel modules from its ext4 root. So a board that is newer than NetInst's own kernel starts NetInst with its own system's.
/// </summary>
public static partial class BootSetMaker
{
    private const string CustomInitramfs = "initramfs-";

    private static readonly string[] s_modules = [.. List("modules-netinst-arm64"), .. List("modules-raspberrypi"),
        .. List("modules-preload")];

    /// <summary>Makes a set.</summary>
    /// <param name="disk">The image.</param>
    /// <param name="source">Its name and digest.</param>
    /// <param name="name">Of the set.</param>
    /// <param name="folder">An empty folder for its files.</param>
    /// <param name="initBytes">What is joined to each initramfs when it is served.</param>
    /// <param name="createdAt">Unix milliseconds.</param>
    /// <exception cref="ImageException">The image holds no boot set, or one that some board could not load.</exception>
    public static BootSet Make(RawImage disk, (string Name, string Digest) source, string name, string folder, long initBytes,
        long createdAt)
    {
        (FatVolume boot, Ext4Files root) = FindVolumes(disk);
        IReadOnlyList<FatEntry> entries = boot.List("")!;
        var kernels = new List<BootKernel>();
        foreach (FatEntry entry in entries.Where(e => !e.IsDirectory && e.FirstCluster > 0))
        {
            if (Kernel().IsMatch(entry.LongName))
            {
                if (AddKernel(boot, root, entry, folder, initBytes) is { } kernel)
                {
                    kernels.Add(kernel);
                }
            }
            else if (Firmware().IsMatch(entry.LongName))
            {
                Copy(boot, entry, folder, entry.LongName, "all");
            }
        }
        foreach (FatEntry overlay in (boot.List("overlays") ?? []).Where(e => !e.IsDirectory && Overlay().IsMatch(e.LongName)))
        {
            Copy(boot, overlay, folder, "overlays/" + overlay.LongName, "all");
        }
        // One kernel for each section: where there are more, the one that the firmware itself would take.
        BootKernel[] chosen = [.. kernels.GroupBy(k => k.Section).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => g.OrderByDescending(k => k.File == "kernel8.img").ThenBy(k => k.File, StringComparer.Ordinal).First())];
        foreach (BootKernel unused in kernels.Except(chosen))
        {
            File.Delete(Path.Combine(folder, unused.File));
            File.Delete(Path.Combine(folder, unused.Modules));
        }
        if (chosen.Length == 0)
        {
            throw new ImageException(
                $"the image {source.Name} has no arm64 kernel in its boot partition whose modules are in its root file system " +
                    "(kernel8.img and /lib/modules/…)");
        }
        bool upstream = entries.FirstOrDefault(e => e.Is("config.txt")) is { Length: < 65_536 } config
            && UpstreamKernel().IsMatch(Text(boot, config));
        long bytes = new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
        var set = new BootSet(name, source.Name, source.Digest, createdAt, upstream, chosen, bytes);
        Check(BootLimits.FindConfigFault(set.Config().Length));
        return set;
    }

    private static (FatVolume Boot, Ext4Files Root) FindVolumes(RawImage disk)
    {
        IReadOnlyList<Partition> partitions = PartitionTable.Read(disk);
        FatVolume? boot = partitions.Select(p => FatVolume.TryOpen(disk, p.Start, p.Length)).FirstOrDefault(v => v is not null);
        ImageRoot found = DiskLayout.Of(disk).FindRoot();
        Check(found.Fault);
        Ext4Volume? root = partitions.Where(p => p.Number == found.Partition)
            .Select(p => Ext4Volume.TryOpen(disk, p.Start, p.Length)).FirstOrDefault();
        return boot is null || root is null
            ? throw new ImageException(
                "a boot set is taken from a FAT boot partition and an ext4 root, as Raspberry Pi OS has them; this image has not both")
            : (boot, root.Files);
    }

    private static BootKernel? AddKernel(FatVolume boot, Ext4Files root, FatEntry entry, string folder, long initBytes)
    {
        string path = Copy(boot, entry, folder, entry.LongName, null);
        string? version;
        using (FileStream file = File.OpenRead(path))
        {
            version = KernelFile.FindArm64Version(file);
        }
        if (version is null || ModuleFolder.TryOpen(root, version) is not { } modules)
        {
            File.Delete(path); // a kernel for 32 bits, or one whose modules the image lacks
            return null;
        }
        string section = entry.LongName.Contains("2712", StringComparison.Ordinal) || version.EndsWith("-2712", StringComparison.Ordinal)
            ? "pi5" : "all";
        Check(BootLimits.FindFault(entry.LongName, entry.Length, section));
        string stem = Path.GetFileNameWithoutExtension(entry.LongName);
        var kernel = new BootKernel(section, entry.LongName, CustomInitramfs + stem, $"modules-{stem}.cpio.zst", version);
        byte[] archive = Archive(modules);
        Check(BootLimits.FindFault(kernel.Initramfs, archive.Length + initBytes, section));
        File.WriteAllBytes(Path.Combine(folder, kernel.Modules), archive);
        return kernel;
    }

    /// <summary>The first part of NetInst's initramfs: mount points, which the kernel makes none of, the list of what is loaded first,
    /// modules.</summary>
    private static byte[] Archive(ModuleFolder modules)
    {
        var archive = new CpioArchive();
        foreach (string mountPoint in new[] { "dev", "proc", "sys", "run", "tmp", "mnt", "etc", "etc/bootstrap" })
        {
            archive.AddDirectory(mountPoint, 0x1ed /* 0755 */);
        }
        archive.AddFile("etc/bootstrap/modules", 0x1a4 /* 0644 */,
            Encoding.ASCII.GetBytes(string.Concat(List("modules-preload").Select(m => m + '\n'))));
        modules.AddTo(archive, s_modules);
        byte[] plain = archive.ToArray();
        byte[] frame = new byte[ZstdEncoder.Bound(plain.Length) + 512];
        using var encoder = new ZstdEncoder(15);
        int length = encoder.Encode(plain, frame);
        // What follows an archive starts on a multiple of four; the kernel skips the zeros between.
        return frame[..((length + 511) & ~511)];
    }

    private static string Copy(FatVolume boot, FatEntry entry, string folder, string name, string? section)
    {
        Check(section is null ? BootLimits.FindBootImageFault(entry.Length) : BootLimits.FindFault(name, entry.Length, section));
        string path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using FileStream target = File.Create(path);
        boot.CopyTo(entry, target);
        return path;
    }

    private static string Text(FatVolume boot, FatEntry entry)
    {
        using var text = new MemoryStream();
        boot.CopyTo(entry, text);
        return Encoding.ASCII.GetString(text.ToArray());
    }

    private static void Check(string? fault)
    {
        if (fault is not null)
        {
            throw new ImageException(fault);
        }
    }

    /// <summary>Names in a list that came with the program; '#' begins a comment.</summary>
    private static IEnumerable<string> List(string resource)
    {
        using var reader = new StreamReader(typeof(BootSetMaker).Assembly.GetManifestResourceStream(resource)!);
        return [.. reader.ReadToEnd().Split('\n')
            .SelectMany(line => line.Split('#')[0].Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries))];
    }

    [GeneratedRegex(@"\A(kernel[A-Za-z0-9_]*\.img|vmlinuz[A-Za-z0-9._+-]*)\z")]
    private static partial Regex Kernel();

    [GeneratedRegex(@"\A(bootcode\.bin|(start|fixup)[A-Za-z0-9_]*\.(elf|dat)|armstub[A-Za-z0-9_-]*\.bin|" +
        @"[A-Za-z0-9._-]+\.dtb|(LICEN[CS]E|COPYING)[A-Za-z0-9._-]*)\z")]
    private static partial Regex Firmware();

    [GeneratedRegex(@"\A[A-Za-z0-9._-]+\.(dtbo|dtb)\z")]
    private static partial Regex Overlay();

    [GeneratedRegex(@"^\s*upstream_kernel\s*=\s*1\s*$", RegexOptions.Multiline)]
    private static partial Regex UpstreamKernel();
}
