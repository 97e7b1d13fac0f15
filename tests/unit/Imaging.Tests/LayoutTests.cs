using System.Buffers.Binary;
using Bootstrap.Imaging.Disks;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Imaging.Tests;

/// <summary>Disks that are laid out otherwise than most, and images that no node can be installed with.</summary>
public sealed class LayoutTests : IDisposable
{
    private const int Mega = 1 << 20;

    private readonly TestStore _store = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("layout-tests-").FullName;

    public void Dispose()
    {
        _store.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    // FAT32 has 65,525 clusters at least by the specification; mkfs and Linux make and take it with fewer.
    [Theory]
    [InlineData(8)]
    [InlineData(64)]
    public async Task FAT32_with_few_clusters_is_FAT32(int sectorsOfCluster)
    {
        using var disk = new TestDisk(bootSectors: sectorsOfCluster);
        (_, ImageManifest manifest) = await _store.ImportAsync(disk.Image);
        string restored = Path.Combine(disk.Folder, "restored.img");
        _store.Restore(manifest, restored);
        using FileStream file = File.OpenRead(restored);
        FatVolume volume = FatVolume.TryOpen(new RawImage(file.SafeFileHandle, file.Length), TestDisk.BootStart, TestDisk.BootBytes)!;
        Assert.Equal(TestDisk.Arm64Kernel(), volume.ReadFile("kernel8.img", 1 << 20));
        Assert.InRange(manifest.UsedBytes, 6 * Mega, 40 * Mega); // free space is left out
        Assert.Empty(_store.Notes);
    }

    [Fact]
    public async Task A_FAT_whose_table_is_shorter_than_its_space_has_the_clusters_that_the_table_has()
    {
        using var disk = new TestDisk();
        // As if the partition had been grown, and the table had not: Linux takes what the table has entries for.
        Change(disk.Image, TestDisk.BootStart + 36, sectors => sectors - 64);
        using FileStream file = File.OpenRead(disk.Image);
        var raw = new RawImage(file.SafeFileHandle, file.Length);
        FatVolume volume = FatVolume.TryOpen(raw, TestDisk.BootStart, TestDisk.BootBytes)!;
        Assert.NotEmpty(volume.Used());
        Assert.Equal("vfat", volume.FileSystem);
    }

    [Theory]
    [InlineData("1:EE")] // the protective entry is last: Raspberry Pi images for old boot ROMs
    [InlineData("1")] // first, as sgdisk usually has it
    public async Task A_hybrid_table_is_a_GPT_wherever_its_protective_entry_stands(string order)
    {
        string image = MakeGpt();
        Hybridise(image, order);
        (_, ImageManifest manifest) = await _store.ImportAsync(image, "arm64");
        Assert.Equal([1, 2], manifest.Partitions.Select(p => p.Number));
        Assert.All(manifest.Partitions, p => Assert.True(Guid.TryParse(p.Type, out _)));
    }

    [Theory]
    [InlineData(512 + 56, "header is damaged")] // the disk's GUID
    [InlineData(1024 + 40, "entries are not those")] // the first partition's last sector
    public async Task A_GPT_of_which_a_sum_is_wrong_is_refused(int place, string reason)
    {
        string image = MakeGpt();
        Change(image, place, number => number ^ 1);
        ImageException refusal = await Assert.ThrowsAsync<ImageException>(() => _store.ImportAsync(image, "arm64"));
        Assert.Contains(reason, refusal.Message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5000)]
    public async Task An_image_whose_last_entry_ends_behind_it_is_taken_where_all_of_its_file_system_is_there(int sectorsBehind)
    {
        using var disk = new TestDisk();
        Change(disk.Image, 446 + 16 + 12, sectors => sectors + (uint)sectorsBehind);
        (_, ImageManifest manifest) = await _store.ImportAsync(disk.Image);
        Assert.Equal(new FileInfo(disk.Image).Length, manifest.SizeBytes);
        string restored = Path.Combine(disk.Folder, "restored.img");
        _store.Restore(manifest, restored);
        Assert.Equal(TestDisk.Random(5_000_000, 1), disk.ReadRootFile(restored, "random"));
    }

    [Fact]
    public async Task An_image_that_ends_within_its_last_file_system_is_truncated()
    {
        using var disk = new TestDisk();
        using (FileStream file = File.OpenWrite(disk.Image))
        {
            file.SetLength(file.Length - 512);
        }
        Assert.Contains("truncated", (await Assert.ThrowsAsync<ImageException>(() => _store.ImportAsync(disk.Image))).Message);
    }

    [Theory]
    [InlineData("mkfs.btrfs -q -f VOLUME", "partition 2 holds btrfs")]
    [InlineData("cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /etc/hostname VOLUME",
        "partition 2 holds LUKS encryption")]
    [InlineData("mkswap VOLUME", "partition 2 holds swap")]
    [InlineData("true", "no partition of it holds an ext4 file system")]
    public async Task An_image_without_a_root_that_can_be_configured_is_imported_with_a_word_of_that(string make, string word)
    {
        using var disk = new TestDisk(rootBytes: 128 << 20);
        string volume = Path.Combine(_folder, "volume");
        using (FileStream empty = File.Create(volume))
        {
            empty.SetLength(128 << 20);
        }
        TestDisk.Run("sh", "-c", make.Replace("VOLUME", volume, StringComparison.Ordinal));
        using (FileStream from = File.OpenRead(volume), to = File.OpenWrite(disk.Image))
        {
            to.Position = TestDisk.RootStart;
            from.CopyTo(to);
        }
        (_, ImageManifest manifest) = await _store.ImportAsync(disk.Image);
        Assert.Null(manifest.FindRoot(out string? fault));
        Assert.Contains(word, fault);
        Assert.Equal($"It cannot be installed on nodes: {fault}.", Assert.Single(_store.Notes));
    }

    private string MakeGpt()
    {
        string image = Path.Combine(_folder, "gpt.img"), root = Path.Combine(_folder, "root.img");
        using (FileStream disk = File.Create(image))
        {
            disk.SetLength(64 * Mega);
        }
        TestDisk.RunWithInput("sfdisk", "label: gpt\nstart=2048,size=14336,type=U\nstart=16384,size=65536\n", "-q", image);
        TestDisk.Run("mkfs.ext4", "-q", "-F", root, "32768k");
        using FileStream from = File.OpenRead(root), to = File.OpenWrite(image);
        to.Position = 8 * Mega;
        from.CopyTo(to);
        return image;
    }

    /// <summary>A table for firmware that knows no GPT beside the real one, by sgdisk, which puts the protective entry first or
    /// last.</summary>
    private static void Hybridise(string image, string order) => TestDisk.Run("sgdisk", "--hybrid", order, image);

    private static void Change(string file, long place, Func<uint, uint> change)
    {
        using FileStream stream = File.Open(file, FileMode.Open);
        byte[] bytes = new byte[4];
        stream.Position = place;
        stream.ReadExactly(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, change(BinaryPrimitives.ReadUInt32LittleEndian(bytes)));
        stream.Position = place;
        stream.Write(bytes);
    }
}
