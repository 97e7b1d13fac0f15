using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>Nodes that send something else than a result of what was asked.</summary>
public sealed class BenchmarkLieTests : ApplianceTest
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    /// <summary>Where something of a sound result is replaced, and by what.</summary>
    [Theory]
    [InlineData("faults", "[null]")]
    [InlineData("faults", """[{"reason":"bewitched","words":"seen"}]""")]
    [InlineData("moments", "[null]")]
    [InlineData("samples", "[]")]
    [InlineData("median", "-1")]
    [InlineData("request", """{"kind":"sha512","parameters":{"size":1048576},"allCores":false}""")]
    [InlineData("request", """{"kind":"sha256","parameters":{"size":4096},"allCores":false}""")]
    [InlineData("request", """{"kind":"sha256","parameters":{"size":1048576,"more":1},"allCores":false}""")]
    [InlineData("request", """{"kind":"sha256","parameters":{"size":1048576},"allCores":true}""")]
    public async Task A_result_that_makes_no_sense_is_not_kept_and_its_task_has_failed(string part, string lie)
    {
        JsonNode ended = await EndAsync(result => result[part] = JsonNode.Parse(lie));
        Assert.Equal("failed", ended["state"]!.ToString());
        Assert.StartsWith("the node's result makes no sense", ended["cause"]!.ToString(), StringComparison.Ordinal);
        Assert.Empty((await Api.GetFromJsonAsync<JsonArray>("benchmarks/results", s_end))!);
    }

    [Fact]
    public async Task More_samples_than_there_may_be_are_not_kept()
    {
        JsonNode ended = await EndAsync(result =>
            result["samples"] = new JsonArray([.. Enumerable.Range(1, BenchmarkResult.Longest + 1).Select(i => (JsonNode)i)]));
        Assert.Equal("failed", ended["state"]!.ToString());
    }

    [Fact]
    public async Task What_was_not_changed_is_kept()
    {
        JsonNode ended = await EndAsync(_ => { });
        Assert.Equal(("succeeded", ""), (ended["state"]!.ToString(), ended["cause"]!.ToString()));
        Assert.Single((await Api.GetFromJsonAsync<JsonArray>("benchmarks/results", s_end))!);
    }

    /// <summary>Orders a benchmark of a node that sends a result, changed so, and gives the task at its end.</summary>
    private async Task<JsonNode> EndAsync(Action<JsonNode> change)
    {
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(
            Appliance.Info, NodeId.Parse("10000000cccc0001"), NodeRole.Slave, "arm64", s_end);
        using HttpResponseMessage ordered = await Api.PostAsJsonAsync("jobs",
            new { kind = "benchmark", nodes = new[] { node.Id.ToString() }, parameters = new { benchmark = "sha256" } }, s_end);
        JsonNode job = (await ordered.Content.ReadFromJsonAsync<JsonNode>(s_end))!["job"]!;
        StartTask start = await node.AcceptTaskAsync(s_end);
        var machine = new BenchmarkMachine("Raspberry Pi 4", "arm64", "", "6.1", null, null, 1500, 4);
        LinkMessage end = new TaskEnded(start.TaskId, true, false, "", DiskState.Untouched, Benchmark: new BenchmarkResult(
            ((BenchmarkOrder)start.Order).Plan.Request, [1, 2], 1.5, 0.5, 1, 2, false, [], machine,
            [new BenchmarkMoment(0, null, null, null, null, null)], 0, 30, 2));
        JsonNode message = JsonSerializer.SerializeToNode(end, ProtocolJson.Default.LinkMessage)!;
        change(message["benchmark"]!);
        await node.SendAsync(message.ToJsonString(), s_end);
        return await Poll.UntilAsync(async () => (await Api.GetFromJsonAsync<JsonNode>($"jobs/{job["id"]}", s_end))!["tasks"]![0]!,
            task => task["endedAt"] is not null, s_end);
    }
}
