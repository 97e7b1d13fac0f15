using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Http;
using Bootstrap.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

/// <summary>A credential never yields more than itself, and what it yields goes with it.</summary>
public sealed class CredentialTests : JobTest
{
    private const string Password = "correct horse battery";

    private protected override HttpClient CreateApi() => Appliance.SignIn();

    private AccessTokens Tokens => Appliance.Services.GetRequiredService<AccessTokens>();

    /// <summary>Everything that makes, changes or ends a credential, by each credential of a person: what is not listed is
    /// forbidden.</summary>
    [Theory]
    [InlineData("POST sign-in-links", "session:viewer session:operator session:admin")]
    [InlineData("PUT session/password", "session:viewer session:operator session:admin")]
    [InlineData("POST users", "session:admin")]
    [InlineData("PATCH users/eve", "session:admin")]
    [InlineData("POST users/eve/sign-in-link", "session:admin")]
    [InlineData("POST users/{me}/sign-in-link", "session:admin")]
    [InlineData("DELETE users/eve", "session:admin")]
    [InlineData("POST tokens viewer", "session:viewer session:operator session:admin token:viewer token:operator token:admin")]
    [InlineData("POST tokens operator", "session:operator session:admin token:operator token:admin")]
    [InlineData("POST tokens admin", "session:admin token:admin")]
    [InlineData("POST tokens endless", "session:viewer session:operator session:admin")]
    [InlineData("DELETE tokens/{own}", "session:viewer session:operator session:admin")]
    [InlineData("DELETE tokens/{others}", "session:admin")]
    [InlineData("DELETE tokens/{itself}", "token:viewer token:operator token:admin")]
    public async Task A_credential_makes_changes_and_ends_no_more_than_it_says(string what, string allowed)
    {
        foreach (string kind in new[] { "session", "token" })
        {
            foreach (Role role in Enum.GetValues<Role>())
            {
                // A session has its person's role; a token is an administrator's, of any role.
                string word = ApiJson.Word(role), me = $"{kind}-{word}", eve = $"eve-{me}";
                await PostAsync(Api, "users", new { name = eve, role = "admin" });
                await PostAsync(Api, "users", new { name = me, role = kind == "session" ? role : Role.Admin });
                string secret = kind == "session" ? Tokens.CreateSession(me)
                    : Tokens.CreateToken("itself-" + me, me, role, TimeSpan.FromDays(10));
                Tokens.CreateToken("own-" + me, me, Role.Viewer);
                Tokens.CreateToken("others-" + me, "admin", Role.Viewer);
                using HttpClient client = Appliance.CreateClient(secret);
                string[] words = what.Split(' ');
                string path = words[1].Replace("{me}", me, StringComparison.Ordinal).Replace("eve", eve, StringComparison.Ordinal);
                if (path.Split('{', '}') is [_, { } token, _])
                {
                    if (token == "itself" && kind == "session")
                    {
                        continue; // it is no token
                    }
                    path = $"tokens/{await IdAsync($"{token}-{me}")}";
                }
                object? body = words switch
                {
                    [_, "users"] => new { name = $"mallory-{me}", role = "admin" },
                    [_, "session/password"] => new { password = Password },
                    [_, "tokens", "endless"] => new { name = "child", role = "viewer", days = 3650 },
                    [_, "tokens", { } wanted] => new { name = "child", role = wanted, days = 1 },
                    ["PATCH", _] => new { role = "viewer" },
                    _ => null,
                };
                bool allows = allowed.Split(' ').Contains($"{kind}:{word}");
                string before = await StateAsync();
                using var request = new HttpRequestMessage(new HttpMethod(words[0]), path)
                {
                    Content = body is null ? null
                    : JsonContent.Create(body)
                };
                using HttpResponseMessage response = await client.SendAsync(request, s_end);
                Assert.True(response.IsSuccessStatusCode == allows, $"{kind}:{word} {what}: {(int)response.StatusCode}");
                if (!allows)
                {
                    Assert.InRange((int)response.StatusCode, 400, 404);
                    Assert.Equal(before, await StateAsync());
                }
            }
        }

        async Task<string> StateAsync() =>
            await Api.GetStringAsync("users", s_end) + string.Join(' ', (await GetAsync("tokens")).AsArray().Select(t => t!["id"]));
    }

