using System.Diagnostics;
using System.Formats.Tar;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Bootstrap.Server.Features.Backups;
using Bootstrap.Server.Http;
using Bootstrap.Server.Storage;
using Bootstrap.Support;
using Microsoft.Extensions.DependencyInjection;
using ZstdSharp;

namespace Bootstrap.Server.Tests;

/// <summary>Backups and restores where something is not as it should be: clocks, files, folders, and what is in a backup.</summary>
public sealed class BackupFaultTests : ApplianceTest
{
    private const string Passphrase = "correct horse battery staple";

    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    /// <summary>Noon, a day ahead.</summary>
    private static readonly DateTimeOffset s_start = new DateTimeOffset(TimeProvider.System.GetUtcNow().Date, TimeSpan.Zero).AddDays(1)
        .AddHours(12);

    private readonly string _folder = Directory.CreateTempSubdirectory("test-backup-fault-").FullName;

    private readonly SettableClock _clock = new() { Now = s_start };

    private protected override TimeProvider? Clock => _clock;

    private protected override HttpClient CreateApi() => Appliance.SignIn();

    private string Data => Appliance.Options.DataFolder;

    private string Restored => Path.Combine(_folder, "restored");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_clock_that_was_days_ahead_keeps_no_later_backup_from_being_made_and_from_staying()
    {
        await PutAsync(new { cron = "0 3 * * *", keep = 1, passphrase = Passphrase });
        _clock.Now = s_start.AddDays(2);
        await UntilMadeAsync();
        _clock.Now = s_start.AddHours(1);
        SettingsStore settings = Appliance.Services.GetRequiredService<SettingsStore>();
        await Poll.UntilAsync(() => Task.FromResult(settings.Get<JsonNode>("backups-state")!),
            state => (long)state["seenUntil"]! == _clock.Now.ToUnixTimeMilliseconds(), s_end);
        _clock.Now = s_start.AddHours(15);
        await UntilMadeAsync();
        Assert.Single(new BackupFolder(Path.Combine(Data, "backups")).List());
    }

