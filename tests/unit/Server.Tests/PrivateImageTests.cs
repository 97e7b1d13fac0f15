using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;
using Bootstrap.Server.Features.Access;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>What is in an image, or in a file that is deployed, goes to nodes with approved keys and to people who are signed in, unless an
/// image is public.</summary>
public sealed class PrivateImageTests : ApplianceTest
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private readonly HttpClient _stranger = new(new SocketsHttpHandler());

    public override async ValueTask DisposeAsync()
    {
        _stranger.Dispose();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task A_private_image_goes_to_nobody_over_plain_http_and_to_nodes_by_their_certificates()
    {
        (string[] paths, _) = await ImportAsync("tiny", 1);
        await using SimulatedNode node = await ConnectAsync("10000000abcd0001");
        using HttpClient link = node.CreateLinkClient();
        using var anonymous = new HttpClient(new ApplianceTls(Appliance.Info.Authority).CreateHandler(null, _ => { }));
        foreach (string path in paths)
        {
            Assert.Equal(HttpStatusCode.NotFound, await PlainAsync(path));
            Assert.Equal(HttpStatusCode.Forbidden, (await anonymous.GetAsync($"https://{Appliance.Options.Link}{path}", s_end)).StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await link.GetAsync(path, s_end)).StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await Api.GetAsync(path.TrimStart('/'), s_end)).StatusCode);
        }
        // What was forgotten is a stranger's.
        await Api.DeleteAsync($"nodes/{node.Id}", s_end);
        using HttpClient gone = node.CreateLinkClient();
        foreach (string path in paths)
        {
            Assert.Equal(HttpStatusCode.Forbidden, (await gone.GetAsync(path, s_end)).StatusCode);
        }
    }

    [Fact]
    public async Task A_public_image_goes_to_anybody_until_it_is_private_again_and_takes_no_other_with_it()
    {
        (string[] open, string digest) = await ImportAsync("open", 1);
        (string[] secret, _) = await ImportAsync("secret", 2);
        Assert.Equal(HttpStatusCode.OK, (await Api.PatchAsJsonAsync("images/open", new { @public = true }, s_end)).StatusCode);
        foreach (string path in open)
        {
            Assert.Equal(HttpStatusCode.OK, await PlainAsync(path));
        }
        foreach (string path in secret.Except(open))
        {
            Assert.Equal(HttpStatusCode.NotFound, await PlainAsync(path));
        }
        Assert.Equal(HttpStatusCode.OK, await PlainAsync($"/imager/{digest}.img"));
        await Api.PatchAsJsonAsync("images/open", new { @public = false }, s_end);
        foreach (string path in open.Append($"/imager/{digest}.img"))
        {
            Assert.Equal(HttpStatusCode.NotFound, await PlainAsync(path));
        }
    }

    [Fact]
    public async Task Only_operators_make_an_image_public()
    {
        await ImportAsync("tiny", 1);
        using HttpClient viewer = Appliance.CreateClient(Role.Viewer);
        Assert.Equal(HttpStatusCode.Forbidden, (await viewer.PatchAsJsonAsync("images/tiny", new { @public = true }, s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await Api.PatchAsJsonAsync("images/none", new { @public = true }, s_end)).StatusCode);
        Assert.False((bool)(await Api.GetFromJsonAsync<JsonNode>("images/tiny", s_end))!["public"]!);
    }

    [Fact]
    public async Task An_image_that_is_imported_again_stays_as_public_as_it_was()
    {
        await ImportAsync("tiny", 1);
        await Api.PatchAsJsonAsync("images/tiny", new { @public = true }, s_end);
        await ImportAsync("tiny", 1);
        Assert.True((bool)(await Api.GetFromJsonAsync<JsonNode>("images/tiny", s_end))!["public"]!);
    }

    [Fact]
    public async Task A_file_that_is_deployed_goes_to_nodes_alone()
    {
        byte[] content = RandomNumberGenerator.GetBytes(1000);
        await Api.PostAsync("files?name=secret", new ByteArrayContent(content), s_end);
        string path = $"/store/files/{Digest.Of(content)}";
        Assert.Equal(HttpStatusCode.NotFound, await PlainAsync(path));
        await using SimulatedNode node = await ConnectAsync("10000000abcd0002");
        using HttpClient link = node.CreateLinkClient();
        Assert.Equal(content, await link.GetByteArrayAsync(path, s_end));
    }

    [Fact]
    public async Task NetInst_and_the_nodes_programs_stay_plain()
    {
        foreach (string path in new[] { "/netinst/arm64/kernel", "/netinst/arm64/initramfs", "/programs/slave/arm64" })
        {
            Assert.Equal(HttpStatusCode.OK, await PlainAsync(path));
        }
    }

    private async Task<HttpStatusCode> PlainAsync(string path)
    {
        using HttpResponseMessage answer = await _stranger.GetAsync($"http://{Appliance.Options.Http}{path}", s_end);
        return answer.StatusCode;
    }

    /// <returns>The paths of its manifest and chunks, and its digest.</returns>
    private async Task<(string[] Paths, string Digest)> ImportAsync(string name, byte seed)
    {
        byte[] image = TinyImage.Create();
        image[^1] ^= seed; // so that two of them differ
        using HttpResponseMessage imported = await Api.PostAsync($"images?name={name}&architecture=arm64", new ByteArrayContent(image),
            s_end);
        string digest = (await imported.Content.ReadFromJsonAsync<JsonNode>(s_end))!["digest"]!.ToString();
        SignedManifest signed = JsonSerializer.Deserialize(await Api.GetStringAsync($"store/manifests/{digest}", s_end),
            ProtocolJson.Default.SignedManifest)!;
        ImageManifest manifest = signed.Verify(Digest.Parse(digest), Appliance.Info.Authority, out _)!;
        return ([$"/store/manifests/{digest}", .. manifest.Chunks.Select(c => $"/store/chunks/{c.StoredDigest}")], digest);
    }
}
