using System.Net.Http.Headers;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Cli.Tests;

/// <summary>The data folder of a real process: one appliance's, its owner's alone, and told in a sentence where it cannot be
/// used.</summary>
public sealed class DataFolderTests : IDisposable
{
    private const UnixFileMode Others = (UnixFileMode)0x3f;

    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private readonly string _folder = Directory.CreateTempSubdirectory("test-data-").FullName;

    private string Data => Path.Combine(_folder, "data");

    [Fact]
    public async Task A_second_appliance_on_a_folder_touches_nothing_and_a_killed_one_leaves_it_free()
    {
        await using RunningAppliance first = await RunningAppliance.StartAsync(Data);
        string begun = Path.Combine(Data, "store", "temporary", "of-an-import");
        await File.WriteAllTextAsync(begun, "half done", s_end);
        (int code, string output, string errors) = await ServeAsync();
        Assert.Equal((1, "", $"bootstrap: another appliance (process {first.Pid}) uses the data folder {Data}: stop it first, or name " +
            "another folder."), (code, output, errors));
        Assert.True(File.Exists(begun));
        Assert.True(first.Lives);
        await first.KillAsync();
        await using RunningAppliance second = await RunningAppliance.StartAsync(Data);
        Assert.False(File.Exists(begun));
    }

    [Fact]
    public async Task Nothing_in_the_folder_is_for_others_whatever_was_there_before_and_whatever_comes()
    {
        // As an earlier version, or a person, left it.
        await using (RunningAppliance earlier = await RunningAppliance.StartAsync(Data))
        {
            await earlier.KillAsync();
        }
        foreach (string path in Everything())
        {
            File.SetUnixFileMode(path, Directory.Exists(path) ? (UnixFileMode)0x1ff : (UnixFileMode)0x1b4);
        }
        string overrides = Path.Combine(Data, "boot", "overrides", "abcdef01");
        Directory.CreateDirectory(overrides);
        string own = Path.Combine(_folder, "of-the-administrator");
        await File.WriteAllTextAsync(own, "own", s_end);
        File.SetUnixFileMode(own, (UnixFileMode)0x1a4);
        File.CreateSymbolicLink(Path.Combine(overrides, "config.txt"), own);
        string token = Path.Combine(Data, "token");
        await File.WriteAllTextAsync(token, "old", s_end);
        await File.WriteAllTextAsync(token + ".new", "older", s_end);
        File.SetUnixFileMode(token, (UnixFileMode)0x1a4);
        File.SetUnixFileMode(token + ".new", (UnixFileMode)0x1a4);
        Unnote();

        // With a mask under which all that is made is everybody's.
        await using RunningAppliance appliance = await RunningAppliance.StartAsync(Data, ["sh", "-c", "umask 0; exec \"$0\" \"$@\""],
            "--initial-token", token);
        Assert.Contains(appliance.Lines, line => line.Contains($"The data folder {Data} was open to others (mode 777): it is its owner's " +
            "alone now", StringComparison.Ordinal));
        using HttpClient api = appliance.CreateClient((await File.ReadAllTextAsync(token, s_end)).Trim());
        await UploadAsync(api, "files?name=motd", "hello"u8.ToArray());
        await UploadAsync(api, "images?name=tiny&architecture=arm64", Support.TinyImage.Create());
        Assert.DoesNotContain(Everything(), path => (File.GetUnixFileMode(path) & Others) != 0);
        Assert.Contains(Everything(), path => path.EndsWith("appliance.db-wal", StringComparison.Ordinal));
        Assert.Contains(Everything(), path => path.Contains("/store/chunks/", StringComparison.Ordinal) && File.Exists(path));
        Assert.Equal((UnixFileMode)0x1a4, File.GetUnixFileMode(own));
    }

