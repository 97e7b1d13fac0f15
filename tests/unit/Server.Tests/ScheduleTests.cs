using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Schedules;
using Bootstrap.Server.Storage;
using Bootstrap.Support;
using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

/// <summary>Jobs at a time and by cron: each run that is due makes one job, whatever happens to the appliance and its clock.</summary>
public sealed class ScheduleTests : JobTest
{
    /// <summary>The middle of an hour, a day ahead: nothing is due by the machine's own clock.</summary>
    private static readonly DateTimeOffset s_start = new DateTimeOffset(TimeProvider.System.GetUtcNow().Date, TimeSpan.Zero).AddDays(1)
        .AddHours(12.5);

    private static readonly object s_nobody = new { kind = "reboot", select = "tag=nobody" };

    private Database Database => Appliance.Services.GetRequiredService<Database>();

    public override async ValueTask InitializeAsync()
    {
        Time.Now = s_start;
        await base.InitializeAsync();
    }

    [Fact]
    public async Task Each_run_that_is_due_makes_one_job_whatever_happens_to_the_appliance_and_its_clock()
    {
        await AddAsync(new { name = "hourly", cron = "0 * * * *", job = s_nobody });
        Assert.Equal(0, await RunsAsync());
        Time.Now = s_start.AddMinutes(30);
        Assert.Equal(1, await RunsAsync());
        Assert.Equal(1, await RunsAsync());
        JsonNode job = (await GetAsync("jobs"))[0]!;
        Assert.Equal(("hourly", "schedule", Milliseconds(s_start.AddMinutes(30))),
            (job["schedule"]!.ToString(), job["createdBy"]!.ToString(), (long)job["dueAt"]!));
        Assert.Equal((true, "no node was taken by 'tag=nobody'"), ((bool)job["ended"]!, job["note"]!.ToString()));

        Time.Now = s_start.AddMinutes(20); // the clock is set back, and passes the hour again
        Assert.Equal(1, await RunsAsync());
        Time.Now = s_start.AddMinutes(30.5);
        Assert.Equal(1, await RunsAsync());

        // As if the appliance had been killed before it noted that the job was made.
        await Appliance.RestartAsync(() => SetSeen(s_start));
        Assert.Equal(1, await RunsAsync());
        Time.Now = s_start.AddMinutes(90);
        Assert.Equal(2, await RunsAsync());
        Assert.Throws<SqliteException>(() => Database.Write(c => c.Execute(
            "INSERT INTO jobs (id, kind, created_at, created_by, schedule, due_at) SELECT 'again', kind, created_at, created_by, " +
                "schedule, due_at FROM jobs LIMIT 1")));
    }

    [Theory]
    [InlineData("skip", 0)]
    [InlineData("run-once", 1)]
    public async Task Runs_that_were_missed_are_left_out_or_made_up_for_by_one(string missed, int jobs)
    {
        await AddAsync(new { name = "hourly", cron = "0 * * * *", missed, job = s_nobody });
        await Appliance.RestartAsync(() => Time.Now = s_start.AddHours(5));
        Assert.Equal(jobs, await RunsAsync());
        Time.Now = s_start.AddHours(5.5);
        Assert.Equal(jobs + 1, await RunsAsync());
    }

    [Fact]
    public async Task A_selector_is_resolved_at_each_run_and_nodes_that_were_named_stay_the_same()
    {
        SimulatedNode[] nodes = await ConnectAsync(2);
        await AddAsync(new { name = "words", cron = "0 * * * *", job = new { kind = "shutdown", select = "tag=camera" } });
        await AddAsync(new { name = "named", cron = "30 * * * *", job = new { kind = "shutdown", nodes = new[] { "all" } } });
        (await Api.PatchAsJsonAsync($"nodes/{nodes[1].Id}", new { tags = new[] { "camera" } }, s_end)).EnsureSuccessStatusCode();
        await using SimulatedNode third = await ConnectAsync("10000000cccc0009");
        Time.Now = s_start.AddMinutes(30);
        Assert.Equal([nodes[1].Id.ToString()], await NodesOfNewestAsync());
        Time.Now = s_start.AddMinutes(60);
        Assert.Equal(nodes.Select(n => n.Id.ToString()), await NodesOfNewestAsync());
    }

