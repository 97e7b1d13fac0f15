using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>Jobs that go from node to node, try again, and survive a restart of the appliance.</summary>
public sealed class JobPlanTests : JobTest
{
    private static readonly string[] s_all = ["all"];

    [Fact]
    public async Task A_canary_goes_first_and_then_batch_after_batch()
    {
        SimulatedNode[] nodes = await ConnectAsync(4);
        string job = await OrderAsync(new { kind = "reboot", nodes = s_all, rollout = new { canary = 1, batch = 2 } });
        JsonNode first = await UntilAsync(job, "sent held held held");
        Assert.Equal("batch 1 waits for the end of the canary", first["job"]!["note"]!.ToString());
        Assert.Equal((1, 2), ((int)first["job"]!["rollout"]!["canary"]!, (int)first["job"]!["rollout"]!["batch"]!));
        Assert.Null((await GetAsync($"nodes/{nodes[1].Id}"))["task"]); // it knows nothing of it yet

        await RebootAsync(nodes[0]);
        await UntilAsync(job, "succeeded sent sent held");
        await RebootAsync(nodes[2]);
        await UntilAsync(job, "succeeded sent succeeded held");
        await RebootAsync(nodes[1]);
        await RebootAsync(nodes[3]);
        JsonNode last = await UntilAsync(job, "succeeded succeeded succeeded succeeded");
        Assert.Equal((true, ""), ((bool)last["job"]!["ended"]!, last["job"]!["note"]!.ToString()));
    }

    [Fact]
    public async Task A_canary_that_fails_keeps_all_others_from_it_and_each_of_them_says_why()
    {
        SimulatedNode[] nodes = await ConnectAsync(3);
        string job = await OrderAsync(new { kind = "reboot", nodes = s_all, rollout = new { canary = 1 } });
        await FailAsync(nodes[0]);
        JsonNode stopped = await UntilAsync(job, "failed skipped skipped");
        Assert.True((bool)stopped["job"]!["ended"]!);
        Assert.All(stopped["tasks"]!.AsArray().Skip(1), t => Assert.Equal("the canary failed on 1 of 1 nodes", t!["cause"]!.ToString()));
        Assert.Equal("the canary failed on 1 of 1 nodes", stopped["job"]!["note"]!.ToString());
    }

    [Fact]
    public async Task An_appliance_that_was_off_goes_on_where_it_was()
    {
        SimulatedNode[] nodes = await ConnectAsync(3);
        string job = await OrderAsync(new
        {
            kind = "reboot",
            nodes = s_all,
            rollout = new { batch = 1, pauseBetween = 600, stopAfter = 2 }
        });
        await RebootAsync(nodes[0]);
        await UntilAsync(job, "succeeded held held");

        await Appliance.RestartAsync(() => Time.Now += TimeSpan.FromMinutes(5));
        Assert.Equal("succeeded held held", await StatesAsync(job));
        foreach (SimulatedNode node in nodes)
        {
            await node.RestartAsync(NodeRole.NetInst, cancellation: s_end);
        }
        Assert.Equal("succeeded held held", await StatesAsync(job)); // the pause is not over
        Time.Now += TimeSpan.FromMinutes(5);
        await FailAsync(nodes[1]);
        await UntilAsync(job, "succeeded failed held");

        await Appliance.RestartAsync(() => Time.Now += TimeSpan.FromMinutes(11));
        // The second batch failed on its only node, which is below the limit: nobody has to be connected for the third.
        await nodes[2].RestartAsync(NodeRole.NetInst, cancellation: s_end);
        await RebootAsync(nodes[2]);
        await UntilAsync(job, "succeeded failed succeeded");
    }

