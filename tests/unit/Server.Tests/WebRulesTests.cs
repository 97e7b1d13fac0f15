using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;

namespace Bootstrap.Server.Tests;

/// <summary>What holds for every request to the page and the API.</summary>
public sealed class WebRulesTests : JobTest
{
    [Theory]
    [InlineData("nodes")] // signed in
    [InlineData("ca")] // open
    [InlineData("absent")] // refused
    [InlineData("../../favicon.svg")] // the page
    public async Task Browsers_that_trust_this_appliance_are_told_never_to_come_by_plain_HTTP(string path)
    {
        using HttpResponseMessage answer = await Api.GetAsync(path, s_end);
        Assert.Equal("max-age=2592000", answer.Headers.GetValues("Strict-Transport-Security").Single());
    }

    [Fact]
    public async Task The_plain_port_does_not_speak_of_HTTPS()
    {
        using HttpResponseMessage answer = await Api.GetAsync($"http://{Appliance.Options.Http}/os_list.json", s_end);
        Assert.False(answer.Headers.Contains("Strict-Transport-Security"));
    }

    [Theory]
    [InlineData("files?name=x", "application/octet-stream", HttpStatusCode.Created)]
    [InlineData("files?name=x", "text/plain", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("files?name=x", "application/x-www-form-urlencoded", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("files?name=x", "multipart/form-data; boundary=b", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("files?name=x", "application/json", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("files?name=x", "nonsense", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("files?name=x", null, HttpStatusCode.UnsupportedMediaType)]
    [InlineData("images?name=x", "text/plain", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("images?name=x", null, HttpStatusCode.UnsupportedMediaType)]
    [InlineData("tokens", "text/plain", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("tokens", null, HttpStatusCode.UnsupportedMediaType)]
    // These take no body: a form that was sent to them says what it is nevertheless.
    [InlineData("sign-in-links", "application/x-www-form-urlencoded", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("sign-in-links", "text/plain", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("users/admin/sign-in-link", "multipart/form-data; boundary=b", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("session", "text/plain", HttpStatusCode.UnsupportedMediaType)]
    public async Task What_a_browser_sends_is_of_the_type_that_is_taken_or_it_is_refused(string path, string? type, HttpStatusCode status)
    {
        using HttpClient browser = Appliance.CreateClient(secret: null);
        (await browser.PostAsJsonAsync("session", new { token = Appliance.SignInLink().Fragment[1..] }, s_end)).EnsureSuccessStatusCode();
        using var body = new ByteArrayContent("""{"name":"x"}"""u8.ToArray());
        if (type is not null)
        {
            body.Headers.TryAddWithoutValidation("Content-Type", type);
        }
        using HttpResponseMessage answer = await browser.PostAsync(path, body, s_end);
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal(status == HttpStatusCode.Created ? 1 : 0, (await GetAsync("files")).AsArray().Count);
        Assert.Single((await GetAsync("tokens")).AsArray()); // this test's own
    }

    [Fact]
    public async Task A_program_that_sends_its_token_may_leave_the_type_of_a_file_out_but_not_say_another()
    {
        using HttpResponseMessage without = await Api.PostAsync("files?name=x", new ByteArrayContent([1]), s_end);
        Assert.Equal(HttpStatusCode.Created, without.StatusCode);
        using var form =
            new ByteArrayContent([2]) { Headers = { ContentType = new MediaTypeHeaderValue("application/x-www-form-urlencoded") } };
        using HttpResponseMessage wrong = await Api.PostAsync("files?name=y", form, s_end);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, wrong.StatusCode);
    }
}
