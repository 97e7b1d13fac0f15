namespace Bootstrap.Imaging.Tests;

/// <summary>Image files as people's tools make them, and what people take for image files.</summary>
public sealed class DecodingTests(DecodingTests.Disk disk) : IClassFixture<DecodingTests.Disk>, IDisposable
{
    private readonly TestStore _store = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("decoding-tests-").FullName;

    /// <summary>One that all of them wrap.</summary>
    public sealed class Disk : IDisposable
    {
        internal TestDisk Made { get; } = new(rootBytes: 24 << 20);

        public void Dispose() => Made.Dispose();
    }

    public void Dispose()
    {
        _store.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("pzstd -q IMAGE -o OUT")] // begins with a frame that is skipped
    [InlineData("{ printf '\\120\\052\\115\\030\\004\\000\\000\\000note'; zstd -q -c IMAGE; } > OUT")]
    [InlineData("{ printf '\\137\\052\\115\\030\\000\\020\\000\\000'; head -c 4096 /dev/urandom; zstd -q -c IMAGE; } > OUT")]
    [InlineData("zstd -q --long=28 IMAGE -o OUT")]
    [InlineData("zstd -q --long=30 IMAGE -o OUT")]
    [InlineData("{ head -c 30000000 IMAGE | gzip; tail -c +30000001 IMAGE | gzip; } > OUT")] // two members, as bgzip and cat make them
    [InlineData("{ head -c 30000000 IMAGE | zstd -q; tail -c +30000001 IMAGE | zstd -q; } > OUT")]
    [InlineData("{ head -c 30000000 IMAGE | xz -0; tail -c +30000001 IMAGE | xz -0; } > OUT")]
    public async Task What_the_tools_of_compression_make_is_taken(string make)
    {
        (_, var manifest) = await _store.ImportAsync(Make(make));
        string restored = Path.Combine(_folder, "restored.img");
        _store.Restore(manifest, restored);
        Assert.Equal(TestDisk.Random(5_000_000, 1), disk.Made.ReadRootFile(restored, "random"));
        Assert.Equal(new FileInfo(disk.Made.Image).Length, manifest.SizeBytes);
    }

    [Theory]
    [InlineData("gzip -c IMAGE", 1)]
    [InlineData("gzip -c IMAGE", 4)]
    [InlineData("gzip -c IMAGE", 8)]
    [InlineData("gzip -c IMAGE", 20)]
    [InlineData("cat IMAGE | gzip; head -c 4096 /dev/zero | gzip", 5)]
    [InlineData("xz -0 -c IMAGE", 1)]
    [InlineData("xz -0 -c IMAGE", 12)]
    [InlineData("zstd -q -c --check IMAGE", 1)]
    [InlineData("zstd -q -c --check IMAGE", 4)]
    public async Task A_file_that_is_cut_in_its_last_bytes_ends_too_early(string make, int bytes)
    {
        string path = Make($"{{ {make}; }} > OUT");
        using (FileStream file = File.OpenWrite(path))
        {
            file.SetLength(file.Length - bytes);
        }
        ImageException refusal = await Assert.ThrowsAsync<ImageException>(() => _store.ImportAsync(path));
        Assert.Contains("ends too early", refusal.Message);
        Assert.True(_store.IsEmpty);
    }

    [Fact]
    public async Task A_window_that_is_too_large_is_refused_with_what_to_do()
    {
        // A frame's header that asks for 2 GiB (RFC 8878, 3.1.1.1.2: exponent 21, mantissa 0).
        string path = Path.Combine(_folder, "wide.zst");
        await File.WriteAllBytesAsync(path, [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0x00, 0x00, .. new byte[600]],
            TestContext.Current.CancellationToken);
        ImageException refusal = await Assert.ThrowsAsync<ImageException>(() => _store.ImportAsync(path));
        Assert.Contains("--long=30", refusal.Message);
    }

    [Theory]
    [InlineData("zip -q -j OUT.zip IMAGE && mv OUT.zip OUT", "a zip archive: unpack it")]
    [InlineData("bzip2 -1 -c IMAGE > OUT", "a bzip2 file: unpack it (bunzip2)")]
    [InlineData("xz --format=lzma -0 -c IMAGE > OUT", "an lzma file: unpack it (unlzma)")]
    [InlineData("tar -C /etc -cf OUT hostname", "a tar archive: unpack it")]
    [InlineData("printf '7z\\274\\257\\047\\034rest' > OUT", "a 7z archive: unpack it")]
    [InlineData("printf '\\072\\377\\046\\355\\001\\000\\000\\000' > OUT", "an Android sparse image: turn it into a raw one (simg2img)")]
    [InlineData("printf '<!DOCTYPE html><html>Not found</html>' > OUT", "a web page: download the image again")]
    public async Task What_is_taken_for_an_image_is_named_with_what_to_do(string make, string words)
    {
        ImageException refusal = await Assert.ThrowsAsync<ImageException>(() => _store.ImportAsync(Make(make)));
        Assert.Contains($"the file is {words}", refusal.Message);
        Assert.True(_store.IsEmpty);
    }

    /// <summary>A file that a shell makes of the image.</summary>
    private string Make(string line)
    {
        string path = Path.Combine(_folder, "made");
        TestDisk.Run("sh", "-c", line.Replace("IMAGE", disk.Made.Image, StringComparison.Ordinal)
            .Replace("OUT", path, StringComparison.Ordinal));
        return path;
    }
}
