namespace Bootstrap.Netboot.Tests;

public sealed class DiskBootFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("bootfile-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_link_out_of_the_folder_is_refused_wherever_it_stands()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "root"));
        Directory.CreateDirectory(Path.Combine(_folder, "root-of-another"));
        File.WriteAllText(Path.Combine(_folder, "root-of-another", "secret"), "s");
        File.CreateSymbolicLink(Path.Combine(_folder, "root", "file"), Path.Combine(_folder, "root-of-another", "secret"));
        File.CreateSymbolicLink(Path.Combine(_folder, "root", "folder"), "../root-of-another");
        foreach (string path in (string[])["file", "folder/secret"])
        {
            IOException refusal = Assert.Throws<IOException>(() => DiskBootFile.OpenBelow(Path.Combine(_folder, "root"), path));
            Assert.Contains("link out of its folder", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_link_that_stays_inside_is_followed_and_so_is_one_to_the_folder_itself()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "real", "sub"));
        File.WriteAllText(Path.Combine(_folder, "real", "sub", "start4.elf"), "elf");
        File.CreateSymbolicLink(Path.Combine(_folder, "real", "start.elf"), "sub/start4.elf");
        File.CreateSymbolicLink(Path.Combine(_folder, "set"), Path.Combine(_folder, "real"));
        using DiskBootFile? file = DiskBootFile.OpenBelow(Path.Combine(_folder, "set"), "start.elf");
        Assert.Equal(3, file!.Length);
        Assert.Null(DiskBootFile.OpenBelow(Path.Combine(_folder, "set"), "absent"));
        Assert.Null(DiskBootFile.OpenBelow(Path.Combine(_folder, "set"), "sub"));
    }
}