    [Fact]
    public async Task Nodes_that_the_image_is_not_for_and_all_when_it_is_gone_are_skipped_with_the_reason()
    {
        await Api.PostAsync("images?name=tiny&architecture=arm64", new ByteArrayContent(TinyImage.Create()), s_end);
        await using SimulatedNode pi = await ConnectAsync("10000000cccc0001");
        await using SimulatedNode pc = await SimulatedNode.ConnectAsync(
            Appliance.Info, Protocol.Ids.NodeId.Parse("0123456789abcdef0123456789abcdef"), NodeRole.NetInst, "amd64", s_end);
        await AddAsync(new { name = "fresh", cron = "0 * * * *", job = new { kind = "install", select = "all", image = "tiny" } });
        string job = await RunNowAsync("fresh");
        JsonNode made = await UntilAsync(job, "sent skipped");
        Assert.Equal("image 'tiny' is for arm64, this node is amd64", made["tasks"]![1]!["cause"]!.ToString());
        await Api.PostAsync($"{job}/cancel", null, s_end);
        string digest = (await GetAsync("images"))[0]!["digest"]!.ToString();
        Database.Write(c => c.Execute("DELETE FROM images WHERE digest = @digest", new { digest }));
        JsonNode without = await GetAsync(await RunNowAsync("fresh"));
        Assert.All(without["tasks"]!.AsArray(),
            t => Assert.Equal(("skipped", "there is no image 'tiny' any more"), (t!["state"]!.ToString(), t["cause"]!.ToString())));
    }

    [Theory]
    [InlineData("node-send", "failed")] // there is nobody else whom it could be measured against
    [InlineData("network-send", "failed")] // this one runs NetInst
    public async Task A_benchmark_that_meets_one_node_alone_ends_and_the_schedules_go_on(string benchmark, string state)
    {
        await using SimulatedNode node = await ConnectAsync("10000000cccc0000");
        await AddAsync(new
        {
            name = "hourly",
            cron = "0 * * * *",
            job = new { kind = "benchmark", select = "all", parameters = new { benchmark } },
        });
        Time.Now = s_start.AddMinutes(30);
        Assert.Equal(1, await RunsAsync());
        await UntilAsync($"jobs/{(await GetAsync("jobs"))[0]!["id"]}", state);
        Time.Now = s_start.AddMinutes(90);
        Assert.Equal(2, await RunsAsync());
    }

    [Fact]
    public async Task What_has_not_begun_when_the_window_closes_is_skipped()
    {
        SimulatedNode[] nodes = await ConnectAsync(3);
        await nodes[2].DisconnectAsync(s_end);
        string start = s_start.ToString("HH:mm", CultureInfo.InvariantCulture);
        await AddAsync(new
        {
            name = "night",
            cron = "0 * * * *",
            window = new { start, minutes = 60 },
            job = new { kind = "reboot", select = "all", rollout = new { batch = 1, stopAfter = 3 } },
        });
        Time.Now = s_start.AddMinutes(30);
        Assert.Equal(1, await RunsAsync());
        string job = $"jobs/{(await GetAsync("jobs"))[0]!["id"]}";
        await nodes[0].AcceptTaskAsync(s_end);
        await UntilAsync(job, "running held held");
        Time.Now = s_start.AddMinutes(60);
        JsonNode closed = await UntilAsync(job, "timed-out skipped skipped");
        Assert.Equal($"the maintenance window closed at {s_start.AddHours(1):yyyy-MM-dd HH:mm:ss} UTC",
            closed["tasks"]![2]!["cause"]!.ToString());
    }

    [Fact]
    public async Task A_run_outside_the_window_waits_until_it_opens_and_one_that_a_person_asks_for_does_not()
    {
        SimulatedNode[] nodes = await ConnectAsync(1);
        await AddAsync(new
        {
            name = "night",
            cron = "0 * * * *",
            window = new { start = "14:00", minutes = 60 },
            job = new { kind = "reboot", select = "all" }
        });
        Time.Now = s_start.AddMinutes(30);
        Assert.Equal(1, await RunsAsync());
        JsonNode made = (await GetAsync("jobs"))[0]!;
        Assert.Equal(Milliseconds(s_start.AddMinutes(90)), (long)made["notBefore"]!);
        string waiting = $"jobs/{made["id"]}";
        Assert.Equal("held", await StatesAsync(waiting));
        string now = await RunNowAsync("night");
        await RebootAsync(nodes[0]);
        await UntilAsync(now, "succeeded");
        await Api.PatchAsJsonAsync("schedules/night", new { enabled = false }, s_end);
        Time.Now = s_start.AddMinutes(91);
        await RebootAsync(nodes[0]);
        await UntilAsync(waiting, "succeeded");
    }

