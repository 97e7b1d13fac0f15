using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Bootstrap.Imaging.Store;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Backups;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Server.Storage;
using Bootstrap.Support;
using Dapper;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

/// <summary>A backup is all that an appliance keeps; on another machine it is the same appliance to its nodes and to people.</summary>
public sealed class BackupTests : ApplianceTest
{
    private const string Passphrase = "correct horse battery staple";

    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;
    private static readonly NodeId s_id = NodeId.Parse("10000000bacc0001");

    private readonly string _folder = Directory.CreateTempSubdirectory("test-backup-").FullName;

    private string File => Path.Combine(_folder, "backup");

    private string Restored => Path.Combine(_folder, "restored");

    private readonly SettableClock _clock = new();

    private protected override TimeProvider? Clock => _clock;

    private protected override HttpClient CreateApi() => Appliance.SignIn();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_restored_appliance_on_another_machine_keeps_its_nodes_people_programs_images_and_secrets()
    {
        using ECDsa key = NodeIdentity.CreateKey();
        byte[] kept = key.ExportPkcs8PrivateKey();
        Inventory inventory = SimulatedNode.InventoryOf(s_id, "arm64");
        EnrolResponse enrolled = await SimulatedNode.EnrolAsync(Appliance.Info, key, inventory, s_end);
        NodeIdentity Identity()
        {
            var same = ECDsa.Create();
            same.ImportPkcs8PrivateKey(kept, out _);
            return NodeIdentity.Create(enrolled.Certificate!, same);
        }
        await using (await SimulatedNode.ConnectAsync(Appliance.Info, Identity(), inventory, NodeRole.Slave, s_end))
        {
            await EnsureAsync(Api.PatchAsJsonAsync($"nodes/{s_id}", new { name = "camera-7", tags = new[] { "roof" } }, s_end));
        }
        await EnsureAsync(Api.PostAsync("images?name=tiny&architecture=arm64",
            new ByteArrayContent(TinyImage.Create()) { Headers = { ContentType = new("application/octet-stream") } }, s_end));
        await EnsureAsync(Api.PostAsync("files?name=motd",
            new ByteArrayContent("hello"u8.ToArray()) { Headers = { ContentType = new("application/octet-stream") } }, s_end));
        string locked = Appliance.Services.GetRequiredService<SecretBox>().Lock("hunter2", "a test");
        string own = Path.Combine(Appliance.Options.OverridesFolder, "abcdef01");
        Directory.CreateDirectory(own);
        await System.IO.File.WriteAllTextAsync(Path.Combine(own, "config.txt"), "own", s_end);
        string before = await Api.GetStringAsync("images", s_end);

        await BackUpAsync(images: true);
        string digest = JsonNode.Parse(before)![0]!["digest"]!.ToString();
        Restored restored = await RestoreAsync();
        Assert.Equal((1, 0, null), (restored.Nodes, restored.EndedJobs, restored.Replaced));
        Assert.Empty(restored.MissingImages);

        await using TestAppliance second = await TestAppliance.StartAsync(change: o => o with { DataFolder = Restored }, approve: false);
        Assert.Equal(Appliance.Info.Authority.RawData, second.Info.Authority.RawData);
        Assert.Equal(Appliance.Info.JoinToken, second.Info.JoinToken);
        Assert.Equal("hunter2", second.Services.GetRequiredService<SecretBox>().Unlock(locked, "a test"));
        Assert.Equal("own", await System.IO.File.ReadAllTextAsync(Path.Combine(Restored, "boot", "overrides", "abcdef01", "config.txt"),
            s_end));
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(second.Info, Identity(), inventory, NodeRole.Slave, s_end);
        using HttpClient link = node.CreateLinkClient();
        Assert.Equal(HttpStatusCode.OK, (await link.GetAsync($"/store/manifests/{digest}", s_end)).StatusCode);
        using HttpClient api = second.SignIn();
        JsonNode known = (await api.GetFromJsonAsync<JsonNode>($"nodes/{s_id}", s_end))!;
        Assert.Equal(("camera-7", "roof", "slave"), (known["name"]!.ToString(), known["tags"]![0]!.ToString(), known["link"]!.ToString()));
        Assert.Equal(before, await api.GetStringAsync("images", s_end));
        Assert.Equal("motd", (await api.GetFromJsonAsync<JsonNode>("files", s_end))![0]!["name"]!.ToString());
        Assert.Contains("Restore a backup", await api.GetStringAsync("audit", s_end), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_got_another_key_after_the_backup_goes_on_and_its_older_key_is_nobodys()
    {
        using ECDsa first = NodeIdentity.CreateKey(), second = NodeIdentity.CreateKey(), third = NodeIdentity.CreateKey();
        Inventory inventory = SimulatedNode.InventoryOf(s_id, "arm64");
        X509Certificate2 old = Read((await SimulatedNode.EnrolAsync(Appliance.Info, first, inventory, s_end)).Certificate!);
        await BackUpAsync(images: false);
        // Dates of certificates are in seconds.
        _clock.Now += TimeSpan.FromMinutes(1);
        X509Certificate2 renewed = Renew(first, second);
        _clock.Now += TimeSpan.FromMinutes(1);
        X509Certificate2 newest = Renew(second, third);
        _clock.Now += TimeSpan.FromMinutes(1);
        await RestoreAsync(clock: _clock);
        _clock.Now += TimeSpan.FromMinutes(1);
        await using TestAppliance other = await TestAppliance.StartAsync(clock: _clock, change: o => o with { DataFolder = Restored },
            approve: false);
        NodeKeys keys = other.Services.GetRequiredService<NodeKeys>();
        Assert.Equal(s_id, keys.Find(renewed));
        Assert.Equal(s_id, keys.Find(newest));
        // Older ones do not come back, whoever has them.
        Assert.Null(keys.Find(renewed));
        Assert.Null(keys.Find(old));
        Assert.True(keys.IsRevoked(Protocol.Trust.FingerprintOf(old.PublicKey)));
        // A node that was forgotten is no node by such a certificate, nor one of which the backup knew nothing.
        using HttpClient api = other.SignIn();
        await EnsureAsync(api.DeleteAsync($"nodes/{s_id}", s_end));
        Assert.Null(keys.Find(newest));

        X509Certificate2 Renew(ECDsa from, ECDsa to)
        {
            Assert.True(Appliance.Services.GetRequiredService<NodeKeys>().Renew(s_id, Fingerprint(from), Fingerprint(to)));
            return Appliance.Services.GetRequiredService<CertificateAuthority>().IssueNode(s_id, "node", new PublicKey(to));
        }
        static Digest Fingerprint(ECDsa key) => Protocol.Trust.FingerprintOf(new PublicKey(key));
        static X509Certificate2 Read(byte[] der) => X509CertificateLoader.LoadCertificate(der);
    }

    [Fact]
    public async Task Programs_keep_their_tokens_people_sign_in_again_and_nobody_is_told_old_news()
    {
        using HttpClient program = Appliance.CreateClient();
        // Nobody listens there: what is to be told waits.
        object hook = new { name = "hook", url = "http://127.0.0.1:9/", events = new[] { "new-board" } };
        await EnsureAsync(Api.PutAsJsonAsync("notifications", new { webhooks = new[] { hook } }, s_end));
        await using SimulatedNode node = await ConnectAsync(s_id.ToString());
        await Poll.UntilAsync(
            () => Api.GetFromJsonAsync<JsonNode>("notifications", s_end), n => n!["waiting"]!.AsArray().Count == 1, s_end);
        await BackUpAsync(images: false);
        await RestoreAsync();
        await using TestAppliance second = await TestAppliance.StartAsync(change: o => o with { DataFolder = Restored });
        using HttpClient sameProgram = second.CreateClient(program.DefaultRequestHeaders.Authorization!.Parameter);
        using HttpClient samePerson = second.CreateClient(Api.DefaultRequestHeaders.Authorization!.Parameter);
        Assert.Equal(HttpStatusCode.OK, (await sameProgram.GetAsync("nodes", s_end)).StatusCode);
        // What was told since, or is old, is not told again.
        Assert.Empty((await sameProgram.GetFromJsonAsync<JsonNode>("notifications", s_end))!["waiting"]!.AsArray());
        Assert.Equal(HttpStatusCode.Unauthorized, (await samePerson.GetAsync("nodes", s_end)).StatusCode);
    }

    [Fact]
    public async Task What_was_open_when_the_backup_was_made_is_not_done_again()
    {
        await using SimulatedNode node = await ConnectAsync(s_id.ToString());
        await SwitchOffAsync(node);
        await EnsureAsync(Api.PostAsJsonAsync("jobs", new { kind = "reboot", nodes = new[] { s_id.ToString() } }, s_end));
        await EnsureAsync(Api.PostAsJsonAsync("jobs", new { kind = "reboot", select = "all", notBefore = "2099-01-01T00:00:00Z" }, s_end));
        await EnsureAsync(Api.PostAsJsonAsync("schedules",
            new { name = "hourly", cron = "0 * * * *", missed = "run-once", job = new { kind = "reboot", select = "tag=nobody" } }, s_end));
        await BackUpAsync(images: false);
        var later = new SettableClock { Now = TimeProvider.System.GetUtcNow().AddDays(3) };
        Restored restored = await RestoreAsync(clock: later);
        Assert.Equal(2, restored.EndedJobs);
        await using TestAppliance second = await TestAppliance.StartAsync(clock: later, change: o => o with { DataFolder = Restored });
        using HttpClient api = second.SignIn();
        JsonArray jobs = (await api.GetFromJsonAsync<JsonNode>("jobs", s_end))!.AsArray();
        Assert.Equal(2, jobs.Count);
        Assert.All(jobs, job => Assert.True((bool)job!["ended"]!));
        var tasks = new List<JsonNode?>();
        foreach (JsonNode? job in jobs)
        {
            tasks.AddRange((await api.GetFromJsonAsync<JsonNode>($"jobs/{job!["id"]}", s_end))!["tasks"]!.AsArray());
        }
        Assert.Equal(2, tasks.Count);
        Assert.All(tasks, task => Assert.Equal(("cancelled", "the appliance was restored from a backup"),
            (task!["state"]!.ToString(), task["cause"]!.ToString())));
        // Three days of runs are not made up for.
        Assert.True((long)(await api.GetFromJsonAsync<JsonNode>("schedules/hourly", s_end))!["next"]! > later.Now.ToUnixTimeMilliseconds());
    }

    [Fact]
    public async Task Without_images_it_is_said_which_are_to_be_imported_again_and_then_all_goes_on()
    {
        byte[] image = TinyImage.Create();
        await ImportAsync(Api, image);
        string digest = (await Api.GetFromJsonAsync<JsonNode>("images", s_end))![0]!["digest"]!.ToString();
        await EnsureAsync(Api.PutAsJsonAsync("policy",
            new { installNewBoards = new { arm64 = "tiny" }, authorizedKeys = Array.Empty<string>(), approveNewBoards = true }, s_end));
        await BackUpAsync(images: false);
        Assert.Equal(["tiny"], (await RestoreAsync()).MissingImages);
        await using TestAppliance second = await TestAppliance.StartAsync(change: o => o with { DataFolder = Restored }, keepsPolicy: true);
        using HttpClient api = second.SignIn();
        Assert.Empty((await api.GetFromJsonAsync<JsonNode>("images", s_end))!.AsArray());
        // A board comes meanwhile: it waits, as if nothing were to be installed.
        await using SimulatedNode early = await SimulatedNode.ConnectAsync(second.Info, s_id, NodeRole.NetInst, "arm64", s_end);
        Assert.StartsWith("the image that new boards get is not on the appliance any more", (await early.ReceiveAsync<Wait>(s_end)).Reason,
            StringComparison.Ordinal);
        Assert.Empty((await api.GetFromJsonAsync<JsonNode>("jobs", s_end))!.AsArray());
        await ImportAsync(api, image);
        Assert.Equal(digest, (await api.GetFromJsonAsync<JsonNode>("images", s_end))![0]!["digest"]!.ToString());
        await using SimulatedNode late = await SimulatedNode.ConnectAsync(second.Info, NodeId.Parse("10000000bacc0002"), NodeRole.NetInst,
            "arm64", s_end);
        await late.ReceiveAsync<StartTask>(s_end);
    }

    [Theory]
    [InlineData("cut off in its head", "this is no backup that a passphrase opens")]
    [InlineData("cut off at a block", "this backup is damaged or cut off")]
    [InlineData("cut off by a byte", "this backup is damaged or cut off")]
    [InlineData("a bit changed", "this backup is damaged or cut off")]
    [InlineData("two blocks exchanged", "this backup is damaged or cut off")]
    [InlineData("more at its end", "this backup is damaged or cut off")]
    [InlineData("its head changed", "the head of this backup is damaged")]
    [InlineData("another passphrase", "the passphrase does not open this backup")]
    [InlineData("something else", "this is no backup that a passphrase opens")]
    [InlineData("a guess that costs too much", "this file asks for 2^30 rounds to try a passphrase: it was not made by this program")]
    public async Task A_file_that_is_no_whole_backup_of_this_passphrase_is_one_sentence_and_leaves_nothing(string what, string sentence)
    {
        await ImportAsync(Api, TinyImage.Create());
        await BackUpAsync(images: true);
        byte[] bytes = await System.IO.File.ReadAllBytesAsync(File, s_end);
        int head = bytes.AsSpan().IndexOf("\n---"u8);
        int body = head + 1 + bytes.AsSpan(head + 1).IndexOf((byte)'\n') + 1 + 16;
        const int Block = (64 << 10) + 16;
        Assert.True(bytes.Length > body + 2 * Block);
        byte[] damaged = what switch
        {
            "cut off in its head" => bytes[..30],
            "cut off at a block" => bytes[..(body + Block)],
            "cut off by a byte" => bytes[..^1],
            "two blocks exchanged" => [.. bytes[..body], .. bytes[(body + Block)..(body + 2 * Block)], .. bytes[body..(body + Block)],
                .. bytes[(body + 2 * Block)..]],
            "more at its end" => [.. bytes, 0],
            "something else" => RandomNumberGenerator.GetBytes(1 << 20),
            "a guess that costs too much" => [.. System.Text.Encoding.ASCII.GetBytes(System.Text.Encoding.ASCII.GetString(bytes[..head])
                .Replace(" 17\n", " 30\n", StringComparison.Ordinal)), .. bytes[head..]],
            _ => bytes,
        };
        if (what is "a bit changed" or "its head changed")
        {
            damaged[what == "a bit changed" ? bytes.Length / 2 : head + 10] ^= 1;
        }
        await System.IO.File.WriteAllBytesAsync(File, damaged, s_end);
        // An empty folder stays as it was, and one that was not there is not.
        if (what == "a bit changed")
        {
            Directory.CreateDirectory(Restored);
        }
        var e = await Assert.ThrowsAsync<InvalidDataException>(() => RestoreAsync(what == "another passphrase" ? "correct horse battery " +
            "stable" : Passphrase));
        Assert.Equal(sentence, e.Message);
        Assert.Equal(what == "a bit changed", Directory.Exists(Restored));
        Assert.DoesNotContain(Directory.Exists(Restored) ? Directory.EnumerateFileSystemEntries(Restored) : [],
            path => Path.GetFileName(path) is not ("lock" or "pid"));
    }

    [Fact]
    public async Task An_appliance_that_is_there_stays_unless_it_is_to_be_replaced_and_is_then_put_aside()
    {
        await BackUpAsync(images: false);
        await using (TestAppliance other = await TestAppliance.StartAsync(change: o => o with { DataFolder = Restored }))
        {
            var running = await Assert.ThrowsAsync<IOException>(() => RestoreAsync(replace: true));
            Assert.StartsWith("another appliance", running.Message, StringComparison.Ordinal);
        }
        byte[] authority = await System.IO.File.ReadAllBytesAsync(Path.Combine(Restored, "ca", "ca.pem"), s_end);
        var e = await Assert.ThrowsAsync<InvalidDataException>(() => RestoreAsync());
        Assert.Equal($"there is an appliance in {Restored} already: name an empty folder, or say --replace to put it aside", e.Message);
        Assert.Equal(authority, await System.IO.File.ReadAllBytesAsync(Path.Combine(Restored, "ca", "ca.pem"), s_end));
        string replaced = (await RestoreAsync(replace: true)).Replaced!;
        Assert.Equal(authority, await System.IO.File.ReadAllBytesAsync(Path.Combine(replaced, "ca", "ca.pem"), s_end));
        Assert.Equal(Appliance.Info.Authority.ExportCertificatePem(),
            (await System.IO.File.ReadAllTextAsync(Path.Combine(Restored, "ca", "ca.pem"), s_end)).Trim());
        // What was put aside is an appliance still.
        await using TestAppliance former = await TestAppliance.StartAsync(change: o => o with { DataFolder = replaced });
        Assert.NotEqual(Appliance.Info.Authority.RawData, former.Info.Authority.RawData);
    }

    [Fact]
    public async Task A_backup_that_is_made_while_everything_changes_is_of_one_moment()
    {
        using var stop = new CancellationTokenSource();
        Task changing = Task.Run(async () =>
        {
            for (int seed = 2; !stop.IsCancellationRequested; seed++)
            {
                await ImportAsync(Api, TinyImage.Create(128 << 10, seed), $"image-{seed}");
                await EnsureAsync(Api.PostAsync($"files?name=file-{seed}",
                    new ByteArrayContent([(byte)seed]) { Headers = { ContentType = new("application/octet-stream") } }, s_end));
                if (seed > 4)
                {
                    await EnsureAsync(Api.DeleteAsync($"images/image-{seed - 2}", s_end));
                    await EnsureAsync(Api.DeleteAsync($"files/file-{seed - 2}", s_end));
                }
            }
        }, s_end);
        for (int i = 0; i < 3; i++)
        {
            await BackUpAsync(images: true);
            Restored restored = await RestoreAsync(replace: i > 0);
            Assert.Empty(restored.MissingImages);
            using var database = new Database(Path.Combine(Restored, "appliance.db"));
            var store = new ImageStore(Path.Combine(Restored, "store"));
            Assert.Equal(database.Read(c => c.Query<string>("SELECT digest FROM images ORDER BY digest").ToList()), store.Images()
                .Select(d => d.ToString()).Order());
            string files = Path.Combine(Restored, "files");
            Assert.All(database.Read(c => c.Query<string>("SELECT digest FROM files").ToList()),
                digest => Assert.True(System.IO.File.Exists(Path.Combine(files, digest))));
        }
        await stop.CancelAsync();
        await changing;
        // Nothing is left of the snapshots.
        Assert.Empty(Directory.EnumerateDirectories(Appliance.Options.DataFolder, "snapshot-*"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_chunk_that_is_damaged_or_gone_makes_no_backup_and_is_named(bool gone)
    {
        await ImportAsync(Api, TinyImage.Create());
        string chunk = Directory.EnumerateFiles(Path.Combine(Appliance.Options.DataFolder, "store", "chunks"), "*",
            SearchOption.AllDirectories).First();
        byte[] bytes = await System.IO.File.ReadAllBytesAsync(chunk, s_end);
        bytes[^1] ^= 1;
        System.IO.File.Delete(chunk);
        if (!gone)
        {
            await System.IO.File.WriteAllBytesAsync(chunk, bytes, s_end);
        }
        await using FileStream file = System.IO.File.Create(File);
        var e = await Assert.ThrowsAsync<InvalidDataException>(() =>
            BackupWriter.WriteAsync(Appliance.Options.DataFolder, file, Passphrase, images: true, TimeProvider.System.GetUtcNow(), s_end));
        Assert.Contains(Path.GetFileName(chunk), e.Message, StringComparison.Ordinal);
        await BackupWriter.WriteAsync(Appliance.Options.DataFolder, Stream.Null, Passphrase, images: false,
            TimeProvider.System.GetUtcNow(), s_end);
    }

    private async Task BackUpAsync(bool images)
    {
        using HttpResponseMessage response = await Api.PostAsJsonAsync("backup", new { passphrase = Passphrase, images }, s_end);
        await EnsureAsync(Task.FromResult(response));
        await using FileStream file = System.IO.File.Create(File);
        await response.Content.CopyToAsync(file, s_end);
    }

    private async Task<Restored> RestoreAsync(string passphrase = Passphrase, bool replace = false, TimeProvider? clock = null)
    {
        await using FileStream file = System.IO.File.OpenRead(File);
        return await BackupRestore.RestoreAsync(file, passphrase, Restored, replace, clock ?? TimeProvider.System, s_end);
    }

    private static Task ImportAsync(HttpClient api, byte[] image, string name = "tiny") => EnsureAsync(api.PostAsync(
        $"images?name={name}&architecture=arm64",
            new ByteArrayContent(image) { Headers = { ContentType = new("application/octet-stream") } }, s_end));

    private static async Task EnsureAsync(Task<HttpResponseMessage> request)
    {
        HttpResponseMessage response = await request;
        Assert.True(response.IsSuccessStatusCode, response.IsSuccessStatusCode ? "" : await response.Content.ReadAsStringAsync(s_end));
    }
}
