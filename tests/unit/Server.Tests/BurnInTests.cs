using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Engine;
using Bootstrap.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

/// <summary>Boards that are put through a set of benchmarks before they count as fit.</summary>
public sealed class BurnInTests : JobTest
{
    private static readonly string[] s_set = ["card-write", "card-random-read", "memory-bandwidth", "sha256"];

    private readonly HashSet<Guid> _done = [];

    [Fact]
    public async Task A_board_that_comes_after_the_policy_is_tried_once_and_fit_when_nothing_was_wrong()
    {
        await using SimulatedNode early = await ConnectAsync("10000000cccc0001");
        Time.Now += TimeSpan.FromSeconds(1);
        await SetPolicyAsync("short");
        await using SimulatedNode node = await ConnectAsync("10000000cccc0002");
        Assert.Empty(await ListAsync()); // it runs NetInst, and has nothing to be tried in

        await early.RestartAsync(NodeRole.Slave, cancellation: s_end);
        await node.RestartAsync(NodeRole.Slave, cancellation: s_end);
        JsonNode begun = (await Poll.UntilAsync(ListAsync, list => list.Count > 0, s_end))[0]!;
        Assert.Equal((node.Id.ToString(), "short", "running", 4), (begun["node"]!.ToString(), begun["set"]!.ToString(),
            begun["state"]!.ToString(), begun["jobs"]!.AsArray().Count));
        foreach (string benchmark in s_set)
        {
            await MeasureAsync(node, benchmark);
        }
        JsonNode ended = await Poll.UntilAsync(
            async () => (await ListAsync())[0]!, view => view["state"]!.ToString() != "running", s_end);
        Assert.Equal(("passed", 0), (ended["state"]!.ToString(), ended["findings"]!.AsArray().Count));

        Assert.Single(await ListAsync());

        // However often it starts, and whatever the policy says anew: it is not tried again.
        await SetPolicyAsync("long");
        await node.RestartAsync(NodeRole.Slave, cancellation: s_end);
        Assert.Equal("short", Assert.Single(await ListAsync())!["set"]!.ToString());
        (await Api.DeleteAsync($"nodes/{node.Id}", s_end)).EnsureSuccessStatusCode();
        Assert.Empty(await ListAsync());
    }

    [Fact]
    public async Task What_was_wrong_or_could_not_be_tried_makes_a_board_unfit_and_the_rest_is_still_tried()
    {
        await using SimulatedNode node = await ConnectAsync("10000000cccc0001");
        await node.RestartAsync(NodeRole.Slave, cancellation: s_end);
        using HttpResponseMessage begun = await Api.PostAsJsonAsync("burn-ins", new { nodes = new[] { "all" } }, s_end);
        Assert.Equal(HttpStatusCode.OK, begun.StatusCode);
        await FailAsync(node);
        await MeasureAsync(node, s_set[1]);
        await MeasureAsync(node, s_set[2]);
        await MeasureAsync(node, s_set[3], new BenchmarkFault(BenchmarkFault.UnderVoltage, "the voltage was too low"));
        JsonNode ended = await Poll.UntilAsync(
            async () => (await ListAsync())[0]!, view => view["state"]!.ToString() != "running", s_end);
        Assert.Equal("failed", ended["state"]!.ToString());
        Assert.Equal(["card-write: no power", "sha256: the voltage was too low"], ended["findings"]!.AsArray().Select(f => f!.ToString()));
    }

