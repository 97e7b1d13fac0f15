using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Server.Features.Access;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

public sealed class PeopleTests : JobTest
{
    private const string Password = "correct horse battery";

    private protected override HttpClient CreateApi() => Appliance.SignIn();

    [Fact]
    public async Task An_invited_person_signs_in_by_link_chooses_a_password_and_signs_in_by_it()
    {
        string link = (await PostAsync(Api, "users", new { name = "ada", role = "operator" }))["token"]!.ToString();
        using HttpClient ada = Stranger();
        await PostAsync(ada, "session", new { token = link });
        JsonNode session = (await ada.GetFromJsonAsync<JsonNode>("session", s_end))!;
        Assert.Equal(("ada", "operator", "false"),
            (session["name"]!.ToString(), session["role"]!.ToString(), session["hasPassword"]!.ToString()));
        Assert.Equal(HttpStatusCode.BadRequest,
            (await ada.PutAsJsonAsync("session/password", new { password = "short" }, s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent,
            (await ada.PutAsJsonAsync("session/password", new { password = Password }, s_end)).StatusCode);

        using HttpClient again = Stranger();
        Assert.Equal(HttpStatusCode.Unauthorized,
            (await again.PostAsJsonAsync("session", new { name = "ada", password = Password + "!" }, s_end)).StatusCode);
        await PostAsync(again, "session", new { name = "ada", password = Password });
        Assert.Equal(HttpStatusCode.OK, (await again.GetAsync("nodes", s_end)).StatusCode);

        // Another password takes the one before, and ends what else is signed in.
        Assert.Equal(HttpStatusCode.BadRequest,
            (await again.PutAsJsonAsync("session/password", new { password = Password + "2" }, s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent,
            (await again.PutAsJsonAsync("session/password", new { password = Password + "2", current = Password }, s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await ada.GetAsync("nodes", s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await again.GetAsync("nodes", s_end)).StatusCode);
    }

    [Fact]
    public async Task Nobody_has_a_password_that_he_did_not_choose()
    {
        using HttpClient stranger = Stranger();
        foreach (string guess in new[] { "", "admin", "raspberry", "password" })
        {
            Assert.Equal(HttpStatusCode.Unauthorized,
                (await stranger.PostAsJsonAsync("session", new { name = "admin", password = guess }, s_end)).StatusCode);
        }
    }

    [Theory]
    [InlineData("""{"kind":""")]
    [InlineData("""{"kind":"run","nodes":17}""")]
    public async Task What_cannot_be_read_is_in_the_audit_log_without_what_was_sent(string body)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await Api.PostAsync("jobs", content, s_end);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        JsonNode entry = (await GetAsync("audit"))[0]!;
        Assert.Equal(("admin", "the request could not be read"), (entry["who"]!.ToString(), entry["refusal"]!.ToString()));
    }

    [Fact]
    public async Task What_the_appliance_fails_at_is_in_the_audit_log()
    {
        string folder = Path.Combine(Appliance.Options.DataFolder, "files");
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
        await File.WriteAllTextAsync(folder, "no folder", s_end);
        using HttpResponseMessage answer = await Api.PostAsync("files?name=motd", new ByteArrayContent([1]), s_end);
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        JsonNode entry = (await GetAsync("audit"))[0]!;
        Assert.Equal(("Upload a file", "the appliance failed in the middle of it"),
            (entry["what"]!.ToString(), entry["refusal"]!.ToString()));
    }

    [Theory]
    [InlineData(Role.Viewer, "GET nodes", HttpStatusCode.OK)]
    [InlineData(Role.Viewer, "POST jobs", HttpStatusCode.Forbidden)]
    [InlineData(Role.Viewer, "POST tokens", HttpStatusCode.OK)]
    [InlineData(Role.Viewer, "GET netinst-card/arm64", HttpStatusCode.Forbidden)]
    [InlineData(Role.Viewer, "GET audit", HttpStatusCode.Forbidden)]
    [InlineData(Role.Viewer, "POST profiles/absent/preview", HttpStatusCode.BadRequest)]
    [InlineData(Role.Viewer, "PUT profiles/absent", HttpStatusCode.Forbidden)]
    [InlineData(Role.Operator, "POST jobs", HttpStatusCode.BadRequest)]
    [InlineData(Role.Operator, "PUT policy", HttpStatusCode.Forbidden)]
    [InlineData(Role.Operator, "GET policy", HttpStatusCode.OK)]
    [InlineData(Role.Operator, "PUT dhcp", HttpStatusCode.Forbidden)]
    [InlineData(Role.Operator, "GET users", HttpStatusCode.Forbidden)]
    [InlineData(Role.Operator, "POST users", HttpStatusCode.Forbidden)]
    [InlineData(Role.Admin, "GET users", HttpStatusCode.OK)]
    [InlineData(Role.Admin, "POST users", HttpStatusCode.Forbidden)]
    [InlineData(Role.Admin, "GET audit", HttpStatusCode.OK)]
    public async Task A_role_may_do_what_it_says(Role role, string what, HttpStatusCode status)
    {
        using HttpClient client = Appliance.CreateClient(role);
        Assert.Equal(status, await TryAsync(client, what));
    }

    [Fact]
    public async Task A_persons_tokens_and_sessions_may_no_more_than_he_and_go_with_him()
    {
        string link = (await PostAsync(Api, "users", new { name = "bob", role = "operator" }))["token"]!.ToString();
        using HttpClient bob = Stranger();
        await PostAsync(bob, "session", new { token = link });
        Assert.Equal(HttpStatusCode.BadRequest,
            (await bob.PostAsJsonAsync("tokens", new { name = "ci", role = "admin" }, s_end)).StatusCode);
        using HttpClient program = Stranger();
        program.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer",
            (await PostAsync(bob, "tokens", new { name = "ci", days = 30 }))["token"]!.ToString());
        Assert.Equal(HttpStatusCode.BadRequest, await TryAsync(program, "POST jobs"));

        Assert.True((await Api.PatchAsJsonAsync("users/bob", new { role = "viewer" }, s_end)).IsSuccessStatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, await TryAsync(program, "POST jobs"));
        Assert.Equal(HttpStatusCode.Forbidden, await TryAsync(bob, "POST jobs"));
        Assert.Equal(HttpStatusCode.OK, await TryAsync(program, "GET nodes"));

        Assert.Equal(HttpStatusCode.NoContent, (await Api.DeleteAsync("users/bob", s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync(program, "GET nodes"));
        Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync(bob, "GET nodes"));
    }

    [Fact]
    public async Task Tokens_end_when_their_time_is_over_or_when_they_are_revoked()
    {
        using HttpClient program = Stranger();
        string secret = (await PostAsync(Api, "tokens", new { name = "month", days = 30 }))["token"]!.ToString();
        program.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        Assert.Equal(HttpStatusCode.OK, await TryAsync(program, "GET nodes"));
        string list = (await GetAsync("tokens")).ToJsonString();
        Assert.DoesNotContain(secret, list, StringComparison.Ordinal);
        Assert.Contains("\"lastUsedAt\"", list, StringComparison.Ordinal);
        Time.Advance(TimeSpan.FromDays(30));
        Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync(program, "GET nodes"));

        using HttpClient again = Appliance.SignIn();
        program.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer",
            (await PostAsync(again, "tokens", new { name = "always" }))["token"]!.ToString());
        Assert.Equal(HttpStatusCode.OK, await TryAsync(program, "GET nodes"));
        JsonNode tokens = (await again.GetFromJsonAsync<JsonNode>("tokens", s_end))!;
        string id = tokens.AsArray().Single(t => t!["name"]!.ToString() == "always")!["id"]!.ToString();
        Assert.Equal(HttpStatusCode.NoContent, (await again.DeleteAsync($"tokens/{id}", s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync(program, "GET nodes"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(90)]
    [InlineData(3500)]
    public async Task When_a_token_was_used_last_is_told_to_some_seconds_however_often_it_is_used(int secondsBetween)
    {
        using HttpClient program = Stranger();
        program.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer",
            (await PostAsync(Api, "tokens", new { name = "watch" }))["token"]!.ToString());
        Assert.Null(await LastUsedAsync());
        for (int i = 0; i < 4; i++)
        {
            Time.Advance(TimeSpan.FromSeconds(secondsBetween));
            Assert.Equal(HttpStatusCode.OK, await TryAsync(program, "GET nodes"));
            Assert.InRange(Time.Now.ToUnixTimeMilliseconds() - (await LastUsedAsync())!.Value, 0, 5000);
        }

        async Task<long?> LastUsedAsync() =>
            (long?)(await GetAsync("tokens")).AsArray().Single(t => t!["name"]!.ToString() == "watch")!["lastUsedAt"];
    }

    [Fact]
    public async Task There_is_always_an_administrator()
    {
        Assert.Equal("'admin' is the only administrator: make another one first.",
            await RefusalAsync(HttpMethod.Delete, "users/admin", null, HttpStatusCode.Conflict));
        Assert.Equal("'admin' is the only administrator: make another one first.",
            await RefusalAsync(HttpMethod.Patch, "users/admin", new { role = "viewer" }, HttpStatusCode.Conflict));
        await PostAsync(Api, "users", new { name = "eve", role = "admin" });
        Assert.True((await Api.PatchAsJsonAsync("users/admin", new { role = "operator" }, s_end)).IsSuccessStatusCode);
        Assert.StartsWith("This takes the role 'admin'",
            await RefusalAsync(HttpMethod.Delete, "users/eve", null, HttpStatusCode.Forbidden), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("policy")]
    [InlineData("schedule")]
    [InlineData("Ada")]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("admin")]
    [InlineData("admin\n")]
    [InlineData("Admin")]
    [InlineData("ADMIN")]
    [InlineData("аdmin")] // with a Cyrillic а
    [InlineData("admin\u200b")]
    public async Task A_name_that_cannot_be_or_that_somebody_has_is_refused(string name)
    {
        Assert.Contains($"'{name}'", await RefusalAsync(HttpMethod.Post, "users", new { name, role = "viewer" }), StringComparison.Ordinal);
        Assert.Single((await GetAsync("users")).AsArray());
    }

    [Fact]
    public async Task Who_did_what_is_written_down_without_what_was_secret_in_it()
    {
        string node = (await ConnectAsync(1))[0].Id.ToString();
        string name = (await GetAsync($"nodes/{node}"))["name"]!.ToString();
        string link = (await PostAsync(Api, "users", new { name = "ada", role = "operator" }))["token"]!.ToString();
        using HttpClient ada = Stranger();
        await PostAsync(ada, "session", new { token = link });
        await ada.PutAsJsonAsync("session/password", new { password = Password }, s_end);
        JsonNode job = await PostAsync(ada, "jobs", new { kind = "reboot", nodes = new[] { node } });
        Assert.Equal("ada", job["job"]!["createdBy"]!.ToString());
        await ada.PutAsJsonAsync("policy", new { installNewBoards = new { }, authorizedKeys = Array.Empty<string>() }, s_end);
        using HttpClient stranger = Stranger();
        await stranger.PostAsJsonAsync("session", new { name = "ada", password = "wrong " + Password }, s_end);

        JsonNode log = await GetAsync("audit");
        Assert.Equal(
            [
                "|Sign in|ada from 127.0.0.1|Wrong user name or password. Without a password, a link signs in: an administrator or " +
                    "`bootstrap sign-in` makes one.",
                "ada|Change the policy||This takes the role 'admin'; ada has the role 'operator'.",
                $"ada|Order a job|reboot of {name}|",
                "ada|Change the own password||",
                "ada|Sign in||",
                "admin|Add a person|ada|",
            ],
            log.AsArray().Where(e => e!["who"]!.ToString() != "policy")
                .Select(e => $"{e!["who"]}|{e["what"]}|{e["subject"]}|{e["refusal"]}"));
        Assert.DoesNotContain(Password, log.ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain(link, log.ToJsonString(), StringComparison.Ordinal);
        Assert.Single((await GetAsync("audit?text=REBOOT")).AsArray());
        Assert.Single((await GetAsync($"audit?before={log[4]!["id"]}")).AsArray(), e => e!["who"]!.ToString() != "policy");
    }

    [Fact]
    public void Whatever_changes_something_says_in_words_what_it_does()
    {
        RouteEndpoint[] silent = [.. Appliance.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint =>
            endpoint.RoutePattern.RawText!.TrimStart('/').StartsWith("api/v1/", StringComparison.Ordinal) &&
            endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods.Any(m => m != "GET") == true &&
            endpoint.Metadata.GetMetadata<IEndpointSummaryMetadata>() is null)];
        Assert.Empty(silent.Select(endpoint => endpoint.RoutePattern.RawText));
    }

    private HttpClient Stranger() => Appliance.CreateClient(secret: null);

    private static async Task<JsonNode> PostAsync(HttpClient client, string path, object body)
    {
        using HttpResponseMessage response = await client.PostAsJsonAsync(path, body, s_end);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(s_end));
        return (await response.Content.ReadFromJsonAsync<JsonNode>(s_end))!;
    }

    /// <summary>Sends a request of which nothing comes, whoever may.</summary>
    private static async Task<HttpStatusCode> TryAsync(HttpClient client, string what)
    {
        string[] words = what.Split(' ');
        object body = words[1] switch
        {
            "jobs" => new { kind = "reboot", nodes = Array.Empty<string>() },
            "policy" => new { installNewBoards = new { }, authorizedKeys = Array.Empty<string>() },
            "dhcp" => new { mode = "off" },
            "users" => new { name = "x", role = "viewer" },
            "profiles/absent/preview" => new { node = "nobody" },
            _ => new { name = "x" },
        };
        using var request = new HttpRequestMessage(new HttpMethod(words[0]), words[1])
        {
            Content = words[0] == "GET" ? null
            : JsonContent.Create(body)
        };
        using HttpResponseMessage response = await client.SendAsync(request, s_end);
        return response.StatusCode;
    }
}