    [Fact]
    public async Task What_the_client_keeps_is_its_users_alone_even_where_a_file_was_there_that_others_read()
    {
        string kept = Path.Combine(_folder, "connection.json");
        await File.WriteAllTextAsync(kept, "old", s_end);
        File.SetUnixFileMode(kept, (UnixFileMode)0x1a4);
        // Somebody who has it open goes on reading the old one.
        using FileStream open = File.OpenRead(kept);
        new Api.Connection(new Uri("https://10.0.0.1:8443"), "the-token", "PEM").Save(kept);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(kept));
        Assert.Contains("the-token", await File.ReadAllTextAsync(kept, s_end), StringComparison.Ordinal);
        using var reader = new StreamReader(open);
        Assert.Equal("old", await reader.ReadToEndAsync(s_end));
    }

    [Fact]
    public async Task A_folder_full_of_other_things_is_left_as_it_is()
    {
        Directory.CreateDirectory(Data);
        File.SetUnixFileMode(Data, (UnixFileMode)0x1ed);
        await File.WriteAllTextAsync(Path.Combine(Data, "thesis.tex"), "", s_end);
        (int code, _, string errors) = await ServeAsync();
        Assert.Equal((1, $"bootstrap: {Data} is no appliance's data folder, and 'thesis.tex' is in it: name an empty folder, or one that " +
            "is not there yet."), (code, errors));
        Assert.Equal((UnixFileMode)0x1ed, File.GetUnixFileMode(Data));
        Assert.Equal(["thesis.tex"], Directory.EnumerateFileSystemEntries(Data).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("newer schema", "the database is of version 9999, this program knows ")]
    [InlineData("secrets.key", "secrets.key holds no key of 32 bytes in hex: put back the file")]
    [InlineData("secrets.key gone", "secrets.key is gone: put back the file")]
    [InlineData("secrets.key of another", "secrets.key is another appliance's than the database: put back the file")]
    [InlineData("ca/ca.key", "are not a certificate and its key (")]
    [InlineData("ca/ca.pem", "are not a certificate and its key (")]
    [InlineData("ca/ca.key of another", "are not a certificate and its key (")]
    [InlineData("ca/ca.pem gone", "ca.pem is gone: put back the file")]
    [InlineData("ca/ca.key gone", "ca.key is gone: put back the file")]
    [InlineData("ca of another", "is another appliance's than the database: put back the files")]
    [InlineData("ca gone", "ca.pem is gone: put back the file")]
    [InlineData("setting policy", "the setting 'policy' in the appliance's database is damaged: put back a copy")]
    [InlineData("setting dhcp", "the setting 'dhcp' in the appliance's database is damaged: put back a copy")]
    [InlineData("setting boot-sets", "the setting 'boot-sets' in the appliance's database is damaged: put back a copy")]
    [InlineData("setting join-token", "the setting 'join-token' in the appliance's database is damaged: put back a copy")]
    [InlineData("setting notifications", "the setting 'notifications' in the appliance's database is damaged: put back a copy")]
    [InlineData("boot set", "set.json is damaged: put the file back, or remove its folder")]
    public async Task What_is_damaged_or_of_another_appliance_is_one_sentence(string what, string sentence)
    {
        await MakeAsync(Data);
        string named = Path.Combine(Data, what.Split(' ')[0]);
        if (what.EndsWith(" of another", StringComparison.Ordinal))
        {
            string other = Path.Combine(_folder, "other");
            await MakeAsync(other);
            string theirs = Path.Combine(other, what.Split(' ')[0]);
            await CommandLine.ToolAsync("rm", "-r", named);
            await CommandLine.ToolAsync("cp", "-r", theirs, named);
        }
        else if (what.EndsWith(" gone", StringComparison.Ordinal))
        {
            await CommandLine.ToolAsync("rm", "-r", named);
        }
        else if (what.StartsWith("setting ", StringComparison.Ordinal))
        {
            Execute("INSERT OR REPLACE INTO settings (key, value) VALUES ($key, '{{')", what.Split(' ')[1]);
        }
        else if (what == "newer schema")
        {
            Execute("PRAGMA user_version = 9999");
        }
        else if (what == "boot set")
        {
            string set = Directory.CreateDirectory(Path.Combine(Data, "boot", "sets", "rpi")).FullName;
            await File.WriteAllTextAsync(Path.Combine(set, "set.json"), "{", s_end);
        }
        else
        {
            await File.WriteAllTextAsync(named, "x", s_end);
        }
        (int code, _, string errors) = await ServeAsync();
        Assert.StartsWith("bootstrap: ", errors, StringComparison.Ordinal);
        Assert.Contains(sentence, errors, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', errors);
        Assert.Equal(1, code);
    }

    [Fact]
    public async Task An_appliance_that_was_first_started_in_1970_is_believed_then_and_when_its_clock_is_right()
    {
        string shim = await ClockAsync();
        string authority;
        await using (RunningAppliance then = await RunningAppliance.StartAsync(Data, ["env", $"LD_PRELOAD={shim}"]))
        {
            authority = await File.ReadAllTextAsync(Path.Combine(Data, "ca", "ca.pem"), s_end);
            // A client whose clock is right, and one whose is not.
            await VerifyAsync(then, []);
            await VerifyAsync(then, ["env", $"LD_PRELOAD={shim}"]);
        }
        await using RunningAppliance now = await RunningAppliance.StartAsync(Data);
        Assert.Equal(authority, await File.ReadAllTextAsync(Path.Combine(Data, "ca", "ca.pem"), s_end));
        await VerifyAsync(now, []);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task MakeAsync(string data)
    {
        await using RunningAppliance appliance = await RunningAppliance.StartAsync(data);
        await appliance.KillAsync();
    }

    private Task<(int Code, string Output,
        string Errors)> ServeAsync() => CommandLine.RunToolAsync(["timeout", "60", CommandLine.Program,
        .. RunningAppliance.Arguments(Data).Arguments]);

    /// <summary>openssl, which knows the CA alone, believes the appliance's server certificate.</summary>
    private async Task VerifyAsync(RunningAppliance appliance, string[] wrapper)
    {
        (int code, string output,
            string errors) = await CommandLine.RunToolAsync([.. wrapper, "openssl", "s_client", "-connect", $"127.0.0.1:{appliance.Https}",
            "-CAfile", Path.Combine(Data, "ca", "ca.pem"), "-verify_return_error", "-verify_ip", "127.0.0.1"]);
        Assert.True(code == 0 && output.Contains("Verify return code: 0 (ok)", StringComparison.Ordinal), output + errors);
    }

    /// <summary>A library that lets a program see the clock of a board that has none: a minute after the epoch.</summary>
    private async Task<string> ClockAsync()
    {
        string source = Path.Combine(_folder, "clock.c"), library = Path.Combine(_folder, "clock.so");
        await File.WriteAllTextAsync(source, """
            #define _GNU_SOURCE
            #include <sys/syscall.h>
            #include <sys/time.h>
            #include <time.h>
            #include <unistd.h>
            int clock_gettime(clockid_t id, struct timespec *t)
            {
                int result = syscall(SYS_clock_gettime, id, t);
                if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
                {
                    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, t);
                    t->tv_sec = t->tv_sec % 60 + 60;
                }
                return result;
            }
            time_t time(time_t *to) { struct timespec t; clock_gettime(CLOCK_REALTIME, &t); if (to) *to = t.tv_sec; return t.tv_sec; }
            int gettimeofday(struct timeval *to, void *zone)
            {
                struct timespec t;
                clock_gettime(CLOCK_REALTIME, &t);
                to->tv_sec = t.tv_sec;
                to->tv_usec = t.tv_nsec / 1000;
                return 0;
            }
            """, s_end);
        await CommandLine.ToolAsync("cc", "-shared", "-fPIC", "-o", library, source);
        return library;
    }

    private IEnumerable<string> Everything() => Directory.EnumerateFileSystemEntries(Data, "*",
        new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint }).Append(Data);

    /// <summary>Lets the initial token be written once more.</summary>
    private void Unnote() => Execute("DELETE FROM tokens; DELETE FROM settings WHERE key = 'initial-token-written'");

    private void Execute(string statement, string? key = null)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(Data, "appliance.db")};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // the test's own words
        command.CommandText = statement;
#pragma warning restore CA2100
        command.Parameters.AddWithValue("$key", key ?? "");
        command.ExecuteNonQuery();
    }

    private static async Task UploadAsync(HttpClient api, string path, byte[] content)
    {
        using var body = new ByteArrayContent(content);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        using HttpResponseMessage answer = await api.PostAsync(path, body, s_end);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(s_end));
    }
}