    [Fact]
    public async Task A_tokens_token_without_a_time_of_its_own_ends_with_its_maker()
    {
        using HttpClient maker = Appliance.CreateClient(Tokens.CreateToken("maker", "admin", Role.Operator, TimeSpan.FromDays(10)));
        using HttpClient child = await MakeTokenAsync(maker, new { name = "child" });
        using HttpClient grandchild = await MakeTokenAsync(child, new { name = "grandchild", days = 9 });
        Assert.Equal("operator", await RoleAsync(child));
        Assert.Equal(HttpStatusCode.BadRequest,
            (await maker.PostAsJsonAsync("tokens", new { name = "longer", days = 11 }, s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest,
            (await child.PostAsJsonAsync("tokens", new { name = "longer", days = 11 }, s_end)).StatusCode);
        Time.Advance(TimeSpan.FromDays(10));
        Assert.All(await Task.WhenAll(StatusAsync(maker), StatusAsync(child), StatusAsync(grandchild)),
            s => Assert.Equal(HttpStatusCode.Unauthorized, s));
    }

    [Fact]
    public async Task Revoking_a_token_revokes_what_it_made_and_nothing_else()
    {
        using HttpClient maker = await MakeTokenAsync(Api, new { name = "maker", role = "operator", days = 30 });
        using HttpClient child = await MakeTokenAsync(maker, new { name = "child" });
        using HttpClient grandchild = await MakeTokenAsync(child, new { name = "grandchild", role = "viewer" });
        using HttpClient brother = await MakeTokenAsync(Api, new { name = "brother", days = 30 });
        // A child ends neither its maker nor anybody else's.
        Assert.Equal(HttpStatusCode.NotFound, (await child.DeleteAsync($"tokens/{await IdAsync("maker")}", s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await child.DeleteAsync($"tokens/{await IdAsync("brother")}", s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(grandchild));
        Assert.Equal(HttpStatusCode.NoContent, (await Api.DeleteAsync($"tokens/{await IdAsync("maker")}", s_end)).StatusCode);
        Assert.All(await Task.WhenAll(StatusAsync(maker), StatusAsync(child), StatusAsync(grandchild)),
            s => Assert.Equal(HttpStatusCode.Unauthorized, s));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(brother));
    }

    [Fact]
    public async Task A_token_may_do_no_more_than_its_owner_at_that_moment_and_so_may_what_it_made()
    {
        await PostAsync(Api, "users", new { name = "ada", role = "operator" });
        using HttpClient maker = Appliance.CreateClient(Tokens.CreateToken("maker", "ada", Role.Operator));
        using HttpClient child = await MakeTokenAsync(maker, new { name = "child" });
        (await Api.PatchAsJsonAsync("users/ada", new { role = "viewer" }, s_end)).EnsureSuccessStatusCode();
        Assert.Equal("viewer", await RoleAsync(child));
        Assert.Equal(HttpStatusCode.BadRequest,
            (await maker.PostAsJsonAsync("tokens", new { name = "more", role = "operator" }, s_end)).StatusCode);
    }

    [Fact]
    public async Task A_session_from_ones_own_link_does_not_outlive_the_session_that_made_the_link()
    {
        using HttpClient first = Appliance.SignIn();
        Time.Advance(TimeSpan.FromDays(5));
        using HttpClient second = await RedeemAsync((await PostAsync(first, "sign-in-links", new { }))["token"]!.ToString());
        using HttpClient third = await RedeemAsync((await PostAsync(second, "sign-in-links", new { }))["token"]!.ToString());
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(third));
        Time.Advance(TimeSpan.FromDays(2));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(second));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(third));
    }

    [Fact]
    public async Task Signing_out_ends_the_links_and_sessions_that_came_of_it()
    {
        using HttpClient first = Appliance.SignIn();
        using HttpClient second = await RedeemAsync((await PostAsync(first, "sign-in-links", new { }))["token"]!.ToString());
        string unused = (await PostAsync(second, "sign-in-links", new { }))["token"]!.ToString();
        await first.DeleteAsync("session", s_end);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(second));
        using HttpClient stranger = Appliance.CreateClient(secret: null);
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.PostAsJsonAsync("session", new { token = unused }, s_end)).StatusCode);
    }

    [Fact]
    public async Task Who_chooses_a_password_stays_signed_in_and_what_made_his_session_does_not()
    {
        using HttpClient first = Appliance.SignIn();
        using HttpClient second = await RedeemAsync((await PostAsync(first, "sign-in-links", new { }))["token"]!.ToString());
        (await second.PutAsJsonAsync("session/password", new { password = Password }, s_end)).EnsureSuccessStatusCode();
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(first));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(second));
    }

    [Theory]
    [InlineData("removed")]
    [InlineData("operator")]
    public async Task A_link_for_somebody_else_outlives_its_makers_session_but_not_his_role(
        string becomes)
    {
        await PostAsync(Api, "users", new { name = "eve", role = "admin" });
        await PostAsync(Api, "users", new { name = "bob", role = "viewer" });
        using HttpClient eve = Appliance.SignIn("eve");
        string ada = (await PostAsync(eve, "users", new { name = "ada", role = "viewer" }))["token"]!.ToString();
        string bob = (await PostAsync(eve, "users/bob/sign-in-link", new { }))["token"]!.ToString();
        await eve.DeleteAsync("session", s_end);
        using HttpClient first = await RedeemAsync(ada);
        Assert.Equal("viewer", await RoleAsync(first));
        (await (becomes == "removed" ? Api.DeleteAsync("users/eve", s_end)
            : Api.PatchAsJsonAsync("users/eve", new { role = becomes }, s_end))).EnsureSuccessStatusCode();
        using HttpClient stranger = Appliance.CreateClient(secret: null);
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.PostAsJsonAsync("session", new { token = bob }, s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(first));
    }

    [Fact]
    public async Task An_initial_token_that_was_revoked_does_not_come_back_with_the_next_start()
    {
        string file = Path.Combine(Path.GetTempPath(), $"test-initial-{Guid.NewGuid()}");
        await using TestAppliance appliance = await TestAppliance.StartAsync(change: options => options with { InitialTokenFile = file });
        string first = await File.ReadAllTextAsync(file, s_end);
        using HttpClient program = appliance.CreateClient(first.Trim());
        JsonNode tokens = (await program.GetFromJsonAsync<JsonNode>("tokens", s_end))!;
        (await program.DeleteAsync($"tokens/{tokens[0]!["id"]}", s_end)).EnsureSuccessStatusCode();
        await appliance.RestartAsync();
        using HttpClient admin = appliance.SignIn();
        Assert.Empty((await admin.GetFromJsonAsync<JsonNode>("tokens", s_end))!.AsArray());
        Assert.Equal(first, await File.ReadAllTextAsync(file, s_end));
        File.Delete(file);
    }

    [Fact]
    public async Task Who_is_nobody_is_refused_before_his_body_is_looked_at()
    {
        using HttpClient stranger = Appliance.CreateClient(secret: null);
        using var malformed = new StringContent("[", null, "application/json");
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.PostAsync("jobs", malformed, s_end)).StatusCode);
        using var large = JsonContent.Create(new { name = "admin", password = new string('x', 1 << 20) });
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await stranger.PostAsync("session", large, s_end)).StatusCode);
    }

    [Theory]
    [InlineData("its token is revoked")]
    [InlineData("its token's maker is revoked")]
    [InlineData("its token expires")]
    [InlineData("its person is removed")]
    [InlineData("its person signs out")]
    [InlineData("its person's password is taken")]
    public async Task A_live_stream_ends_within_a_second_when(string what)
    {
        await PostAsync(Api, "users", new { name = "ada", role = "operator" });
        bool session = what is "its person signs out" or "its person's password is taken";
        using HttpClient maker = Appliance.CreateClient(session ? Tokens.CreateSession("ada")
            : Tokens.CreateToken("maker", "ada", Role.Operator, TimeSpan.FromDays(1)));
        using HttpClient client = session ? maker : await MakeTokenAsync(maker, new { name = "child" });
        using HttpClient other = Appliance.CreateClient(Role.Viewer);
        using StreamReader stream = await WatchAsync(client), untouched = await WatchAsync(other);
        HttpResponseMessage? answer = what switch
        {
            "its token is revoked" => await client.DeleteAsync($"tokens/{await IdAsync("child")}", s_end),
            "its token's maker is revoked" => await Api.DeleteAsync($"tokens/{await IdAsync("maker")}", s_end),
            "its person is removed" => await Api.DeleteAsync("users/ada", s_end),
            "its person signs out" => await client.DeleteAsync("session", s_end),
            "its person's password is taken" => await Api.PatchAsJsonAsync("users/ada", new { removePassword = true }, s_end),
            _ => null,
        };
        answer?.EnsureSuccessStatusCode();
        if (answer is null)
        {
            Time.Advance(TimeSpan.FromDays(1));
        }
        await EndAsync(stream);
        // It was that credential's alone.
        await PostAsync(Appliance.CreateClient(), "policy", new { installNewBoards = new { }, authorizedKeys = Array.Empty<string>() },
            HttpMethod.Put);
        while (!(await untouched.ReadLineAsync(s_end))!.StartsWith("event: policy", StringComparison.Ordinal))
        {
        }
    }

    [Fact]
    public async Task An_upload_in_progress_ends_with_its_persons_role_and_nothing_is_kept()
    {
        await PostAsync(Api, "users", new { name = "ada", role = "operator" });
        using HttpClient ada = Appliance.SignIn("ada");
        using HttpClient reader = Appliance.CreateClient(Tokens.CreateToken("reader", "ada", Role.Viewer));
        using StreamReader stream = await WatchAsync(reader);
        using var endless = new EndlessContent();
        Task<HttpResponseMessage> upload = ada.PostAsync("files?name=endless", endless, s_end);
        await endless.Started.WaitAsync(s_end);
        (await Api.PatchAsJsonAsync("users/ada", new { role = "viewer" }, s_end)).EnsureSuccessStatusCode();
        await Assert.ThrowsAsync<HttpRequestException>(() => upload);
        Assert.Equal("[]", await Api.GetStringAsync("files", s_end));
        // What a viewer may do goes on.
        await PostAsync(Appliance.CreateClient(), "policy", new { installNewBoards = new { }, authorizedKeys = Array.Empty<string>() },
            HttpMethod.Put);
        while (!(await stream.ReadLineAsync(s_end))!.StartsWith("event: policy", StringComparison.Ordinal))
        {
        }
    }

    /// <summary>A body that never ends, of type <c>application/octet-stream</c>.</summary>
    private sealed class EndlessContent : HttpContent
    {
        private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public EndlessContent() => Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");

        /// <summary>Some of it was sent.</summary>
        public Task Started => _started.Task;

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            byte[] piece = new byte[4096];
            while (true)
            {
                await stream.WriteAsync(piece, s_end);
                await stream.FlushAsync(s_end);
                _started.TrySetResult();
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, s_end);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    private static async Task<StreamReader> WatchAsync(HttpClient client)
    {
        var stream = new StreamReader(await client.GetStreamAsync("events", s_end));
        Assert.StartsWith("retry:", await stream.ReadLineAsync(s_end), StringComparison.Ordinal);
        return stream;
    }

    /// <summary>Reads until the appliance ends it. One that goes on for much longer than any busy machine needs is not ended.</summary>
    private static async Task EndAsync(StreamReader stream)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        try
        {
            while (await stream.ReadLineAsync(patience.Token) is not null)
            {
            }
        }
        catch (IOException)
        {
            // Cut off.
        }
    }

    private async Task<string> IdAsync(string name)
    {
        using HttpClient admin = Appliance.SignIn();
        return (await admin.GetFromJsonAsync<JsonNode>("tokens", s_end))!.AsArray()
            .Single(t => t!["name"]!.ToString() == name)!["id"]!.ToString();
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client) => (await client.GetAsync("nodes", s_end)).StatusCode;

    private static async Task<string> RoleAsync(HttpClient client) =>
        (await client.GetFromJsonAsync<JsonNode>("session", s_end))!["role"]!.ToString();

    private async Task<HttpClient> MakeTokenAsync(HttpClient maker, object token) =>
        Appliance.CreateClient((await PostAsync(maker, "tokens", token))["token"]!.ToString());

    private async Task<HttpClient> RedeemAsync(string link)
    {
        HttpClient client = Appliance.CreateClient(secret: null);
        await PostAsync(client, "session", new { token = link });
        return client;
    }

    private static async Task<JsonNode> PostAsync(HttpClient client, string path, object body, HttpMethod? method = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        using HttpResponseMessage response = await client.SendAsync(request, s_end);
        string text = await response.Content.ReadAsStringAsync(s_end);
        Assert.True(response.IsSuccessStatusCode, text);
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }
}
