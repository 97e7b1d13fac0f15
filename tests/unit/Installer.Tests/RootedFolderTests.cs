using System.Text;
using CsCheck;

namespace Bootstrap.Installer.Tests;

public sealed class RootedFolderTests : IDisposable
{
    private readonly string _outside = Directory.CreateTempSubdirectory("outside-").FullName;
    private readonly string _rootPath;
    private readonly RootedFolder _root;

    public RootedFolderTests()
    {
        _rootPath = Directory.CreateDirectory(Path.Combine(_outside, "root")).FullName;
        _root = new RootedFolder(_rootPath);
    }

    public void Dispose()
    {
        _root.Dispose();
        Directory.Delete(_outside, recursive: true);
    }

    [Fact]
    public void A_link_to_an_absolute_path_stays_inside()
    {
        File.CreateSymbolicLink(Path.Combine(_rootPath, "etc"), _outside);
        Directory.CreateDirectory(_rootPath + _outside);
        _root.WriteFile("/etc/hostname", "x"u8, 0x1a4);
        Assert.False(File.Exists(Path.Combine(_outside, "hostname")));
        Assert.Equal("x", File.ReadAllText(_rootPath + _outside + "/hostname"));
        Assert.Equal("x", _root.ReadText("/etc/hostname"));
    }

    [Fact]
    public void A_link_in_the_place_of_the_file_is_replaced_and_not_followed()
    {
        string victim = Path.Combine(_outside, "victim");
        File.WriteAllText(victim, "mine");
        File.CreateSymbolicLink(Path.Combine(_rootPath, "hostname"), "../victim");
        _root.WriteFile("/hostname", "x"u8, 0x180);
        Assert.Equal("mine", File.ReadAllText(victim));
        Assert.Equal("x", File.ReadAllText(Path.Combine(_rootPath, "hostname")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_rootPath, "hostname")));
    }

    [Fact]
    public void What_is_not_there_reads_as_nothing()
    {
        Assert.Null(_root.ReadText("/etc/hosts"));
        Assert.Empty(_root.Names("/etc/ssh"));
        Assert.False(_root.Exists("/etc"));
        _root.Delete("/etc/ssh/key");
    }

    [Fact]
    public void Whatever_links_an_image_holds_nothing_outside_of_it_changes()
    {
        Gen<string> name = Gen.OneOf("a", "b", "c", "..", ".");
        Gen<string> path = name.Array[1, 4].Select(parts => string.Join('/', parts));
        Gen<string> target = Gen.Select(Gen.OneOf("", "/", "../", "../../", _outside + "/"), path, (prefix, rest) => prefix + rest);
        Gen.Select(Gen.Select(Gen.OneOf("a", "b", "c"), target).Array[0, 3], path).Sample((links, wanted) =>
        {
            foreach (FileSystemInfo entry in new DirectoryInfo(_rootPath).EnumerateFileSystemInfos())
            {
                if (entry is DirectoryInfo { LinkTarget: null } folder)
                {
                    folder.Delete(recursive: true);
                }
                else
                {
                    entry.Delete();
                }
            }
            foreach ((string link, string to) in links)
            {
                if (!Path.Exists(Path.Combine(_rootPath, link)) && new FileInfo(Path.Combine(_rootPath, link)).LinkTarget is null)
                {
                    File.CreateSymbolicLink(Path.Combine(_rootPath, link), to);
                }
            }
            try
            {
                _root.WriteFile(wanted, Encoding.ASCII.GetBytes("x"), 0x1a4);
                _root.Link(wanted, "somewhere");
                _root.Delete(wanted);
            }
            catch (Exception e) when (e is IOException or ArgumentException)
            {
                // Loops, and names of folders, are refused: that is well.
            }
            return Directory.GetFileSystemEntries(_outside).SequenceEqual([_rootPath]);
        }, threads: 1, iter: 2000);
    }
}
