using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

public sealed class AccessTests
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("nodes")]
    [InlineData("images")]
    [InlineData("jobs")]
    [InlineData("policy")]
    [InlineData("events")]
    [InlineData("discovered")]
    [InlineData("netinst-card/arm64")]
    public async Task Nothing_of_the_API_is_open_to_strangers(string path)
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync();
        using HttpClient client = appliance.CreateClient();
        client.DefaultRequestHeaders.Authorization = null;
        using HttpResponseMessage response = await client.GetAsync(path, s_end);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task A_sign_in_link_is_good_once_and_ends_with_signing_out()
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync();
        using HttpClient client = appliance.CreateClient();
        client.DefaultRequestHeaders.Authorization = null;
        string token = appliance.SignInLink().Fragment[1..];

        using HttpResponseMessage first = await client.PostAsJsonAsync("session", new { token }, s_end);
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        string[] cookies = [.. first.Headers.GetValues("Set-Cookie")];
        Assert.Equal(["bootstrap-session", "bootstrap-browser"], cookies.Select(c => c.Split('=')[0]));
        Assert.All(cookies, cookie =>
        {
            Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("secure", cookie, StringComparison.OrdinalIgnoreCase);
        });
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("nodes", s_end)).StatusCode);

        Assert.Equal(HttpStatusCode.Unauthorized, (await client.PostAsJsonAsync("session", new { token }, s_end)).StatusCode);
        await client.DeleteAsync("session", s_end);
        // What is left of it opens nothing, and neither does the mark of a known browser.
        client.DefaultRequestHeaders.Add("Cookie", cookies[0].Split(';')[0]);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("nodes", s_end)).StatusCode);
        using HttpClient known = appliance.CreateClient(cookies[1].Split(';')[0].Split('=')[1]);
        Assert.Equal(HttpStatusCode.Unauthorized, (await known.GetAsync("nodes", s_end)).StatusCode);
    }

    [Fact]
    public async Task The_fingerprint_of_the_CA_is_shown_to_everybody()
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync();
        using HttpClient stranger = appliance.CreateClient(secret: null);
        string digits = Convert.ToHexStringLower(SHA256.HashData(appliance.Info.Authority.RawData));
        string shown = (await stranger.GetFromJsonAsync<JsonNode>("ca/fingerprint", s_end))!["sha256"]!.ToString();
        Assert.Equal(digits, shown.Replace(":", "", StringComparison.Ordinal));
        Assert.Equal(16, shown.Split(':').Length);
    }

    [Fact]
    public async Task The_API_is_not_at_the_plain_door_whatever_the_request_calls_its_host()
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync();
        using HttpClient signedIn = appliance.CreateClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{appliance.Options.Http}/api/v1/nodes");
        request.Headers.Host = appliance.Options.Https.ToString();
        using HttpResponseMessage response = await signedIn.SendAsync(request, s_end);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Theory]
    [InlineData("jobs", "{\"kind\":\"install\"}")]
    [InlineData("jobs", "{\"kind\":\"dance\",\"nodes\":[\"all\"]}")]
    [InlineData("jobs", "[")]
    [InlineData("session", "{}")]
    [InlineData("images", "x")]
    public async Task Malformed_bodies_are_refused_and_change_nothing(string path, string body)
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync();
        using HttpClient client = appliance.CreateClient();
        using HttpResponseMessage response = await client.PostAsync(path,
            new StringContent(body, null, path == "images" ? "application/octet-stream" : "application/json"), s_end);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("[]", await client.GetStringAsync("jobs", s_end));
        Assert.Equal("[]", await client.GetStringAsync("images", s_end));
    }
}
