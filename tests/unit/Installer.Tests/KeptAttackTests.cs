using System.Diagnostics;
using System.Globalization;
using Bootstrap.Board;

namespace Bootstrap.Installer.Tests;

/// <summary>What root puts into a user's folder of another system, while a process of that user changes the names there as fast as it
/// can.</summary>
public sealed class KeptAttackTests : IDisposable
{
    private const uint User = 61234;
    private const int Private = 0x180, Public = 0x1b4, Folder = 0x1ed;
    private const string Secret = "root's own\n";

    private static readonly FileOwner s_user = new(User, User);

    private readonly string _tree = Directory.CreateTempSubdirectory("kept-attack-").FullName;
    private readonly RootedFolder _root;

    private string App => Path.Combine(_tree, "home", "app");

    private string Vault => Path.Combine(_tree, "vault");

    private string Victim => Path.Combine(Vault, "victim");

    public KeptAttackTests()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root writes into other users' folders");
        File.SetUnixFileMode(_tree, (UnixFileMode)Folder);
        _root = new RootedFolder(_tree);
        Directory.CreateDirectory(Vault);
        File.WriteAllText(Victim, Secret);
        File.SetUnixFileMode(Victim, (UnixFileMode)Private);
        MakeHome();
    }

    public void Dispose()
    {
        _root.Dispose();
        Directory.Delete(_tree, recursive: true);
    }

    [Fact]
    public void A_user_who_swaps_names_while_files_links_pipes_and_folders_are_kept_turns_none_to_root_s()
    {
        (int done, int refused) = Attack(round =>
        {
            using var content = new MemoryStream([1, 2, 3]);
            _root.WriteFile("/home/app/file", content, Public, s_user, DateTime.UnixEpoch);
            _root.Link("/home/app/current", $"conf.{round}", s_user);
            _root.MakePipe("/home/app/pipe", Public, s_user);
            _root.AddName("/home/app/file", "/home/app/second");
            _root.MakeFolder("/home/app/conf.d", Folder, s_user);
            _root.WriteFile("/home/app/conf.d/a", "a"u8, Public, s_user);
        });
        Assert.True(done > 0, $"{done} done, {refused} refused");
    }

    [Fact]
    public void A_user_s_link_on_the_way_is_refused_by_name_and_one_of_root_s_is_followed()
    {
        Directory.CreateSymbolicLink($"{App}/out", "/vault");
        Linux.Check(Linux.ChOwn($"{App}/out", User, User), "out");
        // What root made in a folder of the user's, he could have put another in the place of.
        Directory.CreateSymbolicLink($"{App}/later", "/vault");
        using var content = new MemoryStream([1]);
        Action<string>[] all =
        [
            way => _root.WriteFile($"{way}/new", "x"u8, Public, s_user),
            way => _root.WriteFile($"{way}/new", content, Public, s_user, DateTime.UnixEpoch),
            way => _root.Link($"{way}/new", "elsewhere", s_user),
            way => _root.MakePipe($"{way}/new", Public, s_user),
            way => _root.AddName("/home/app/own", $"{way}/new"),
            way => _root.AddName($"{way}/victim", "/home/app/new"),
            way => _root.MakeFolder($"{way}/new", Public, s_user),
            way => _root.Delete($"{way}/victim"),
        ];
        File.WriteAllText($"{App}/own", "");
        foreach (Action<string> write in all)
        {
            foreach (string link in new[] { "out", "later" })
            {
                IOException refusal = Assert.ThrowsAny<IOException>(() => write($"/home/app/{link}"));
                Assert.Contains($"/home/app/{link} is a symbolic link to /vault", refusal.Message, StringComparison.Ordinal);
            }
        }
        AssertUntouched();

        Directory.CreateSymbolicLink($"{_tree}/data", "vault/../vault");
        _root.WriteFile("/data/sub/new", "x"u8, Public);
        Assert.Equal("x", File.ReadAllText($"{Vault}/sub/new"));
    }

    [Fact]
    public void Where_a_folder_is_to_be_a_user_s_link_is_replaced_and_gives_nothing_away()
    {
        Directory.CreateSymbolicLink($"{App}/.ssh", "/vault");
        Linux.Check(Linux.ChOwn($"{App}/.ssh", User, User), ".ssh");
        _root.MakeFolder("/home/app/.ssh", Folder, s_user);
        _root.WriteFile("/home/app/.ssh/authorized_keys", "key"u8, Private, s_user);
        AssertUntouched();
        Assert.Null(new DirectoryInfo($"{App}/.ssh").LinkTarget);
        Assert.Equal((User, Folder), (Linux.StatusOf($"{App}/.ssh").User, Linux.StatusOf($"{App}/.ssh").Permissions));
    }

    private void MakeHome()
    {
        Directory.CreateDirectory(App);
        Array.ForEach([Path.GetDirectoryName(App)!, App], path => Linux.Check(Linux.ChOwn(path, User, User), path));
    }

    private void AssertUntouched()
    {
        Assert.Equal(Secret, File.ReadAllText(Victim));
        FileStatus victim = Linux.StatusOf(Victim), vault = Linux.StatusOf(Vault);
        Assert.Equal((0u, 0u, Private, 1u), (victim.User, victim.Group, victim.Permissions, victim.Links));
        Assert.Equal((0u, Folder), (vault.User, vault.Permissions));
        Assert.Equal([Victim], Directory.GetFileSystemEntries(Vault));
    }

    /// <summary>Does it again and again until the user has swapped thousands of names; root's file and folder must be as they
    /// were.</summary>
    private (int Done, int Refused) Attack(Action<int> keep)
    {
        const int swaps = 6_000;
        using Process user = Process.Start(new ProcessStartInfo("setpriv",
            [$"--reuid={User}", $"--regid={User}", "--clear-groups", "/usr/bin/python3", "-c", Attacker, App, Vault,
            swaps.ToString(CultureInfo.InvariantCulture)])
        { RedirectStandardOutput = true })!;
        int done = 0, refused = 0;
        try
        {
            for (int round = 0; !user.HasExited; round++)
            {
                try
                {
                    keep(round);
                    done++;
                }
                catch (IOException)
                {
                    refused++;
                }
            }
        }
        finally
        {
            user.Kill();
        }
        Assert.Equal($"{swaps}", user.StandardOutput.ReadToEnd().Trim());
        AssertUntouched();
        return (done, refused);
    }

    /// <summary>Puts links to root's in the places of files, pipes, links and folders. Prints how often it did.</summary>
    private const string Attacker = """
        import os, sys
        app, vault, swaps = sys.argv[1], sys.argv[2], int(sys.argv[3])
        done = 0
        def attempt(*steps):
            for step, *words in steps:
                try:
                    step(*words)
                except OSError:
                    pass
        while done < swaps:
            for name in ('file', 'pipe', 'second', 'current'):
                path = app + '/' + name
                attempt((os.rename, path, app + '/.taken'), (os.symlink, vault + '/victim', path))
                done += 1
            path = app + '/conf.d'
            attempt((os.rename, path, app + '/.aside'), (os.symlink, vault, path), (os.unlink, path), (os.rename, app + '/.aside', path))
            attempt((os.rename, app, app + '.aside'), (os.symlink, vault, app), (os.unlink, app), (os.rename, app + '.aside', app))
            done += 1
        print(min(done, swaps))
        """;
}
