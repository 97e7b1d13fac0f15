using System.Text.Json.Nodes;
using Bootstrap.Support;

namespace Bootstrap.Cli.Tests;

/// <summary><c>bootstrap backup</c> and <c>restore</c> as processes: whenever they are killed, what was there before is there
/// still.</summary>
public sealed class BackupTests : IAsyncLifetime
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private CommandLine _line = null!;

    private string Data => _line.Appliance.Options.DataFolder;

    private string Passphrase => Path.Combine(_line.Folder, "passphrase");

    private string Backup => Path.Combine(_line.Folder, "appliance.backup");

    private string Restored => Path.Combine(_line.Folder, "restored");

    public async ValueTask InitializeAsync()
    {
        _line = await CommandLine.StartAsync();
        await File.WriteAllTextAsync(Passphrase, "correct horse battery staple\n", s_end);
    }

    public ValueTask DisposeAsync() => _line.DisposeAsync();

    [Fact]
    public async Task A_backup_is_one_file_that_age_and_tar_open_with_its_passphrase()
    {
        string image = Path.Combine(_line.Folder, "tiny.img");
        await File.WriteAllBytesAsync(image, TinyImage.Create(), s_end);
        Assert.Equal(0, (await _line.RunAsync("images", "import", image, "--architecture", "arm64")).Code);
        (int code, string output, string errors) = await _line.RunAsync("backup", Backup, "--images", "--passphrase-file", Passphrase);
        Assert.Equal((0, ""), (code, output));
        Assert.EndsWith("with the images' bytes, read again and found whole.", errors.Trim(), StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Backup));
        // age asks on a terminal alone.
        string names = await BashAsync($"""
            python3 -c '
            import os, pty, sys
            pid, terminal = pty.fork()
            if pid == 0:
                os.execvp("age", ["age", "--decrypt", "--output", sys.argv[2], sys.argv[1]])
            seen = b""
            while b"passphrase" not in seen:
                seen += os.read(terminal, 1000)
            os.write(terminal, b"correct horse battery staple\n")
            try:
                while os.read(terminal, 1000): pass
            except OSError: pass
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            ' {Backup} {_line.Folder}/opened && tar --zstd --list --file {_line.Folder}/opened
            """);
        Assert.Equal(["backup.json", "appliance.db", "secrets.key", "ca/ca.pem", "ca/ca.key", "ca/server.pem"], names.Split('\n')[..6]);
        Assert.Contains("store/chunks/", names, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_age_itself_has_sealed_is_opened_and_restored()
    {
        Assert.Equal(0, (await _line.RunAsync("backup", Backup, "--data", Data, "--passphrase-file", Passphrase)).Code);
        string sealedAnew = Path.Combine(_line.Folder, "sealed-anew");
        await BashAsync($"""
            python3 -c '
            import os, pty, sys
            def run(*command):
                pid, terminal = pty.fork()
                if pid == 0:
                    os.execvp(command[0], command)
                try:
                    while True:
                        if b"passphrase" in os.read(terminal, 1000):
                            os.write(terminal, b"correct horse battery staple\n")
                except OSError: pass
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                if code: sys.exit(code)
            run("age", "--decrypt", "--output", sys.argv[2] + ".plain", sys.argv[1])
            run("age", "--passphrase", "--output", sys.argv[2], sys.argv[2] + ".plain")
            ' {Backup} {sealedAnew}
            """);
        (int code, string output, string errors) = await _line.RunAsync("restore", sealedAnew, "--data", Restored, "--passphrase-file",
            Passphrase);
        Assert.Equal((0, ""), (code, errors));
        Assert.Contains($"{Restored} is as the appliance was at ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Through_pipes_it_goes_from_one_machine_to_another()
    {
        string script = $"""
            set -o pipefail
            {CommandLine.Program} backup - --passphrase-file {Passphrase} |
                {CommandLine.Program} restore - --data {Restored} --passphrase-file {Passphrase}
            """;
        (int code, string output, string errors) = await _line.RunScriptAsync(script);
        Assert.Equal(0, code);
        Assert.EndsWith("without the images' bytes, read again and found whole.", errors.Trim(), StringComparison.Ordinal);
        Assert.Contains($"start this one: bootstrap serve --data {Restored}", output, StringComparison.Ordinal);
        await using RunningAppliance second = await RunningAppliance.StartAsync(Restored);
        Assert.Contains(second.Lines, line => line.Contains(
            Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(_line.Appliance.Info.Authority.RawData))[..4],
                StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_backup_that_is_broken_off_or_killed_leaves_the_file_that_was_there()
    {
        await File.WriteAllTextAsync(Backup, "an older one", s_end);
        string chunk = await ImportAsync();
        byte[] bytes = await File.ReadAllBytesAsync(chunk, s_end);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(chunk, bytes, s_end);
        (int code, string output, string errors) = await _line.RunAsync("backup", Backup, "--images", "--passphrase-file", Passphrase);
        Assert.Equal((1, "", "bootstrap: the appliance broke the backup off: its log says why"), (code, output, errors.Trim()));
        (code, _, errors) = await _line.RunAsync("backup", Backup, "--images", "--data", Data, "--passphrase-file", Passphrase);
        Assert.Equal((1, $"bootstrap: store/chunks/{Path.GetFileName(chunk)[..2]}/{Path.GetFileName(chunk)} is damaged"),
            (code, errors.Trim()));
        // Killed as it is about to give the file its name.
        await KillAtRenameAsync(1, "backup", Backup, "--passphrase-file", Passphrase);
        Assert.Equal("an older one", await File.ReadAllTextAsync(Backup, s_end));
        Assert.Equal(0, (await _line.RunAsync("backup", Backup, "--passphrase-file", Passphrase)).Code);
        Assert.Equal([Backup], Directory.EnumerateFiles(_line.Folder, "appliance.backup*"));
    }

    [Fact]
    public async Task A_restore_that_is_killed_at_any_moment_leaves_the_old_appliance_or_the_whole_new_one()
    {
        await _line.RunAsync("backup", Backup, "--data", Data, "--passphrase-file", Passphrase);
        string former = Path.Combine(_line.Folder, "former");
        await using (await RunningAppliance.StartAsync(former))
        {
            // An appliance that was there before.
        }
        string old = await AuthorityOf(former);
        var seen = new List<bool>();
        for (bool killed = true; killed;)
        {
            Directory.CreateDirectory(Restored);
            await BashAsync($"cp -a {former}/. {Restored}/");
            killed = await KillAtRenameAsync(seen.Count + 1, "restore", Backup, "--data", Restored, "--replace", "--passphrase-file",
                Passphrase);
            // Whatever opens the folder next finds one or the other.
            Assert.Contains("there is an appliance in",
                (await _line.RunAsync("restore", Backup, "--data", Restored, "--passphrase-file", Passphrase)).Errors,
                StringComparison.Ordinal);
            seen.Add(await AuthorityOf(Restored) != old);
            Assert.Empty(Directory.EnumerateDirectories(Restored, "rest*"));
            string? replaced = Directory.EnumerateDirectories(Restored, "replaced-*").SingleOrDefault();
            Assert.Equal(seen[^1], replaced is not null);
            Assert.Equal(old, await AuthorityOf(replaced ?? Restored));
            if (seen.Count % 5 == 0)
            {
                await using RunningAppliance appliance = await RunningAppliance.StartAsync(Restored);
            }
            Directory.Delete(Restored, recursive: true);
        }
        // The first renames leave the old one, from one of them on it is the new one: there is nothing between.
        Assert.Equal(seen.Order(), seen);
        Assert.Contains(false, seen);
        Assert.True(seen.Count(isNew => isNew) > 5, string.Join(' ', seen));
    }

    [Theory]
    [InlineData("bootstrap: nobody can type the passphrase here: name a file that it is in by --passphrase-file", "backup", "BACKUP")]
    [InlineData("bootstrap: /dev/null is no file: name one, or '-' to send the backup on", "backup", "/dev/null", "--passphrase-file",
        "PASSPHRASE")]
    [InlineData("bootstrap: there is no folder /no/such", "backup", "/no/such/file", "--passphrase-file", "PASSPHRASE")]
    [InlineData("bootstrap: there is no appliance in /etc: name the folder that it keeps its data in", "backup", "BACKUP", "--data",
        "/etc", "--passphrase-file", "PASSPHRASE")]
    [InlineData("bootstrap: there is no file BACKUP", "restore", "BACKUP", "--data", "RESTORED", "--passphrase-file", "PASSPHRASE")]
    [InlineData("bootstrap: this is no backup that a passphrase opens", "restore", "PASSPHRASE", "--data", "RESTORED", "--passphrase-file",
        "PASSPHRASE")]
    [InlineData("bootstrap: A passphrase has 12 to 1024 characters, on one line", "backup", "BACKUP", "--passphrase-file", "/etc/hostname")]
    public async Task What_cannot_be_done_is_one_sentence(string sentence, params string[] arguments)
    {
        string Name(string text) => text.Replace("BACKUP", Backup, StringComparison.Ordinal)
            .Replace("RESTORED", Restored, StringComparison.Ordinal)
            .Replace("PASSPHRASE", Passphrase, StringComparison.Ordinal);
        (int code, string output, string errors) = await _line.RunAsync([.. arguments.Select(Name)]);
        Assert.Equal((1, "", Name(sentence)), (code, output, errors.Trim()));
    }

    [Fact]
    public async Task What_the_appliance_makes_by_itself_is_set_shown_made_fetched_and_removed()
    {
        (int code, string output, string errors) = await _line.RunAsync("backups", "set", "--cron", "0 3 * * *", "--keep", "3",
            "--passphrase-file", Passphrase);
        Assert.Equal((0, ""), (code, errors));
        Assert.StartsWith("a backup without images is made at '0 3 * * *' (UTC), next ", output, StringComparison.Ordinal);
        Assert.Equal(0, (await _line.RunAsync("backups", "make")).Code);
        string name = (await Poll.UntilAsync(async () => JsonNode.Parse((await _line.RunAsync("backups", "list", "--json")).Output),
            list => list!.AsArray().Count == 1, s_end))![0]!["name"]!.ToString();
        Assert.Equal(0, (await _line.RunAsync("backups", "fetch", name, Backup, "--passphrase-file", Passphrase)).Code);
        Assert.Equal(0, (await _line.RunAsync("restore", Backup, "--data", Restored, "--passphrase-file", Passphrase)).Code);
        Assert.Equal(0, (await _line.RunAsync("backups", "remove", name)).Code);
        Assert.Contains("there are 0", (await _line.RunAsync("backups", "show")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backup_that_nobody_takes_from_the_pipe_ends_in_one_sentence()
    {
        (_, _, string errors) = await _line.RunScriptAsync($"{CommandLine.Program} backup - --data {Data} --passphrase-file {Passphrase} " +
            "| true");
        Assert.Equal("bootstrap: the standard output cannot be written: Broken pipe", errors);
    }

    [Fact]
    public async Task A_backup_has_its_name_durably_before_it_is_said_to_be_made()
    {
        string trace = Path.Combine(_line.Folder, "trace");
        string[] strace = ["strace", "--follow-forks", "--quiet=all", $"--output={trace}",
            "--trace=rename,renameat,renameat2,fsync,fdatasync,syncfs"];
        Assert.Equal(0, (await _line.RunAsync(strace, "", "backup", Backup, "--data", Data, "--passphrase-file", Passphrase)).Code);
        string[] calls = await File.ReadAllLinesAsync(trace, s_end);
        int named = Array.FindIndex(calls, call => call.Contains($"\"{Backup}.new\"", StringComparison.Ordinal));
        Assert.Contains(calls[..named], call => call.Contains("sync(", StringComparison.Ordinal));
        Assert.Contains(calls[named..], call => call.Contains("syncfs(", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_was_restored_is_told_as_JSON_where_that_was_asked_for()
    {
        Assert.Equal(0, (await _line.RunAsync("backup", Backup, "--data", Data, "--passphrase-file", Passphrase)).Code);
        (int code, string output, _) = await _line.RunAsync("restore", Backup, "--data", Restored, "--passphrase-file", Passphrase,
            "--json");
        Assert.Equal((0, 0), (code, (int)JsonNode.Parse(output)!["nodes"]!));
    }

    [Fact]
    public async Task Of_a_backup_that_the_passphrase_does_not_open_no_more_is_taken_than_tells_that()
    {
        string own = Path.Combine(_line.Appliance.Options.OverridesFolder, "abcdef01"), other = Path.Combine(_line.Folder, "other");
        await File.WriteAllTextAsync(other, "another passphrase", s_end);
        Directory.CreateDirectory(own);
        await File.WriteAllBytesAsync(Path.Combine(own, "large"), System.Security.Cryptography.RandomNumberGenerator.GetBytes(8 << 20),
            s_end);
        Assert.Equal(0, (await _line.RunAsync("backups", "set", "--passphrase-file", Passphrase)).Code);
        Assert.Equal(0, (await _line.RunAsync("backups", "make")).Code);
        string name = (await Poll.UntilAsync(async () => JsonNode.Parse((await _line.RunAsync("backups", "list", "--json")).Output),
            list => list!.AsArray().Count == 1, s_end))![0]!["name"]!.ToString();
        // A file that cannot become so long is written to before the whole of it has come.
        string script = $"trap '' XFSZ; ulimit -f 4096; export DOTNET_EnableWriteXorExecute=0; exec {CommandLine.Program} backups fetch " +
            $"{name} {Backup} --passphrase-file {other}";
        (int code, _, string errors) = await _line.RunScriptAsync(script);
        Assert.Equal((1, "bootstrap: what came is no whole backup: the passphrase does not open this backup"), (code, errors));
    }

    /// <summary>Runs a command that is killed as it begins its n-th rename(2).</summary>
    /// <returns>False where it ended before.</returns>
    private async Task<bool> KillAtRenameAsync(int number, params string[] arguments)
    {
        string[] trace = ["strace", "--follow-forks", "--quiet=all", "--output=/dev/null", "--trace=rename,renameat,renameat2",
            $"--inject=rename,renameat,renameat2:error=EIO:signal=KILL:when={number}"];
        (int code, _, string errors) = await _line.RunAsync(trace, "", arguments);
        Assert.True(code is 0 or 128 + 9, $"exit code {code}: {errors}");
        return code != 0;
    }

    private async Task<string> ImportAsync()
    {
        string image = Path.Combine(_line.Folder, "tiny.img");
        await File.WriteAllBytesAsync(image, TinyImage.Create(), s_end);
        Assert.Equal(0, (await _line.RunAsync("images", "import", image, "--architecture", "arm64")).Code);
        return Directory.EnumerateFiles(Path.Combine(Data, "store", "chunks"), "*", SearchOption.AllDirectories).First();
    }

    private static Task<string> AuthorityOf(string data) => File.ReadAllTextAsync(Path.Combine(data, "ca", "ca.pem"), s_end);

    private static async Task<string> BashAsync(string script)
    {
        (int code, string output, string errors) = await CommandLine.RunToolAsync(["bash", "-ec", script]);
        Assert.True(code == 0, errors + output);
        return output;
    }
}
