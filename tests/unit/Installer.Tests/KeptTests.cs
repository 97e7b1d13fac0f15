using System.Diagnostics;
using System.Formats.Tar;
using Bootstrap.Board;

namespace Bootstrap.Installer.Tests;

/// <summary>What people have on a system goes from one real ext4 file system to another.</summary>
public sealed class KeptTests : IDisposable
{
    private static readonly string[] s_usual = ["/home", "/etc/ssh/ssh_host_*", "/etc/machine-id"];

    // An ACL as the kernel has it (linux/posix_acl_xattr.h): version 2, then tag, permissions and number of user::rwx, user:1:r--,
    // group::r-x, mask::rwx, other::---.
    private static readonly byte[] s_acl = Convert.FromHexString(
        "02000000" + "01000700ffffffff" + "0200040001000000" + "04000500ffffffff" + "10000700ffffffff" + "20000000ffffffff");

    private readonly string _folder = Directory.CreateTempSubdirectory("kept-").FullName;
    private readonly List<string> _log = [];
    private readonly string _old, _new;

    public KeptTests()
    {
        (_old, _new) = (Mount("old"), Mount("new"));
        Write(_old, "etc/passwd",
            "root:x:0:0::/root:/bin/sh\nada:x:1001:1001:Ada:/home/ada:/bin/sh\n" +
            "daemon:x:2:2::/:/bin/false\nnobody:x:65534:65534::/:/bin/false\n");
        Write(_old, "etc/shadow", "root:secret:1::::::\nada:$6$hers:19000:0:99999:7:::\n");
        Write(_old, "etc/group", "root:x:0:\nvideo:x:44:ada,other\nada:x:1001:\ngone:x:450:ada\n");
        Write(_old, "etc/machine-id", "0123456789abcdef0123456789abcdef\n");
        Write(_old, "etc/ssh/ssh_host_ed25519_key", "private");
        Write(_old, "etc/ssh/sshd_config", "old");
        Write(_old, "home/ada/notes.txt", "hers\n");
        Write(_new, "etc/passwd", "root:x:0:0::/root:/bin/sh\npi:x:1000:1000::/home/pi:/bin/sh\n");
        Write(_new, "etc/shadow", "root:*:1::::::\n");
        Write(_new, "etc/group", "root:x:0:\nvideo:x:28:\n");
        Write(_new, "etc/ssh/sshd_config", "new");
        Write(_new, "etc/machine-id", "");
        Write(_new, "bin/sh", "");
    }

