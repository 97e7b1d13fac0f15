using System.Diagnostics;
using System.Formats.Tar;
using System.Globalization;
using System.Text;
using Bootstrap.Agent;
using Bootstrap.Agent.Deploy;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Board.Tests;

/// <summary>Files that root puts into a user's folder, while a process of that user changes the names there as fast as it can.</summary>
public sealed class DeployAttackTests : IDisposable
{
    private const uint User = 61234;
    private const int Private = 0x180, Public = 0x1b4;
    private const string Secret = "root's own\n";

    private readonly string _folder = Directory.CreateTempSubdirectory("deploy-attack-").FullName;

    private string App => Path.Combine(_folder, "home", "app");

    private string Vault => Path.Combine(_folder, "vault");

    private string Victim => Path.Combine(Vault, "victim");

    public DeployAttackTests()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root writes into other users' folders");
        File.SetUnixFileMode(_folder, (UnixFileMode)0x1ed);
        Directory.CreateDirectory(Vault);
        File.WriteAllText(Victim, Secret);
        File.SetUnixFileMode(Victim, (UnixFileMode)Private);
        MakeHome();
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_user_who_swaps_names_while_a_file_is_deployed_turns_it_to_no_file_of_root_s()
    {
        (int done, int refused) = await AttackAsync(async round =>
        {
            byte[] content = Encoding.ASCII.GetBytes($"round {round}\n");
            await Deployment.PutAsync(
                $"{App}/app.conf", new FileOwner(User, User), Public, content.Length, Digest.Of(content), async file =>
            {
                file.Write(content);
                await Task.Yield();
            });
        });
        Assert.True(done > 0, $"{done} done, {refused} refused");
    }

