using Bootstrap.Imaging.Disks;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Imaging.Tests;

public sealed class ImportTests : IDisposable
{
    private readonly TestStore _store = new();

    [Theory]
    [InlineData("raw")]
    [InlineData("xz")]
    [InlineData("xz-blocks")]
    [InlineData("zst")]
    [InlineData("gz")]
    public async Task An_image_in_any_wrapping_comes_back_with_its_files_and_sound_file_systems(string wrapping)
    {
        using var disk = new TestDisk();
        (Digest image, ImageManifest manifest) = await _store.ImportAsync(Wrap(disk.Image, wrapping));
        string restored = Path.Combine(disk.Folder, "restored.img");
        FillWithGarbage(restored, manifest.SizeBytes);
        _store.Restore(manifest, restored);

        Assert.Equal(TestDisk.Arm64Kernel(), disk.ReadBootFile(restored, "kernel8.img"));
        Assert.Equal(TestDisk.Random(5_000_000, 1), disk.ReadRootFile(restored, "random"));
        Assert.Equal("arm64", manifest.Architecture);
        Assert.Equal(["vfat BOOTFS", "ext4 rootfs"], manifest.Partitions.Select(p => $"{p.FileSystem} {p.Label}"));
        Assert.Null(manifest.FindFault());
        Assert.Contains(image, _store.Store.Images());
    }

    [Fact]
    public async Task The_same_image_in_another_wrapping_is_the_same_image()
    {
        using var disk = new TestDisk();
        (Digest first, _) = await _store.ImportAsync(disk.Image);
        int chunks = _store.ChunkFiles;
        (Digest second, _) = await _store.ImportAsync(Wrap(disk.Image, "zst"));
        Assert.Equal(first, second);
        Assert.Equal(chunks, _store.ChunkFiles);
    }

    [Fact]
    public async Task An_image_is_stored_while_it_is_being_decoded()
    {
        using var disk = new TestDisk(rootBytes: 64 << 20);
        using FileStream whole = File.OpenRead(disk.Image);
        // The second half of the root partition comes only once something of what came before is in the store.
        await using var held = new HeldStream(whole, TestDisk.RootStart + (32 << 20), () => _store.ChunkFiles > 0);
        ImageManifest manifest =
            (await _store.Importer.ImportAsync(held, "test", null, null, TestContext.Current.CancellationToken)).Manifest;
        string restored = Path.Combine(disk.Folder, "restored.img");
        _store.Restore(manifest, restored);
        Assert.Equal(TestDisk.Random(5_000_000, 1), disk.ReadRootFile(restored, "random"));
    }

