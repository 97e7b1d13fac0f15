using System.Net;
using System.Net.Http.Headers;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>What boot programs, curl -I and management controllers ask before they fetch, and by which address they are told to.</summary>
public sealed class HeadTests : ApplianceTest
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("boot/ipxe", HttpStatusCode.OK)]
    [InlineData("boot/ipxe?mac=52:54:00:00:00:09", HttpStatusCode.OK)]
    [InlineData("boot/01eeffc0/config.txt", HttpStatusCode.OK)]
    [InlineData("boot/01eeffc0/kernel8.img", HttpStatusCode.OK)]
    [InlineData("boot/01eeffc0/boot.sig", HttpStatusCode.NotFound)]
    [InlineData("boot/files/config.txt", HttpStatusCode.OK)]
    [InlineData("boot/files/nothing", HttpStatusCode.NotFound)]
    [InlineData("netinst/arm64/kernel", HttpStatusCode.OK)]
    [InlineData("programs/slave/amd64", HttpStatusCode.OK)]
    [InlineData("os_list.json", HttpStatusCode.OK)]
    [InlineData("imager/netinst.img", HttpStatusCode.NotFound)]
    [InlineData("store/chunks/0", HttpStatusCode.NotFound)]
    public async Task HEAD_is_answered_as_GET_is_at_the_boards_door(string path, HttpStatusCode status)
    {
        using var plain = new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri($"http://{Appliance.Options.Http}/") };
        await CompareAsync(plain, path, status);
    }

    [Theory]
    [InlineData("nodes", HttpStatusCode.OK)]
    [InlineData("nodes/nobody", HttpStatusCode.NotFound)]
    [InlineData("nodes.csv", HttpStatusCode.OK)]
    [InlineData("boot/boards", HttpStatusCode.OK)]
    [InlineData("openapi.json", HttpStatusCode.OK)]
    [InlineData("no/such/thing", HttpStatusCode.NotFound)]
    public async Task HEAD_is_answered_as_GET_is_by_the_API(string path, HttpStatusCode status) => await CompareAsync(Api, path, status);

    [Fact]
    public async Task HEAD_of_events_that_have_no_end_has_one()
    {
        using HttpResponseMessage head = await Api.SendAsync(new HttpRequestMessage(HttpMethod.Head, "events"), s_end);
        Assert.Equal((HttpStatusCode.OK, "text/event-stream"), (head.StatusCode, head.Content.Headers.ContentType?.MediaType));
    }

    [Fact]
    public async Task HEAD_signs_nobody_in_and_is_for_what_GET_is_for_alone()
    {
        using HttpClient stranger = Appliance.CreateClient(secret: null);
        using HttpResponseMessage refused = await stranger.SendAsync(new HttpRequestMessage(HttpMethod.Head, "nodes"), s_end);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        using HttpResponseMessage none = await Api.SendAsync(new HttpRequestMessage(HttpMethod.Head, "images/imager-address"), s_end);
        Assert.NotEqual(HttpStatusCode.OK, none.StatusCode);
    }

    [Theory]
    [InlineData("::", "127.0.0.1", "127.0.0.1")]
    [InlineData("::", "[::1]", "[::1]")]
    [InlineData("0.0.0.0", "127.0.0.2", "127.0.0.2")]
    [InlineData("127.0.0.3", "127.0.0.3", "127.0.0.3")]
    public async Task Scripts_name_the_address_by_which_the_client_came(string listener, string came, string named)
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync(change: options => options with
        {
            Http = new IPEndPoint(IPAddress.Parse(listener), options.Http.Port),
        });
        int port = appliance.Options.Http.Port;
        using var plain = new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri($"http://{came}:{port}/") };
        foreach (string path in new[] { "boot/ipxe", "boot/ipxe?mac=52:54:00:00:00:09" })
        {
            string script = await plain.GetStringAsync(path, s_end);
            Assert.Contains($"http://{named}:{port}/", script, StringComparison.Ordinal);
            Assert.All(script.Split("http://").Skip(1), url => Assert.StartsWith($"{named}:{port}/", url, StringComparison.Ordinal));
        }
    }

    private static async Task CompareAsync(HttpClient client, string path, HttpStatusCode status)
    {
        using HttpResponseMessage got = await client.GetAsync(path, s_end);
        using HttpResponseMessage head = await client.SendAsync(new HttpRequestMessage(HttpMethod.Head, path), s_end);
        Assert.Equal((status, status), (got.StatusCode, head.StatusCode));
        Assert.Equal(got.Content.Headers.ContentType, head.Content.Headers.ContentType);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync(s_end));
        // What is not told is not said to be nothing. (ContentLength would make 0 of it.)
        if (head.Content.Headers.NonValidated.TryGetValues("Content-Length", out HeaderStringValues length))
        {
            Assert.Equal($"{(await got.Content.ReadAsByteArrayAsync(s_end)).Length}", length.ToString());
        }
    }
}