    [Fact]
    public async Task Nor_while_an_archive_is_unpacked()
    {
        (int done, int refused) = await AttackAsync(async round => await Deployment.UnpackAsync(App, new FileOwner(User, User), archive =>
        {
            using var tar = new TarWriter(archive, leaveOpen: true);
            tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "conf.d") { Mode = (UnixFileMode)0x1ff });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "conf.d/a")
            {
                Mode = (UnixFileMode)Public,
                DataStream = new MemoryStream(Encoding.ASCII.GetBytes($"round {round}\n")),
            });
            tar.WriteEntry(new PaxTarEntry(
                TarEntryType.RegularFile, "victim")
            { Mode = (UnixFileMode)Public, DataStream = new MemoryStream([1, 2, 3]) });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "current") { LinkName = $"conf.{round}" });
            return Task.CompletedTask;
        }));
        Assert.True(done > 0, $"{done} done, {refused} refused");
    }

    [Fact]
    public async Task Nor_while_a_list_is_kept_in_a_file_of_the_user_s()
    {
        (int done, int refused) = await AttackAsync(round =>
        {
            DurableFile.Update($"{App}/hosts", before =>
                Encoding.ASCII.GetBytes($"{(before?.AsSpan().IndexOf("own"u8) >= 0 ? "leaked" : "")}{round}\n"));
            return Task.CompletedTask;
        });
        Assert.True(done > 0, $"{done} done, {refused} refused");
        Assert.DoesNotContain("leaked", File.ReadAllText($"{App}/hosts"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_that_a_user_made_is_refused_by_name_and_one_of_roots_own_is_followed()
    {
        Directory.CreateSymbolicLink($"{App}/out", Vault);
        Linux.Check(Linux.ChOwn($"{App}/out", User, User), "out");
        IOException refusal = await Assert.ThrowsAsync<IOException>(() => PutAsync($"{App}/out/new"));
        Assert.Contains($"{App}/out is a symbolic link to {Vault}", refusal.Message, StringComparison.Ordinal);

        // Root made this one, but in a folder where the user may put another in its place.
        Directory.CreateSymbolicLink($"{App}/later", Vault);
        await Assert.ThrowsAsync<IOException>(() => PutAsync($"{App}/later/new"));
        Assert.Equal([Victim], Directory.GetFileSystemEntries(Vault));

        Directory.CreateSymbolicLink($"{_folder}/data", "vault/../vault");
        Assert.StartsWith("written", await PutAsync($"{_folder}/data/sub/new"), StringComparison.Ordinal);
        Assert.StartsWith("unchanged:", await PutAsync($"{Vault}/sub/new"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_name_of_a_file_of_root_s_gives_that_to_nobody()
    {
        // The kernel may forbid users this (fs.protected_hardlinks); root's file has the very content that is deployed.
        Linux.Check(Linux.LinkAt(Linux.AT_FDCWD, Victim, Linux.AT_FDCWD, $"{App}/new", 0), "linking");
        Assert.StartsWith("written", await PutAsync($"{App}/new"), StringComparison.Ordinal);
        Assert.Equal((0u, Private), (Linux.StatusOf(Victim).User, Linux.StatusOf(Victim).Permissions));
        Assert.Equal((User, Public), (Linux.StatusOf($"{App}/new").User, Linux.StatusOf($"{App}/new").Permissions));
    }

    [Fact]
    public async Task What_an_attempt_that_was_killed_has_left_goes_with_the_next_one()
    {
        string left = $"{App}/.new.{Guid.NewGuid():N}.bootstrap-new", other = $"{App}/.other.{Guid.NewGuid():N}.bootstrap-new";
        File.WriteAllText(left, "half");
        File.WriteAllText(other, "another program's");
        await PutAsync($"{App}/new");
        Assert.Equal([other, $"{App}/new"], Directory.GetFileSystemEntries(App).Order(StringComparer.Ordinal));
    }

    private void MakeHome()
    {
        Directory.CreateDirectory(App);
        Array.ForEach([Path.GetDirectoryName(App)!, App], path => Linux.Check(Linux.ChOwn(path, User, User), path));
    }

    private static async Task<string> PutAsync(string path)
    {
        byte[] content = Encoding.ASCII.GetBytes(Secret);
        return await Deployment.PutAsync(
            path, new FileOwner(User, User), Public, content.Length, Digest.Of(content), async file => await file.WriteAsync(content));
    }

    /// <summary>Does it again and again until the user has swapped thousands of names; root's file and folder must be as they
    /// were.</summary>
    private async Task<(int Done, int Refused)> AttackAsync(Func<int, Task> deploy)
    {
        const int swaps = 20_000;
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
                    await deploy(round);
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
        Assert.Equal($"{swaps}", (await user.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).Trim());
        Assert.Equal(Secret, File.ReadAllText(Victim));
        FileStatus victim = Linux.StatusOf(Victim), vault = Linux.StatusOf(Vault);
        Assert.Equal((0u, 0u, Private, 1u), (victim.User, victim.Group, victim.Permissions, victim.Links));
        Assert.Equal((0u, 0x1ed), (vault.User, vault.Permissions));
        Assert.Equal([Victim], Directory.GetFileSystemEntries(Vault));
        // Whatever he has left there, it works once he has tidied up.
        Directory.Delete(Path.GetDirectoryName(App)!, recursive: true);
        MakeHome();
        await deploy(-1);
        return (done + 1, refused);
    }

    /// <summary>Puts links in the places of new files, of files that are there, and of the folders. Prints how often it did.</summary>
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
            try:
                names = os.listdir(app)
            except OSError:
                names = []
            for name in names:
                path = app + '/' + name
                if not os.path.islink(path) and not os.path.isdir(path) and not name.endswith('.taken'):
                    attempt((os.rename, path, app + '/.taken'), (os.symlink, vault + '/victim', path))
                    done += 1
                elif name in ('conf.d', 'current'):
                    attempt((os.rename, path, app + '/.aside'), (os.symlink, vault, path), (os.unlink, path),
                        (os.rename, app + '/.aside', path))
                    done += 1
            attempt((os.unlink, app + '/.app.conf.bootstrap-new'), (os.symlink, vault + '/victim', app + '/.app.conf.bootstrap-new'))
            attempt((os.rename, app, app + '.aside'), (os.symlink, vault, app), (os.unlink, app), (os.rename, app + '.aside', app))
            done += 1
        print(min(done, swaps))
        """;
}
