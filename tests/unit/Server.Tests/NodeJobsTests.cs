using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Engine;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Storage;
using Bootstrap.Support;
using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

/// <summary>The jobs of one node, and what is left of them when it is forgotten.</summary>
public sealed class NodeJobsTests : JobTest
{
    [Fact]
    public async Task A_nodes_jobs_are_listed_the_newest_first_with_what_went_wrong()
    {
        SimulatedNode[] nodes = await ConnectAsync(2);
        await using SimulatedNode first = nodes[0], second = nodes[1];
        string reboot = await OrderAsync(new { kind = "reboot", nodes = new[] { "all" } });
        await FailAsync(first);
        await RebootAsync(second);
        await UntilAsync(reboot, "failed succeeded");
        string shutdown = await OrderAsync(new { kind = "shutdown", nodes = new[] { first.Id.ToString() } });

        JsonArray jobs = (await GetAsync($"nodes/{first.Id}/jobs")).AsArray();
        Assert.Equal([shutdown, reboot], jobs.Select(j => $"jobs/{j!["job"]!["id"]}"));
        Assert.Equal(["sent ", "failed no power"], jobs.Select(j => $"{j!["task"]!["state"]} {j["task"]!["cause"]}"));
        Assert.Equal([reboot], (await GetAsync($"nodes/{second.Id}/jobs")).AsArray().Select(j => $"jobs/{j!["job"]!["id"]}"));
        Assert.Single((await GetAsync($"nodes/{first.Id}/jobs?limit=1")).AsArray());
        Assert.Equal("limit is 1 to 100, not 101.", await RefusalAsync(HttpMethod.Get, $"nodes/{first.Id}/jobs?limit=101", null));
        await RefusalAsync(HttpMethod.Get, "nodes/nobody/jobs", null, HttpStatusCode.NotFound);
    }