    [Fact]
    public async Task An_upload_that_breaks_off_leaves_nothing()
    {
        using var disk = new TestDisk();
        using FileStream whole = File.OpenRead(disk.Image);
        await using var broken = new HeldStream(whole, TestDisk.RootStart + (8 << 20), () => throw new IOException("the client has gone"));
        await Assert.ThrowsAsync<IOException>(
            () => _store.Importer.ImportAsync(broken, "test", null, null, TestContext.Current.CancellationToken));
        Assert.True(_store.IsEmpty);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-b 1024")]
    [InlineData("-b 1024 -O ^metadata_csum,uninit_bg")]
    [InlineData("-b 1024 -O ^resize_inode,^64bit")]
    [InlineData("-b 1024 -g 1024 -G 4")]
    [InlineData("-b 2048 -O ^flex_bg")]
    [InlineData("-O ^64bit,^metadata_csum,^has_journal")]
    [InlineData("-t ext2")]
    [InlineData("-t ext3")]
    [InlineData("-b 1024 -O ^resize_inode,^sparse_super")]
    [InlineData("-O bigalloc -C 16384")]
    [InlineData("-O meta_bg,^resize_inode")]
    public async Task File_systems_of_every_make_are_restored_sound_over_stale_data(string options)
    {
        using var disk = new TestDisk(ext4Options: options, rootBytes: 96 << 20);
        (_, ImageManifest manifest) = await _store.ImportAsync(disk.Image);
        bool isKnown = !options.Contains("bigalloc", StringComparison.Ordinal) && !options.Contains("meta_bg", StringComparison.Ordinal);
        Assert.Equal(isKnown ? [] : ["partition 2"],
            _store.Notes.Select(note => note.Contains("features", StringComparison.Ordinal) ? "partition 2" : note));
        string restored = Path.Combine(disk.Folder, "restored.img");
        FillWithGarbage(restored, manifest.SizeBytes);
        _store.Restore(manifest, restored);
        Assert.Equal(TestDisk.Random(5_000_000, 1), disk.ReadRootFile(restored, "random"));
    }

    [Fact]
    public async Task Free_space_is_not_in_the_image()
    {
        using var disk = new TestDisk(rootBytes: 512 << 20);
        (_, ImageManifest manifest) = await _store.ImportAsync(disk.Image);
        // 5 MB of file, 0.7 MB of kernel, and the file systems' own tables (the journal is 16 MiB).
        Assert.InRange(manifest.UsedBytes, 6 << 20, 64 << 20);
    }

    [Fact]
    public async Task Deleted_files_leave_nothing_in_the_image()
    {
        using var disk = new TestDisk(fillRoot: files => File.WriteAllBytes(Path.Combine(files, "secret"), TestDisk.Random(3_000_000, 9)));
        (_, ImageManifest before) = await _store.ImportAsync(disk.Image);
        TestDisk.Run("debugfs", "-w", "-R", "rm /secret", $"{disk.Image}?offset={TestDisk.RootStart}");
        (_, ImageManifest after) = await _store.ImportAsync(disk.Image);
        Assert.InRange(before.UsedBytes - after.UsedBytes, 2_900_000, 3_100_000);
    }

    [Theory]
    [InlineData("raw", "truncated")]
    [InlineData("xz", "ends too early")]
    [InlineData("zst", "ends too early")]
    [InlineData("gz", "ends too early")]
    public async Task A_truncated_image_is_refused_with_the_reason_and_nothing_stays(string wrapping, string reason)
    {
        using var disk = new TestDisk();
        string path = Wrap(disk.Image, wrapping);
        using (FileStream file = File.OpenWrite(path))
        {
            file.SetLength(file.Length * 2 / 3);
        }
        ImageException refusal = await Assert.ThrowsAsync<ImageException>(() => _store.ImportAsync(path));
        Assert.Contains(reason, refusal.Message);
        Assert.True(_store.IsEmpty);
    }

    [Theory]
    [InlineData("xz")]
    [InlineData("zst")]
    [InlineData("gz")]
    public async Task A_damaged_image_is_refused_and_nothing_stays(string wrapping)
    {
        using var disk = new TestDisk();
        string path = Wrap(disk.Image, wrapping);
        using (FileStream file = File.Open(path, FileMode.Open))
        {
            file.Position = file.Length / 2;
            int b = file.ReadByte();
            file.Position--;
            file.WriteByte((byte)~b);
        }
        await Assert.ThrowsAsync<ImageException>(() => _store.ImportAsync(path));
        Assert.True(_store.IsEmpty);
    }

    [Fact]
    public async Task A_file_that_is_no_image_is_refused_with_what_was_expected()
    {
        string path = Path.Combine(_store.Store.Folder, "letter.txt");
        await File.WriteAllTextAsync(path, "Dear board,\n", TestContext.Current.CancellationToken);
        ImageException refusal = await Assert.ThrowsAsync<ImageException>(() => _store.ImportAsync(path));
        Assert.Contains("neither a raw disk image", refusal.Message);
    }

    [Fact]
    public async Task An_image_that_does_not_tell_its_processor_needs_a_word_and_a_contradiction_is_refused()
    {
        using var silent = new TestDisk(kernel: TestDisk.Random(100_000, 3));
        ImageException refusal = await Assert.ThrowsAsync<ImageException>(() => _store.ImportAsync(silent.Image));
        Assert.Contains("which processor", refusal.Message);
        (_, ImageManifest manifest) = await _store.ImportAsync(silent.Image, "arm64");
        Assert.Equal("arm64", manifest.Architecture);

        using var arm = new TestDisk();
        refusal = await Assert.ThrowsAsync<ImageException>(() => _store.ImportAsync(arm.Image, "amd64"));
        Assert.Contains("said to be for amd64", refusal.Message);
    }

    [Fact]
    public async Task Removing_an_image_keeps_the_chunks_that_another_one_shares()
    {
        using var disk = new TestDisk(fillRoot: files => File.WriteAllBytes(Path.Combine(files, "large"), TestDisk.Random(20_000_000, 4)));
        (Digest first, _) = await _store.ImportAsync(disk.Image);
        File.WriteAllBytes(Path.Combine(disk.Folder, "more"), TestDisk.Random(100_000, 5));
        TestDisk.Run("mcopy", "-i", $"{disk.Image}@@{TestDisk.BootStart}", Path.Combine(disk.Folder, "more"), "::more");
        (Digest second, ImageManifest manifest) = await _store.ImportAsync(disk.Image);
        Assert.NotEqual(first, second);

        Assert.True(_store.Store.Remove(first) > 0);
        Assert.All(manifest.Chunks, chunk => Assert.True(File.Exists(_store.Store.ChunkPath(chunk.StoredDigest))));
        _store.Store.Remove(second);
        Assert.True(_store.IsEmpty);
    }

    [Fact]
    public async Task The_manifest_verifies_with_its_own_authority_and_with_no_other_nor_when_changed()
    {
        using var disk = new TestDisk();
        (Digest image, _) = await _store.ImportAsync(disk.Image);
        SignedManifest signed = _store.Store.ReadManifest(image)!;
        Assert.NotNull(signed.Verify(image, _store.Authority, out _));

        using var stranger = new TestStore();
        Assert.Null(signed.Verify(image, stranger.Authority, out string? fault));
        Assert.Contains("certificate authority", fault);

        byte[] changed = [.. signed.Manifest];
        changed[^2] ^= 1;
        SignedManifest forged = signed with { Manifest = changed };
        Assert.Null(forged.Verify(image, _store.Authority, out fault));
        Assert.Contains("digest", fault);
        Assert.Null(forged.Verify(Digest.Of(changed), _store.Authority, out fault));
        Assert.Contains("signature", fault);
    }

    [Fact]
    public void Any_bytes_in_place_of_tables_are_refused_in_words_or_read_but_never_crash()
    {
        using var disk = new TestDisk(rootBytes: 16 << 20);
        using FileStream file = File.Open(disk.Image, FileMode.Open);
        var random = new Random(17);
        int[] tables = [446, (int)TestDisk.BootStart, (int)TestDisk.RootStart + 1024, (int)TestDisk.RootStart + 4096];
        for (int round = 0; round < 2000; round++)
        {
            (long At, byte[] Was)[] changes =
                [.. Enumerable.Range(0, 4).Select(_ => Change(tables[random.Next(tables.Length)] + random.Next(64)))];
            try
            {
                DiskLayout layout = DiskLayout.Of(new RawImage(file.SafeFileHandle, file.Length));
                Assert.All(layout.Used, e => Assert.True(e.Start >= 0 && e.End <= file.Length));
                Assert.True(layout.FindRoot() is null or { Partition: not null } or { Fault: not null });
            }
            catch (ImageException refusal)
            {
                Assert.NotEmpty(refusal.Message);
            }
            foreach ((long at, byte[] was) in changes.Reverse())
            {
                RandomAccess.Write(file.SafeFileHandle, was, at);
            }
        }

        (long, byte[]) Change(long at)
        {
            byte[] was = new byte[2], now = new byte[2];
            RandomAccess.Read(file.SafeFileHandle, was, at);
            random.NextBytes(now);
            RandomAccess.Write(file.SafeFileHandle, now, at);
            return (at, was);
        }
    }

    public void Dispose() => _store.Dispose();

    private static string Wrap(string image, string wrapping)
    {
        switch (wrapping)
        {
            case "xz":
                TestDisk.Run("xz", "-k", "-0", image);
                return image + ".xz";
            case "xz-blocks":
                TestDisk.Run("xz", "-k", "-0", "-T2", "--block-size=4MiB", image);
                return image + ".xz";
            case "zst":
                TestDisk.Run("zstd", "-q", "-1", image, "-o", image + ".zst");
                return image + ".zst";
            case "gz":
                TestDisk.Run("gzip", "-k", "-1", image);
                return image + ".gz";
            default:
                return image;
        }
    }

    /// <summary>A disk with a history: whatever was not written stays visible.</summary>
    private static void FillWithGarbage(string path, long length)
    {
        byte[] block = TestDisk.Random(1 << 20, 77);
        using FileStream file = File.Create(path);
        for (long at = 0; at < length; at += block.Length)
        {
            file.Write(block, 0, (int)Math.Min(block.Length, length - at));
        }
    }
}