    [Fact]
    public async Task With_a_limit_a_node_that_is_off_is_passed_over_and_gets_its_turn_when_it_comes()
    {
        SimulatedNode[] nodes = await ConnectAsync(3);
        await SwitchOffAsync(nodes[0]);
        string job = await OrderAsync(new { kind = "reboot", nodes = s_all, rollout = new { maximumAtOnce = 1 } });
        await UntilAsync(job, "held sent held");
        await RebootAsync(nodes[1]);
        await RebootAsync(nodes[2]);
        await UntilAsync(job, "held succeeded succeeded");
        await nodes[0].RestartAsync(NodeRole.NetInst, cancellation: s_end);
        await RebootAsync(nodes[0]);
        await UntilAsync(job, "succeeded succeeded succeeded");
    }

    [Fact]
    public async Task What_is_held_does_not_stand_in_the_way_of_another_job()
    {
        SimulatedNode[] nodes = await ConnectAsync(2);
        string held = await OrderAsync(new { kind = "reboot", nodes = s_all, rollout = new { batch = 1 } });
        string other = await OrderAsync(new { kind = "reboot", nodes = new[] { nodes[1].Id.ToString() } });
        await RebootAsync(nodes[1]);
        await UntilAsync(other, "succeeded");
        Assert.Equal("sent held", await StatesAsync(held));
    }

    [Fact]
    public async Task A_job_that_is_cancelled_begins_nowhere_else()
    {
        SimulatedNode[] nodes = await ConnectAsync(3);
        string job = await OrderAsync(new { kind = "reboot", nodes = s_all, rollout = new { batch = 1, stopAfter = 3 } });
        StartTask start = await nodes[0].AcceptTaskAsync(s_end);
        await Api.PostAsync($"{job}/cancel", null, s_end);
        await nodes[0].ReceiveAsync<CancelTask>(s_end);
        await nodes[0].SendAsync(new TaskEnded(start.TaskId, false, true, "", DiskState.Untouched), s_end);
        await UntilAsync(job, "cancelled cancelled cancelled");
    }

    [Fact]
    public async Task What_failed_is_tried_again_after_a_pause_as_often_as_was_asked_for()
    {
        SimulatedNode[] nodes = await ConnectAsync(1);
        string job = await OrderAsync(new { kind = "reboot", nodes = s_all, retry = new { attempts = 3, pause = 60 } });
        await FailAsync(nodes[0]);
        JsonNode waiting = await UntilAsync(job, "waiting");
        Assert.Equal(("retrying", "no power"), (waiting["tasks"]![0]!["phase"]!.ToString(), waiting["tasks"]![0]!["cause"]!.ToString()));
        Time.Now += TimeSpan.FromSeconds(59);
        Assert.Equal("waiting", await StatesAsync(job));
        await Appliance.RestartAsync();
        await nodes[0].RestartAsync(NodeRole.NetInst, cancellation: s_end);
        Assert.Equal("waiting", await StatesAsync(job));
        Time.Now += TimeSpan.FromSeconds(1);
        await FailAsync(nodes[0]);
        await UntilAsync(job, "waiting");
        Time.Now += TimeSpan.FromSeconds(60);
        await FailAsync(nodes[0]);
        await UntilAsync(job, "failed");
    }

    [Fact]
    public async Task What_a_node_says_will_always_fail_is_not_tried_again()
    {
        SimulatedNode[] nodes = await ConnectAsync(1);
        string job = await OrderAsync(new { kind = "reboot", nodes = s_all, retry = new { attempts = 3 } });
        await FailAsync(nodes[0], final: true);
        await UntilAsync(job, "failed");
    }

