using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

/// <summary>Guessing passwords tells nothing, gets slow, and costs others nothing.</summary>
public sealed class SignInTests : JobTest
{
    private const string Password = "correct horse battery";

    public SignInTests() => Time.Freeze();

    private protected override HttpClient CreateApi() => Appliance.SignIn();

    [Fact]
    public async Task A_name_that_nobody_has_gets_the_same_answers_as_a_wrong_password()
    {
        await ChoosePasswordAsync();
        (await Api.PostAsJsonAsync("users", new { name = "ada", role = "admin" }, s_end)).EnsureSuccessStatusCode();
        var answers = new List<string[]>();
        foreach (string name in new[] { "admin", "ada", "nobody" })
        {
            // Each begins anew, and is guessed until it is told to wait.
            Time.Advance(TimeSpan.FromHours(1));
            answers.Add(await GuessAsync(name));
        }
        Assert.Equal(answers[0], answers[1]);
        Assert.Equal(answers[0], answers[2]);
        Assert.StartsWith("401 ", answers[0][0], StringComparison.Ordinal);
        Assert.StartsWith("429 ", answers[0][^1], StringComparison.Ordinal);

        async Task<string[]> GuessAsync(string name)
        {
            using HttpClient stranger = Appliance.CreateClient(secret: null);
            var heard = new List<string>();
            while (heard.Count < 50 && !heard.Any(a => a.StartsWith("429", StringComparison.Ordinal)))
            {
                using HttpResponseMessage answer = await stranger.PostAsJsonAsync("session", new { name, password = "guess" }, s_end);
                JsonNode problem = (await answer.Content.ReadFromJsonAsync<JsonNode>(s_end))!;
                heard.Add($"{(int)answer.StatusCode} {problem["detail"]} {string.Join(' ', answer.Headers.Select(h => h.Key).Order())}");
            }
            return [.. heard];
        }
    }

    [Fact]
    public async Task A_known_browser_signs_in_while_its_name_is_guessed_and_a_stranger_has_to_wait()
    {
        await ChoosePasswordAsync();
        using HttpClient owner = Appliance.CreateClient(secret: null), stranger = Appliance.CreateClient(secret: null),
            late = Appliance.CreateClient(secret: null);
        Assert.Equal(HttpStatusCode.OK, await EnterAsync(owner, Password));
        for (int i = 0; i < 40; i++)
        {
            await EnterAsync(stranger, $"guess {i}");
        }
        Assert.Equal(HttpStatusCode.TooManyRequests, await EnterAsync(late, Password));
        Assert.Equal(HttpStatusCode.OK, (await owner.GetAsync("nodes", s_end)).StatusCode);
        (await owner.DeleteAsync("session", s_end)).EnsureSuccessStatusCode();
        Assert.Equal(HttpStatusCode.OK, await EnterAsync(owner, Password));
        Assert.Equal(HttpStatusCode.OK, (await owner.GetAsync("nodes", s_end)).StatusCode);
        // Delays pass, for everybody.
        Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(HttpStatusCode.OK, await EnterAsync(late, Password));
    }

    [Fact]
    public async Task Who_comes_with_an_old_link_is_told_how_to_have_a_new_one()
    {
        using HttpClient late = Appliance.CreateClient(secret: null);
        using HttpResponseMessage refused = await late.PostAsJsonAsync("session", new { token = new string('0', 64) }, s_end);
        string sentence = (await refused.Content.ReadFromJsonAsync<JsonNode>(s_end))!["detail"]!.ToString();
        Assert.Contains("`bootstrap sign-in`", sentence, StringComparison.Ordinal);
        Assert.Contains("(Settings, Users)", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_browser_that_is_known_has_its_own_delays_and_is_known_for_its_person_alone()
    {
        await ChoosePasswordAsync();
        (await Api.PostAsJsonAsync("users", new { name = "ada", role = "viewer" }, s_end)).EnsureSuccessStatusCode();
        using HttpClient ada = Appliance.CreateClient(Appliance.Services.GetRequiredService<AccessTokens>().CreateSession("ada"));
        (await ada.PutAsJsonAsync("session/password", new { password = Password }, s_end)).EnsureSuccessStatusCode();
        using HttpClient browser = Appliance.CreateClient(secret: null);
        Assert.Equal(HttpStatusCode.OK, await EnterAsync(browser, Password, "ada"));
        // As ada it is known; as admin it is a stranger like all others.
        for (int i = 0; i < 40; i++)
        {
            await EnterAsync(browser, $"guess {i}");
        }
        Assert.Equal(HttpStatusCode.TooManyRequests, await EnterAsync(browser, Password));
        Assert.Equal(HttpStatusCode.OK, await EnterAsync(browser, Password, "ada"));
        for (int i = 0; i < 40; i++)
        {
            await EnterAsync(browser, $"guess {i}", "ada");
        }
        Assert.Equal(HttpStatusCode.TooManyRequests, await EnterAsync(browser, Password, "ada"));
    }

    [Fact]
    public void Delays_grow_and_are_bounded_and_signing_in_oneself_does_not_take_them_away()
    {
        var delays = new SignInDelays(Time);
        IPAddress source = IPAddress.Parse("192.0.2.1");
        while (delays.Take(source, "admin", null) == TimeSpan.Zero)
        {
        }
        var waits = new List<TimeSpan>();
        for (int i = 0; i < 10; i++)
        {
            TimeSpan wait = delays.Take(source, "admin", null);
            waits.Add(TimeSpan.FromSeconds(Math.Round(wait.TotalSeconds)));
            Time.Advance(wait + TimeSpan.FromMilliseconds(1));
            Assert.Equal(TimeSpan.Zero, delays.Take(source, "admin", null));
        }
        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60, 60, 60], waits.Select(w => (int)w.TotalSeconds));
        // The guesser's own, right password is one attempt that does not count, and no more.
        Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(TimeSpan.Zero, delays.Take(source, "mallory", null));
        delays.Succeeded(source, "mallory", null);
        Assert.NotEqual(TimeSpan.Zero, delays.Take(source, "admin", null));
    }