    [Fact]
    public async Task Before_a_long_burn_in_a_new_boards_card_is_tested_and_one_that_fails_makes_it_unfit()
    {
        await ImportAsync();
        await SetPolicyAsync("long", (await GetAsync("images"))[0]!["digest"]!.ToString());
        await using SimulatedNode node = await ConnectAsync("10000000cccc0001");
        StartTask start = await node.AcceptTaskAsync(s_end);
        Assert.True(Assert.IsType<InstallOrder>(start.Order).TestCard);
        await node.ReportAsync(start.TaskId, "testing", 1, 10, s_end);
        JsonNode trying = await Poll.UntilAsync(async () => (await ListAsync()).SingleOrDefault(), view => view is not null, s_end) ?? "";
        Assert.Equal(("card", "running"), (trying["set"]!.ToString(), trying["state"]!.ToString()));
        await node.SendAsync(new TaskEnded(start.TaskId, false, false, "sda has 8.0 GB", DiskState.Unbootable, Final: true), s_end);
        JsonNode ended = await Poll.UntilAsync(
            async () => (await ListAsync())[0]!, view => view["state"]!.ToString() != "running", s_end);
        Assert.Equal(("failed", "card test: sda has 8.0 GB"),
            (ended["state"]!.ToString(), ended["findings"]!.AsArray().Single()!.ToString()));

        // Another card: what the first one was is of no interest any more.
        await using SimulatedNode other = await ConnectAsync("10000000cccc0002");
        StartTask second = await other.AcceptTaskAsync(s_end);
        await other.SendAsync(new TaskEnded(second.TaskId, true, false, "", DiskState.Installed), s_end);
        await other.RestartAsync(NodeRole.Slave, second.TaskId, cancellation: s_end);
        JsonNode begun = (await Poll.UntilAsync(
            async () => (await ListAsync()).SingleOrDefault(view => view!["node"]!.ToString() == other.Id.ToString()),
            view => view?["set"]!.ToString() == "long", s_end))!;
        Assert.Equal(("long", "running", 6), (begun["set"]!.ToString(), begun["state"]!.ToString(), begun["jobs"]!.AsArray().Count));
        Assert.Empty(begun["findings"]!.AsArray());
    }

    [Fact]
    public async Task Another_card_that_passes_clears_the_first_and_other_failures_say_nothing_of_a_card()
    {
        await ImportAsync();
        await using SimulatedNode node = await ConnectAsync("10000000cccc0001");
        var order = new { kind = "install", nodes = new[] { "all" }, image = "tiny", parameters = new { testCard = true } };
        foreach (string phase in new[] { "writing", "testing" })
        {
            Assert.Empty(await ListAsync());
            await OrderAsync(order);
            StartTask start = await node.AcceptTaskAsync(s_end);
            await node.ReportAsync(start.TaskId, phase, 1, 10, s_end);
            await node.SendAsync(new TaskEnded(start.TaskId, false, false, "no", DiskState.Unbootable, Final: true), s_end);
            await Poll.UntilAsync(() => GetAsync("jobs"), jobs => jobs.AsArray().All(job => job!["ended"]!.GetValue<bool>()), s_end);
        }
        Assert.Equal("failed", (await ListAsync())[0]!["state"]!.ToString());
        await OrderAsync(order);
        StartTask second = await node.AcceptTaskAsync(s_end);
        await node.SendAsync(new TaskEnded(second.TaskId, true, false, "", DiskState.Installed), s_end);
        await node.RestartAsync(NodeRole.Slave, second.TaskId, cancellation: s_end);
        JsonNode passed = (await Poll.UntilAsync(ListAsync, list => list[0]!["state"]!.ToString() == "passed", s_end))[0]!;
        Assert.Equal(("card", 0), (passed["set"]!.ToString(), passed["findings"]!.AsArray().Count));
    }

    [Fact]
    public async Task A_board_that_tests_for_hours_may_lose_its_connection_for_a_moment_and_not_for_hours()
    {
        await ImportAsync();
        await using SimulatedNode node = await ConnectAsync("10000000cccc0001");
        string job = await OrderAsync(
            new { kind = "install", nodes = new[] { "all" }, image = "tiny", parameters = new { testCard = true } });
        StartTask start = await node.AcceptTaskAsync(s_end);
        await node.ReportAsync(start.TaskId, "testing", 1, 10, s_end);
        await UntilAsync(job, task => task["phase"]!.ToString() == "testing");
        Time.Advance(TimeSpan.FromHours(3));
        await node.DisconnectAsync(s_end);
        await Poll.UntilAsync(() => GetAsync($"nodes/{node.Id}"), seen => seen["link"]!.ToString() == "offline", s_end);
        Time.Advance(TimeSpan.FromMinutes(1));
        Appliance.Services.GetRequiredService<JobEngine>().Tick();
        Assert.Equal("running", (await UntilAsync(job, _ => true))["state"]!.ToString());
        Time.Advance(TimeSpan.FromHours(2));
        Assert.Equal("timed-out", (await UntilAsync(job, task => task["state"]!.ToString() != "running"))["state"]!.ToString());
    }