    [Fact]
    public async Task A_backup_that_falls_due_while_another_is_made_is_made_next()
    {
        await PutAsync(new { cron = "0 3 * * *", passphrase = Passphrase });
        // A pipe holds it up.
        string certificate = Path.Combine(Data, "ca", "server.pem");
        byte[] content = await File.ReadAllBytesAsync(certificate, s_end);
        File.Delete(certificate);
        await ToolAsync("mkfifo", certificate);
        (await Api.PostAsync("backups", null, s_end)).EnsureSuccessStatusCode();
        await using (FileStream pipe = await Task.Run(() => new FileStream(certificate, FileMode.Open, FileAccess.Write), s_end))
        {
            _clock.Now = s_start.AddHours(15);
            File.Delete(certificate);
            await File.WriteAllBytesAsync(certificate, content, s_end);
        }
        await UntilMadeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_damaged_manifest_makes_no_backup_is_named_and_ends_nothing(bool isJson)
    {
        await ImportAsync();
        await PutAsync(new { images = true, passphrase = Passphrase });
        string manifest = Directory.EnumerateFiles(Path.Combine(Data, "store", "manifests")).Single();
        string text = await File.ReadAllTextAsync(manifest, s_end);
        JsonNode changed = JsonNode.Parse(text)!;
        foreach ((string key, JsonNode? value) in changed.AsObject().ToList())
        {
            byte[] bytes = Convert.FromBase64String(value!.ToString());
            bytes[Encoding.UTF8.GetString(bytes).IndexOf("tiny", StringComparison.Ordinal) is >= 0 and var at ? at : 0] ^= 1;
            changed[key] = Convert.ToBase64String(bytes);
        }
        await File.WriteAllTextAsync(manifest, isJson ? changed.ToJsonString() : text[..^1], s_end);
        (await Api.PostAsync("backups", null, s_end)).EnsureSuccessStatusCode();
        JsonNode view = await Poll.UntilAsync(GetAsync, v => v["last"] is not null, s_end);
        Assert.Equal($"store/manifests/{Path.GetFileName(manifest)} is damaged: import its image again",
            view["last"]!["error"]!.ToString());
    }

    [Fact]
    public async Task Whoever_fetches_a_kept_backup_is_in_the_audit_log()
    {
        await PutAsync(new { passphrase = Passphrase });
        (await Api.PostAsync("backups", null, s_end)).EnsureSuccessStatusCode();
        await UntilMadeAsync();
        string name = (await GetAsync())["backups"]![0]!["name"]!.ToString();
        await Api.GetByteArrayAsync($"backups/{name}", s_end);
        JsonNode entry = (await Api.GetFromJsonAsync<JsonNode>("audit", s_end))![0]!;
        Assert.Equal(("Fetch a kept backup", name), (entry["what"]!.ToString(), entry["subject"]!.ToString()));
    }

    [Fact]
    public async Task Boards_own_files_are_backed_up_behind_links_and_what_never_ends_is_left_out()
    {
        string overrides = Appliance.Options.OverridesFolder, board = Path.Combine(overrides, "abcdef01"),
            set = Path.Combine(Data, "boot", "sets", "pi");
        Directory.CreateDirectory(board);
        Directory.CreateDirectory(set);
        await File.WriteAllTextAsync(Path.Combine(board, "config.txt"), "own", s_end);
        File.CreateSymbolicLink(Path.Combine(overrides, "abcdef02"), "abcdef01");
        File.CreateSymbolicLink(Path.Combine(board, "loop"), "..");
        File.CreateSymbolicLink(Path.Combine(board, "nowhere"), "no-such-file");
        File.CreateSymbolicLink(Path.Combine(board, "endless"), "/dev/zero");
        await ToolAsync("mkfifo", Path.Combine(board, "pipe"));
        await File.WriteAllTextAsync(Path.Combine(set, ".of-the-image"), "dotted", s_end);
        Dictionary<string, byte[]> contents = await ContentsAsync();
        Assert.Equal(["boot/overrides/abcdef01/config.txt", "boot/overrides/abcdef02/config.txt", "boot/sets/pi/.of-the-image"],
            contents.Keys.Where(name => name.StartsWith("boot/", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_key_that_is_a_link_is_backed_up_with_what_it_leads_to()
    {
        string key = Path.Combine(Data, "secrets.key");
        File.Move(key, Path.Combine(Data, "elsewhere.key"));
        File.CreateSymbolicLink(key, "elsewhere.key");
        Assert.Equal(await File.ReadAllBytesAsync(key, s_end), (await ContentsAsync())["secrets.key"]);
    }

    [Fact]
    public async Task A_folder_whose_name_begins_like_a_restored_state_is_left_alone()
    {
        string own = Path.Combine(Data, "restored-images");
        byte[] authority = Appliance.Info.Authority.RawData;
        await Appliance.RestartAsync(() => Directory.CreateDirectory(own));
        Assert.Equal(authority, Appliance.Info.Authority.RawData);
        Assert.True(Directory.Exists(own));
        Assert.Empty(Directory.EnumerateDirectories(Data, "replaced-*"));
        Assert.True(File.Exists(Path.Combine(Data, "appliance.db")));
    }

    [Fact]
    public async Task What_is_mounted_in_the_folder_is_named_before_anything_is_changed()
    {
        string store = Path.Combine(Restored, "store"), file = await BackUpAsync();
        Directory.CreateDirectory(store);
        await ToolAsync("mount", "-t", "tmpfs", "tmpfs", store);
        try
        {
            var e = await Assert.ThrowsAsync<InvalidDataException>(() => RestoreAsync(file));
            Assert.Equal($"{store} is mounted, and cannot be put aside: unmount it for the time of the restore", e.Message);
            AssertNothingIn(Restored, "store");
        }
        finally
        {
            await ToolAsync("umount", store);
        }
        await RestoreAsync(file);
    }

    [Fact]
    public async Task A_state_that_is_about_to_be_replaced_is_not_backed_up()
    {
        Directory.CreateDirectory(Path.Combine(Restored, "restored-20300101-000000"));
        await File.WriteAllTextAsync(Path.Combine(Restored, "appliance.db"), "", s_end);
        var e = await Assert.ThrowsAsync<InvalidDataException>(() =>
            BackupWriter.WriteAsync(Restored, Stream.Null, Passphrase, images: false, s_start, s_end));
        Assert.Equal($"a restore in {Restored} was broken off as it took the place of what was there: start the appliance first",
            e.Message);
    }

    [Fact]
    public async Task What_a_killed_appliance_left_where_backups_are_kept_ends_nothing_when_it_cannot_be_removed()
    {
        string kept = Directory.CreateDirectory(Path.Combine(_folder, "kept")).FullName;
        await ToolAsync("mount", "-t", "tmpfs", "tmpfs", kept);
        try
        {
            await File.WriteAllTextAsync(Path.Combine(kept, "bootstrap-20300101-000000.tar.zst.age.new"), "half", s_end);
            await ToolAsync("mount", "-o", "remount,ro", kept);
            new BackupFolder(kept).RemoveLeftovers();
        }
        finally
        {
            await ToolAsync("umount", kept);
        }
    }

    [Theory]
    [InlineData("no database", "there is no database in this backup")]
    [InlineData("no key", "")]
    [InlineData("a database that is none", "")]
    [InlineData("a damaged database", "")]
    [InlineData("a damaged manifest", "what is in this backup does not fit together: ")]
    [InlineData("a manifest of nothing", "the manifest 0000000000000000000000000000000000000000000000000000000000000000 in this backup " +
        "is none")]
    [InlineData("a chunk that is another", "files/0000000000000000000000000000000000000000000000000000000000000000 is damaged")]
    [InlineData("../outside", "there is '../outside' in this backup, which no backup has")]
    [InlineData("/tmp/outside", "there is '/tmp/outside' in this backup, which no backup has")]
    [InlineData("boot/overrides/../../outside", "there is 'boot/overrides/../../outside' in this backup, which no backup has")]
    [InlineData("kept", "there is 'kept' in this backup, which no backup has")]
    [InlineData("a link", "there is 'boot/overrides/link' in this backup, which no backup has")]
    [InlineData("a file twice", "")]
    [InlineData("a file in a file", "")]
    [InlineData("a bad archive", "")]
    [InlineData("a header of terabytes", "")]
    public async Task A_forged_backup_is_refused_in_a_sentence_and_leaves_nothing(string what,
        string sentence)
    {
        Dictionary<string, byte[]> contents = await ContentsAsync();
        var more = new List<TarEntry>();
        byte[] tail = [];
        switch (what)
        {
            case "no database":
                contents.Remove("appliance.db");
                break;
            case "no key":
                contents.Remove("ca/ca.key");
                break;
            case "a database that is none":
                contents["appliance.db"] = "nothing of the kind"u8.ToArray();
                break;
            case "a damaged database":
                contents["appliance.db"].AsSpan(4096).Fill(0xff);
                break;
            case "a damaged manifest":
                contents["store/manifests/" + new string('0', 64)] = "{"u8.ToArray();
                break;
            case "a manifest of nothing":
                contents["store/manifests/" + new string('0', 64)] = "null"u8.ToArray();
                break;
            case "a chunk that is another":
                contents["files/" + new string('0', 64)] = "another"u8.ToArray();
                break;
            case "a link":
                more.Add(new PaxTarEntry(TarEntryType.SymbolicLink, "boot/overrides/link") { LinkName = "/etc" });
                break;
            case "a file twice":
                more.Add(new PaxTarEntry(TarEntryType.RegularFile, "secrets.key"));
                break;
            case "a file in a file":
                more.Add(new PaxTarEntry(TarEntryType.RegularFile, "kept/a") { DataStream = new MemoryStream([1]) });
                more.Add(new PaxTarEntry(TarEntryType.RegularFile, "kept/a/b") { DataStream = new MemoryStream([1]) });
                break;
            case "a bad archive":
                tail = RandomNumberGenerator.GetBytes(4096);
                break;
            case "a header of terabytes":
                tail = HeaderOf('x', long.MaxValue);
                break;
            default:
                contents[what] = [1];
                break;
        }
        string file = await SealAsync(contents, more, tail);
        Directory.CreateDirectory(Restored);
        Exception e = (await Record.ExceptionAsync(() => RestoreAsync(file)))!;
        Assert.True(e is InvalidDataException or IOException, e.ToString());
        Assert.StartsWith(sentence, e.Message, StringComparison.Ordinal);
        AssertNothingIn(Restored);
        Assert.False(File.Exists(Path.Combine(_folder, "outside")));
    }

    [Fact]
    public async Task Of_ways_to_write_the_same_only_the_one_of_the_specification_is_read()
    {
        // A last block without content, behind another one.
        using var file = new MemoryStream();
        byte[] key = AgeHeader.Write(file, Passphrase), block = new byte[64 << 10], tag = new byte[16], nonce = new byte[12];
        using (var cipher = new ChaCha20Poly1305(key))
        {
            cipher.Encrypt(nonce, block, block, tag);
            file.Write([.. block, .. tag]);
            (nonce[10], nonce[11]) = (1, 1);
            cipher.Encrypt(nonce, block[..0], block[..0], tag);
            file.Write(tag);
        }
        file.Position = 0;
        await using (var reader = AgeReader.Open(file, Passphrase))
        {
            await Assert.ThrowsAsync<InvalidDataException>(() => reader.CopyToAsync(Stream.Null, s_end));
        }
        // Padding, where nothing else sees it.
        byte[] bytes = file.ToArray();
        int head = bytes.AsSpan().IndexOf("\n---"u8) + 1, end = head + bytes.AsSpan(head).IndexOf((byte)'\n');
        using var padded = new MemoryStream([.. bytes[..end], (byte)'=', .. bytes[end..]]);
        Assert.Equal("the head of this backup is damaged",
            Assert.Throws<InvalidDataException>(() => AgeReader.Open(padded, Passphrase)).Message);
    }

    /// <summary>The head of an entry that says that it is of some length, and nothing behind it.</summary>
    private static byte[] HeaderOf(char type, long length)
    {
        byte[] header = new byte[512];
        "long"u8.CopyTo(header);
        "0000600\0"u8.CopyTo(header.AsSpan(100));
        header[124] = 0x80; // in base 256
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(128), length);
        header[156] = (byte)type;
        "ustar\000"u8.CopyTo(header.AsSpan(257));
        header.AsSpan(148, 8).Fill((byte)' ');
        Encoding.ASCII.GetBytes(Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0') + "\0 ").CopyTo(header, 148);
        return header;
    }

    private static void AssertNothingIn(string folder, params string[] but) => Assert.DoesNotContain(
        Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName), name => name is not ("lock" or "pid")
            && !but.Contains(name));

    private async Task<string> BackUpAsync()
    {
        string path = Path.Combine(_folder, "backup");
        await using FileStream file = File.Create(path);
        await BackupWriter.WriteAsync(Data, file, Passphrase, images: true, s_start, s_end);
        return path;
    }

    private async Task<Dictionary<string, byte[]>> ContentsAsync()
    {
        var contents = new Dictionary<string, byte[]>();
        await using FileStream file = File.OpenRead(await BackUpAsync());
        BackupDescription description = await BackupReader.ReadAsync(file, Passphrase, async (name, content) =>
        {
            using var copy = new MemoryStream();
            await content.CopyToAsync(copy, s_end);
            contents[name] = copy.ToArray();
        }, s_end);
        contents[BackupContents.Description] = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(description, ApiJson.Options);
        return contents;
    }

    private async Task<string> SealAsync(Dictionary<string, byte[]> contents, List<TarEntry> more, byte[] tail)
    {
        using var archive = new MemoryStream();
        await using (var tar = new TarWriter(archive, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach ((string name, byte[] content) in contents.OrderBy(c => c.Key != BackupContents.Description))
            {
                await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) },
                    s_end);
            }
            foreach (TarEntry entry in more)
            {
                await tar.WriteEntryAsync(entry, s_end);
            }
        }
        if (tail.Length > 0)
        {
            archive.SetLength(archive.Length - 1024); // in the place of the end
            archive.Position = archive.Length;
            archive.Write(tail);
        }
        string path = Path.Combine(_folder, "sealed");
        await using FileStream file = File.Create(path);
        await using AgeWriter sealing = AgeWriter.Create(file, Passphrase);
        await using (var compressed = new CompressionStream(sealing, 1, leaveOpen: true))
        {
            await compressed.WriteAsync(archive.ToArray(), s_end);
        }
        await sealing.FinishAsync(s_end);
        return path;
    }

    private async Task<Restored> RestoreAsync(string path)
    {
        await using FileStream file = File.OpenRead(path);
        return await BackupRestore.RestoreAsync(file, Passphrase, Restored, replace: false, TimeProvider.System, s_end);
    }

    private async Task ImportAsync()
    {
        using var image = new ByteArrayContent(TinyImage.Create()) { Headers = { ContentType = new("application/octet-stream") } };
        (await Api.PostAsync("images?name=tiny&architecture=arm64", image, s_end)).EnsureSuccessStatusCode();
    }

    private async Task PutAsync(object plan) => (await Api.PutAsJsonAsync("backups", plan, s_end)).EnsureSuccessStatusCode();

    private async Task<JsonNode> GetAsync() => (await Api.GetFromJsonAsync<JsonNode>("backups", s_end))!;

    private Task UntilMadeAsync() => Poll.UntilAsync(GetAsync, v => !(bool)v["running"]! && v["last"] is { } last
        && last["error"]!.ToString().Length == 0 && (long)last["at"]! == _clock.Now.ToUnixTimeMilliseconds()
        && v["backups"]!.AsArray().Any(b => (long)b!["madeAt"]! == _clock.Now.ToUnixTimeMilliseconds()), s_end);

    private static async Task ToolAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        await process.WaitForExitAsync(s_end);
        Assert.Equal(0, process.ExitCode);
    }
}