    [Fact]
    public async Task A_job_may_begin_at_a_time()
    {
        SimulatedNode[] nodes = await ConnectAsync(1);
        string at = s_start.AddHours(1).ToOffset(TimeSpan.FromHours(-5)).ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture);
        string job = await OrderAsync(new { kind = "reboot", nodes = new[] { "all" }, notBefore = at });
        Assert.Equal($"begins at {s_start.AddHours(1):yyyy-MM-dd HH:mm:ss} UTC",
            (await UntilAsync(job, "held"))["job"]!["note"]!.ToString());
        await Appliance.RestartAsync(() => Time.Now = s_start.AddMinutes(59));
        await nodes[0].RestartAsync(NodeRole.NetInst, cancellation: s_end);
        Assert.Equal("held", await StatesAsync(job));
        Time.Now = s_start.AddMinutes(60);
        await RebootAsync(nodes[0]);
        await UntilAsync(job, "succeeded");
    }

    [Theory]
    [InlineData("tomorrow", "notBefore is a time such as 2027-01-31T22:00:00+01:00 (RFC 3339), not 'tomorrow'.")]
    [InlineData("2020-01-01T00:00:00", "notBefore is a time such as 2027-01-31T22:00:00+01:00 (RFC 3339), not '2020-01-01T00:00:00'.")]
    [InlineData("2020-01-01T00:00:00Z", "notBefore lies in the past: 2020-01-01T00:00:00Z.")]
    public async Task A_time_that_cannot_be_is_refused(string notBefore, string sentence)
    {
        await ConnectAsync(1);
        Assert.Equal($"{sentence} Nothing was ordered.",
            await RefusalAsync(HttpMethod.Post, "jobs", new { kind = "reboot", nodes = new[] { "all" }, notBefore }));
        Assert.Equal("[]", await Api.GetStringAsync("jobs", s_end));
    }

    [Theory]
    [InlineData("""{"name":"x","cron":"0 0 30 2 *","job":{"kind":"reboot","select":"all"}}""",
        "The cron line '0 0 30 2 *' never comes: there is no such day. Nothing was changed.")]
    [InlineData("""{"name":"x","cron":"0 3 * * *","zone":"Mars","job":{"kind":"reboot","select":"all"}}""",
        "There is no time zone 'Mars': use a name such as Europe/Berlin, or UTC. Nothing was changed.")]
    [InlineData("""{"name":"x","cron":"0 3 * * *","job":{"kind":"install","select":"all","image":"none"}}""",
        "There is no image 'none': see the list of images for names and digests.")]
    [InlineData("""{"name":"x","cron":"0 3 * * *","job":{"kind":"","select":"all"}}""",
        "There are no jobs of kind '': it is one of benchmark, deploy, firmware, install, reboot, run, shutdown, update")]
    [InlineData("""{"name":"x","cron":"0 3 * * *","job":{"select":"all"}}""", "In job, 'kind' must be given.")]
    [InlineData("""{"name":"x","cron":"0 3 * * *","job":{"kind":"reboot"}}""", "No nodes were named: nothing was ordered.")]
    [InlineData("""{"name":"x","cron":"0 3 * * *","job":{"kind":"reboot","select":" "}}""",
        "No node is taken by the selector ' ': nothing was ordered.")]
    [InlineData("""{"name":"X y","cron":"0 3 * * *","job":{"kind":"reboot","select":"all"}}""",
        "'X y' is no name for a schedule: use 1 to 64 of a-z, 0-9, '-' and '_'. Nothing was changed.")]
    [InlineData("""{"name":"x","cron":"0 3 * * *","window":{"start":"25:00","minutes":5},"job":{"kind":"reboot","select":"all"}}""",
        "The window's start is a time such as 22:00, not '25:00'. Nothing was changed.")]
    [InlineData("""{"name":"x","cron":"0 3 * * *","window":{"start":"22:00","minutes":0},"job":{"kind":"reboot","select":"all"}}""",
        "The window's length is 1 to 1440 minutes, not 0. Nothing was changed.")]
    [InlineData("""{"name":"x","cron":"0 3 * * *","job":{"kind":"reboot","select":"all","rollout":{"batch":0}}}""",
        "The roll-out's batch is a number of nodes, 1 or more, not 0. Nothing was ordered.")]
    [InlineData("""{"name":"x","cron":"0 3 * * *","job":{"kind":"reboot","select":"all","notBefore":"2099-01-01T00:00:00Z"}}""",
        "A schedule's job has no notBefore: its cron line says when. Nothing was changed.")]
    public async Task A_schedule_that_cannot_be_is_refused_with_place_and_reason(string schedule, string sentence)
    {
        Assert.StartsWith(sentence, await RefusalAsync(HttpMethod.Post, "schedules", JsonNode.Parse(schedule)), StringComparison.Ordinal);
        Assert.Equal("[]", await Api.GetStringAsync("schedules", s_end));
    }

    [Fact]
    public async Task Schedules_are_listed_changed_switched_off_and_removed()
    {
        var daily = new { name = "daily", cron = "0 3 * * *", zone = "Europe/Berlin", job = s_nobody };
        await AddAsync(daily);
        Assert.Equal("There is a schedule 'daily' already: remove it first, or choose another name.",
            await RefusalAsync(HttpMethod.Post, "schedules", daily, HttpStatusCode.Conflict));
        JsonNode shown = (await GetAsync("schedules"))[0]!;
        long[] runs = [.. (await GetAsync("schedules/daily/runs?count=3")).AsArray().Select(r => (long)r!)];
        Assert.Equal((3, (long)shown["next"]!, "skip"), (runs.Length, runs[0], shown["missed"]!.ToString()));
        Assert.Equal(runs, (await GetAsync("cron/runs?line=0%203%20*%20*%20*&zone=Europe/Berlin&count=3")).AsArray().Select(r => (long)r!));
        Assert.StartsWith("The cron line '0 3' has 2 fields", await RefusalAsync(HttpMethod.Get, "cron/runs?line=0%203&zone=UTC", null),
            StringComparison.Ordinal);
        Assert.Equal("count is 1 to 100, not 0.", await RefusalAsync(HttpMethod.Get, "schedules/daily/runs?count=0", null));

        Assert.Equal(HttpStatusCode.OK, (await Api.PutAsJsonAsync("schedules/daily", daily with { cron = "0 * * * *" }, s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await Api.PatchAsJsonAsync("schedules/daily", new { enabled = false }, s_end)).StatusCode);
        Assert.Null((await GetAsync("schedules/daily"))["next"]);
        Time.Now = s_start.AddMinutes(40);
        Assert.Equal(0, await RunsAsync());
        await Api.PatchAsJsonAsync("schedules/daily", new { enabled = true }, s_end);
        Assert.Equal(0, await RunsAsync()); // what came while it was off was not missed
        string job = await RunNowAsync("daily");
        shown = await GetAsync("schedules/daily");
        Assert.Equal((job, Milliseconds(s_start.AddMinutes(90))), ($"jobs/{shown["lastJob"]}", (long)shown["next"]!));

        Assert.Equal(HttpStatusCode.NoContent, (await Api.DeleteAsync("schedules/daily", s_end)).StatusCode);
        foreach ((HttpMethod method,
            string path) in new[] { (HttpMethod.Get, ""), (HttpMethod.Delete, ""), (HttpMethod.Get, "/runs"), (HttpMethod.Post, "/run") })
        {
            Assert.Equal("There is no schedule 'daily'.",
                await RefusalAsync(method, $"schedules/daily{path}", null, HttpStatusCode.NotFound));
        }
    }

    private async Task AddAsync(object schedule)
    {
        using HttpResponseMessage response = await Api.PostAsJsonAsync("schedules", schedule, s_end);
        Assert.True(response.StatusCode == HttpStatusCode.Created, await response.Content.ReadAsStringAsync(s_end));
    }

    private async Task<string> RunNowAsync(string name)
    {
        using HttpResponseMessage response = await Api.PostAsync($"schedules/{name}/run", null, s_end);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        return $"jobs/{(await response.Content.ReadFromJsonAsync<JsonNode>(s_end))!["job"]!["id"]}";
    }

    /// <summary>Looks at the time, as the appliance does every second, and counts all jobs.</summary>
    private async Task<int> RunsAsync()
    {
        Appliance.Services.GetRequiredService<ScheduleRunner>().Tick();
        return (await GetAsync("jobs")).AsArray().Count;
    }

    private async Task<IEnumerable<string>> NodesOfNewestAsync()
    {
        await RunsAsync();
        JsonNode newest = await GetAsync($"jobs/{(await GetAsync("jobs"))[0]!["id"]}");
        return newest["tasks"]!.AsArray().Select(t => t!["node"]!.ToString());
    }

    private void SetSeen(DateTimeOffset at)
    {
        using var database = new Database(Path.Combine(Appliance.Options.DataFolder, "appliance.db"));
        database.Write(c => c.Execute("UPDATE schedules SET seen_until = @at", new { at = Milliseconds(at) }));
    }

    private static long Milliseconds(DateTimeOffset at) => at.ToUnixTimeMilliseconds();
}
