using System.Net;
using System.Text.Json.Nodes;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

public sealed class TaskPhaseTests : JobTest
{
    [Fact]
    public async Task When_a_task_came_to_each_of_its_phases_is_kept_over_a_restart()
    {
        await Api.PostAsync("images?name=tiny&architecture=arm64", new ByteArrayContent(TinyImage.Create()), s_end);
        SimulatedNode[] nodes = await ConnectAsync(1);
        DateTimeOffset start = Time.Now;
        string job = await OrderAsync(new { kind = "install", nodes = new[] { "all" }, image = "tiny" });
        StartTask order = await nodes[0].AcceptTaskAsync(s_end);
        foreach (string phase in new[] { "checking", "writing" })
        {
            Time.Now += TimeSpan.FromSeconds(10);
            await nodes[0].ReportAsync(order.TaskId, phase, 1, 2, s_end);
            await Poll.UntilAsync(() => GetAsync(job), j => j["tasks"]![0]!["phase"]!.ToString() == phase, s_end);
        }
        Time.Now += TimeSpan.FromSeconds(10);
        await nodes[0].SendAsync(new TaskEnded(order.TaskId, false, false, "no card", DiskState.Untouched), s_end);
        await UntilAsync(job, "failed");

        await Appliance.RestartAsync();
        JsonArray phases = (await GetAsync($"{job}/phases")).AsArray();
        Assert.All(phases, p => Assert.Equal(order.TaskId.ToString(), p!["task"]!.ToString()));
        (string, string,
            long)[] told = [.. phases.Select(p => (p!["state"]!.ToString(), p["phase"]!.ToString(),
            (long)p["at"]! - start.ToUnixTimeMilliseconds()))];
        Assert.Equal(("sent", "", 0), told[0]);
        Assert.Equal([("running", "checking", 10_000), ("running", "writing", 20_000), ("failed", "", 30_000)], told[^3..]);
        Assert.StartsWith("There is no job ",
            await RefusalAsync(HttpMethod.Get, $"jobs/{Guid.Empty}/phases", null, HttpStatusCode.NotFound), StringComparison.Ordinal);
    }
}
