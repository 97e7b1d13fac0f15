using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Access;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>What is on its way when a credential or a key ends does not arrive.</summary>
public sealed class DownloadTests : JobTest
{
    /// <summary>More than what the kernel holds for a connection.</summary>
    private const int Bytes = 32 << 20;

    [Theory]
    [InlineData("the address has ended")]
    [InlineData("the token that asked for it is revoked")]
    public async Task An_image_for_Imager_is_cut_when(string what)
    {
        await ImportLargeAsync();
        using HttpClient viewer = Appliance.CreateClient(Role.Viewer), nobody = Appliance.CreateClient(secret: null);
        using HttpResponseMessage made = await viewer.PostAsJsonAsync("images/imager-address", new { hours = 2 }, s_end);
        string list = (await made.Content.ReadFromJsonAsync<JsonNode>(s_end))!["url"]!.ToString();
        string url = list.Replace("os_list.json", $"{await DigestAsync()}.img", StringComparison.Ordinal);
        using HttpResponseMessage download = await BeginAsync(nobody, url);
        if (what == "the address has ended")
        {
            Time.Advance(TimeSpan.FromHours(2));
        }
        else
        {
            JsonNode token = (await Api.GetFromJsonAsync<JsonArray>("tokens", s_end))!.Single(t => t!["role"]!.ToString() == "viewer")!;
            (await viewer.DeleteAsync($"tokens/{token["id"]}", s_end)).EnsureSuccessStatusCode();
        }
        await CutAsync(download);
    }

    [Fact]
    public async Task A_public_image_is_cut_when_it_is_private_again()
    {
        await ImportLargeAsync();
        (await Api.PatchAsJsonAsync("images/tiny", new { @public = true }, s_end)).EnsureSuccessStatusCode();
        using var plain = new HttpClient(new SocketsHttpHandler());
        using HttpResponseMessage download = await BeginAsync(plain, $"http://{Appliance.Options.Http}/imager/{await DigestAsync()}.img");
        (await Api.PatchAsJsonAsync("images/tiny", new { @public = false }, s_end)).EnsureSuccessStatusCode();
        await CutAsync(download);
    }

    [Fact]
    public async Task A_file_is_cut_when_the_node_that_fetches_it_is_forgotten()
    {
        byte[] content = RandomNumberGenerator.GetBytes(Bytes);
        using (var body = new ByteArrayContent(content))
        {
            body.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
            (await Api.PostAsync("files?name=large", body, s_end)).EnsureSuccessStatusCode();
        }
        await using SimulatedNode node = await ConnectAsync("10000000dddd0001"), other = await ConnectAsync("10000000dddd0002");
        using HttpClient link = node.CreateLinkClient(), otherLink = other.CreateLinkClient();
        string path = $"/store/files/{Digest.Of(content)}";
        using HttpResponseMessage download = await BeginAsync(link, path), untouched = await BeginAsync(otherLink, path);
        (await Api.DeleteAsync($"nodes/{node.Id}", s_end)).EnsureSuccessStatusCode();
        await CutAsync(download);
        using var rest = new MemoryStream();
        await (await untouched.Content.ReadAsStreamAsync(s_end)).CopyToAsync(rest, s_end);
        Assert.Equal(content[1..], rest.ToArray());
    }

    [Fact]
    public async Task What_a_node_sends_to_be_kept_is_cut_when_it_is_forgotten_and_nothing_of_it_stays()
    {
        await ImportAsync();
        await using SimulatedNode node = await ConnectAsync("10000000dddd0001");
        await OrderAsync(new { kind = "install", nodes = new[] { "all" }, image = "tiny", parameters = new { update = true } });
        StartTask start = await node.AcceptTaskAsync(s_end);
        using HttpClient link = node.CreateLinkClient();
        var body = new System.IO.Pipelines.Pipe();
        using var request = new HttpRequestMessage(HttpMethod.Put,
            KeptArchive.Path(start.TaskId))
        { Content = new StreamContent(body.Reader.AsStream()) };
        request.Headers.TransferEncodingChunked = true;
        Task<HttpResponseMessage> upload = link.SendAsync(request, s_end);
        await body.Writer.WriteAsync(new byte[300_000], s_end);
        string folder = Path.Combine(Appliance.Options.DataFolder, "kept");
        await Poll.UntilAsync(() => Task.FromResult(Directory.Exists(folder) && Directory.GetFiles(folder).Length == 1), there => there,
            s_end);
        (await Api.DeleteAsync($"nodes/{node.Id}", s_end)).EnsureSuccessStatusCode();
        // It goes on sending, and finds that nobody takes it.
        while (!upload.IsCompleted)
        {
            await body.Writer.WriteAsync(new byte[4096], s_end);
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, s_end);
        }
        await Assert.ThrowsAsync<HttpRequestException>(() => upload);
        await Poll.UntilAsync(() => Task.FromResult(Directory.GetFiles(folder).Length), left => left == 0, s_end);
    }

    private async Task ImportLargeAsync()
    {
        using HttpResponseMessage answer = await Api.PostAsync("images?name=tiny&architecture=arm64",
            new ByteArrayContent(TinyImage.Create(Bytes)), s_end);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
    }

    private async Task<string> DigestAsync() => (await GetAsync("images/tiny"))["digest"]!.ToString();

    /// <summary>The first byte has come.</summary>
    private static async Task<HttpResponseMessage> BeginAsync(HttpClient client, string url)
    {
        HttpResponseMessage response = await client.GetAsync(url, HttpCompletionOption.ResponseHeadersRead, s_end);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(1, await (await response.Content.ReadAsStreamAsync(s_end)).ReadAsync(new byte[1], s_end));
        return response;
    }

    /// <summary>Reads as slowly as a card is written, and does not come to the end.</summary>
    private static async Task CutAsync(HttpResponseMessage download)
    {
        Stream content = await download.Content.ReadAsStreamAsync(s_end);
        byte[] piece = new byte[128 << 10];
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            while (await content.ReadAsync(piece, s_end) > 0)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, s_end);
            }
        });
    }
}