    [Fact]
    public async Task A_card_is_not_tested_where_something_of_it_is_to_be_kept()
    {
        await ImportAsync();
        await using SimulatedNode node = await ConnectAsync("10000000cccc0001");
        Assert.Equal("'testCard' is of an installation alone: the test erases the disk, and an update keeps what is on it. Nothing was " +
                "ordered.",
            await RefusalAsync(HttpMethod.Post, "jobs", new
            {
                kind = "install",
                nodes = new[] { "all" },
                image = "tiny",
                parameters = new { update = true, testCard = true },
            }));
    }

    [Fact]
    public async Task What_cannot_be_tried_is_refused()
    {
        await using SimulatedNode node = await ConnectAsync("10000000cccc0001");
        Assert.Equal("There is no burn-in 'hot': it is one of short, long.",
            await RefusalAsync(HttpMethod.Post, "burn-ins", new { nodes = new[] { "all" }, set = "hot" }));
        Assert.Equal("There is no node 'nobody': see the list of nodes for names and ids.",
            await RefusalAsync(HttpMethod.Post, "burn-ins", new { nodes = new[] { "nobody" } }));
        Assert.Equal("There is no burn-in 'hot': it is one of short, long.", await RefusalAsync(HttpMethod.Put, "policy",
            new { installNewBoards = new { }, authorizedKeys = Array.Empty<string>(), burnIn = "hot" }));
        Assert.Equal("'x' is no id of a node.", await RefusalAsync(HttpMethod.Get, "burn-ins?node=x", null));
        Assert.Equal("[]", await Api.GetStringAsync("jobs", s_end));
    }

    /// <summary>Waits until the only task of a job is as it shall be.</summary>
    private Task<JsonNode> UntilAsync(string job, Func<JsonNode, bool> isSo) =>
        Poll.UntilAsync(async () => (await GetAsync(job))["tasks"]![0]!, isSo, s_end);

    private async Task SetPolicyAsync(string burnIn, string? image = null) => (await Api.PutAsJsonAsync("policy",
        new
        {
            installNewBoards = image is null ? new Dictionary<string, string>() : new() { ["arm64"] = image },
            authorizedKeys = Array.Empty<string>(),
            approveNewBoards = true,
            burnIn,
        }, s_end)).EnsureSuccessStatusCode();

    private async Task<JsonArray> ListAsync() => (await GetAsync("burn-ins")).AsArray();

    /// <summary>Takes the order of a benchmark, and tells a result.</summary>
    private async Task MeasureAsync(SimulatedNode node, string benchmark, params BenchmarkFault[] faults)
    {
        StartTask start = await node.AcceptTaskAsync(s_end);
        while (!_done.Add(start.TaskId))
        {
            // An order that is made while a node connects may come twice; nodes do it once.
            start = await node.AcceptTaskAsync(s_end);
        }
        BenchmarkRequest request = Assert.IsType<BenchmarkOrder>(start.Order).Plan.Request;
        Assert.Equal(benchmark, request.Kind);
        var machine = new BenchmarkMachine("Raspberry Pi 4 Model B Rev 1.4", "arm64", "", "6.1.0", null, null, 1500, 4);
        await node.SendAsync(new TaskEnded(start.TaskId, true, false, "", DiskState.Installed)
        {
            Benchmark = new BenchmarkResult(request, [1, 2, 3], 2, 1, 1, 3, true, faults, machine, [], 0, 0, 1),
        }, s_end);
    }
}
