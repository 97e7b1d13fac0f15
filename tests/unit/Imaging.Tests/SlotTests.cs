using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Imaging.Tests;

/// <summary>Images with two places for a system.</summary>
public sealed class SlotTests : IDisposable
{
    private static readonly ImageSlot[] s_pi = [new(2, 5), new(3, 6)], s_pc = [new(1, 3), new(2, 4)];

    private readonly TestStore _store = new();

    public void Dispose() => _store.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_Pis_slots_are_found_by_autoboot_txt_also_in_logical_and_empty_partitions(bool hasSecond)
    {
        using TwoSlotDisk disk = TwoSlotDisk.Pi(hasSecond: hasSecond);
        (Digest _, ImageManifest manifest) = await _store.ImportAsync(disk.Image);
        Assert.Equal(s_pi, manifest.Slots!);
        Assert.Null(manifest.FindFault());
        Assert.Equal("arm64", manifest.Architecture);
        Assert.Equal(TwoSlotDisk.Partitions.Select(p => (p.Key, p.Value.Start * TwoSlotDisk.Mega, p.Value.Length * TwoSlotDisk.Mega)),
            manifest.Partitions.Select(p => (p.Number, p.Start, p.Length)));
        Assert.Equal(["vfat", "vfat", hasSecond ? "vfat" : "", "ext4", hasSecond ? "ext4" : ""],
            manifest.Partitions.Select(p => p.FileSystem));
    }

    [Fact]
    public async Task An_empty_second_slot_is_neither_stored_nor_written_but_for_its_beginning()
    {
        using TwoSlotDisk disk = TwoSlotDisk.Pi();
        (Digest _, ImageManifest manifest) = await _store.ImportAsync(disk.Image);
        Assert.Equal(TwoSlotDisk.Mega, StoredOfSecond(manifest));
    }

    [Fact]
    public async Task A_second_slot_with_a_file_system_that_is_not_known_here_is_stored_whole()
    {
        using TwoSlotDisk disk = TwoSlotDisk.Pi();
        using (FileStream image = File.OpenWrite(disk.Image))
        {
            image.Position = TwoSlotDisk.Partitions[6].Start * TwoSlotDisk.Mega + (64 << 10);
            image.Write("_BHRfS_M"u8); // as btrfs begins
        }
        (Digest _, ImageManifest manifest) = await _store.ImportAsync(disk.Image);
        Assert.Equal(TwoSlotDisk.Partitions[6].Length * TwoSlotDisk.Mega, StoredOfSecond(manifest));
    }

    /// <summary>Bytes of the second root that an image has.</summary>
    private static long StoredOfSecond(ImageManifest manifest)
    {
        long start = TwoSlotDisk.Partitions[6].Start * TwoSlotDisk.Mega, end = start + TwoSlotDisk.Partitions[6].Length * TwoSlotDisk.Mega;
        return manifest.Chunks.SelectMany(
            chunk => chunk.Ranges.Select(range => (From: (long)chunk.Index * manifest.ChunkSize + range.Offset, range.Length)))
            .Sum(range => Math.Max(0, Math.Min(end, range.From + range.Length) - Math.Max(start, range.From)));
    }

    [Theory]
    [InlineData("/dev/mmcblk0p")]
    [InlineData("/dev/nvme0n1p")]
    public async Task A_root_may_be_named_by_its_device(string device)
    {
        using TwoSlotDisk disk = TwoSlotDisk.Pi(rootOf: number => device + number);
        Assert.Equal(s_pi, (await _store.ImportAsync(disk.Image)).Manifest.Slots!);
    }

    [Theory]
    [InlineData("UUID=0b3a9c0e-7b9e-4a3c-9a43-1e0e4f1d2c3b")]
    [InlineData("LABEL=rootfs")]
    [InlineData("PARTUUID=99999999-05")]
    public async Task A_root_that_is_not_named_by_its_partition_makes_no_slots(string root)
    {
        using TwoSlotDisk disk = TwoSlotDisk.Pi(rootOf: _ => root);
        Assert.Null((await _store.ImportAsync(disk.Image)).Manifest.Slots);
    }

    [Theory]
    [InlineData("[all]\nboot_partition=2\n[tryboot]\nboot_partition=3\n")]
    [InlineData("[all]\ntryboot_a_b=1\nboot_partition=2\n")]
    [InlineData("[all]\ntryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=2\n")]
    [InlineData("[all]\ntryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=9\n")]
    public async Task An_autoboot_txt_that_does_not_choose_between_two_partitions_makes_no_slots(string autoboot)
    {
        using TwoSlotDisk disk = TwoSlotDisk.Pi(autoboot: autoboot);
        Assert.Null((await _store.ImportAsync(disk.Image)).Manifest.Slots);
    }

    [Theory]
    [InlineData("_")]
    [InlineData("-")]
    public async Task A_PCs_slots_are_found_by_the_names_of_its_partitions(string end)
    {
        using TwoSlotDisk disk = TwoSlotDisk.Pc(end: end);
        (Digest _, ImageManifest manifest) = await _store.ImportAsync(disk.Image);
        Assert.Equal(s_pc, manifest.Slots!);
        Assert.Equal("amd64", manifest.Architecture);
    }

    [Fact]
    public async Task An_image_with_one_system_has_none_and_its_manifest_does_not_speak_of_them()
    {
        using var disk = new TestDisk();
        (Digest image, ImageManifest manifest) = await _store.ImportAsync(disk.Image);
        Assert.Null(manifest.Slots);
        Assert.DoesNotContain(
            "slots", System.Text.Encoding.UTF8.GetString(_store.Store.ReadManifest(image)!.Manifest), StringComparison.OrdinalIgnoreCase);
    }
}