    /// <summary>What looks at the time all the while finds its connection at the first moment.</summary>
    [Fact]
    public async Task A_node_is_welcomed_before_it_is_told_to_do_anything()
    {
        await using SimulatedNode node = await ConnectAsync("10000000cccc0001");
        JobEngine engine = Appliance.Services.GetRequiredService<JobEngine>();
        using var stop = new CancellationTokenSource();
        Task looking = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                engine.Tick();
            }
        }, s_end);
        for (int i = 0; i < 10; i++)
        {
            await node.DisconnectAsync(s_end);
            await Poll.UntilAsync(() => GetAsync($"nodes/{node.Id}"), seen => seen["link"]!.ToString() == "offline", s_end);
            await OrderAsync(new { kind = "reboot", nodes = new[] { "all" } });
            await node.RestartAsync(NodeRole.Slave, cancellation: s_end);
            await FailAsync(node);
        }
        await stop.CancelAsync();
        await looking;
    }

    [Fact]
    public async Task One_node_is_tried_again_by_itself_and_the_others_after_it()
    {
        SimulatedNode[] nodes = await ConnectAsync(3);
        await using SimulatedNode first = nodes[0], second = nodes[1], third = nodes[2];
        string job = await OrderAsync(new { kind = "reboot", nodes = new[] { "all" } });
        await FailAsync(first);
        await FailAsync(second);
        await RebootAsync(third);
        await UntilAsync(job, "failed failed succeeded");
        Assert.Equal([first.Id.ToString()], await RetryAsync($"{job}/retry?node={first.Id}"));
        Assert.EndsWith($"tries again already what failed in job {job[5..]}.",
            await RefusalAsync(HttpMethod.Post, $"{job}/retry?node={first.Id}", null, HttpStatusCode.Conflict), StringComparison.Ordinal);
        Assert.Equal([second.Id.ToString()], await RetryAsync($"{job}/retry"));
        Assert.EndsWith("there is nothing to try again.",
            await RefusalAsync(HttpMethod.Post, $"{job}/retry?node={third.Id}", null, HttpStatusCode.Conflict), StringComparison.Ordinal);
        Assert.Equal("'-' is no node's id.", await RefusalAsync(HttpMethod.Post, $"{job}/retry?node=-", null));
    }

    [Fact]
    public async Task The_history_of_jobs_keeps_the_names_of_nodes_that_are_forgotten()
    {
        SimulatedNode[] nodes = await ConnectAsync(2);
        await using SimulatedNode first = nodes[0], second = nodes[1];
        (await Api.PatchAsJsonAsync($"nodes/{first.Id}", new { name = "front-door" }, s_end)).EnsureSuccessStatusCode();
        string job = await OrderAsync(new { kind = "reboot", nodes = new[] { first.Id.ToString(), second.Id.ToString() } });
        await FailAsync(first);
        await RebootAsync(second);
        await UntilAsync(job, "failed succeeded");
        string second0 = (await GetAsync($"nodes/{second.Id}"))["name"]!.ToString();
        foreach (SimulatedNode node in nodes)
        {
            (await Api.DeleteAsync($"nodes/{node.Id}", s_end)).EnsureSuccessStatusCode();
        }
        JsonNode told = await GetAsync(job);
        Assert.Equal(["front-door failed no power", $"{second0} succeeded "],
            told["tasks"]!.AsArray().Select(t => $"{t!["nodeName"]} {t["state"]} {t["cause"]}"));
        Assert.Equal((1, 1), ((int)told["job"]!["counts"]!["failed"]!, (int)told["job"]!["counts"]!["succeeded"]!));
        Assert.Equal([job], (await GetAsync("jobs?text=FRONT-D")).AsArray().Select(j => $"jobs/{j!["id"]}"));
        Assert.NotEmpty((await GetAsync($"{job}/phases")).AsArray());
        // What is gone cannot be tried again.
        Assert.Contains("there is nothing to try again",
            await RefusalAsync(HttpMethod.Post, $"{job}/retry", null, HttpStatusCode.Conflict));
    }

    [Fact]
    public async Task What_a_forgotten_node_was_to_do_is_cancelled_and_its_job_goes_on_with_the_others()
    {
        SimulatedNode[] nodes = await ConnectAsync(3);
        await using SimulatedNode first = nodes[0], second = nodes[1], third = nodes[2];
        var rollout = new { batch = 1, stopAfter = "3", requireHealthy = false };
        string job = await OrderAsync(new { kind = "reboot", nodes = nodes.Select(n => n.Id.ToString()), rollout });
        Assert.Equal("sent held held", await StatesAsync(job));
        (await Api.DeleteAsync($"nodes/{second.Id}", s_end)).EnsureSuccessStatusCode();
        Assert.Equal("sent cancelled held", await StatesAsync(job));
        (await Api.DeleteAsync($"nodes/{first.Id}", s_end)).EnsureSuccessStatusCode();
        await RebootAsync(third);
        JsonNode ended = await UntilAsync(job, "cancelled cancelled succeeded");
        Assert.Equal("the node was forgotten", ended["tasks"]![0]!["cause"]!.ToString());
        Assert.True((bool)ended["job"]!["ended"]!);
    }

    [Fact]
    public void A_file_from_before_keeps_its_history_from_then_on()
    {
        using var old = new SqliteConnection("Data Source=:memory:;Foreign Keys=True");
        old.Open();
        int steps = 1;
        for (; old.ExecuteScalar<long>("SELECT count(*) FROM pragma_table_info('tokens') WHERE name = 'made_by'") == 0; steps++)
        {
            Schema.Migrate(old, steps);
        }
        old.Execute("""
            INSERT INTO nodes (id, name, lifecycle, inventory, first_seen, last_seen) VALUES ('a', 'node-a', 'Installed', '{}', 1, 1);
            INSERT INTO jobs (id, kind, created_at, created_by) VALUES ('j', 'reboot', 1, 'admin');
            INSERT INTO tasks (id, job_id, node_id, state, created_at, phase_at, ended_at) VALUES ('t', 'j', 'a', 'Succeeded', 1, 1, 1);
            INSERT INTO task_phases (task_id, state, phase, at) VALUES ('t', 'Running', '', 1);
            """);
        Schema.Migrate(old);
        Assert.Equal(["jobs"], old.Query<string>("SELECT \"table\" FROM pragma_foreign_key_list('tasks')"));
        Assert.Equal("ok", old.ExecuteScalar<string>("PRAGMA integrity_check"));
        old.Execute("DELETE FROM nodes");
        Assert.Equal(1, old.ExecuteScalar<int>("SELECT count(*) FROM tasks WHERE node_id = 'a'"));
        Assert.Equal(1, old.ExecuteScalar<int>("SELECT count(*) FROM task_phases"));
        // Jobs still take their tasks with them.
        old.Execute("DELETE FROM jobs");
        Assert.Equal(0, old.ExecuteScalar<int>("SELECT (SELECT count(*) FROM tasks) + (SELECT count(*) FROM task_phases)"));
    }

    [Theory]
    [InlineData("install", "staging checking keeping writing verifying configuring rebooting starting first-boot")]
    [InlineData("install", "checking writing verifying configuring trying confirming first-boot")]
    [InlineData("install", "staging checking testing writing verifying configuring rebooting starting first-boot", true)]
    [InlineData("firmware", "checking staging restarting confirming")]
    public void The_whole_way_never_goes_back_when_a_phase_ends(string kind, string phases, bool testsCard = false)
    {
        string parameters = testsCard ? """{"testCard":true}""" : "{}";
        IReadOnlyDictionary<string, (double, double)>? whole = TaskKind.Find(kind)!.Way(TaskKindTests.Row(kind, parameters: parameters));
        double?[] way = [.. phases.Split(' ').SelectMany(phase =>
            new long[] { 0, 50, 100 }.Select(done => TaskFraction.Of(whole, TaskState.Running, phase, done, 100)))];
        Assert.Equal(way.Order(), way);
        Assert.InRange(way[^1]!.Value, 0.95, 1);
        Assert.Equal(1, TaskFraction.Of(whole, TaskState.Succeeded, "", 0, 0));
        Assert.Equal(0, TaskFraction.Of(whole, TaskState.Sent, "", 0, 0));
    }

    [Fact]
    public void Of_work_that_measures_nothing_nobody_knows_how_far_it_is()
    {
        Assert.Null(TaskFraction.Of(null, TaskState.Running, "", 0, 0));
        Assert.Equal(0.25, TaskFraction.Of(null, TaskState.Running, "deploying", 25, 100));
    }

    [Fact]
    public async Task A_task_and_its_node_agree_how_far_it_is_and_a_new_phase_begins_with_nothing_done()
    {
        await ImportAsync();
        await using SimulatedNode node = await ConnectAsync("10000000eeee0001");
        string job = await OrderAsync(new { kind = "install", nodes = new[] { "all" }, image = "tiny" });
        StartTask start = await node.AcceptTaskAsync(s_end);
        await node.ReportAsync(start.TaskId, "verifying", 12, 100, s_end);
        await Poll.UntilAsync(() => GetAsync(job), j => (int)j["tasks"]![0]!["done"]! == 12, s_end);
        double task = (double)(await GetAsync(job))["tasks"]![0]!["fraction"]!;
        Assert.Equal(0.724, task, 3);
        Assert.Equal(task, (double)(await GetAsync($"nodes/{node.Id}"))["task"]!["fraction"]!);

        await node.SendAsync(new TaskEnded(start.TaskId, true, false, "", DiskState.Installed), s_end);
        JsonNode starting = (await Poll.UntilAsync(() => GetAsync(job), j => j["tasks"]![0]!["phase"]!.ToString() == "starting",
            s_end))["tasks"]![0]!;
        Assert.Equal((0, 0, 0.93), ((int)starting["done"]!, (int)starting["total"]!, (double)starting["fraction"]!));
    }

    private async Task<string[]> RetryAsync(string path)
    {
        using HttpResponseMessage answer = await Api.PostAsync(path, null, s_end);
        Assert.True(answer.StatusCode == HttpStatusCode.Created, await answer.Content.ReadAsStringAsync(s_end));
        return [.. (await answer.Content.ReadFromJsonAsync<JsonNode>(s_end))!["tasks"]!.AsArray().Select(t => t!["node"]!.ToString())];
    }
}
