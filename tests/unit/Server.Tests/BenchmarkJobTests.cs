using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Agent.Commands;
using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Benchmarks;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.Jobs.Tasks;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

/// <summary>Benchmarks, from the order to the ranking, by the Slave's own program.</summary>
public sealed class BenchmarkJobTests : WorkJobTest
{
    /// <summary>One that is soon over, and that no other program disturbs.</summary>
    private static readonly object s_quick = new
    {
        benchmark = "crc32",
        parameters = new Dictionary<string, string> { ["size"] = "64KiB" },
        limitSeconds = 1,
        quietSeconds = 0,
    };

    private protected override NodeSystem Machine => NodeSystem.This with
    {
        Slave = [new NodeSystem("/", Environment.GetEnvironmentVariable("PATH")!).Find("dotnet")!, "exec",
            Path.Combine(AppContext.BaseDirectory, "bootstrap-slave.dll")],
        State = Folder,
    };

    [Fact]
    public async Task What_a_node_measures_is_kept_with_its_samples_and_outlives_the_node()
    {
        JsonNode task = await DoAsync("benchmark", s_quick);
        Assert.Equal(("succeeded", "", null), End(task));
        JsonNode listed = Assert.Single(await ListAsync("benchmark=crc32"))!;
        Assert.Equal((task["id"]!.ToString(), s_id.ToString(), "bytes/s"),
            (listed["task"]!.ToString(), listed["node"]!.ToString(), listed["unit"]!.ToString()));
        Assert.Equal(64 << 10, (int)listed["request"]!["parameters"]!["size"]!);
        JsonNode whole = (await Api.GetFromJsonAsync<JsonNode>($"benchmarks/results/{task["id"]}", s_end))!;
        double median = (double)whole["summary"]!["median"]!;
        Assert.Equal(median, (double)listed["median"]!);
        Assert.InRange(median, whole["samples"]!.AsArray().Min(s => (double)s!), whole["samples"]!.AsArray().Max(s => (double)s!));
        Assert.InRange((double)whole["machine"]!["measuredClock"]!, 100, 10_000);

        (await Api.DeleteAsync($"nodes/{s_id}", s_end)).EnsureSuccessStatusCode();
        Assert.Single(await ListAsync($"node={s_id}"));
        Assert.Empty(await ListAsync("benchmark=sha256"));
        Assert.Single(await ListAsync($"job={task["jobId"]}"));
        Assert.Empty(await ListAsync($"job={Guid.NewGuid()}"));

        string[] lines = (await Api.GetStringAsync("benchmarks/results.csv", s_end)).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.StartsWith("node,node_id,model,benchmark,parameters,all_cores,unit,median,", lines[0], StringComparison.Ordinal);
        Assert.Contains(FormattableString.Invariant($",crc32,size=65536,no,bytes/s,{median:R},"), lines[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("network-send")]
    [InlineData("network-receive")]
    [InlineData("network-latency")]
    public async Task The_network_is_measured_against_the_appliance(string benchmark)
    {
        JsonNode task = await DoAsync("benchmark", new { benchmark, limitSeconds = 1, quietSeconds = 0 });
        Assert.Equal(("succeeded", "", null), End(task));
        JsonNode whole = (await Api.GetFromJsonAsync<JsonNode>($"benchmarks/results/{task["id"]}", s_end))!;
        Assert.Equal("the appliance", whole["summary"]!["peer"]!.ToString());
        Assert.True((double)whole["summary"]!["median"]! > 0);
    }

    [Fact]
    public void An_order_that_is_sent_again_has_the_secret_of_before()
    {
        BenchmarkPeers peers = Appliance.Services.GetRequiredService<BenchmarkPeers>();
        static TaskRow New() => new()
        {
            Id = Guid.NewGuid().ToString(),
            JobId = Guid.NewGuid().ToString(),
            NodeId = s_id.ToString(),
            Kind = "benchmark",
            Parameters = "{}",
            StateText = nameof(TaskState.Sent),
            Phase = "",
            Cause = "",
            Attempts = 1,
            CancelRequested = 0,
            CreatedAt = 0,
            PhaseAt = 0,
        };
        TaskRow task = New();
        byte[] Secret(TaskRow task) => peers.Find(task, PeerKind.Appliance, TimeSpan.FromMinutes(1), out _)!.Secret;
        byte[] first = Secret(task);
        Assert.Equal(first, Secret(task));
        TaskRow other = New();
        Assert.NotEqual(first, Secret(other));
        peers.Heard(null!, new TaskEnded(task.TaskId, true, false, "", DiskState.Untouched));
        peers.Heard(null!, new TaskEnded(other.TaskId, true, false, "", DiskState.Untouched));
        Assert.False(peers.Secrets.Any);
    }

    [Fact]
    public async Task A_node_alone_is_not_measured_against_itself()
    {
        using HttpResponseMessage answer = await Api.PostAsJsonAsync("jobs",
            new { kind = "benchmark", nodes = new[] { "all" }, parameters = new { benchmark = "node-send" } }, s_end);
        Assert.Contains("node-send takes two nodes: each is measured against the next one.",
            (await answer.Content.ReadFromJsonAsync<JsonNode>(s_end))!["detail"]!.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"benchmark":"sha3"}""", "The benchmark cannot be run: there is no benchmark 'sha3': sha256, sha512,")]
    [InlineData("""{"benchmark":"sha256","parameters":{"order":"7"}}""",
        "The benchmark cannot be run: sha256 has no parameter 'order': size.")]
    [InlineData("""{"benchmark":"sha256","parameters":{"size":"12"}}""",
        "The benchmark cannot be run: sha256: size is 1KiB to 1GiB, and not 12B.")]
    [InlineData("""{"benchmark":"sha256","soakSeconds":-1}""", "A soak takes 0 to 43200 seconds, and not -1.")]
    [InlineData("""{"benchmark":"sha256","limitSeconds":0}""", "A limit is 1 to 7200 seconds, and not 0.")]
    [InlineData("""{"benchmark":"sha256","quietSeconds":9000}""", "It is waited 0 to 7200 seconds for a node to be quiet.")]
    [InlineData("""{}""", "cannot be read")]
    public async Task What_cannot_be_measured_is_refused_before_any_node_hears_of_it(string parameters, string words)
    {
        using HttpResponseMessage answer = await Api.PostAsJsonAsync("jobs",
            new { kind = "benchmark", nodes = new[] { "all" }, parameters = JsonNode.Parse(parameters) }, s_end);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(words, (await answer.Content.ReadFromJsonAsync<JsonNode>(s_end))!["detail"]!.ToString(), StringComparison.Ordinal);
        Assert.Empty((await Api.GetFromJsonAsync<JsonArray>("jobs", s_end))!);
    }

    [Theory]
    [InlineData("benchmarks/results?benchmark=tomorrow", HttpStatusCode.BadRequest)]
    [InlineData("benchmarks/results?node=%00", HttpStatusCode.BadRequest)]
    [InlineData("benchmarks/results.csv?benchmark=tomorrow", HttpStatusCode.BadRequest)]
    [InlineData("benchmarks/ranking?benchmark=tomorrow", HttpStatusCode.BadRequest)]
    [InlineData("benchmarks/results/01a228a4-31e3-7301-9b85-13b30821a906", HttpStatusCode.NotFound)]
    public async Task What_is_not_there_is_said(string path, HttpStatusCode status) =>
        Assert.Equal(status, (await Api.GetAsync(path, s_end)).StatusCode);

    [Fact]
    public void Boards_are_compared_with_their_equals_by_their_newest_results_that_count()
    {
        var size = new Dictionary<string, long> { ["size"] = 1 << 20 };
        var hash = new BenchmarkRequest("sha256", size, AllCores: false);
        var wait = new BenchmarkRequest("memory-latency", size, AllCores: false);
        BenchmarkFault[] hot = [new(BenchmarkFault.Throttled, "hot")];
        // The newest first.
        BenchmarkView[] results =
        [
            View("node-a", "Pi 4", hash, 100), View("node-b", "Pi 4", hash, 5, hot), View("node-b", "Pi 4", hash, 90),
            View("node-c", "Pi 4", hash, 60), View("node-a", "Pi 4", hash, 1), View("node-d", "Pi 5", hash, 300),
            View("node-e", "Pi 4", hash with { AllCores = true }, 400), View("node-a", "Pi 4", wait, 100),
            View("node-b", "Pi 4", wait, 125),
        ];
        IReadOnlyList<BenchmarkGroup> groups = Ranking.Of(results);
        Assert.Equal([("Pi 4", false, 112.5), ("Pi 4", false, 90), ("Pi 5", false, 300), ("Pi 4", true, 400)],
            groups.Select(g => (g.Model, g.Request.AllCores, g.Median)));
        Assert.Equal([("node-a", 111.1), ("node-b", 100), ("node-c", 66.7)],
            groups[1].Nodes.Select(n => (n.Result.NodeName, Math.Round(n.PercentOfMedian, 1))));
        // Of times, the shorter one is the better one.
        Assert.Equal([("node-a", 112.5), ("node-b", 90)], groups[0].Nodes.Select(n => (n.Result.NodeName, n.PercentOfMedian)));
    }

    [Theory]
    [InlineData("sha256", null, Ranking.Unexplained)]
    [InlineData("sha256", BenchmarkFault.Throttled, "heat")]
    [InlineData("sha256", BenchmarkFault.Background, "other programs")]
    [InlineData("sha256", BenchmarkFault.UnderVoltage, "under-voltage")]
    [InlineData("card-random-write", null, Ranking.Card)]
    [InlineData("card-read", BenchmarkFault.UnderVoltage, "under-voltage")]
    [InlineData("memory-bandwidth", null, Ranking.Memory)]
    public void The_slow_one_of_sixteen_is_found_with_what_was_seen_of_it_and_its_equals_are_not(string kind, string? reason, string cause)
    {
        var random = new Random(3);
        var request = new BenchmarkRequest(kind, new Dictionary<string, long> { ["size"] = 1 << 20 }, AllCores: false);
        BenchmarkView[] equals =
            [.. Enumerable.Range(1, 15).Select(i => View($"node-{i}", "Pi 4", request, 1000 + (20 * random.NextDouble())))];
        List<BenchmarkView> results = [.. equals, View("slow", "Pi 4", request, 800)];
        if (reason is not null)
        {
            results.Add(View("slow", "Pi 4", request, 700,
                [new BenchmarkFault(reason, "seen"), new BenchmarkFault(BenchmarkFault.Swap, "")]));
        }
        RankedResult[] found = [.. Assert.Single(Ranking.Of(results)).Nodes.Where(node => node.Cause is not null)];
        Assert.Equal([("slow", cause)], found.Select(node => (node.Result.NodeName, node.Cause!)));
        // Of three, nobody can say which one is the odd one.
        Assert.All(Ranking.Of(results.Skip(13).Take(3).ToList()).Single().Nodes, node => Assert.Null(node.Cause));
    }

    [Fact]
    public void A_result_that_is_clearly_slower_than_the_times_before_is_a_regression()
    {
        var hash = new BenchmarkRequest("sha256", new Dictionary<string, long> { ["size"] = 1 << 20 }, AllCores: false);
        BenchmarkRequest other = hash with { AllCores = true };
        var wait = new BenchmarkRequest("memory-latency", new Dictionary<string, long> { ["size"] = 1 << 20 }, AllCores: false);
        BenchmarkFault[] hot = [new(BenchmarkFault.Throttled, "hot")];
        // The newest first. What does not count is compared with nothing, and nothing with it.
        BenchmarkView[] results =
        [
            View("node-a", "Pi 4", hash, 50), View("node-a", "Pi 4", hash, 96), View("node-a", "Pi 4", hash, 20, hot),
            View("node-b", "Pi 4", hash, 40), View("node-a", "Pi 4", other, 300), View("node-a", "Pi 4", hash, 100),
            View("node-a", "Pi 4", hash, 101), View("node-a", "Pi 4", wait, 110), View("node-a", "Pi 4", wait, 100),
        ];
        Assert.Equal([(50, true), (96, false), null, null, null, (99, false), null, (91, true), null],
            History.Of(results).Select(r => r.PercentOfBefore is { } percent ? ((int)Math.Round(percent), r.IsRegression)
                : ((int, bool)?)null));
    }

    [Fact]
    public void The_last_five_results_say_what_a_node_reaches()
    {
        var hash = new BenchmarkRequest("sha256", new Dictionary<string, long> { ["size"] = 1 << 20 }, AllCores: false);
        // Once slow for good, that is what it reaches; one odd result among them changes nothing.
        double[] medians = [100, 100, 100, 100, 50, 50, 50, 50, 500, 50, 50];
        BenchmarkView[] results = [.. Enumerable.Reverse(medians).Select(median => View("node-a", "Pi 4", hash, median))];
        Assert.Equal([null, 100.0, 100, 100, 50, 50, 50, 100, 1000, 100, 100],
            History.Of(results).Reverse().Select(r => r.PercentOfBefore));
    }

    private static BenchmarkView View(
        string node, string model, BenchmarkRequest request, double median, IReadOnlyList<BenchmarkFault>? faults = null) =>
        new(Guid.NewGuid(), Guid.NewGuid(), NodeId.Parse(node), node, model, request, BenchmarkKind.Find(request.Kind)!.Unit, median, 1,
            median - 1, median + 1, true, faults ?? [], 0);

    private async Task<JsonArray> ListAsync(string choice) =>
        (await Api.GetFromJsonAsync<JsonArray>($"benchmarks/results?{choice}", s_end))!;
}
