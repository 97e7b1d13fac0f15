using System.Globalization;

namespace Bootstrap.Imaging.Tests;

/// <summary>
/// Makes disk images with two slots, by the system's own tools. As Raspberry Pi boards have them: autoboot.txt on a partition of its own,
/// two boot partitions, and two roots that are logical partitions of an MBR. Or as PCs have them: a GPT whose partitions say by their names
/// which slot they are of.
/// </summary>
internal sealed class TwoSlotDisk : IDisposable
{
    public const long Mega = 1 << 20;
    public const string Autoboot = "[all]\ntryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=3\n";

    /// <summary>Place and length in MiB, by the number of the partition.</summary>
    public static readonly IReadOnlyDictionary<int, (long Start, long Length)> Partitions = new Dictionary<int, (long, long)>
    {
        [1] = (1, 4),
        [2] = (5, 16),
        [3] = (21, 16),
        [5] = (38, 24),
        [6] = (63, 24),
    };

    /// <summary>The same of a GPT, without a partition for autoboot.txt.</summary>
    public static readonly IReadOnlyDictionary<int, (long Start, long Length)> GptPartitions = new Dictionary<int, (long, long)>
    {
        [1] = (1, 40),
        [2] = (41, 40),
        [3] = (81, 24),
        [4] = (105, 24),
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("two-slots-").FullName;

    private TwoSlotDisk() => Image = Path.Combine(_folder, "disk.img");

    public string Image { get; }

    /// <summary>A Raspberry Pi's.</summary>
    /// <param name="version">Text of <c>/version</c> in the first slot's root.</param>
    /// <param name="signature">Of the MBR, in eight hex digits: images made at different times have different ones.</param>
    /// <param name="rootOf">How command lines name a root; null: by PARTUUID.</param>
    /// <param name="hasSecond">The second slot holds a system as well.</param>
    /// <param name="fill">Adds to the first root's files.</param>
    public static TwoSlotDisk Pi(string version = "1", string signature = "1a2b3c4d", Func<int, string>? rootOf = null,
        bool hasSecond = false, Action<string>? fill = null, string autoboot = Autoboot)
    {
        var disk = new TwoSlotDisk();
        rootOf ??= number => $"PARTUUID={signature}-{number:x2}";
        disk.Partition($"""
            label: dos
            label-id: 0x{signature}
            start={Sector(1)}, size={Sectors(4)}, type=c
            start={Sector(5)}, size={Sectors(16)}, type=c
            start={Sector(21)}, size={Sectors(16)}, type=c
            start={Sector(37)}, size={Sectors(51)}, type=f
            start={Sector(38)}, size={Sectors(24)}, type=83
            start={Sector(63)}, size={Sectors(24)}, type=83

            """, 88);
        disk.Fat(Partitions[1], ("autoboot.txt", autoboot));
        for (int slot = 0; slot < (hasSecond ? 2 : 1); slot++)
        {
            int root = 5 + slot, boot = 2 + slot;
            disk.Fat(Partitions[boot], ("config.txt", "arm_64bit=1\n"), ("kernel8.img", null),
                ("cmdline.txt", $"console=ttyAMA0 root={rootOf(root)} rootwait\n"));
            disk.Ext4(Partitions[root], version,
                $"{rootOf(root)} / ext4 defaults 0 1\nPARTUUID={signature}-{boot:x2} /boot/firmware vfat defaults 0 2\n", fill);
        }
        return disk;
    }

    /// <summary>A PC's.</summary>
    /// <param name="menu">Of its boot loader; {0} is the root's name.</param>
    public static TwoSlotDisk Pc(
        string version = "1", string menu = "menuentry x {{\n linux /vmlinuz root=PARTLABEL={0} quiet\n}}\n", string end = "_")
    {
        const string efi = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", linux = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";
        var disk = new TwoSlotDisk();
        disk.Partition($"""
            label: gpt
            start={Sector(1)}, size={Sectors(40)}, type={efi}, name=esp{end}a
            start={Sector(41)}, size={Sectors(40)}, type={efi}, name=esp{end}b
            start={Sector(81)}, size={Sectors(24)}, type={linux}, name=root{end}a
            start={Sector(105)}, size={Sectors(24)}, type={linux}, name=root{end}b

            """, 130);
        disk.Fat(GptPartitions[1], ("EFI/BOOT/BOOTX64.EFI", null),
            ("EFI/debian/grub.cfg", string.Format(CultureInfo.InvariantCulture, menu, $"root{end}a")));
        disk.Ext4(GptPartitions[3], version, $"PARTLABEL=root{end}a / ext4 defaults 0 1\n", null);
        return disk;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static long Sector(long mega) => mega * Mega / 512;

    private static long Sectors(long mega) => Sector(mega);

    private void Partition(string script, long mega)
    {
        using (FileStream disk = File.Create(Image))
        {
            disk.SetLength(mega * Mega);
        }
        TestDisk.RunWithInput("sfdisk", script, "-q", Image);
    }

    private void Fat((long Start, long Length) place, params (string Name, string? Text)[] files)
    {
        string volume = Path.Combine(_folder, "fat.img"), file = Path.Combine(_folder, "file");
        File.Delete(volume);
        TestDisk.Run("mkfs.vfat", "-C", volume, $"{place.Length * 1024}");
        foreach (string folder in files.SelectMany(f => Folders(f.Name)).Distinct())
        {
            TestDisk.Run("mmd", "-i", volume, "::" + folder);
        }
        foreach ((string name, string? text) in files)
        {
            File.WriteAllBytes(file, text is null ? TestDisk.Arm64Kernel() : System.Text.Encoding.ASCII.GetBytes(text));
            TestDisk.Run("mcopy", "-i", volume, file, "::" + name);
        }
        Copy(volume, place.Start);
    }

    private static IEnumerable<string> Folders(string path)
    {
        string[] parts = path.Split('/');
        return Enumerable.Range(1, parts.Length - 1).Select(n => string.Join('/', parts[..n]));
    }

    private void Ext4((long Start, long Length) place, string version, string fstab, Action<string>? fill)
    {
        string volume = Path.Combine(_folder, "root.img"), files = Directory.CreateDirectory(Path.Combine(_folder, "files")).FullName;
        void Put(string path, string text)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(files, path))!);
            File.WriteAllText(Path.Combine(files, path), text);
        }
        Put("version", version);
        Put("etc/fstab", fstab);
        Put("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
        Put("etc/group", "root:x:0:\n");
        Put("etc/shadow", "root:*:1::::::\n");
        Put("usr/lib/systemd/systemd", "");
        File.WriteAllBytes(Path.Combine(files, "program"), TestDisk.Random(3_000_000, version.Length + version[0]));
        fill?.Invoke(files);
        TestDisk.Run("mkfs.ext4", "-q", "-F", "-L", "rootfs", "-d", files, volume, $"{place.Length}M");
        Directory.Delete(files, recursive: true);
        Copy(volume, place.Start);
        File.Delete(volume);
    }

    private void Copy(string volume, long mega)
    {
        using FileStream from = File.OpenRead(volume), to = File.OpenWrite(Image);
        to.Position = mega * Mega;
        from.CopyTo(to);
    }
}
