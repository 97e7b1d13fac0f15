using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Link;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Kept;
using Bootstrap.Server.Storage;
using Bootstrap.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

/// <summary>What a node keeps through an image update is the appliance's to guard meanwhile.</summary>
public sealed class KeptTests : JobTest
{
    private static readonly byte[] s_archive = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 7))];

    private string Folder => Path.Combine(Appliance.Options.DataFolder, "kept");

    [Fact]
    public async Task A_nodes_archive_is_its_own_and_deleted_when_the_new_system_has_reported_in()
    {
        (SimulatedNode node, StartTask start, string job) = await UpdateAsync();
        Assert.Equal(["/home", "/etc/ssh/ssh_host_*", "/etc/machine-id"], ((InstallOrder)start.Order).Keep!);
        using HttpClient link = node.CreateLinkClient();
        JsonNode state = await JsonAsync(link, KeptArchive.StatePath(start.TaskId));
        Assert.Null(state["archive"]);
        Assert.True((long)state["roomBytes"]! > 0);
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(link, KeptArchive.Path(start.TaskId)));

        JsonNode stored = await PutAsync(link, start.TaskId);
        Assert.Equal((Digest.Of(s_archive).ToString(), (long)s_archive.Length), (stored["digest"]!.ToString(), (long)stored["length"]!));
        Assert.Equal(stored.ToJsonString(), (await JsonAsync(link, KeptArchive.StatePath(start.TaskId)))["archive"]!.ToJsonString());
        string file = Assert.Single(Directory.GetFiles(Folder));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Equal(s_archive, await link.GetByteArrayAsync(KeptArchive.Path(start.TaskId), s_end));
        using (HttpResponseMessage again = await link.PutAsync(KeptArchive.Path(start.TaskId), new ByteArrayContent([1, 2, 3]), s_end))
        {
            Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
        }
        Assert.Equal(s_archive, await File.ReadAllBytesAsync(file, s_end));

        await using SimulatedNode other = await ConnectAsync("10000000dddd0002");
        using HttpClient otherLink = other.CreateLinkClient();
        using HttpClient stranger = new(new ApplianceTls(Appliance.Info.Authority)
            .CreateHandler(null, _ => { }))
        { BaseAddress = link.BaseAddress };
        foreach (HttpClient wrong in new[] { otherLink, stranger })
        {
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(wrong, KeptArchive.Path(start.TaskId)));
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(wrong, KeptArchive.StatePath(start.TaskId)));
            using HttpResponseMessage put = await wrong.PutAsync(KeptArchive.Path(start.TaskId), new ByteArrayContent([1]), s_end);
            Assert.Equal(HttpStatusCode.Forbidden, put.StatusCode);
        }
        Assert.Equal(HttpStatusCode.NotFound,
            (await Api.GetAsync(new Uri(Api.BaseAddress!, KeptArchive.Path(start.TaskId)), s_end)).StatusCode);

        await node.SendAsync(new TaskEnded(start.TaskId, true, false, "", DiskState.Installed), s_end);
        await Poll.UntilAsync(() => GetAsync(job), j => j["tasks"]![0]!["phase"]!.ToString() == "starting", s_end);
        Assert.True(File.Exists(file));
        await node.RestartAsync(NodeRole.Slave, start.TaskId, cancellation: s_end);
        await UntilAsync(job, "succeeded");
        Sweep();
        Assert.Empty(Directory.GetFiles(Folder));
    }

    [Fact]
    public async Task After_a_failed_or_cancelled_update_the_archive_stays_for_a_day_and_the_task_says_where()
    {
        (SimulatedNode node, StartTask start, string job) = await UpdateAsync();
        using HttpClient link = node.CreateLinkClient();
        await PutAsync(link, start.TaskId);
        string file = Assert.Single(Directory.GetFiles(Folder));
        await node.SendAsync(new TaskEnded(start.TaskId, false, false, "the card is broken", DiskState.Unbootable, Final: true), s_end);
        JsonNode task = (await UntilAsync(job, "failed"))["tasks"]![0]!;
        Assert.StartsWith($"what was to be kept of the node is in {file} until ", task["note"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Conflict, await StatusAsync(link, KeptArchive.StatePath(start.TaskId)));
        Time.Now += TimeSpan.FromHours(23);
        Sweep();
        Assert.True(File.Exists(file));
        Time.Now += TimeSpan.FromHours(2);
        Sweep();
        Assert.False(File.Exists(file));
    }

    [Theory]
    [InlineData("x.tar.zst")]
    [InlineData("my own backup of the node, with a long name.tar.zst")]
    public async Task A_strangers_file_among_them_is_left_alone_and_ends_nothing(string name)
    {
        Directory.CreateDirectory(Folder);
        string file = Path.Combine(Folder, name);
        await File.WriteAllTextAsync(file, "mine", s_end);
        Sweep();
        Assert.True(File.Exists(file));
    }

    [Fact]
    public async Task An_archive_that_is_too_large_or_does_not_come_whole_leaves_nothing()
    {
        string folder = Path.Combine(Appliance.Options.DataFolder, "kept-here");
        long room = s_archive.Length;
        using var database = new Database(Path.Combine(Appliance.Options.DataFolder, "other.db"));
        var archives = new KeptArchives(database, folder, () => room, Time);
        var task = Guid.NewGuid();
        room = 1000;
        Assert.Null(await archives.AddAsync(task, new MemoryStream(s_archive), s_end));
        Assert.Empty(Directory.GetFiles(folder));
        room = s_archive.Length;
        await Assert.ThrowsAsync<IOException>(() => archives.AddAsync(task, new BrokenStream(), s_end));
        Assert.Empty(Directory.GetFiles(folder));
        Assert.Null(archives.Find(task));
        Assert.Equal(new KeptArchive(Digest.Of(s_archive), s_archive.Length),
            await archives.AddAsync(task, new MemoryStream(s_archive), s_end));
        Assert.Equal(new KeptState(new KeptArchive(Digest.Of(s_archive), s_archive.Length), room), archives.StateOf(task));
    }

    [Fact]
    public async Task An_installation_keeps_nothing_and_takes_no_archive()
    {
        await ImportAsync();
        await using SimulatedNode node = await ConnectAsync("10000000dddd0001");
        await OrderAsync(new { kind = "install", nodes = new[] { "all" }, image = "tiny" });
        StartTask start = await node.AcceptTaskAsync(s_end);
        Assert.Null(((InstallOrder)start.Order).Keep);
        using HttpClient link = node.CreateLinkClient();
        using HttpResponseMessage put = await link.PutAsync(KeptArchive.Path(start.TaskId), new ByteArrayContent([1]), s_end);
        Assert.Equal(HttpStatusCode.Conflict, put.StatusCode);
    }

    [Fact]
    public async Task What_is_kept_is_the_jobs_or_the_profiles_and_shown()
    {
        await ImportAsync();
        await using SimulatedNode node = await ConnectAsync("10000000dddd0001");
        await Api.PutAsJsonAsync("profiles/lab", new { keptPaths = new[] { "/srv/data" } }, s_end);
        JsonNode job = await GetAsync(await OrderAsync(new
        {
            kind = "install",
            nodes = new[] { "all" },
            image = "tiny",
            parameters = new { update = true, profile = "lab" }
        }));
        Assert.Equal("""["/srv/data"]""", job["job"]!["parameters"]!["keep"]!.ToJsonString());
        job = await GetAsync(await OrderAsync(new
        {
            kind = "install",
            nodes = new[] { "all" },
            image = "tiny",
            parameters = new { update = true, profile = "lab", keep = Array.Empty<string>() }
        }));
        Assert.Equal("[]", job["job"]!["parameters"]!["keep"]!.ToJsonString());
        foreach ((object parameters, string sentence) in new (object, string)[]
        {
            (new { keep = new[] { "/home" } }, "'keep' is of an update alone"),
            (new { update = true, keep = new[] { "home" } }, "'home' is no path"),
            (new { update = true, keep = new[] { "/srv/../etc/shadow" } }, "is no path"),
            (new { update = true, keep = new[] { "/etc/bootstrap/node.pem" } }, "nothing can be written in /etc/bootstrap"),
        })
        {
            Assert.Contains(sentence,
                await RefusalAsync(HttpMethod.Post, "jobs", new { kind = "install", nodes = new[] { "all" }, image = "tiny", parameters }),
                StringComparison.Ordinal);
        }
    }

    private async Task<(SimulatedNode Node, StartTask Start, string Job)> UpdateAsync()
    {
        await ImportAsync();
        SimulatedNode node = await ConnectAsync("10000000dddd0001");
        string job = await OrderAsync(new
        {
            kind = "install",
            nodes = new[] { "all" },
            image = "tiny",
            parameters = new { update = true }
        });
        return (node, await node.AcceptTaskAsync(s_end), job);
    }

    private void Sweep() => Appliance.Services.GetRequiredService<KeptArchives>().Sweep();

    private static async Task<JsonNode> PutAsync(HttpClient link, Guid task)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put,
            KeptArchive.Path(task))
        { Content = new StreamContent(new MemoryStream(s_archive)) };
        request.Headers.TransferEncodingChunked = true;
        using HttpResponseMessage response = await link.SendAsync(request, s_end);
        return (await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonNode>(s_end))!;
    }

    private static async Task<JsonNode> JsonAsync(HttpClient link, string path) => (await link.GetFromJsonAsync<JsonNode>(path, s_end))!;

    private static async Task<HttpStatusCode> StatusAsync(HttpClient link, string path)
    {
        using HttpResponseMessage response = await link.GetAsync(path, s_end);
        return response.StatusCode;
    }

    /// <summary>A connection that ends in the middle.</summary>
    private sealed class BrokenStream : MemoryStream
    {
        private int _reads;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            _reads++ == 0 ? ValueTask.FromResult(100) : throw new IOException("the connection is gone");
    }
}