    [Fact]
    public async Task While_a_job_is_paused_nothing_more_is_sent_and_what_runs_goes_on_to_its_end()
    {
        SimulatedNode[] nodes = await ConnectAsync(3);
        await SwitchOffAsync(nodes[2]);
        string job = await OrderAsync(new { kind = "reboot", nodes = s_all, retry = new { attempts = 2, pause = 0 } });
        await Api.PostAsync($"{job}/pause", null, s_end);
        Assert.True((bool)(await UntilAsync(job, "sent sent held"))["job"]!["paused"]!);
        await RebootAsync(nodes[0]);
        await FailAsync(nodes[1]);
        await UntilAsync(job, "succeeded held held"); // to be tried again, but not now

        await Appliance.RestartAsync();
        foreach (SimulatedNode node in nodes)
        {
            await node.RestartAsync(NodeRole.NetInst, cancellation: s_end);
        }
        Assert.Equal("succeeded held held", await StatesAsync(job));
        string other = await OrderAsync(new { kind = "reboot", nodes = new[] { nodes[2].Id.ToString() } });
        await RebootAsync(nodes[2]);
        await UntilAsync(other, "succeeded");

        await Api.PostAsync($"{job}/resume", null, s_end);
        await RebootAsync(nodes[1]);
        await RebootAsync(nodes[2]);
        await UntilAsync(job, "succeeded succeeded succeeded");
        foreach (string what in new[] { "pause", "resume" })
        {
            Assert.EndsWith($"has ended: there is nothing to {what}.",
                await RefusalAsync(HttpMethod.Post, $"{job}/{what}", null, HttpStatusCode.Conflict), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_failed_is_ordered_again_as_a_job_of_its_own_with_the_same_plan()
    {
        SimulatedNode[] nodes = await ConnectAsync(3);
        string job = await OrderAsync(new { kind = "reboot", nodes = s_all, rollout = new { batch = 3, stopAfter = 3 } });
        await FailAsync(nodes[0]);
        await RebootAsync(nodes[1]);
        await FailAsync(nodes[2]);
        await UntilAsync(job, "failed succeeded failed");

        JsonNode again = (await (await Api.PostAsync($"{job}/retry", null, s_end)).Content.ReadFromJsonAsync<JsonNode>(s_end))!;
        Assert.Equal([nodes[0].Id.ToString(), nodes[2].Id.ToString()], again["tasks"]!.AsArray().Select(t => t!["node"]!.ToString()));
        Assert.Equal((job, "3", 3),
            ($"jobs/{again["job"]!["retryOf"]}", again["job"]!["rollout"]!["stopAfter"]!.ToString(),
            (int)again["job"]!["rollout"]!["batch"]!));
        string second = $"jobs/{again["job"]!["id"]}";
        Assert.Equal($"Job {second[5..]} tries again already what failed in job {job[5..]}.",
            await RefusalAsync(HttpMethod.Post, $"{job}/retry", null, HttpStatusCode.Conflict));

        await RebootAsync(nodes[0]);
        await RebootAsync(nodes[2]);
        await UntilAsync(second, "succeeded succeeded");
        Assert.Equal($"No node failed in job {second[5..]}: there is nothing to try again.",
            await RefusalAsync(HttpMethod.Post, $"{second}/retry", null, HttpStatusCode.Conflict));
        string nobody = $"jobs/{Guid.NewGuid()}";
        foreach (string what in new[] { "pause", "resume", "retry" })
        {
            Assert.Equal($"There is no job {nobody[5..]}.",
                await RefusalAsync(HttpMethod.Post, $"{nobody}/{what}", null, HttpStatusCode.NotFound));
        }
    }

    [Fact]
    public async Task A_job_after_another_begins_at_its_end_without_the_nodes_that_failed_in_it()
    {
        SimulatedNode[] nodes = await ConnectAsync(3);
        string first = await OrderAsync(new { kind = "reboot", nodes = nodes[..2].Select(n => n.Id.ToString()) });
        string second = await OrderAsync(new { kind = "shutdown", nodes = s_all, after = first[5..] });
        await FailAsync(nodes[0]);
        await UntilAsync(first, "failed sent");
        JsonNode waiting = await UntilAsync(second, "held held held");
        Assert.Equal((first[5..], $"waits for the end of job {first[5..]}"),
            (waiting["job"]!["after"]!.ToString(), waiting["job"]!["note"]!.ToString()));
        await RebootAsync(nodes[1]);
        JsonNode begun = await UntilAsync(second, "skipped sent sent");
        Assert.Equal($"did not succeed in job {first[5..]}, which comes before", begun["tasks"]![0]!["cause"]!.ToString());

        var nobody = Guid.NewGuid();
        Assert.Equal($"There is no job {nobody} that this one could come after. Nothing was ordered.",
            await RefusalAsync(HttpMethod.Post, "jobs", new { kind = "reboot", nodes = s_all, after = nobody }));
    }

    [Fact]
    public async Task Nodes_are_measured_before_and_after_and_a_benchmark_that_fails_holds_nothing_up()
    {
        SimulatedNode[] nodes = await ConnectAsync(2);
        string job = await OrderAsync(new { kind = "reboot", nodes = s_all, measure = new[] { "crc32" } });
        JsonArray jobs = (await GetAsync("jobs")).AsArray();
        Assert.Equal(["benchmark", "reboot", "benchmark"], jobs.Select(j => j!["kind"]!.ToString()));
        (string after, string main, string before) = ($"jobs/{jobs[0]!["id"]}", $"jobs/{jobs[1]!["id"]}", $"jobs/{jobs[2]!["id"]}");
        Assert.Equal((job, jobs[1]!["id"]!.ToString(), jobs[2]!["id"]!.ToString()),
            (main, jobs[0]!["after"]!.ToString(), jobs[1]!["after"]!.ToString()));
        Assert.Equal("crc32", jobs[0]!["parameters"]!["benchmark"]!.ToString());

        // These run NetInst, and cannot be measured.
        await UntilAsync(before, "failed failed");
        await RebootAsync(nodes[0]);
        await FailAsync(nodes[1]);
        await UntilAsync(main, "succeeded failed");
        await UntilAsync(after, "failed skipped");
    }

    [Fact]
    public async Task A_node_that_is_off_holds_up_nobody_else_when_nodes_are_measured_before()
    {
        SimulatedNode[] nodes = await ConnectAsync(2);
        await SwitchOffAsync(nodes[0]);
        string job = await OrderAsync(new { kind = "reboot", nodes = s_all, measure = new[] { "crc32", "sha256" } });
        await RebootAsync(nodes[1]);
        JsonNode waiting = await UntilAsync(job, "held succeeded");
        Assert.StartsWith("each node waits for its end in job ", waiting["job"]!["note"]!.ToString(), StringComparison.Ordinal);
        await nodes[0].RestartAsync(NodeRole.NetInst, cancellation: s_end);
        await RebootAsync(nodes[0]);
        await UntilAsync(job, "succeeded succeeded");
    }

    [Fact]
    public async Task What_is_undone_or_cancelled_is_not_measured_either()
    {
        SimulatedNode[] nodes = await ConnectAsync(1);
        await SwitchOffAsync(nodes[0]);
        string undone = await OrderAsync(new { kind = "reboot", nodes = s_all, measure = new[] { "crc32" }, holdSeconds = 10 });
        (await Api.PostAsync($"{undone}/undo", null, s_end)).EnsureSuccessStatusCode();
        string cancelled = await OrderAsync(new { kind = "reboot", nodes = s_all, measure = new[] { "crc32" } });
        (await Api.PostAsync($"{cancelled}/cancel", null, s_end)).EnsureSuccessStatusCode();
        JsonArray jobs = (await GetAsync("jobs")).AsArray();
        Assert.Equal(6, jobs.Count);
        Assert.All(jobs, job => Assert.True((bool)job!["ended"]!));
    }

    [Fact]
    public async Task Who_is_skipped_before_is_skipped_in_what_comes_after()
    {
        SimulatedNode[] nodes = await ConnectAsync(2);
        string first = await OrderAsync(new { kind = "reboot", nodes = s_all });
        string job = await OrderAsync(new { kind = "reboot", nodes = s_all, after = first["jobs/".Length..], measure = new[] { "crc32" } });
        await RebootAsync(nodes[0]);
        await FailAsync(nodes[1]);
        await UntilAsync(first, "succeeded failed");
        await RebootAsync(nodes[0]);
        await UntilAsync(job, "succeeded skipped");
    }

    [Theory]
    [InlineData("""{"rollout":{"canary":-1}}""", "The roll-out's canary is a number of nodes, 0 or more, not -1.")]
    [InlineData("""{"rollout":{"batch":0}}""", "The roll-out's batch is a number of nodes, 1 or more, not 0.")]
    [InlineData("""{"rollout":{"maximumAtOnce":0}}""", "The roll-out's maximumAtOnce is a number of nodes, 1 or more, not 0.")]
    [InlineData("""{"rollout":{"batch":1,"pauseBetween":-5}}""", "The roll-out's pauseBetween is 0 to 604800 seconds, not -5.")]
    [InlineData("""{"rollout":{"pauseBetween":5}}""",
        "The roll-out's pauseBetween needs a canary or a batch: there is nothing to pause between.")]
    [InlineData("""{"rollout":{"requireHealthy":true}}""",
        "The roll-out's requireHealthy needs a canary or a batch: there is nothing to wait between.")]
    [InlineData("""{"rollout":{"stopAfter":"0"}}""",
        "The roll-out's stopAfter is a number of failures such as 3, or a part of the nodes such as \"10%\", not '0'.")]
    [InlineData("""{"rollout":{"stopAfter":"101%"}}""",
        "The roll-out's stopAfter is a number of failures such as 3, or a part of the nodes such as \"10%\", not '101%'.")]
    [InlineData("""{"rollout":{"stopAfter":1.5}}""",
        "The roll-out's stopAfter is a number of failures such as 3, or a part of the nodes such as \"10%\", not '1.5'.")]
    [InlineData("""{"rollout":{"batch":1,"requireHealthy":true},"kind":"shutdown"}""",
        "The roll-out's requireHealthy cannot be had with a shutdown: nodes that are off are not connected.")]
    [InlineData("""{"rollout":{"maximumWatts":0}}""", "The roll-out's maximumWatts is a number of watts, 1 or more, not 0.")]
    [InlineData("""{"measure":["crc32","crc33"]}""",
        "The benchmark cannot be run: there is no benchmark 'crc33': sha256, sha512, crc32, crc32c, matrix-float, matrix-double, " +
        "memory-bandwidth, memory-latency, card-read, card-write, card-random-read, card-random-write, network-send, network-receive, " +
        "network-latency, node-send, node-latency, naive-sha256, naive-sha512, naive-crc32, naive-matrix-float, naive-matrix-double.")]
    [InlineData("""{"kind":"shutdown","measure":["crc32"]}""", "Nobody can be measured after a shutdown.")]
    [InlineData("""{"measure":["node-send"]}""", "node-send takes two nodes: each is measured against the next one.")]
    [InlineData("""{"measure":["crc32","crc32","crc32","crc32","crc32","crc32"]}""", "measure names 5 benchmarks at most, not 6.")]
    [InlineData("""{"kind":"benchmark","parameters":{"benchmark":"crc32"},"measure":["crc32"]}""",
        "A benchmark is not measured by others before and after.")]
    [InlineData("""{"retry":{"attempts":0}}""", "The retry policy's attempts is 1 to 10, not 0.")]
    [InlineData("""{"retry":{"attempts":2,"pause":-1}}""", "The retry policy's pause is 0 to 86400 seconds, not -1.")]
    public async Task A_plan_that_cannot_be_is_refused_in_one_sentence_and_nothing_is_ordered(string plan, string sentence)
    {
        await using SimulatedNode node = await ConnectAsync("10000000cccc0000");
        JsonNode order = JsonNode.Parse(plan)!;
        order["kind"] ??= "reboot";
        order["nodes"] = new JsonArray("all");
        Assert.Equal($"{sentence} Nothing was ordered.", await RefusalAsync(HttpMethod.Post, "jobs", order));
        Assert.Equal("[]", await Api.GetStringAsync("jobs", s_end));
    }
}
