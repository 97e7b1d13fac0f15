using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Bootstrap.Server.Tests;

public sealed class CalendarTests : JobTest
{
    /// <summary>A Friday; on the Sunday after it the clocks of Berlin go back.</summary>
    private static readonly DateTimeOffset s_start = new(2099, 10, 23, 12, 0, 0, TimeSpan.Zero);

    public override async ValueTask InitializeAsync()
    {
        Time.Now = s_start;
        await base.InitializeAsync();
    }

    [Fact]
    public async Task Each_day_has_the_runs_to_come_by_the_clock_of_a_zone_and_the_jobs_that_were_made()
    {
        await AddAsync("night", "30 0 * * *", "Europe/Berlin");
        await AddAsync("busy", "* * * * *", "UTC");
        await AddAsync("off", "0 * * * *", "UTC");
        (await Api.PatchAsJsonAsync("schedules/off", new { enabled = false }, s_end)).EnsureSuccessStatusCode();
        (await Api.PostAsync("schedules/off/run", null, s_end)).EnsureSuccessStatusCode();

        JsonArray days = (await GetAsync("calendar?from=2099-10-22&days=5&zone=Europe/Berlin")).AsArray();
        Assert.DoesNotContain(days, d => d!["day"]!.ToString() == "2099-10-22");
        JsonNode[] night = Of("night");
        // Half past midnight in Berlin is 22:30 UTC of the day before, and 23:30 once the clocks have gone back.
        Assert.Equal(["23 22:30", "24 22:30", "25 23:30"], night.Select(d =>
            DateTimeOffset.FromUnixTimeMilliseconds((long)d["runs"]!.AsArray().Single()!)
                .ToString("dd HH:mm", CultureInfo.InvariantCulture)));
        Assert.Equal(["2099-10-24", "2099-10-25", "2099-10-26"], night.Select(d => d["day"]!.ToString()));
        Assert.All(Of("busy"), d => Assert.Equal((24, true), (d["runs"]!.AsArray().Count, (bool)d["more"]!)));
        JsonNode off = Assert.Single(Of("off"));
        Assert.Equal(("2099-10-23", 0), (off["day"]!.ToString(), off["runs"]!.AsArray().Count));
        Assert.Equal(s_start.ToUnixTimeMilliseconds(), (long)Assert.Single(off["made"]!.AsArray())!["at"]!);

        JsonNode[] Of(string schedule) => [.. days.Where(d => d!["schedule"]!.ToString() == schedule).Select(d => d!)];
    }

    [Fact]
    public async Task A_day_is_told_in_the_order_of_its_times_and_not_of_the_schedules_names()
    {
        await AddAsync("alpha", "0 3 * * *", "UTC");
        await AddAsync("beta", "30 2 * * *", "UTC");
        await AddAsync("gamma", "15 4 * * *", "Europe/Berlin");
        JsonArray days = (await GetAsync("calendar?from=2099-10-24&days=2&zone=UTC")).AsArray();
        Assert.Equal(["24 gamma", "24 beta", "24 alpha", "25 beta", "25 alpha", "25 gamma"],
            days.Select(d => $"{d!["day"]!.ToString()[8..]} {d["schedule"]}"));
    }

    [Theory]
    [InlineData("from=25.11.2026&days=7&zone=UTC", "'25.11.2026' is no day: write it as 2026-11-25.")]
    [InlineData("from=2026-11-25&days=43&zone=UTC", "days is 1 to 42, not 43.")]
    [InlineData("from=2026-11-25&days=7&zone=Nowhere", "There is no time zone 'Nowhere': use a name such as Europe/Berlin, or UTC.")]
    public async Task What_cannot_be_shown_is_refused(string query, string sentence) =>
        Assert.Equal(sentence, await RefusalAsync(HttpMethod.Get, $"calendar?{query}", null));

    private async Task AddAsync(string name, string cron, string zone) =>
        (await Api.PostAsJsonAsync("schedules", new { name, cron, zone, job = new { kind = "reboot", select = "tag=nobody" } }, s_end))
            .EnsureSuccessStatusCode();
}
