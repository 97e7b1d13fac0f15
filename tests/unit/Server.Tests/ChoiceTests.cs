using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>Whom a job for later is for, and orders that are taken back.</summary>
public sealed class ChoiceTests : JobTest
{
    private static readonly string[] s_all = ["all"];

    [Fact]
    public async Task A_job_for_later_is_for_the_nodes_that_its_selector_takes_when_it_begins()
    {
        SimulatedNode[] nodes = await ConnectAsync(4);
        await TagAsync(nodes[0], nodes[1], nodes[2]);
        string job = await OrderAsync(new { kind = "reboot", select = "tag=camera", notBefore = InAnHour() });
        JsonNode ordered = await UntilAsync(job, "held held held");
        Assert.Equal(("tag=camera", true), (ordered["job"]!["select"]!.ToString(), (bool)ordered["job"]!["choosesAgain"]!));
        await TakeTagAsync(nodes[0]);
        await TagAsync(nodes[3]);
        using (HttpResponseMessage cancelled = await Api.PostAsync($"tasks/{ordered["tasks"]![1]!["id"]}/cancel", null, s_end))
        {
            Assert.Equal(HttpStatusCode.NoContent, cancelled.StatusCode);
        }

        await Appliance.RestartAsync(() => Time.Now += TimeSpan.FromMinutes(61));
        foreach (SimulatedNode node in nodes)
        {
            await node.RestartAsync(NodeRole.NetInst, cancellation: s_end);
        }
        JsonNode begun = await UntilAsync(job, "sent sent skipped cancelled");
        Assert.Equal("'tag=camera' did not take it any more when the job began", begun["tasks"]![2]!["cause"]!.ToString());
        Assert.Equal(nodes[3].Id.ToString(), begun["tasks"]![1]!["node"]!.ToString());
        Assert.False((bool)begun["job"]!["choosesAgain"]!);
        await TagAsync(nodes[0]); // too late
        await RebootAsync(nodes[2]);
        await RebootAsync(nodes[3]);
        Assert.True((bool)(await UntilAsync(job, "succeeded succeeded skipped cancelled"))["job"]!["ended"]!);
    }

    [Fact]
    public async Task A_frozen_job_is_for_the_nodes_that_were_shown_when_it_was_ordered()
    {
        SimulatedNode[] nodes = await ConnectAsync(2);
        await TagAsync(nodes[0]);
        string job = await OrderAsync(new { kind = "reboot", select = "tag=camera", notBefore = InAnHour(), frozen = true });
        Assert.False((bool)(await UntilAsync(job, "held"))["job"]!["choosesAgain"]!);
        await TakeTagAsync(nodes[0]);
        await TagAsync(nodes[1]);
        Time.Now += TimeSpan.FromMinutes(61);
        Assert.Equal(nodes[0].Id.ToString(), (await UntilAsync(job, "sent"))["tasks"]![0]!["node"]!.ToString());
    }

    [Fact]
    public async Task A_canary_is_one_of_those_that_are_there_when_the_job_begins_and_only_these_count()
    {
        SimulatedNode[] nodes = await ConnectAsync(4);
        await TagAsync(nodes[..3]);
        string job = await OrderAsync(new
        {
            kind = "reboot",
            select = "tag=camera",
            notBefore = InAnHour(),
            rollout = new { canary = 1, stopAfter = "50%" }
        });
        await TakeTagAsync(nodes[0], nodes[1]);
        await TagAsync(nodes[3]);
        Time.Now += TimeSpan.FromMinutes(61);
        JsonNode begun = await UntilAsync(job, "sent held skipped skipped");
        Assert.Equal(nodes[2].Id.ToString(), begun["tasks"]![0]!["node"]!.ToString());
        await FailAsync(nodes[2]);
        await UntilAsync(job, "failed skipped skipped skipped");
    }

