using System.Diagnostics;
using Bootstrap.Agent.Deploy;
using Bootstrap.Installer.Tests;

namespace Bootstrap.Board.Tests;

/// <summary>Archives that GNU tar makes, and what becomes of them when they are damaged.</summary>
public sealed class UnpackingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("unpacking-").FullName;

    private string Target => Directory.CreateDirectory(Path.Combine(_folder, "target")).FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("--format=posix --sparse-version=0.0", false)]
    [InlineData("--format=posix --sparse-version=0.1", false)]
    [InlineData("--format=posix --sparse-version=1.0", false)]
    [InlineData("--format=posix --sparse-version=1.0", true)]
    [InlineData("--format=gnu", false)]
    [InlineData("--format=gnu", true)]
    public void An_archive_with_a_sparse_file_is_refused_by_its_name_and_nothing_is_written(string format, bool hasLongName)
    {
        string name = hasLongName ? $"{new string('d', 90)}/{new string('f', 90)}.img" : "disk.img";
        string archive = Pack(["--sparse", .. format.Split(' ')], ("plain", [1, 2, 3]), (name, Sparse()));
        IOException refusal = Assert.Throws<IOException>(() => Unpack(archive));
        Assert.True(refusal.Message.Contains($"'{name}' in it as a sparse file", StringComparison.Ordinal), refusal.Message);
        Assert.Contains("Nothing was unpacked", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Target));
    }

    [Fact]
    public void A_sparse_file_behind_a_pipe_of_gzip_is_found_as_well()
    {
        string archive = Pack(["--sparse", "--gzip", "--format=gnu"], ("disk.img", Sparse()));
        Assert.Contains("'disk.img' in it as a sparse file", Assert.Throws<IOException>(() => Unpack(archive)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("posix")]
    [InlineData("gnu")]
    [InlineData("ustar")]
    public void The_same_file_packed_without_holes_comes_out_byte_for_byte(string format)
    {
        Unpack(Pack([$"--format={format}"], ("disk.img", Sparse()), ("plain", [1, 2, 3])));
        Assert.Equal(Sparse(), File.ReadAllBytes(Path.Combine(Target, "disk.img")));
        Assert.Equal([1, 2, 3], File.ReadAllBytes(Path.Combine(Target, "plain")));
    }

    [Theory]
    [InlineData("--format=posix", 1)]
    [InlineData("--format=gnu", 2)]
    [InlineData("--format=ustar", 3)]
    [InlineData("--sparse --format=posix", 4)]
    [InlineData("--sparse --format=gnu", 5)]
    [InlineData("--sparse --format=posix --sparse-version=0.0", 6)]
    [InlineData("--gzip --format=gnu", 7)]
    public void Whatever_is_damaged_in_an_archive_ends_in_one_sentence_or_unpacks(string options, int seed)
    {
        string archive = Pack(
            options.Split(' '), ("plain", [1, 2, 3]), (new string('n', 80), Sparse()[..(256 << 10)]), ("last", new byte[1000]));
        byte[] sound = File.ReadAllBytes(archive);
        var random = new Random(seed);
        int refused = 0;
        for (int round = 0; round < 200; round++)
        {
            File.WriteAllBytes(archive, DamagedTar.Of(sound, random));
            try
            {
                Unpack(archive);
            }
            catch (IOException refusal)
            {
                Assert.NotEmpty(refusal.Message);
                Assert.DoesNotContain('\n', refusal.Message);
                refused++;
            }
            Directory.Delete(Target, recursive: true);
        }
        Assert.True(refused > 20, $"{refused} refused");
    }

    /// <summary>4 MiB with two pieces of 4 KiB.</summary>
    private static byte[] Sparse()
    {
        byte[] bytes = new byte[4 << 20];
        new Random(5).NextBytes(bytes.AsSpan(96 << 10, 4096));
        new Random(6).NextBytes(bytes.AsSpan(3 << 20, 4096));
        return bytes;
    }

    private void Unpack(string archive)
    {
        using var target = HeldFolder.Open(Target, isMade: false);
        using FileStream content = File.OpenRead(archive);
        new Unpacking(content, target, new FileOwner(0, 0)).Run();
    }

    private string Pack(IEnumerable<string> options, params (string Name, byte[] Content)[] files)
    {
        string archive = Path.Combine(_folder, "archive.tar"), source = Path.Combine(_folder, "source");
        foreach ((string name, byte[] content) in files)
        {
            string path = Path.Combine(source, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using FileStream file = File.Create(path);
            file.SetLength(content.Length);
            for (int at = 0; at < content.Length; at += 4096)
            {
                ReadOnlySpan<byte> piece = content.AsSpan(at, Math.Min(4096, content.Length - at));
                if (piece.ContainsAnyExcept((byte)0))
                {
                    file.Position = at;
                    file.Write(piece);
                }
            }
        }
        using Process tar = Process.Start(
            new ProcessStartInfo("tar", ["-cf", archive, .. options, "-C", source, .. files.Select(f => f.Name)]))!;
        tar.WaitForExit();
        Assert.Equal(0, tar.ExitCode);
        return archive;
    }
}
