using Bootstrap.Imaging.BootSets;
using Bootstrap.Imaging.Store;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Imaging.Tests;

public sealed class BootSetTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("test-boot-set-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_set_has_the_firmware_the_kernels_and_the_modules_of_its_image()
    {
        BootSet set = await MakeAsync(disk =>
        {
            RaspberryPiOs.Put(disk, "start4.elf", TestDisk.Random(70_000, 3));
            RaspberryPiOs.Put(disk, "bcm2711-rpi-4-b.dtb", TestDisk.Random(5_000, 4));
            RaspberryPiOs.Put(disk, "kernel_2712.img", RaspberryPiOs.Kernel("6.6.0-v2712-2712"));
            RaspberryPiOs.Put(disk, "kernel7l.img", TestDisk.Random(5_000, 5)); // 32 bits
            RaspberryPiOs.Put(disk, "config.txt", "upstream_kernel=1\ndtoverlay=vc4-kms-v3d\n"u8.ToArray());
            RaspberryPiOs.Put(disk, "notes for people.txt", [1]);
            TestDisk.Run("mmd", "-i", $"{disk.Image}@@{TestDisk.BootStart}", "::overlays");
            RaspberryPiOs.Put(disk, "overlays/disable-bt.dtbo", [7, 7]);
        });

        Assert.Equal([("all", "kernel8.img", "6.6.0-v8"), ("pi5", "kernel_2712.img", "6.6.0-v2712-2712")],
            set.Kernels.Select(k => (k.Section, k.File, k.Version)));
        Assert.Equal(
            ["bcm2711-rpi-4-b.dtb", "kernel8.img", "kernel_2712.img", "modules-kernel8.cpio.zst", "modules-kernel_2712.cpio.zst",
            "overlays/disable-bt.dtbo", "start4.elf"],
            Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(_folder, f))
            .Order(StringComparer.Ordinal));
        Assert.Equal(TestDisk.Random(70_000, 3), File.ReadAllBytes(Path.Combine(_folder, "start4.elf")));
        Assert.Equal("""
            arm_64bit=1
            enable_uart=1
            upstream_kernel=1
            [all]
            kernel=kernel8.img
            initramfs initramfs-kernel8 followkernel
            [pi5]
            kernel=kernel_2712.img
            initramfs initramfs-kernel_2712 followkernel
            [all]

            """, set.Config());
    }

    [Fact]
    public async Task Modules_are_decoded_with_all_that_they_need_and_no_others()
    {
        await MakeAsync(_ => { });
        string tree = Path.Combine(_folder, "tree");
        Directory.CreateDirectory(tree);
        TestDisk.Run("sh", "-c", $"cd {tree} && {{ zstd -qdc ../modules-kernel8.cpio.zst 2>/dev/null; true; }} | cpio -idm --quiet");
        string modules = Path.Combine(tree, "lib/modules/6.6.0-v8");
        Assert.Equal("ext4 module", File.ReadAllText(Path.Combine(modules, "kernel/fs/ext4/ext4.ko")));
        Assert.Equal("jbd2 module", File.ReadAllText(Path.Combine(modules, "kernel/fs/jbd2/jbd2.ko")));
        Assert.Equal("nvme module", File.ReadAllText(Path.Combine(modules, "kernel/drivers/nvme/nvme.ko")));
        Assert.False(Directory.Exists(Path.Combine(modules, "kernel/sound")));
        Assert.Contains("kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko\n", File.ReadAllText(Path.Combine(modules, "modules.dep")));
        Assert.Equal("alias pci:v*bc01sc08i02* nvme\n", File.ReadAllText(Path.Combine(modules, "modules.alias")));
        Assert.Contains("ext4\n", File.ReadAllText(Path.Combine(tree, "etc/bootstrap/modules")));
        Assert.True(Directory.Exists(Path.Combine(tree, "proc")));
    }

    [Fact]
    public async Task A_file_that_some_board_could_not_load_is_refused_with_its_name_size_and_limit()
    {
        ImageException fault = await Assert.ThrowsAsync<ImageException>(
            () => MakeAsync(disk => RaspberryPiOs.Put(disk, "start.elf", new byte[BootLimits.Pi3FileBytes + 1])));
        Assert.Contains("start.elf has 33,553,921 bytes, more than 33,553,920: a Raspberry Pi 3", fault.Message);
    }

    [Fact]
    public async Task An_image_without_a_kernel_that_has_its_modules_is_refused()
    {
        ImageException fault =
            await Assert.ThrowsAsync<ImageException>(() => MakeAsync(_ => { }, kernel: RaspberryPiOs.Kernel("5.0.0-other")));
        Assert.Contains("no arm64 kernel", fault.Message);
    }

    [Theory]
    [InlineData("kernel8.img", 33_553_921, "all", "Raspberry Pi 3")]
    [InlineData("start4.elf", 67_107_841, "all", "1,024 bytes")]
    [InlineData("kernel_2712.img", 96_205_381, "pi5", "1,468 bytes")]
    public void Each_board_s_limit_holds_to_the_byte(string name, long bytes, string section, string why)
    {
        Assert.Contains(why, BootLimits.FindFault(name, bytes, section));
        Assert.Null(BootLimits.FindFault(name, bytes - 1, section));
    }

    [Fact]
    public void Config_txt_and_boot_img_have_limits_of_their_own()
    {
        Assert.Contains("4,096", BootLimits.FindConfigFault(4096));
        Assert.Null(BootLimits.FindConfigFault(4095));
        Assert.Contains("boot.img", BootLimits.FindBootImageFault((96 << 20) + 1));
        Assert.Null(BootLimits.FindBootImageFault(96 << 20));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_kernel_s_version_is_read_from_its_banner(bool compressed)
    {
        using var file = new MemoryStream();
        byte[] kernel = RaspberryPiOs.Kernel("6.6.51+rpt-rpi-v8", at: (1 << 20) - 20); // across two pieces
        if (compressed)
        {
            using var gzip = new System.IO.Compression.GZipStream(file, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true);
            gzip.Write(kernel);
        }
        else
        {
            file.Write(kernel);
        }
        file.Position = 0;
        Assert.Equal("6.6.51+rpt-rpi-v8", KernelFile.FindArm64Version(file));
    }

    private async Task<BootSet> MakeAsync(Action<TestDisk> fillBoot, byte[]? kernel = null)
    {
        using var disk = new TestDisk(96 << 20, fillRoot: RaspberryPiOs.FillRoot, kernel: kernel ?? RaspberryPiOs.Kernel("6.6.0-v8"));
        fillBoot(disk);
        using var store = new TestStore();
        (_, ImageManifest manifest) = await store.ImportAsync(disk.Image);
        using var stored = new StoredImage(store.Store, manifest);
        return BootSetMaker.Make(stored.Raw, ("test", "digest"), "set", _folder, 8_000_000, 1);
    }
}
