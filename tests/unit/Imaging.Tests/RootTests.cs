using Bootstrap.Protocol.Images;

namespace Bootstrap.Imaging.Tests;

/// <summary>Which file system of an image is the one that nodes' keys and programs go to.</summary>
public sealed class RootTests : IDisposable
{
    private const string SystemUuid = "0b3a9c0e-7b9e-4a3c-9a43-1e0e4f1d2c3b", DataUuid = "7d1f0a55-2222-4a3c-9a43-1e0e4f1d2c3b";

    private readonly TestStore _store = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("root-tests-").FullName;

    public void Dispose()
    {
        _store.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("PARTUUID=1a2b3c4d-02")]
    [InlineData("PARTUUID=1A2B3C4D-02")]
    [InlineData("UUID=" + SystemUuid)]
    [InlineData("LABEL=system")]
    [InlineData("/dev/mmcblk0p2")]
    [InlineData("/dev/sda2")]
    [InlineData("/dev/disk/by-uuid/" + SystemUuid)]
    [InlineData("/dev/disk/by-label/system")]
    public async Task What_cmdline_txt_names_is_the_root_whatever_else_looks_like_a_system(string name)
    {
        ImageManifest manifest =
            await ImportAsync([("cmdline.txt", $"console=tty1 root={name} rootfstype=ext4 rootwait\n")], System(), System());
        Assert.Equal(2, manifest.FindRoot(out _)?.Number);
        Assert.Empty(_store.Notes);
    }

    [Fact]
    public async Task A_system_behind_its_data_is_found_by_what_cmdline_txt_names() =>
        Assert.Equal(3, (await ImportAsync([("cmdline.txt", "root=PARTUUID=1a2b3c4d-03\n")], Data(), System())).FindRoot(out _)?.Number);

    [Theory]
    [InlineData("extlinux/extlinux.conf", "label l0\n  linux /vmlinuz\n  append root=LABEL=system ro quiet\n")]
    [InlineData("armbianEnv.txt", "verbosity=1\nrootdev=UUID=" + SystemUuid + "\nrootfstype=ext4\n")]
    [InlineData("loader/entries/debian.conf", "title Debian\noptions root=UUID=" + SystemUuid + " quiet\n")]
    [InlineData("EFI/debian/grub.cfg", "set root='hd0,gpt1'\n# linux /vmlinuz root=LABEL=data\nlinux /vmlinuz root=LABEL=system\n")]
    public async Task Other_boot_loaders_on_the_boot_partition_name_it_as_well(string path, string text) =>
        Assert.Equal(2, (await ImportAsync([(path, text)], System(), System())).FindRoot(out _)?.Number);

    [Theory]
    [InlineData("boot/grub/grub.cfg", "search --no-floppy --fs-uuid --set=root x\n\tlinux /boot/vmlinuz root=UUID=" + SystemUuid + " ro\n")]
    [InlineData("boot/extlinux/extlinux.conf", "append root=/dev/vda2 ro\n")]
    [InlineData("etc/fstab",
        "# <file system> <mount point>\nLABEL=data /srv ext4 defaults 0 2\nUUID=" + SystemUuid + " / ext4 errors=remount-ro 0 1\n")]
    public async Task A_root_names_itself_by_its_own_boot_loader_or_fstab(string path, string text) =>
        Assert.Equal(2, (await ImportAsync([], System((path, text)), System())).FindRoot(out _)?.Number);

    [Theory]
    [InlineData("root=/dev/nfs nfsroot=10.0.0.1:/srv")]
    [InlineData("root=PARTUUID=99999999-02")]
    [InlineData("quiet")]
    public async Task Where_nothing_of_the_image_is_named_the_only_system_is_the_root(string line) =>
        Assert.Equal(2, (await ImportAsync([("cmdline.txt", line)], System(), Data())).FindRoot(out _)?.Number);

    [Fact]
    public async Task Of_several_systems_that_nothing_names_none_is_guessed()
    {
        string fault = await FaultAsync([], System(), System());
        Assert.Equal("no boot loader's configuration and no /etc/fstab names its root, and several ext4 file systems may hold a " +
            "system: partition 2 'system', partition 3 'data'", fault);
        Assert.Equal($"It cannot be installed on nodes: {fault}.", Assert.Single(_store.Notes));
    }

    [Fact]
    public async Task Where_no_file_system_holds_a_system_none_is_guessed() =>
        Assert.Contains("none of its ext4 file systems holds a system: partition 2 'system', partition 3 'data'",
        await FaultAsync([], Data(), Data()), StringComparison.Ordinal);

