using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Protocol.Status;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Monitoring.History;
using Bootstrap.Server.Storage;
using Bootstrap.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

/// <summary>The history as programs and the page ask for it.</summary>
public sealed class HistoryApiTests : ApplianceTest
{
    private const string Id = "10000000abcdef01";

    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private HistoryStore History => Appliance.Services.GetRequiredService<HistoryStore>();

    private static long Now => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / 60;

    [Fact]
    public async Task A_viewer_gets_a_nodes_minutes_column_by_column()
    {
        await using SimulatedNode node = await ConnectAsync(Id);
        long minute = Now - 3;
        await AddAsync(minute, 48);
        await AddAsync(minute + 2, 50);
        using HttpClient viewer = Appliance.CreateClient(Role.Viewer);
        JsonNode answer = (await viewer.GetFromJsonAsync<JsonNode>(
            $"nodes/{Id}/history?metric=temperature&metric=cpu.busy&from={(minute - 60) * 60_000}", s_end))!;
        Assert.Equal(60, answer["stepSeconds"]!.GetValue<int>());
        JsonNode heat = answer["series"]![0]!;
        Assert.Equal(("temperature", "celsius"), (heat["metric"]!.ToString(), heat["unit"]!.ToString()));
        Assert.Equal($"[{minute * 60_000},{(minute + 2) * 60_000}]", heat["times"]!.ToJsonString());
        Assert.Equal(("[47,49]", "[48,50]", "[49,51]"),
            (heat["min"]!.ToJsonString(), heat["mean"]!.ToJsonString(), heat["max"]!.ToJsonString()));
        Assert.Equal("cpu.busy", answer["series"]![1]!["metric"]!.ToString());
        Assert.Empty(answer["series"]![1]!["times"]!.AsArray());
    }

