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

    private static async Task<string> ImportAsync(HttpClient api, string name, int seed)
    {
        using HttpResponseMessage answer = await api.PostAsync($"images?name={name}&architecture=arm64", new ByteArrayContent(TinyImage.Create(seed: seed)), s_end);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonNode>(s_end))!["digest"]!.ToString();
    }

    private static string[] ChunkFiles(TestAppliance appliance) =>
        Directory.GetFiles(Path.Combine(appliance.Services.GetRequiredService<ImageStore>().Folder, "chunks"), "*", SearchOption.AllDirectories);
}
