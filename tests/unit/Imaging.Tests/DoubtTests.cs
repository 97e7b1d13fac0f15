using System.Buffers.Binary;
using System.Globalization;
using System.Text.RegularExpressions;
using Bootstrap.Imaging.Disks;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Imaging.Tests;

/// <summary>File systems whose tables are not to be believed when they call blocks free: all of them is stored, and whoever imports them is
/// told.</summary>
public sealed partial class DoubtTests : IDisposable
{
    private const long RootBytes = 24 << 20;

    private readonly TestStore _store = new();

    public void Dispose() => _store.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("-O ^has_journal")]
    [InlineData("-b 1024 -O ^has_journal,^metadata_csum")]
    [InlineData("-t ext2")]
    [InlineData("-t ext3")]
    public async Task What_was_written_and_synced_on_a_running_system_is_there_after_its_image_was_restored(string options)
    {
        using var disk = new TestDisk(RootBytes, options);
        byte[] content = TestDisk.Random(3_000_000, 21);
        string copy = Path.Combine(disk.Folder, "copy.img");
        InMounted(disk.Image, root =>
        {
            using (FileStream file = File.Create(Path.Combine(root, "written")))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }
            TestDisk.Run("cp", disk.Image, copy);
        });
        string restored = await RestoreAsync(copy);
        Assert.Contains("The ext4 file system in partition 2 was not cleanly unmounted: all of it is stored, free space, too.",
            _store.Notes);
        InMounted(restored, root => Assert.Equal(content, File.ReadAllBytes(Path.Combine(root, "written"))));
    }

    [Theory]
    [InlineData("", "ssv state 0", "was not cleanly unmounted")]
    [InlineData("", "ssv state 3", "has errors that were not repaired")]
    [InlineData("", "ssv state 5", "is in a state (5)")]
    [InlineData("", "feature needs_recovery", "was not cleanly unmounted")]
    [InlineData("", "ssv last_orphan 12", "has deleted files whose blocks are not free yet")]
    [InlineData("", "ssv journal_inum 0", "has its journal on another device")]
    [InlineData("", "ssv journal_inum 12", "has no journal where it ought to be")]
    [InlineData("", "ssv free_blocks_count 7", "has 7 free blocks by its superblock")]
    [InlineData("", "set_bg 0 block_bitmap 0", "has a wrong checksum in the descriptor of block group 0")]
    [InlineData("-O ^metadata_csum", "set_bg 0 block_bitmap 0", "at block 0, where none can be")]
    [InlineData("-O ^metadata_csum", "set_bg 0 block_bitmap 99999999", "at block 99999999, where none can be")]
    [InlineData("-O ^metadata_csum", "set_bg 0 inode_table 0", "at block 0, where none can be")]
    [InlineData("-O ^metadata_csum,^uninit_bg", "set_bg 0 flags 2", "which its features do not allow")]
    [InlineData("-O ^metadata_csum", "set_bg 0 block_bitmap 3000", "by their count")]
    [InlineData("", "set_bg 0 checksum 4711", "has a wrong checksum in the descriptor of block group 0")]
    [InlineData("-O ^metadata_csum,uninit_bg", "set_bg 0 checksum 4711", "has a wrong checksum in the descriptor of block group 0")]
    [InlineData("-O ^metadata_csum,uninit_bg", "set_bg 0 used_dirs_count 9", "has a wrong checksum in the descriptor of block group 0")]
    [InlineData("-O ^metadata_csum,uninit_bg,^64bit", "set_bg 0 used_dirs_count 9",
        "has a wrong checksum in the descriptor of block group 0")]
    [InlineData("-b 1024 -O ^metadata_csum,uninit_bg", "set_bg 2 itable_unused 1",
        "has a wrong checksum in the descriptor of block group 2")]
    public async Task An_ext4_file_system_that_contradicts_itself_is_stored_as_a_whole(string options, string command, string words)
    {
        using var disk = new TestDisk(RootBytes, options);
        TestDisk.Run("debugfs", "-w", "-R", command, $"{disk.Image}?offset={TestDisk.RootStart}");
        await AssertWholeAsync(disk.Image, words);
    }

    [Fact]
    public async Task A_superblock_with_a_wrong_checksum_is_not_believed()
    {
        using var disk = new TestDisk(RootBytes);
        Change(disk.Image, TestDisk.RootStart + 1024 + 0x78, b => (byte)(b ^ 1)); // a letter of the label
        await AssertWholeAsync(disk.Image, "has a superblock with a wrong checksum");
    }

    [Theory]
    [InlineData("-b 1024 -O ^flex_bg", "has a block bitmap with a wrong checksum (group 7)")]
    [InlineData("-b 1024 -O ^flex_bg,^metadata_csum", "free blocks in group 7")]
    public async Task A_bitmap_far_behind_that_is_wrong_has_everything_before_it_stored_and_nothing_is_left_over(
        string options, string words)
    {
        using var disk = new TestDisk(64 << 20, options);
        long block = long.Parse(LastBitmap().Match(Read("dumpe2fs", $"{disk.Image}?offset={TestDisk.RootStart}")).Groups[1].Value,
            CultureInfo.InvariantCulture);
        Change(disk.Image, TestDisk.RootStart + block * 1024 + 400, b => (byte)(b ^ 1));
        ImageManifest manifest = await AssertWholeAsync(disk.Image, words);
        Assert.Equal(manifest.Chunks.Select(chunk => chunk.StoredDigest).Distinct().Count(), _store.ChunkFiles);
    }

    [Fact]
    public async Task A_journal_that_was_not_replayed_is_found_though_the_superblock_says_nothing_of_it()
    {
        using var disk = new TestDisk(RootBytes);
        string copy = Path.Combine(disk.Folder, "copy.img");
        InMounted(disk.Image, root =>
        {
            // On a busy machine the kernel may have done with its journal before the copy is made.
            for (int i = 0; i < 20 && !(File.Exists(copy) && HasJournalToReplay(copy)); i++)
            {
                File.WriteAllText(Path.Combine(root, $"written-{i}"), "something");
                TestDisk.Run("sync", Path.Combine(root, $"written-{i}"));
                TestDisk.Run("cp", disk.Image, copy);
            }
        });
        TestDisk.Run("debugfs", "-w", "-R", "feature -needs_recovery", $"{copy}?offset={TestDisk.RootStart}");
        await AssertWholeAsync(copy, "has a journal that was not replayed");
    }

    [Theory]
    [InlineData("")]
    [InlineData("-b 1024")]
    [InlineData("-O ^has_journal")]
    [InlineData("-b 1024 -O ^metadata_csum,uninit_bg")]
    [InlineData("-b 1024 -O ^metadata_csum,uninit_bg,^64bit")]
    public async Task A_file_system_that_was_used_and_unmounted_is_believed(string options)
    {
        using var disk = new TestDisk(512 << 20, options);
        InMounted(disk.Image, root =>
        {
            File.WriteAllBytes(Path.Combine(root, "first"), TestDisk.Random(9_000_000, 31));
            TestDisk.Run("sync", "-f", root);
            File.WriteAllBytes(Path.Combine(root, "second"), TestDisk.Random(3_000_000, 32));
            File.Delete(Path.Combine(root, "first"));
        });
        (_, ImageManifest manifest) = await _store.ImportAsync(disk.Image);
        Assert.Empty(_store.Notes);
        Assert.True(manifest.UsedBytes < 100 << 20, $"{manifest.UsedBytes} bytes in use");
    }

    [Theory]
    [InlineData("resize2fs", "{0}", "40M")]
    [InlineData("resize2fs", "-M", "{0}")]
    [InlineData("tune2fs", "-f", "-U", "random", "{0}")]
    [InlineData("tune2fs", "-O", "^has_journal", "{0}")]
    [InlineData("tune2fs", "-O", "^metadata_csum", "{0}")]
    [InlineData("tune2fs", "-O", "quota", "{0}")]
    public async Task A_file_system_that_its_tools_have_changed_is_believed(string program, params string[] arguments)
    {
        using var disk = new TestDisk(128 << 20, "-b 1024");
        string root = Path.Combine(disk.Folder, "changed.img");
        File.WriteAllBytes(root, ReadPartition(disk.Image));
        TestDisk.Run("e2fsck", "-f", "-y", root);
        TestDisk.Run(program, [.. arguments.Select(argument => argument.Replace("{0}", root, StringComparison.Ordinal))]);
        Write(disk.Image, TestDisk.RootStart, File.ReadAllBytes(root));
        (_, ImageManifest manifest) = await _store.ImportAsync(disk.Image);
        Assert.Empty(_store.Notes);
        string restored = Path.Combine(disk.Folder, "restored.img");
        File.WriteAllBytes(restored, TestDisk.Random((int)manifest.SizeBytes, 77));
        _store.Restore(manifest, restored);
        Assert.Equal(TestDisk.Random(5_000_000, 1), disk.ReadRootFile(restored, "random"));
    }

    [Fact]
    public async Task A_partition_that_is_another_file_systems_journal_is_stored_as_it_is()
    {
        using var disk = new TestDisk(RootBytes);
        string journal = Path.Combine(disk.Folder, "journal.img");
        TestDisk.Run("mke2fs", "-q", "-F", "-O", "journal_dev", "-b", "4096", journal, "24M");
        TestDisk.Run("dd", $"if={journal}", $"of={disk.Image}", "bs=1M", $"seek={TestDisk.RootStart >> 20}", "conv=notrunc", "status=none");
        (_, ImageManifest manifest) = await _store.ImportAsync(disk.Image);
        Assert.Equal("", manifest.Partitions[1].FileSystem);
        Assert.Equal(ReadPartition(disk.Image), ReadPartition(await RestoreAsync(disk.Image)));
    }

    [Theory]
    [InlineData(32, "was not cleanly unmounted", 0x41, 1)]
    [InlineData(32, "has errors that were not repaired", 0x41, 2)]
    [InlineData(16, "was not cleanly unmounted", 0x25, 1)]
    [InlineData(12, "was not cleanly unmounted", 0x25, 1)]
    public void A_FAT_whose_boot_sector_says_that_it_was_in_use_counts_as_used(int bits, string words, int offset, byte state) =>
        AssertFat(bits, words, (volume, _) => volume[offset] |= state);

    [Theory]
    [InlineData(32, "was not cleanly unmounted", 0x0800_0000)]
    [InlineData(32, "has errors that were not repaired", 0x0400_0000)]
    [InlineData(16, "was not cleanly unmounted", 0x8000)]
    [InlineData(16, "has errors that were not repaired", 0x4000)]
    public void A_FAT_whose_second_entry_says_that_it_was_in_use_counts_as_used(int bits, string words, uint bit) =>
        AssertFat(bits, words, (volume, tables) =>
    {
        foreach (int table in tables)
        {
            Span<byte> entry = volume.AsSpan(table + bits / 8);
            BinaryPrimitives.WriteUInt16LittleEndian(entry, (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(entry) & ~bit));
            if (bits == 32)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(
                    entry[2..], (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(entry[2..]) & ~(bit >> 16)));
            }
        }
    });

    [Theory]
    [InlineData(12)]
    [InlineData(16)]
    [InlineData(32)]
    public void A_FAT_whose_copies_differ_counts_as_used(int bits) =>
        AssertFat(bits, "has two copies of its table that differ", (volume, tables) => volume[tables[1] + 40] ^= 1);

    [Theory]
    [InlineData(12)]
    [InlineData(16)]
    [InlineData(32)]
    public void A_FAT_as_its_tools_leave_it_is_believed(int bits) => AssertFat(bits, null, (_, _) => { });

    [Fact]
    public async Task A_file_that_one_copy_of_the_FAT_knows_alone_is_there_after_the_image_was_restored()
    {
        using var disk = new TestDisk(16 << 20);
        byte[] before = File.ReadAllBytes(disk.Image)[(int)TestDisk.BootStart..];
        int table = BinaryPrimitives.ReadUInt16LittleEndian(before.AsSpan(14)) * 512,
            length = BinaryPrimitives.ReadInt32LittleEndian(before.AsSpan(36)) * 512;
        byte[] content = TestDisk.Random(3_000_000, 23);
        File.WriteAllBytes(Path.Combine(disk.Folder, "new"), content);
        TestDisk.Run("mcopy", "-i", $"{disk.Image}@@{TestDisk.BootStart}", Path.Combine(disk.Folder, "new"), "::new");
        Write(disk.Image, TestDisk.BootStart + table, before.AsSpan(table, length));
        string restored = await RestoreAsync(disk.Image);
        Assert.Contains("The vfat file system in partition 1 has two copies of its table that differ: " +
            "all of it is stored, free space, too.", _store.Notes);
        byte[] second = File.ReadAllBytes(restored).AsSpan((int)TestDisk.BootStart + table + length, length).ToArray();
        Write(restored, TestDisk.BootStart + table, second); // what a repair does
        Assert.Equal(content, disk.ReadBootFile(restored, "new"));
    }

    private static bool HasJournalToReplay(string image) =>
        Regex.IsMatch(Read("dumpe2fs", "-h", $"{image}?offset={TestDisk.RootStart}"), @"Journal start: +[1-9]");

    /// <summary>Imports it and restores it over a disk with other bytes: the root partition is the same to the last byte, and the note says
    /// why.</summary>
    private async Task<ImageManifest> AssertWholeAsync(string image, string words)
    {
        string restored = await RestoreAsync(image);
        string note = Assert.Single(_store.Notes);
        Assert.StartsWith("The ext4 file system in partition 2 ", note, StringComparison.Ordinal);
        Assert.Contains(words, note, StringComparison.Ordinal);
        Assert.True(ReadPartition(image).AsSpan().SequenceEqual(ReadPartition(restored)), "the root partition is another one");
        return _store.Store.ReadImage(Assert.Single(_store.Store.Images()))!;
    }

    private async Task<string> RestoreAsync(string image)
    {
        (_, ImageManifest manifest) = await _store.ImportAsync(image);
        string restored = $"{image}.restored";
        File.WriteAllBytes(restored, TestDisk.Random((int)manifest.SizeBytes, 77));
        _store.Restore(manifest, restored);
        return restored;
    }

    private static void AssertFat(int bits, string? words, Action<byte[], int[]> change)
    {
        string path = Path.GetTempFileName();
        try
        {
            File.Delete(path);
            TestDisk.Run("mkfs.vfat", "-F", bits.ToString(CultureInfo.InvariantCulture), "-s", "1", "-C", path,
                bits switch { 12 => "1024", 16 => "16384", _ => "40960" });
            byte[] volume = File.ReadAllBytes(path);
            int table = BinaryPrimitives.ReadUInt16LittleEndian(volume.AsSpan(14)) * 512;
            int sectors = BinaryPrimitives.ReadUInt16LittleEndian(volume.AsSpan(22)) is > 0 and var few ? few
                : BinaryPrimitives.ReadInt32LittleEndian(volume.AsSpan(36));
            change(volume, [table, table + sectors * 512]);
            FatVolume fat = FatVolume.TryOpen(new RawImage(
                (offset, buffer) => volume.AsSpan((int)offset, buffer.Length).CopyTo(buffer), volume.Length), 0, volume.Length)!;
            Assert.Equal(words, fat.Doubt);
            long used = fat.Used().Melt().Sum(extent => extent.Length);
            Assert.True(words is null ? used < volume.Length / 4 : used == fat.Length, $"{used} of {volume.Length} bytes in use");
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static void InMounted(string image, Action<string> act)
    {
        string folder = Directory.CreateTempSubdirectory("mounted-").FullName;
        TestDisk.Run("mount", "-o", $"loop,offset={TestDisk.RootStart}", image, folder);
        try
        {
            act(folder);
        }
        finally
        {
            TestDisk.Run("umount", folder);
            Directory.Delete(folder);
        }
    }

    private static byte[] ReadPartition(string image) => File.ReadAllBytes(image)[(int)TestDisk.RootStart..];

    private static void Change(string image, long offset, Func<byte, byte> change)
    {
        byte[] one = new byte[1];
        using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(image, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.Read(file, one, offset);
        RandomAccess.Write(file, [change(one[0])], offset);
    }

    private static void Write(string image, long offset, ReadOnlySpan<byte> bytes)
    {
        using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(image, FileMode.Open, FileAccess.Write);
        RandomAccess.Write(file, bytes, offset);
    }

    private static string Read(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }

    [GeneratedRegex(@"Group 7:[\s\S]*?Block bitmap at (\d+)")]
    private static partial Regex LastBitmap();
}