    [Fact]
    public void A_neighbour_who_guesses_keeps_nobody_out_and_changing_addresses_gains_him_little()
    {
        var delays = new SignInDelays(Time);
        IPAddress owner = IPAddress.Parse("2001:db8:1:2::1");
        int guesses = 0;
        while (delays.Take(IPAddress.Parse("2001:db8:1:2::bad"), "admin", null) == TimeSpan.Zero)
        {
            guesses++;
        }
        Assert.InRange(guesses, 1, 20);
        Assert.Equal(TimeSpan.Zero, delays.Take(owner, "ada", null));

        // An address of his own for each guess, at names that nobody guessed before. Where two in a row wait, it is the network that does:
        // one may share its place with the name that was guessed above.
        TimeSpan wait = TimeSpan.Zero;
        int inARow = 0;
        for (int i = 0; i < 10_000 && inARow < 2; i++)
        {
            wait = delays.Take(IPAddress.Parse($"2001:db8:1:2:{i:x}::1"), $"name {i}", null);
            inARow = wait > TimeSpan.Zero ? inARow + 1 : 0;
            guesses = i;
        }
        Assert.InRange(guesses, 100, 300);
        TimeSpan longest = TimeSpan.Zero;
        for (int i = 0; i < 50; i++)
        {
            Time.Advance(wait);
            wait = delays.Take(IPAddress.Parse($"2001:db8:1:2:{i:x}::2"), $"other {i}", null);
            longest = wait > longest ? wait : longest;
        }
        Assert.InRange(longest.TotalSeconds, 2, 5);
        Assert.InRange(delays.Take(owner, "ada", null).TotalSeconds, 0, 5);
        Assert.Equal(TimeSpan.Zero, delays.Take(owner, "ada", "known browser"));
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64")]
    [InlineData("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64")]
    public void A_host_is_one_source_whatever_address_of_its_network_it_takes(string address, string source) =>
        Assert.Equal(source, Sources.HostOf(IPAddress.Parse(address)));

    [Fact]
    public async Task A_flood_of_guesses_is_one_line_of_the_audit_log_that_counts_them()
    {
        using HttpClient stranger = Appliance.CreateClient(secret: null);
        await Parallel.ForEachAsync(Enumerable.Range(0, 500), s_end,
            async (i, _) => await EnterAsync(stranger, $"guess {i}", i % 2 == 0 ? "admin" : $"name {i}"));
        JsonNode log = await Support.Poll.UntilAsync(() => GetAsync("audit"),
            l => l!.AsArray().Count(e => e!["refusal"]!.ToString().Contains("250 times", StringComparison.Ordinal)) == 2, s_end);
        Assert.Equal(["admin from 127.0.0.1", "unknown from 127.0.0.1"], log.AsArray().Select(e => e!["subject"]!.ToString()).Order());
        // The next minute has its own.
        Time.Advance(TimeSpan.FromMinutes(1));
        await EnterAsync(stranger, "guess");
        Assert.Equal(3, (await GetAsync("audit")).AsArray().Count);
    }

    [Fact]
    public void Guesses_from_everywhere_are_a_bounded_number_of_lines()
    {
        FailedSignIns failures = Appliance.Services.GetRequiredService<FailedSignIns>();
        for (int i = 0; i < 20_000; i++)
        {
            failures.Add(new IPAddress([10, 0, (byte)(i >> 8), (byte)i]), "", "Sign in", "Wrong.");
        }
        AuditLog audit = Appliance.Services.GetRequiredService<AuditLog>();
        Assert.Equal(FailedSignIns.MostSources + 1, audit.List(null, null, AuditLog.MostListed).Count);
    }

    [Fact]
    public void What_strangers_try_never_takes_the_place_of_what_was_done()
    {
        AuditLog audit = Appliance.Services.GetRequiredService<AuditLog>();
        audit.Add("admin", "Remove a person", "ada", "");
        Storage.Database database = Appliance.Services.GetRequiredService<Storage.Database>();
        database.Write(c => Dapper.SqlMapper.Execute(c, """
            INSERT INTO audit (at, who, what, subject, refusal)
                WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 120000)
                SELECT 0, '', 'Sign in', 'others', 'Wrong.' FROM n
            """));
        for (int i = 0; i < 100; i++)
        {
            audit.Add("", "Sign in", "others", "Wrong.");
        }
        Assert.Single(audit.List(null, "remove a person", 10));
        Assert.InRange(database.Read(c => Dapper.SqlMapper.ExecuteScalar<long>(c, "SELECT count(*) FROM audit")), 10_000, 10_200);
    }

    private async Task ChoosePasswordAsync() =>
        (await Api.PutAsJsonAsync("session/password", new { password = Password }, s_end)).EnsureSuccessStatusCode();

    private static async Task<HttpStatusCode> EnterAsync(HttpClient client, string password, string name = "admin")
    {
        using HttpResponseMessage response = await client.PostAsJsonAsync("session", new { name, password }, s_end);
        return response.StatusCode;
    }
}