    public void Dispose()
    {
        Run("umount", _old);
        Run("umount", _new);
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Owners_modes_attributes_links_holes_and_times_come_through()
    {
        string ada = Path.Combine(_old, "home/ada");
        Own(ada, 1001, 1001, 0x1c0);
        Own(Path.Combine(ada, "notes.txt"), 1001, 4_000_000_000, 0x1a0);
        var time = new DateTime(2024, 2, 29, 12, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(Path.Combine(ada, "notes.txt"), time);
        Linux.SetAttribute(Path.Combine(ada, "notes.txt"), "user.colour", [0, 255, 10, 13]);
        Linux.SetAttribute(Path.Combine(ada, "notes.txt"), "system.posix_acl_access", s_acl);
        // What is made in this folder inherits an ACL; what it was without must be without again.
        Write(_old, "home/ada/shared/plain", "x");
        Linux.SetAttribute(Path.Combine(ada, "shared"), "system.posix_acl_default", s_acl);
        Own(Path.Combine(ada, "shared/plain"), 1001, 1001, 0xc01 | 0x1ff); // set-user-id, set-group-id, 0777
        File.CreateSymbolicLink(Path.Combine(ada, "everywhere"), "/etc/shadow");
        Linux.Check(Linux.ChOwn(Path.Combine(ada, "everywhere"), 1001, 1001), "chown");
        Run("ln", Path.Combine(ada, "notes.txt"), Path.Combine(ada, "second"));
        Run("mkfifo", Path.Combine(ada, "pipe"));
        Run("truncate", "-s", "1G", Path.Combine(ada, "sparse"));
        string deep = "home/ada/" + string.Join('/', Enumerable.Repeat(new string('ä', 60), 6));
        Write(_old, $"{deep}/far", "away");

        Move(s_usual);

        string Inside(string path) => Path.Combine(_new, path);
        foreach (string path in new[] { "home/ada", "home/ada/notes.txt", "home/ada/everywhere", "home/ada/shared", "home/ada/shared/plain",
            "home/ada/pipe", "home/ada/sparse" })
        {
            FileStatus was = Linux.StatusOf(Path.Combine(_old, path)), became = Linux.StatusOf(Inside(path));
            Assert.Equal((path, was.Mode, was.User, was.Group, was.Links), (path, became.Mode, became.User, became.Group, became.Links));
            Assert.Equal(was.IsFolder ? 0 : was.Length, was.IsFolder ? 0 : became.Length);
            Assert.Equal(Linux.AttributesOf(Path.Combine(_old, path)), Linux.AttributesOf(Inside(path)));
        }
        Assert.Equal(2, Linux.AttributesOf(Inside("home/ada/notes.txt")).Count);
        Assert.Equal(time, File.GetLastWriteTimeUtc(Inside("home/ada/notes.txt")));
        Assert.Equal(Linux.StatusOf(Inside("home/ada/notes.txt")).Inode, Linux.StatusOf(Inside("home/ada/second")).Inode);
        Assert.Equal("/etc/shadow", new FileInfo(Inside("home/ada/everywhere")).LinkTarget);
        Assert.Equal("away", File.ReadAllText(Inside($"{deep}/far")));
        Assert.Equal(("private", "new"),
            (File.ReadAllText(Inside("etc/ssh/ssh_host_ed25519_key")), File.ReadAllText(Inside("etc/ssh/sshd_config"))));
        Assert.Equal("0123456789abcdef0123456789abcdef\n", File.ReadAllText(Inside("etc/machine-id")));
    }

    [Fact]
    public void People_that_the_new_system_lacks_keep_their_accounts_and_nobody_else_comes_along()
    {
        Move(s_usual);
        Assert.Equal("root:x:0:0::/root:/bin/sh\npi:x:1000:1000::/home/pi:/bin/sh\nada:x:1001:1001:Ada:/home/ada:/bin/sh\n",
            File.ReadAllText(Path.Combine(_new, "etc/passwd")));
        Assert.Equal("root:*:1::::::\nada:$6$hers:19000:0:99999:7:::\n", File.ReadAllText(Path.Combine(_new, "etc/shadow")));
        Assert.Equal("root:x:0:\nvideo:x:28:ada\nada:x:1001:\n", File.ReadAllText(Path.Combine(_new, "etc/group")));
    }

    [Fact]
    public void Whose_number_is_taken_is_left_out_and_the_log_says_so()
    {
        Write(_new, "etc/passwd", "root:x:0:0::/root:/bin/sh\npi:x:1001:1001::/home/pi:/bin/sh\n");
        Move(s_usual);
        Assert.DoesNotContain("ada", File.ReadAllText(Path.Combine(_new, "etc/passwd")));
        Assert.Contains(_log, line =>
            line.Contains("the user ada of the old system is not taken over: the number 1001 is another one's", StringComparison.Ordinal));
    }

    [Fact]
    public void What_goes_while_it_is_looked_at_is_not_kept_and_spoils_nothing_else()
    {
        foreach (string name in new[] { "a", "b", "c" })
        {
            Write(_old, $"srv/brief/{name}", name);
        }
        using var root = new RootedFolder(_old);
        var archive = new MemoryStream();
        new KeptFiles(root, ["/srv/brief/*"], _log.Add).Pack(archive, _ => File.Delete(Path.Combine(_old, "srv/brief/b")));
        archive.Position = 0;
        Unpack(archive);
        Assert.Equal(["a", "c"], Directory.GetFiles(Path.Combine(_new, "srv/brief")).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void What_is_replaced_by_a_link_while_it_is_looked_at_is_not_followed()
    {
        Write(_old, "etc/shadow", "nobody is to read this");
        Write(_old, "srv/brief/a", "a");
        Write(_old, "srv/brief/b", "b");
        using var root = new RootedFolder(_old);
        var archive = new MemoryStream();
        // The folder's second file is looked at after the first one was read, and is then a link.
        string second = Path.Combine(_old, "srv/brief/b");
        new KeptFiles(root, ["/srv/brief/*"], _log.Add).Pack(archive, _ =>
        {
            File.Delete(second);
            File.CreateSymbolicLink(second, Path.Combine(_old, "etc/shadow"));
        });
        archive.Position = 0;
        Unpack(archive);
        Assert.Equal(Path.Combine(_old, "etc/shadow"), new FileInfo(Path.Combine(_new, "srv/brief/b")).LinkTarget);
        Assert.Equal(Linux.ELOOP, Assert.Throws<LinuxException>(() => Linux.OpenFile(second)).Errno);
    }

    [Theory]
    [InlineData("/dev/sda3 /home ext4 defaults 0 2\n", "/home")]
    [InlineData("UUID=1-2 /home/ada/disk ext4 defaults 0 2\n", "/home")]
    [InlineData("LABEL=all /srv btrfs defaults 0 2\n", "/srv/data")]
    [InlineData("/dev/sdb1 /home/ada ext4 defaults 0 2\n", "/home/*")]
    public void What_lies_on_a_file_system_of_its_own_is_refused(string fstab, string kept)
    {
        Write(_old, "etc/fstab",
            "# the usual\nproc /proc proc defaults 0 0\n/dev/sda2 / ext4 defaults 0 1\nnas:/x /home/ada/nas nfs defaults 0 0\n" + fstab);
        Assert.Contains(" cannot be kept", Assert.Throws<InstallException>(() => Pack([kept])).Message);
    }

    [Fact]
    public void A_link_in_the_place_of_a_kept_path_is_refused_unless_its_target_is_kept_as_well()
    {
        Write(_old, "srv/data/x", "x");
        File.CreateSymbolicLink(Path.Combine(_old, "data"), "/srv/data");
        Assert.Contains("/data of the old system is a symbolic link to /srv/data: name that",
            Assert.Throws<InstallException>(() => Pack(["/data"])).Message);
        Move(["/data", "/srv"]);
        Assert.Equal("x", File.ReadAllText(Path.Combine(_new, "srv/data/x")));
    }

    [Fact]
    public void Nothing_is_packed_or_unpacked_by_a_link_that_leads_out_of_a_system()
    {
        string outside = Directory.CreateDirectory(Path.Combine(_folder, "outside")).FullName;
        File.WriteAllText(Path.Combine(outside, "secret"), "appliance's");
        File.CreateSymbolicLink(Path.Combine(_old, "srv"), outside);
        using (var root = new RootedFolder(_old))
        {
            Assert.Equal(0, new KeptFiles(root, ["/srv/secret"], _log.Add).Measure());
        }
        Directory.CreateSymbolicLink(Path.Combine(_new, "home"), outside);
        Move(s_usual);
        Assert.Equal(["secret"], Directory.EnumerateFileSystemEntries(outside).Select(path => Path.GetFileName(path)));
    }

    [Fact]
    public void Unpacking_again_over_a_half_unpacked_system_gives_the_same()
    {
        MemoryStream archive = Pack(s_usual);
        byte[] half = archive.ToArray()[..(int)(archive.Length / 2)];
        Assert.ThrowsAny<IOException>(() => Unpack(new MemoryStream(half)));
        Unpack(archive);
        archive.Position = 0;
        Unpack(archive);
        Assert.Equal("hers\n", File.ReadAllText(Path.Combine(_new, "home/ada/notes.txt")));
    }

    [Fact]
    public void Whatever_is_damaged_in_an_archive_ends_in_one_sentence_or_unpacks()
    {
        using var plain = new MemoryStream();
        using (var decoder = new ZstdSharp.DecompressionStream(Pack(s_usual)))
        {
            decoder.CopyTo(plain);
        }
        var random = new Random(11);
        int refused = 0;
        for (int round = 0; round < 500; round++)
        {
            using var packed = new MemoryStream(new ZstdSharp.Compressor().Wrap(DamagedTar.Of(plain.ToArray(), random)).ToArray());
            try
            {
                Unpack(packed);
            }
            catch (IOException refusal)
            {
                Assert.NotEmpty(refusal.Message);
                refused++;
            }
        }
        Assert.True(refused > 50, $"{refused} refused");
    }

    [Fact]
    public void An_archive_of_another_format_is_refused_in_one_sentence()
    {
        using var plain = new MemoryStream();
        using (var tar = new TarWriter(plain, TarEntryFormat.Gnu, leaveOpen: true))
        {
            tar.WriteEntry(new GnuTarEntry(TarEntryType.RegularFile, "files/home/ada/notes.txt"));
        }
        using var packed = new MemoryStream(new ZstdSharp.Compressor().Wrap(plain.ToArray()).ToArray());
        Assert.Contains("the archive is damaged", Assert.Throws<IOException>(() => Unpack(packed)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_attribute_that_no_archive_holds_is_refused_by_its_file_and_name()
    {
        Linux.SetAttribute(Path.Combine(_old, "home/ada/notes.txt"), "user.a=b", [1]);
        string refusal = Assert.Throws<IOException>(() => Pack(s_usual)).Message;
        Assert.Contains("/home/ada/notes.txt", refusal, StringComparison.Ordinal);
        Assert.Contains("'user.a=b'", refusal, StringComparison.Ordinal);
    }

    private void Move(string[] paths) => Unpack(Pack(paths));

    private MemoryStream Pack(string[] paths)
    {
        using var root = new RootedFolder(_old);
        var files = new KeptFiles(root, paths, _log.Add);
        var archive = new MemoryStream();
        long done = 0, all = files.Measure();
        files.Pack(archive, n => done += n);
        Assert.Equal(all, done);
        archive.Position = 0;
        return archive;
    }

    private void Unpack(Stream archive)
    {
        using var root = new RootedFolder(_new);
        new KeptUnpacker(root, _log.Add).Unpack(archive);
    }

    private string Mount(string name)
    {
        string image = Path.Combine(_folder, $"{name}.img"), folder = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        Run("truncate", "-s", "32M", image);
        Run("mkfs.ext4", "-q", "-F", image);
        Run("mount", "-o", "loop", image, folder);
        return folder;
    }

    private static void Own(string path, uint user, uint group, int mode)
    {
        Linux.Check(Linux.ChOwn(path, user, group), "chown");
        File.SetUnixFileMode(path, (UnixFileMode)mode);
    }

    private static void Write(string root, string path, string text)
    {
        string full = Path.Combine(root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }

    private static void Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {errors}");
    }
}
