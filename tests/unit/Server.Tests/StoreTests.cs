using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Imaging.Store;
using Bootstrap.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

public sealed class StoreTests
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_damaged_chunk_is_gone_until_the_image_is_imported_again()
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync();
        using HttpClient api = appliance.CreateClient();
        using var plain =
            new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri($"http://{appliance.Options.Http}/store/chunks/") };
        await ImportAsync(api);
        await api.PatchAsJsonAsync("images/tiny", new { @public = true }, s_end);
        string path = Directory.EnumerateFiles(Path.Combine(appliance.Services.GetRequiredService<ImageStore>().Folder, "chunks"), "*",
            SearchOption.AllDirectories).First();
        byte[] sound = await plain.GetByteArrayAsync(Path.GetFileName(path), s_end);

        await File.WriteAllBytesAsync(path, sound[..^1], s_end);
        using HttpResponseMessage damaged = await plain.GetAsync(Path.GetFileName(path), s_end);
        Assert.Equal(HttpStatusCode.Gone, damaged.StatusCode);
        Assert.Null(damaged.Headers.CacheControl?.MaxAge);
        Assert.Contains("import the image again", (string)(await damaged.Content.ReadFromJsonAsync<JsonNode>(s_end))!["detail"]!,
            StringComparison.Ordinal);

        await ImportAsync(api);
        Assert.Equal(sound, await plain.GetByteArrayAsync(Path.GetFileName(path), s_end));
    }

    private static async Task ImportAsync(HttpClient api)
    {
        using HttpResponseMessage imported = await api.PostAsync("images?name=tiny&architecture=arm64",
            new ByteArrayContent(TinyImage.Create()), s_end);
        Assert.Equal(HttpStatusCode.Created, imported.StatusCode);
    }
}