    [Theory]
    [InlineData("nodes/10000000abcdef02/history?metric=temperature", 404, "There is no node '10000000abcdef02'.")]
    [InlineData($"nodes/{Id}/history", 400, "metric is missing: name one or more of cpu.busy, ")]
    [InlineData($"nodes/{Id}/history?metric=uptime", 400, "'uptime' has no history: these have one: cpu.busy, ")]
    [InlineData($"nodes/{Id}/history?metric=temperature&points=0", 400, "points is 1 to 3000, not 0.")]
    [InlineData($"nodes/{Id}/history?metric=temperature&points=4000", 400, "points is 1 to 3000, not 4000.")]
    [InlineData($"nodes/{Id}/history?metric=temperature&from=5&until=5", 400, "from is not before until.")]
    [InlineData($"nodes/{Id}/history?metric=temperature&from=-1", 400, "from is a time in Unix milliseconds, not -1.")]
    [InlineData($"nodes/{Id}/history?metric=temperature&until=9223372036854775807", 400, "until is a time in Unix milliseconds, not 9")]
    public async Task A_question_that_makes_no_sense_is_refused_with_a_sentence(string question, int status, string sentence)
    {
        await using SimulatedNode node = await ConnectAsync(Id);
        using HttpResponseMessage answer = await Api.GetAsync(question, s_end);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.StartsWith(sentence, (await answer.Content.ReadFromJsonAsync<JsonNode>(s_end))!["detail"]!.ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_catalogue_has_every_metric_with_its_unit()
    {
        JsonArray all = (await Api.GetFromJsonAsync<JsonArray>("metrics", s_end))!;
        Assert.Equal(Metrics.All.Select(metric => metric.Name), all.Select(metric => metric!["name"]!.ToString()));
        JsonNode heat = all.Single(metric => metric!["name"]!.ToString() == Metrics.Temperature)!;
        Assert.Equal(("celsius", "sensor", true),
            (heat["unit"]!.ToString(), heat["part"]!.ToString(), heat["isKept"]!.GetValue<bool>()));
    }

    [Fact]
    public async Task A_node_that_is_forgotten_and_comes_again_has_no_history()
    {
        await using (SimulatedNode node = await ConnectAsync(Id))
        {
            await AddAsync(Now, 48);
            History.Flush();
            Assert.Equal(1, await CountAsync());
            using HttpResponseMessage forgotten = await Api.DeleteAsync($"nodes/{Id}", s_end);
            Assert.Equal(HttpStatusCode.NoContent, forgotten.StatusCode);
        }
        await using SimulatedNode again = await ConnectAsync(Id);
        Assert.Equal(0, await CountAsync());
    }

    [Fact]
    public async Task History_outlives_a_restart_and_nobody_else_may_ask()
    {
        await using (SimulatedNode node = await ConnectAsync(Id))
        {
            await AddAsync(Now, 48);
        }
        await Appliance.RestartAsync();
        Assert.Equal(1, await CountAsync());
        using HttpClient stranger = Appliance.CreateClient(null);
        using HttpResponseMessage refused = await stranger.GetAsync($"nodes/{Id}/history?metric=temperature", s_end);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    [Fact]
    public async Task On_a_disk_that_is_nearly_full_history_is_lost_and_comes_again_with_room()
    {
        string disk = Directory.CreateTempSubdirectory("test-disk-").FullName;
        await ToolAsync("mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", disk);
        var nodeId = NodeId.Parse(Id);
        await using (TestAppliance appliance = await TestAppliance.StartAsync(
            change: options => options with { DataFolder = Path.Combine(disk, "data") }))
        {
            await using SimulatedNode node = await SimulatedNode.ConnectAsync(appliance.Info, nodeId, NodeRole.NetInst, "arm64", s_end);
            HistoryStore history = appliance.Services.GetRequiredService<HistoryStore>();
            HistoryService service = appliance.Services.GetRequiredService<HistoryService>();
            await Poll.UntilAsync(() => Task.FromResult(history.Add(nodeId, Heat(Now, 40))), refusal => refusal is null, s_end);
            await service.TickAsync(s_end);
            await File.WriteAllBytesAsync(Path.Combine(disk, "ballast"), new byte[28 << 20], s_end);
            Assert.Null(history.Add(nodeId, Heat(Now - 5, 41)));
            await service.TickAsync(s_end);
            Assert.Equal(DiskCondition.Good, appliance.Services.GetRequiredService<DataDisk>().Condition);
            Assert.Equal(1, CountOf(history));
            File.Delete(Path.Combine(disk, "ballast"));
            Assert.Null(history.Add(nodeId, Heat(Now - 4, 42)));
            await service.TickAsync(s_end);
            Assert.Equal(2, CountOf(history));
        }
        await ToolAsync("umount", disk);
        Directory.Delete(disk);

        int CountOf(HistoryStore history) => history.Read(nodeId, [Metrics.Find(Metrics.Temperature)!],
            TimeProvider.System.GetUtcNow().AddHours(-1), TimeProvider.System.GetUtcNow().AddMinutes(2), 100).Series[0].Points.Count;
    }

    private static MinuteSummary Heat(long minute, double celsius) =>
        new(minute, new Dictionary<string, Spread> { [Metrics.Temperature] = new(celsius - 1, celsius, celsius + 1) });

    /// <summary>The history's file is opened by a service that may not have been at it yet.</summary>
    private Task AddAsync(long minute, double celsius) => Poll.UntilAsync(
        () => Task.FromResult(History.Add(NodeId.Parse(Id), Heat(minute, celsius))), refusal => refusal is null, s_end);

    private async Task<int> CountAsync() =>
        (await Api.GetFromJsonAsync<JsonNode>($"nodes/{Id}/history?metric=temperature&points=3000", s_end))!["series"]![0]!["times"]!
            .AsArray().Count;

    private static async Task ToolAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync(s_end);
        Assert.Equal(0, process.ExitCode);
    }
}
