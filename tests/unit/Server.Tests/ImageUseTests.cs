using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>An image that something needs is not removed.</summary>
public sealed class ImageUseTests : JobTest
{
    [Fact]
    public async Task An_image_stays_while_an_open_job_a_schedule_or_a_node_needs_it()
    {
        string older = await ImportAsync(1), image = await ImportAsync(2);
        SimulatedNode[] nodes = await ConnectAsync(1);
        string job = await OrderAsync(new { kind = "install", nodes = new[] { "all" }, image });
        Assert.Equal("A job that has not ended installs 'tiny': wait for the end, or cancel first.", await RefusedAsync(image));
        StartTask order = await nodes[0].AcceptTaskAsync(s_end);
        await nodes[0].SendAsync(new TaskEnded(order.TaskId, true, false, "", DiskState.Installed), s_end);
        await UntilAsync(job, "running");
        await nodes[0].RestartAsync(NodeRole.Slave, order.TaskId, cancellation: s_end);
        await UntilAsync(job, "succeeded");

        await Api.PostAsJsonAsync("schedules",
            new { name = "fresh", cron = "0 3 * * *", job = new { kind = "install", select = "all", image = "tiny" } }, s_end);
        Assert.Equal("The schedule fresh installs 'tiny': change or delete it first.", await RefusedAsync(image, "?force=true"));
        (await Api.DeleteAsync("schedules/fresh", s_end)).EnsureSuccessStatusCode();

        string name = (await GetAsync("nodes"))[0]!["name"]!.ToString();
        Assert.StartsWith($"'tiny' runs on {name}: install another image there first", await RefusedAsync(image), StringComparison.Ordinal);
        Assert.Equal(2, (await GetAsync("images")).AsArray().Count);
        foreach (string free in new[] { older, image + "?force=true" })
        {
            (await Api.DeleteAsync($"images/{free}", s_end)).EnsureSuccessStatusCode();
        }
        Assert.Empty((await GetAsync("images")).AsArray());
    }

    private Task<string> RefusedAsync(string image, string query = "") =>
        RefusalAsync(HttpMethod.Delete, $"images/{image}{query}", null, HttpStatusCode.Conflict);

    private async Task<string> ImportAsync(int seed)
    {
        Time.Now += TimeSpan.FromSeconds(1);
        using HttpResponseMessage answer = await Api.PostAsync("images?name=tiny&architecture=arm64",
            new ByteArrayContent(TinyImage.Create(seed: seed)), s_end);
        return (await answer.Content.ReadFromJsonAsync<JsonNode>(s_end))!["digest"]!.ToString();
    }
}