    [Fact]
    public async Task A_new_node_does_not_get_the_host_name_of_one_that_stays()
    {
        await ImportAsync();
        using (HttpResponseMessage made = await Api.PutAsJsonAsync("profiles/lab",
            new { name = "lab", hostName = "lab-{{ value.place }}", values = new { place = "1" } }, s_end))
        {
            Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync(s_end));
        }
        await using SimulatedNode first = await ConnectAsync("10000000cccc0000");
        string job = await OrderAsync(new
        {
            kind = "install",
            select = "all",
            image = "tiny",
            parameters = new { profile = "lab" },
            notBefore = InAnHour()
        });
        await using SimulatedNode same = await ConnectAsync("10000000cccc0001");
        Time.Now += TimeSpan.FromMinutes(61);
        JsonNode begun = await UntilAsync(job, "sent skipped");
        Assert.Contains("would both have the host name 'lab-1'", begun["tasks"]![1]!["cause"]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_scheduled_run_that_waits_for_its_window_asks_its_selector_when_that_opens()
    {
        Time.Now = new DateTimeOffset(TimeProvider.System.GetUtcNow().Date, TimeSpan.Zero).AddDays(1).AddHours(12.5);
        SimulatedNode[] nodes = await ConnectAsync(1);
        using (HttpResponseMessage added = await Api.PostAsJsonAsync("schedules",
            new
            {
                name = "night",
                cron = "0 13 * * *",
                window = new { start = "14:00", minutes = 60 },
                job = new { kind = "reboot", select = "tag=camera" }
            }, s_end))
        {
            Assert.True(added.IsSuccessStatusCode, await added.Content.ReadAsStringAsync(s_end));
        }
        Time.Now += TimeSpan.FromMinutes(30);
        JsonNode made = (await Poll.UntilAsync(() => GetAsync("jobs"), jobs => jobs.AsArray().Count == 1, s_end))[0]!;
        Assert.False((bool)made["ended"]!);
        Assert.Single((await GetAsync("jobs?state=open")).AsArray());
        await TagAsync(nodes);
        Time.Now += TimeSpan.FromMinutes(61);
        await UntilAsync($"jobs/{made["id"]}", "sent");
    }

    [Fact]
    public async Task A_job_that_is_to_choose_later_is_undone_although_it_has_no_node_yet()
    {
        SimulatedNode[] nodes = await ConnectAsync(1);
        await TagAsync(nodes);
        string job = await OrderAsync(new { kind = "reboot", select = "tag=camera", notBefore = InAnHour() });
        using (HttpResponseMessage undone = await Api.PostAsync($"{job}/undo", null, s_end))
        {
            Assert.Equal(HttpStatusCode.OK, undone.StatusCode);
        }
        Assert.True((bool)(await UntilAsync(job, "cancelled"))["job"]!["ended"]!);
        await using SimulatedNode other = await ConnectAsync("10000000cccc0005");
        await TagAsync(other);
        Time.Now += TimeSpan.FromMinutes(61);
        string next = await OrderAsync(new { kind = "shutdown", nodes = s_all });
        await UntilAsync(next, "sent sent");
        Assert.Equal("cancelled", await StatesAsync(job));
    }

    [Fact]
    public async Task A_job_whose_selector_takes_nobody_any_more_ends_when_it_would_begin()
    {
        SimulatedNode[] nodes = await ConnectAsync(1);
        await TagAsync(nodes[0]);
        string job = await OrderAsync(new { kind = "shutdown", select = "tag=camera", notBefore = InAnHour() });
        await TakeTagAsync(nodes[0]);
        Time.Now += TimeSpan.FromMinutes(61);
        JsonNode over = await UntilAsync(job, "skipped");
        Assert.Equal((true, "no node was taken by 'tag=camera' when it began"),
            ((bool)over["job"]!["ended"]!, over["job"]!["note"]!.ToString()));
    }

    [Fact]
    public async Task A_job_that_comes_after_another_chooses_at_the_end_of_that_one()
    {
        SimulatedNode[] nodes = await ConnectAsync(3);
        await TagAsync(nodes[0], nodes[1]);
        string first = await OrderAsync(new { kind = "reboot", select = "tag=camera" });
        string second = await OrderAsync(new { kind = "shutdown", select = "tag=camera", after = first[5..] });
        await FailAsync(nodes[0]);
        await TagAsync(nodes[2]);
        Assert.Equal("held held", await StatesAsync(second));
        await RebootAsync(nodes[1]);
        await UntilAsync(second, "skipped sent sent");
    }

    [Fact]
    public async Task A_job_does_not_begin_before_the_one_that_it_comes_after_has_chosen()
    {
        SimulatedNode[] nodes = await ConnectAsync(1);
        await TagAsync(nodes);
        string first = await OrderAsync(new { kind = "reboot", select = "tag=camera", notBefore = InAnHour() });
        string second = await OrderAsync(new { kind = "shutdown", nodes = s_all, after = first[5..] });
        using (HttpResponseMessage cancelled = await Api.PostAsync($"tasks/{(await GetAsync(first))["tasks"]![0]!["id"]}/cancel", null,
            s_end))
        {
            Assert.Equal(HttpStatusCode.NoContent, cancelled.StatusCode);
        }
        Assert.Equal($"waits for the end of job {first[5..]}", (await UntilAsync(second, "held"))["job"]!["note"]!.ToString());
        Time.Now += TimeSpan.FromMinutes(61);
        await UntilAsync(second, "skipped");
    }

    [Fact]
    public async Task A_node_that_came_since_and_that_the_image_does_not_suit_is_left_out_with_the_reason()
    {
        await ImportAsync();
        await ConnectAsync(1);
        string job = await OrderAsync(new { kind = "install", select = "all", image = "tiny", notBefore = InAnHour() });
        await using SimulatedNode other =
            await SimulatedNode.ConnectAsync(Appliance.Info, NodeId.Parse("00000000-0000-4000-8000-0000000000aa"), NodeRole.NetInst,
                "amd64", s_end);
        await using SimulatedNode same = await ConnectAsync("10000000cccc0001");
        Time.Now += TimeSpan.FromMinutes(61);
        JsonNode begun = await Poll.UntilAsync(() => GetAsync(job), j => j["tasks"]!.AsArray().Count == 3, s_end);
        JsonNode left = begun["tasks"]!.AsArray().Single(t => t!["node"]!.ToString() == other.Id.ToString())!;
        Assert.Equal(("skipped", "image 'tiny' is for arm64, this node is amd64"), (left["state"]!.ToString(), left["cause"]!.ToString()));
        Assert.All(begun["tasks"]!.AsArray().Where(t => t != left), t => Assert.NotEqual("skipped", t!["state"]!.ToString()));
    }

    [Fact]
    public async Task An_order_that_is_held_can_be_undone_and_no_node_hears_of_it()
    {
        SimulatedNode[] nodes = await ConnectAsync(2);
        string job = await OrderAsync(new { kind = "shutdown", nodes = s_all, holdSeconds = 10 });
        Assert.Equal("held held", await StatesAsync(job));
        using (HttpResponseMessage undone = await Api.PostAsync($"{job}/undo", null, s_end))
        {
            Assert.Equal(HttpStatusCode.OK, undone.StatusCode);
        }
        JsonNode gone = await GetAsync(job);
        Assert.Equal(("cancelled cancelled", true), (States(gone), (bool)gone["job"]!["ended"]!));
        Assert.All(gone["tasks"]!.AsArray(), t => Assert.Equal("undone before anything was sent to the node", t!["note"]!.ToString()));
        Assert.Equal($"Job {job[5..]} has ended: there is nothing to undo.",
            await RefusalAsync(HttpMethod.Post, $"{job}/undo", null, HttpStatusCode.Conflict));
        Time.Now += TimeSpan.FromSeconds(11);

        // What a node hears first is the next order.
        string next = await OrderAsync(new { kind = "reboot", nodes = s_all, holdSeconds = 10 });
        Time.Now += TimeSpan.FromSeconds(11);
        await UntilAsync(next, "sent sent");
        Assert.IsType<RebootOrder>((await nodes[0].AcceptTaskAsync(s_end)).Order);
        Assert.Equal($"Job {next[5..]} has begun on 2 of 2 nodes and cannot be undone: cancel what is left of it.",
            await RefusalAsync(HttpMethod.Post, $"{next}/undo", null, HttpStatusCode.Conflict));
    }

    [Fact]
    public async Task An_order_that_is_only_held_stays_with_the_nodes_that_were_shown()
    {
        SimulatedNode[] nodes = await ConnectAsync(2);
        await TagAsync(nodes[0]);
        string job = await OrderAsync(new { kind = "reboot", select = "tag=camera", holdSeconds = 10 });
        Assert.False((bool)(await UntilAsync(job, "held"))["job"]!["choosesAgain"]!);
        await TagAsync(nodes[1]);
        Time.Now += TimeSpan.FromSeconds(11);
        Assert.Equal("sent", States(await UntilAsync(job, "sent")));
    }

    [Fact]
    public async Task What_failed_is_ordered_again_with_time_to_undo_it()
    {
        SimulatedNode[] nodes = await ConnectAsync(1);
        string job = await OrderAsync(new { kind = "reboot", nodes = s_all });
        await FailAsync(nodes[0]);
        await UntilAsync(job, "failed");
        Assert.Equal("holdSeconds is 0 to 300, not 301: a job for later has a notBefore.",
            await RefusalAsync(HttpMethod.Post, $"{job}/retry?holdSeconds=301", null));
        using HttpResponseMessage retried = await Api.PostAsync($"{job}/retry?holdSeconds=10", null, s_end);
        string again = $"jobs/{(await retried.Content.ReadFromJsonAsync<JsonNode>(s_end))!["job"]!["id"]}";
        Assert.Equal("held", await StatesAsync(again));
        Time.Now += TimeSpan.FromSeconds(11);
        await UntilAsync(again, "sent");
    }

    [Fact]
    public async Task An_order_cannot_be_held_for_longer_than_people_think_twice()
    {
        await ConnectAsync(1);
        Assert.Equal("holdSeconds is 0 to 300, not 301: a job for later has a notBefore. Nothing was ordered.",
            await RefusalAsync(HttpMethod.Post, "jobs", new { kind = "reboot", nodes = s_all, holdSeconds = 301 }));
        var nobody = Guid.NewGuid();
        Assert.Equal($"There is no job {nobody}.",
            await RefusalAsync(HttpMethod.Post, $"jobs/{nobody}/undo", null, HttpStatusCode.NotFound));
        Assert.Equal("[]", await Api.GetStringAsync("jobs", s_end));
    }

    private Task TagAsync(params SimulatedNode[] nodes) => SetTagsAsync(nodes, ["camera"]);

    private Task TakeTagAsync(params SimulatedNode[] nodes) => SetTagsAsync(nodes, []);

    private async Task SetTagsAsync(SimulatedNode[] nodes, string[] tags)
    {
        foreach (SimulatedNode node in nodes)
        {
            using HttpResponseMessage answer = await Api.PatchAsJsonAsync($"nodes/{node.Id}", new { tags }, s_end);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(s_end));
        }
    }
}
