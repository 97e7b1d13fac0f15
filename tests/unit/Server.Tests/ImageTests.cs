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
