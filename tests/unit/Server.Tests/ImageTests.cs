using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Imaging.Store;
using Bootstrap.Server.Features.Images;
using Bootstrap.Server.Storage;
using Bootstrap.Support;
using Dapper;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

public sealed class ImageTests
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_killed_import_left_goes_at_the_next_start_and_nothing_else()
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync();
        using HttpClient api = appliance.CreateClient();
        await ImportAsync(api, "kept", seed: 1);
        int chunks = ChunkFiles(appliance).Length;
        string left = await ImportAsync(api, "left", seed: 2);
        Assert.True(ChunkFiles(appliance).Length > chunks);
        // Killed between the two: the store has the image, the appliance's books do not.
        appliance.Services.GetRequiredService<Database>().Write(c => c.Execute("DELETE FROM images WHERE digest = @left", new { left }));

        appliance.Services.GetRequiredService<ImageCatalogue>().RemoveLeftovers();

        Assert.Equal(chunks, ChunkFiles(appliance).Length);
        Assert.Single(appliance.Services.GetRequiredService<ImageStore>().Images());
        Assert.Equal(["kept"], (await api.GetFromJsonAsync<JsonArray>("images", s_end))!.Select(i => i!["name"]!.ToString()));
    }

    [Fact]
    public async Task Whoever_imports_a_file_system_that_was_not_unmounted_is_told()
    {
        const int start = 1 << 20, length = 16 << 20;
        byte[] image = TinyImage.Create(length);
        string volume = Path.GetTempFileName();
        using (Process mkfs = Process.Start("mkfs.ext4", ["-q", "-F", "-O", "^metadata_csum", volume, $"{length >> 10}k"]))
        {
            await mkfs.WaitForExitAsync(s_end);
        }
        (await File.ReadAllBytesAsync(volume, s_end)).CopyTo(image, start);
        File.Delete(volume);
        image[start + 1024 + 58] = 0; // s_state
        await using TestAppliance appliance = await TestAppliance.StartAsync();
        using HttpClient api = appliance.CreateClient();
        using HttpResponseMessage answer = await api.PostAsync("images?name=live&architecture=arm64", new ByteArrayContent(image), s_end);
        JsonNode imported = (await answer.Content.ReadFromJsonAsync<JsonNode>(s_end))!;
        Assert.Contains("The ext4 file system in partition 1 was not cleanly unmounted: all of it is stored, free space, too.",
            imported["notes"]!.AsArray().Select(note => note!.ToString()));
        Assert.Equal(image.Length, (long)imported["usedBytes"]!);
    }

    [Fact]
    public async Task An_image_that_cannot_be_installed_says_so_and_is_ordered_for_no_node()
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync();
        using HttpClient api = appliance.CreateClient();
        using HttpResponseMessage answer =
            await api.PostAsync("images?name=rootless&architecture=arm64", new ByteArrayContent(TinyImage.CreateWithoutRoot()), s_end);
        const string fault = "no partition of it holds an ext4 file system";
        JsonNode imported = (await answer.Content.ReadFromJsonAsync<JsonNode>(s_end))!;
        Assert.Equal($"It cannot be installed on nodes: {fault}.", imported["notes"]![0]!.ToString());
        Assert.Equal(fault, (await api.GetFromJsonAsync<JsonNode>("images/rootless", s_end))!["fault"]!.ToString());

        await using SimulatedNode node = await SimulatedNode.ConnectAsync(
            appliance.Info, Protocol.Ids.NodeId.Parse("10000000aaaa0041"), Protocol.Link.NodeRole.NetInst, "arm64", s_end);
        foreach ((HttpMethod method, string path, object body) in new (HttpMethod, string, object)[]
        {
            (HttpMethod.Post, "jobs", new { kind = "install", nodes = new[] { "all" }, image = "rootless" }),
            (HttpMethod.Put, "policy",
                new { installNewBoards = new { arm64 = "rootless" }, authorizedKeys = Array.Empty<string>(), approveNewBoards = true }),
            (HttpMethod.Put, "schedules/nightly",
                new { name = "nightly", cron = "@daily", job = new { kind = "install", select = "all", image = "rootless" } }),
        })
        {
            using var request = new HttpRequestMessage(method, path) { Content = JsonContent.Create(body) };
            using HttpResponseMessage refused = await api.SendAsync(request, s_end);
            Assert.Equal(System.Net.HttpStatusCode.BadRequest, refused.StatusCode);
            Assert.Contains($"Image 'rootless' cannot be installed on nodes: {fault}.",
                (await refused.Content.ReadFromJsonAsync<JsonNode>(s_end))!["detail"]!.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_is_known_of_images_from_before_is_found_out_when_the_appliance_starts()
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync();
        using (HttpClient api = appliance.CreateClient())
        {
            await ImportAsync(api, "whole", 1);
            (await api.PostAsync("images?name=rootless&architecture=arm64", new ByteArrayContent(TinyImage.CreateWithoutRoot()), s_end))
                .EnsureSuccessStatusCode();
        }
        await appliance.RestartAsync(() =>
        {
            using var database = new Database(Path.Combine(appliance.Options.DataFolder, "appliance.db"));
            database.Write(c => c.Execute("UPDATE images SET fault = NULL"));
        });
        using HttpClient again = appliance.CreateClient();
        JsonArray images = (await again.GetFromJsonAsync<JsonArray>("images", s_end))!;
        Assert.Null(Assert.Single(images, i => i!["name"]!.ToString() == "whole")!["fault"]);
        Assert.NotEmpty(Assert.Single(images, i => i!["name"]!.ToString() == "rootless")!["fault"]!.ToString());
    }

    [Theory]
    [InlineData(1_100_000)]
    [InlineData(2_000_000)]
    public async Task An_upload_that_breaks_off_is_told_to_those_who_watch(int after)
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync();
        using HttpClient api = appliance.CreateClient(), watcher = appliance.CreateClient();
        using HttpResponseMessage events = await watcher.GetAsync("events", HttpCompletionOption.ResponseHeadersRead, s_end);
        using var lines = new StreamReader(await events.Content.ReadAsStreamAsync(s_end));
        byte[] image = TinyImage.Create();
        var begun = new TaskCompletionSource();
        Task upload = api.PostAsync(
            "images?name=half&architecture=arm64", new BrokenContent(image[..after], image.Length, begun.Task), s_end);
        Assert.Equal("decoding", await NextPhaseAsync());
        begun.SetResult();
        await Assert.ThrowsAnyAsync<Exception>(() => upload);
        string phase;
        while ((phase = await NextPhaseAsync()) is "decoding" or "storing")
        {
            // One more report.
        }
        Assert.Equal("refused", phase);

        async Task<string> NextPhaseAsync()
        {
            while (true)
            {
                string line = await lines.ReadLineAsync(s_end) ?? throw new EndOfStreamException("the events ended");
                if (line.StartsWith("data:", StringComparison.Ordinal) && line.Contains("\"half\"", StringComparison.Ordinal))
                {
                    return JsonNode.Parse(line["data:".Length..])!["phase"]!.ToString();
                }
            }
        }
    }

    /// <summary>Promises more than it sends.</summary>
    private sealed class BrokenContent(byte[] bytes, long promised, Task until) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            await stream.WriteAsync(bytes, s_end);
            await stream.FlushAsync(s_end);
            await until;
            throw new IOException("the client has gone");
        }

        protected override bool TryComputeLength(out long length)
        {
            length = promised;
            return true;
        }
    }

    private static async Task<string> ImportAsync(HttpClient api, string name, int seed)
    {
        using HttpResponseMessage answer = await api.PostAsync($"images?name={name}&architecture=arm64",
            new ByteArrayContent(TinyImage.Create(seed: seed)), s_end);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonNode>(s_end))!["digest"]!.ToString();
    }

    private static string[] ChunkFiles(TestAppliance appliance) =>
        Directory.GetFiles(Path.Combine(appliance.Services.GetRequiredService<ImageStore>().Folder, "chunks"), "*",
            SearchOption.AllDirectories);
}
