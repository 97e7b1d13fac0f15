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

    [Theory]
    [InlineData("the system is called 'raspberrypi', and was installed as 'node-1': something of the image set another name")]
    [InlineData("")]
    public async Task A_system_that_is_not_as_it_was_installed_says_so_in_its_job(string doubt)
    {
        string image = await ImportAsync(4);
        SimulatedNode node = (await ConnectAsync(1))[0];
        string job = await OrderAsync(new { kind = "install", nodes = new[] { "all" }, image });
        StartTask order = await node.AcceptTaskAsync(s_end);
        await node.SendAsync(new TaskEnded(order.TaskId, true, false, "", DiskState.Installed), s_end);
        node.Doubt = doubt;
        await node.RestartAsync(NodeRole.Slave, order.TaskId, cancellation: s_end);
        Assert.Equal(doubt, (await UntilAsync(job, "succeeded"))["tasks"]![0]!["note"]!.ToString());
    }

    [Fact]
    public async Task What_a_job_needs_that_is_yet_to_choose_its_nodes_stays_although_it_has_no_task()
    {
        string image = await ImportAsync(3);
        SimulatedNode node = (await ConnectAsync(1))[0];
        await Api.PatchAsJsonAsync($"nodes/{node.Id}", new { tags = new[] { "later" } }, s_end);
        await Api.PutAsJsonAsync("profiles/lab", new { packages = new[] { "htop" } }, s_end);
        using HttpResponseMessage uploaded = await Api.PostAsync("files?name=motd", new ByteArrayContent("hello"u8.ToArray()), s_end);
        string file = (await uploaded.Content.ReadFromJsonAsync<JsonNode>(s_end))!["digest"]!.ToString();
        string install = await OrderAsync(new
        {
            kind = "install",
            select = "tag=later",
            image,
            notBefore = InAnHour(),
            parameters = new { profile = "lab" },
        }), deploy = await OrderAsync(new
        {
            kind = "deploy",
            select = "tag=later",
            notBefore = InAnHour(),
            parameters = new { file = "motd", path = "/etc/motd" },
        });
        // The only node that it would begin with now is forgotten; others may have the tag by then.
        (await Api.DeleteAsync($"nodes/{node.Id}", s_end)).EnsureSuccessStatusCode();
        JsonNode open = await GetAsync(install);
        Assert.False((bool)open["job"]!["ended"]!);
        Assert.DoesNotContain(open["tasks"]!.AsArray(), task => task!["endedAt"] is null);

        Assert.Equal("A job that has not ended installs 'tiny': wait for the end, or cancel first.", await RefusedAsync(image));
        Assert.Contains(install["jobs/".Length..],
            await RefusalAsync(HttpMethod.Delete, "profiles/lab", null, HttpStatusCode.Conflict), StringComparison.Ordinal);
        Assert.Equal($"The job {deploy["jobs/".Length..]}, which has not ended, deploys 'motd': wait for its end, or cancel it first.",
            await RefusalAsync(HttpMethod.Delete, $"files/{file}", null, HttpStatusCode.Conflict));

        foreach (string job in new[] { install, deploy })
        {
            (await Api.PostAsync($"{job}/cancel", null, s_end)).EnsureSuccessStatusCode();
        }
        foreach (string free in new[] { $"images/{image}", "profiles/lab", $"files/{file}" })
        {
            (await Api.DeleteAsync(free, s_end)).EnsureSuccessStatusCode();
        }
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
