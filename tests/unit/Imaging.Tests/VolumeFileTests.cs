using System.Text;
using Bootstrap.Imaging.Disks;
using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Imaging.Tests;

public sealed class VolumeFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("test-volume-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(12, 2_000)]
    [InlineData(16, 20_000)]
    [InlineData(32, 50_000)]
    public void Fat_files_are_found_by_their_long_names_and_read_whole(int bits, int kilobytes)
    {
        string image = Path.Combine(_folder, "fat"), file = Path.Combine(_folder, "file");
        byte[] content = TestDisk.Random(300_001, bits);
        File.WriteAllBytes(file, content);
        TestDisk.Run("mkfs.vfat", "-F", bits.ToString(), "-C", image, kilobytes.ToString(), "-s", "1");
        TestDisk.Run("mmd", "-i", image, "::overlays");
        string[] names = ["bcm2711-rpi-4-b.dtb", "kernel8.img", "A name of exactly 26 letter", "thirteen.text", "UPPER.TXT"];
        foreach (string name in names)
        {
            TestDisk.Run("mcopy", "-i", image, file, "::overlays/" + name);
        }
        using SafeFileHandle handle = File.OpenHandle(image);
        var raw = new RawImage(handle, RandomAccess.GetLength(handle));
        FatVolume volume = FatVolume.TryOpen(raw, 0, raw.Length)!;
        IReadOnlyList<FatEntry> found = volume.List("OVERLAYS")!;
        Assert.Equal(names, found.Where(e => !e.Name.StartsWith('.')).Select(e => e.LongName));
        foreach (FatEntry entry in found.Where(e => !e.IsDirectory))
        {
            using var copy = new MemoryStream();
            volume.CopyTo(entry, copy);
            Assert.Equal(content, copy.ToArray());
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("-b 1024")]
    [InlineData("-b 1024 -O ^extents,^64bit")]
    [InlineData("-b 4096 -O ^extents,^has_journal,^64bit,^metadata_csum")]
    [InlineData("-b 2048 -I 128 -O ^flex_bg,^dir_index,^64bit")]
    [InlineData("-O ^64bit,^filetype")]
    public void Ext_files_directories_and_links_are_read_as_debugfs_reads_them(string options)
    {
        byte[] large = TestDisk.Random(9_000_123, 7);
        string image = MakeExt(options, root =>
        {
            File.WriteAllBytes(Path.Combine(root, "large"), large);
            using (FileStream sparse = File.Create(Path.Combine(root, "sparse")))
            {
                sparse.SetLength(3_000_000);
                sparse.Position = 2_000_000;
                sparse.Write("in the middle"u8);
            }
            Directory.CreateDirectory(Path.Combine(root, "usr/lib/many"));
            for (int i = 0; i < 1500; i++)
            {
                File.WriteAllText(Path.Combine(root, "usr/lib/many", $"file-with-a-rather-long-name-{i}"), $"{i}");
            }
            File.CreateSymbolicLink(Path.Combine(root, "lib"), "usr/lib");
            File.CreateSymbolicLink(Path.Combine(root, "absolute"), "/usr/lib/many/file-with-a-rather-long-name-7");
            File.CreateSymbolicLink(Path.Combine(root, "long"),
                string.Concat(Enumerable.Repeat("usr/../", 20)) + "usr/lib/many/file-with-a-rather-long-name-8");
            File.CreateSymbolicLink(Path.Combine(root, "circle"), "circle");
            File.WriteAllText(Path.Combine(root, "empty"), "");
        });
        using SafeFileHandle handle = File.OpenHandle(image);
        Ext4Files files = Open(handle);
        Assert.Equal(large, files.ReadFile("large", int.MaxValue));
        byte[] sparse = files.ReadFile("/sparse", int.MaxValue)!;
        Assert.Equal(3_000_000, sparse.Length);
        Assert.Equal("in the middle", Encoding.ASCII.GetString(sparse, 2_000_000, 13));
        Assert.Equal(13, sparse.Count(b => b != 0));
        Assert.Equal(1500, files.List("lib/many")!.Count);
        Assert.Equal("1234", Text(files, "lib/many/file-with-a-rather-long-name-1234"));
        Assert.Equal("7", Text(files, "absolute"));
        Assert.Equal("8", Text(files, "long"));
        Assert.Equal("", Text(files, "empty"));
        Assert.Null(files.ReadFile("usr/lib", 1000));
        Assert.Null(files.ReadFile("no/such/file", 1000));
        Assert.Contains("links", Assert.Throws<ImageException>(() => files.ReadFile("circle", 1000)).Message);
        Assert.Contains("more than the 1000", Assert.Throws<ImageException>(() => files.ReadFile("large", 1000)).Message);
    }

    [Fact]
    public void Inline_data_is_refused_by_its_name()
    {
        string image = MakeExt("-I 256 -O inline_data", root =>
        {
            for (int i = 0; i < 200; i++)
            {
                File.WriteAllText(Path.Combine(root, $"a-long-enough-name-{i}"), "");
            }
            File.WriteAllText(Path.Combine(root, "tiny"), "tiny");
        });
        using SafeFileHandle handle = File.OpenHandle(image);
        Assert.Contains("inline data", Assert.Throws<ImageException>(() => Open(handle).ReadFile("tiny", 1000)).Message);
    }

    [Theory]
    [InlineData("-b 1024 -O ^metadata_csum")]
    [InlineData("-b 1024 -O ^extents,^64bit")]
    public void Damaged_ext_tables_are_refused_and_never_crash(string options)
    {
        string image = MakeExt(options, root =>
        {
            Directory.CreateDirectory(Path.Combine(root, "folder"));
            File.WriteAllBytes(Path.Combine(root, "folder/file"), TestDisk.Random(600_000, 1));
            File.CreateSymbolicLink(Path.Combine(root, "link"), "folder/file");
        }, kilobytes: 4096);
        byte[] sound = File.ReadAllBytes(image);
        var random = new Random(20261124);
        int refused = 0;
        for (int round = 0; round < 400; round++)
        {
            byte[] damaged = [.. sound];
            for (int i = random.Next(1, 60); i > 0; i--)
            {
                // The first blocks hold superblock, descriptors, inodes; small numbers and all ones are what breaks readers.
                int at = random.Next(4) > 0 ? 1024 + random.Next(1024) * 4 % 200_000 : random.Next(damaged.Length - 4);
                damaged[at] = (byte)(random.Next(3) switch { 0 => 0xff, 1 => 0, _ => random.Next(256) });
            }
            File.WriteAllBytes(image, damaged);
            using SafeFileHandle handle = File.OpenHandle(image);
            try
            {
                Ext4Files files = Open(handle);
                files.List("folder");
                files.ReadFile("link", 1 << 20);
            }
            catch (ImageException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 1, 400);
    }

    private string MakeExt(string options, Action<string> fill, int kilobytes = 65536)
    {
        string root = Path.Combine(_folder, "root"), image = Path.Combine(_folder, "ext");
        Directory.CreateDirectory(root);
        fill(root);
        TestDisk.Run("mkfs.ext4",
            [.. "-q -F".Split(' '), .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries), "-d", root, image, $"{kilobytes}k"]);
        return image;
    }

    private static Ext4Files Open(SafeFileHandle handle)
    {
        long length = RandomAccess.GetLength(handle);
        return (Ext4Volume.TryOpen(new RawImage(handle, length), 0, length) ?? throw new ImageException("no ext4")).Files;
    }

    private static string? Text(Ext4Files files, string path) =>
        files.ReadFile(path, 1000) is { } bytes ? Encoding.ASCII.GetString(bytes) : null;
}