    [Fact]
    public async Task Boot_loaders_that_name_several_roots_are_not_chosen_between() =>
        Assert.Equal("its boot loader's configuration names several roots: partition 2 'system', partition 3 'data'",
            await FaultAsync([("EFI/a/grub.cfg", "linux /a root=LABEL=system\n"), ("EFI/b/grub.cfg", "linux /b root=LABEL=data\n")],
            System(), System()));

    [Fact]
    public async Task A_root_that_is_no_ext4_file_system_is_not_replaced_by_one_that_is() =>
        Assert.Equal("its boot loader's configuration names partition 1 'NO NAME' as root, which holds no ext4 file system",
        await FaultAsync([("cmdline.txt", "root=/dev/mmcblk0p1\n")], System(), System()));

    [Fact]
    public async Task An_image_whose_only_ext4_file_system_is_its_root_keeps_the_digest_that_it_always_had()
    {
        using var disk = new TestDisk();
        (_, ImageManifest manifest) = await _store.ImportAsync(disk.Image);
        Assert.Null(manifest.Root);
        Assert.Equal(2, manifest.FindRoot(out _)?.Number);
    }

    [Fact]
    public void An_image_with_several_roots_that_was_imported_before_is_to_be_imported_again()
    {
        var manifest = new ImageManifest(
            1, "old", "arm64", 1 << 20, 4096, [new(1, 0, 512, "83", "ext4", "system"), new(2, 512, 512, "83", "ext4", "data")], []);
        Assert.Null(manifest.FindRoot(out string? fault));
        Assert.Contains("partition 1 'system', partition 2 'data'", fault, StringComparison.Ordinal);
        Assert.Contains("import it again", fault, StringComparison.Ordinal);
    }

    private static (string, string)[] System(params (string, string)[] more) =>
        [("etc/passwd", "root:x:0:0::/root:/bin/sh\n"), ("usr/lib/systemd/systemd", ""), .. more];

    private static (string, string)[] Data() => [("photos/one", "1"), ("etc/backup", "of something")];

    private async Task<string> FaultAsync((string, string)[] boot, (string, string)[] second, (string, string)[] third)
    {
        ImageManifest manifest = await ImportAsync(boot, second, third);
        Assert.Null(manifest.FindRoot(out string? fault));
        Assert.Null(manifest.FindFault());
        return fault!;
    }

    /// <summary>An MBR with a FAT boot partition and two ext4 ones, labelled "system" and "data".</summary>
    private async Task<ImageManifest> ImportAsync(
        (string Path, string Text)[] boot, (string Path, string Text)[] second, (string Path, string Text)[] third)
    {
        const int mega = 1 << 20;
        string image = Path.Combine(_folder, "disk.img"), volume = Path.Combine(_folder, "volume.img");
        using (FileStream disk = File.Create(image))
        {
            disk.SetLength(34 * mega);
        }
        TestDisk.RunWithInput(
            "sfdisk", "label: dos\nlabel-id: 0x1a2b3c4d\nstart=2048, size=16384, type=c\nstart=18432, size=24576, " +
            "type=83\nstart=43008, size=24576, type=83\n", "-q", image);
        TestDisk.Run("mkfs.vfat", "-C", volume, "8192");
        string files = Put("boot", boot);
        foreach (string entry in Directory.GetFileSystemEntries(files))
        {
            TestDisk.Run("mcopy", "-s", "-i", volume, entry, "::");
        }
        Place(1 * mega);
        TestDisk.Run("mkfs.ext4", "-q", "-F", "-L", "system", "-U", SystemUuid, "-d", Put("second", second), volume, "12M");
        Place(9 * mega);
        TestDisk.Run("mkfs.ext4", "-q", "-F", "-L", "data", "-U", DataUuid, "-d", Put("third", third), volume, "12M");
        Place(21 * mega);
        return (await _store.ImportAsync(image, "arm64")).Manifest;

        void Place(long start)
        {
            using (FileStream from = File.OpenRead(volume), to = File.OpenWrite(image))
            {
                to.Position = start;
                from.CopyTo(to);
            }
            File.Delete(volume);
        }
    }

    private string Put(string name, (string Path, string Text)[] files)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        foreach ((string path, string text) in files)
        {
            string file = Path.Combine(folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
        }
        return folder;
    }
}
