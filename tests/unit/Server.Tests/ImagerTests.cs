using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Bootstrap.Server.Features.Access;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>What Raspberry Pi Imager finds at the plain door.</summary>
public sealed class ImagerTests : ApplianceTest
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Stored_images_are_listed_with_a_file_that_has_the_size_and_digest_which_the_list_says()
    {
        byte[] image = TinyImage.Create();
        using HttpResponseMessage imported = await Api.PostAsync("images?name=tiny&architecture=arm64", new ByteArrayContent(image), s_end);
        Assert.Equal(HttpStatusCode.Created, imported.StatusCode);
        using HttpResponseMessage other = await Api.PostAsync("images?name=pc&architecture=amd64", new ByteArrayContent(image), s_end);
        Assert.Equal(HttpStatusCode.Created, other.StatusCode);
        using var plain = new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri($"http://{Appliance.Options.Http}/") };
        await Api.PatchAsJsonAsync("images/tiny", new { @public = true }, s_end);
        JsonNode entry = (await Poll.UntilAsync(() => ListAsync(plain), list => list.Count > 0, s_end)).Single()!;

        Assert.Equal("tiny", entry["name"]!.ToString());
        foreach (string required in new[] { "name", "description", "icon", "url", "extract_size", "extract_sha256", "image_download_size",
            "release_date", "devices" })
        {
            Assert.NotNull(entry[required]);
        }
        Assert.Matches("^20[0-9]{2}-[0-9]{2}-[0-9]{2}$", entry["release_date"]!.ToString());
        byte[] file = await plain.GetByteArrayAsync(entry["url"]!.ToString(), s_end);
        Assert.Equal((long)entry["extract_size"]!, file.Length);
        Assert.Equal(entry["extract_sha256"]!.ToString(), Convert.ToHexStringLower(SHA256.HashData(file)));
        Assert.Equal(image.Length, file.Length);

        // Imager asks for the rest where a download breaks off.
        using var rest = new HttpRequestMessage(HttpMethod.Get, entry["url"]!.ToString());
        rest.Headers.Range = new RangeHeaderValue(1000, null);
        using HttpResponseMessage part = await plain.SendAsync(rest, s_end);
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(file[1000..], await part.Content.ReadAsByteArrayAsync(s_end));
    }

    [Fact]
    public async Task Private_images_are_at_an_address_that_a_person_asked_for_until_it_ends_or_its_maker_does()
    {
        using HttpResponseMessage imported = await Api.PostAsync("images?name=tiny&architecture=arm64",
            new ByteArrayContent(TinyImage.Create()), s_end);
        Assert.Equal(HttpStatusCode.Created, imported.StatusCode);
        using HttpClient viewer = Appliance.CreateClient(Role.Viewer);
        using HttpResponseMessage made = await viewer.PostAsJsonAsync("images/imager-address", new { hours = 2 }, s_end);
        string address = (await made.Content.ReadFromJsonAsync<JsonNode>(s_end))!["url"]!.ToString();
        Assert.StartsWith(Appliance.Url + "imager/", address, StringComparison.Ordinal);
        using HttpClient nobody = Appliance.CreateClient();
        nobody.DefaultRequestHeaders.Authorization = null;
        JsonNode entry = (await Poll.UntilAsync(async () => JsonNode.Parse(await nobody.GetStringAsync(address,
            s_end))!["os_list"]!.AsArray(), list => list.Count > 0, s_end)).Single()!;
        byte[] file = await nobody.GetByteArrayAsync(entry["url"]!.ToString(), s_end);
        Assert.Equal(entry["extract_sha256"]!.ToString(), Convert.ToHexStringLower(SHA256.HashData(file)));

        // It opens nothing else, and as a token it is none.
        string key = address.Split('/')[^2];
        Assert.Equal(HttpStatusCode.NotFound,
            (await nobody.GetAsync(address.Replace(key, new string('0', key.Length), StringComparison.Ordinal), s_end)).StatusCode);
        nobody.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.GetAsync("images", s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest,
            (await viewer.PostAsJsonAsync("images/imager-address", new { hours = 25 }, s_end)).StatusCode);
        Assert.DoesNotContain(key, await Api.GetStringAsync("audit", s_end), StringComparison.Ordinal);

        // With the token that asked for it, it goes.
        JsonNode token = (await Api.GetFromJsonAsync<JsonArray>("tokens", s_end))!.Single(t => t!["role"]!.ToString() == "viewer")!;
        Assert.Equal(HttpStatusCode.NoContent, (await viewer.DeleteAsync($"tokens/{token["id"]}", s_end)).StatusCode);
        nobody.DefaultRequestHeaders.Authorization = null;
        Assert.Equal(HttpStatusCode.NotFound, (await nobody.GetAsync(address, s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await nobody.GetAsync(entry["url"]!.ToString(), s_end)).StatusCode);
    }

    [Fact]
    public async Task NetInsts_card_is_listed_with_this_appliances_part_in_it()
    {
        string folder = Path.Combine(Appliance.Options.ShareFolder, "netinst", "arm64");
        byte[] card = RandomNumberGenerator.GetBytes(100_000);
        await File.WriteAllBytesAsync(Path.Combine(folder, "card.img"), card, s_end);
        await File.WriteAllTextAsync(Path.Combine(folder, "card.img.slot"), "20000 65536", s_end);
        using var plain = new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri($"http://{Appliance.Options.Http}/") };
        JsonNode entry = (await ListAsync(plain)).Single()!;
        byte[] file = await plain.GetByteArrayAsync(entry["url"]!.ToString(), s_end);
        Assert.Equal(entry["extract_sha256"]!.ToString(), Convert.ToHexStringLower(SHA256.HashData(file)));
        Assert.Equal(file, await Api.GetByteArrayAsync("netinst-card/arm64", s_end));
        Assert.Equal(card[..20_000], file[..20_000]);
        Assert.Equal(card[85_536..], file[85_536..]);
        Assert.Contains("joinToken", System.Text.Encoding.Latin1.GetString(file[20_000..85_536]), StringComparison.Ordinal);
    }

    private static async Task<JsonArray> ListAsync(HttpClient plain) =>
        JsonNode.Parse(await plain.GetStringAsync("os_list.json", s_end))!["os_list"]!.AsArray();
}
