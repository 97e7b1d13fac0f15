using System.Text.Json.Nodes;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

public sealed class JobHistoryTests : JobTest
{
    private const int Jobs = 10_000, Page = 900;

    [Fact]
    public async Task Ten_thousand_jobs_are_listed_page_by_page_and_by_kind_state_and_text()
    {
        string[] nodes = [.. (await ConnectAsync(3)).Select(node => node.Id.ToString())];
        string[] ids = [.. Enumerable.Range(1, Jobs).Select(i => Guid.CreateVersion7(DateTimeOffset.UnixEpoch.AddSeconds(i)).ToString())];
        Appliance.Services.GetRequiredService<Database>().Write(c =>
        {
            c.Execute("INSERT INTO jobs (id, kind, created_at, created_by) VALUES (@id, @kind, @at, 'api')",
                ids.Select((id, i) => new { id, kind = i % 100 == 0 ? "shutdown" : "reboot", at = i * 1000 }));
            c.Execute("INSERT INTO tasks (id, job_id, node_id, state, created_at, phase_at, ended_at) VALUES (@id, @job, @node, @state, " +
                "0, 0, 1)",
                ids.SelectMany(job => nodes.Select((node,
                    i) => new
                    {
                        id = Guid.NewGuid().ToString(),
                        job,
                        node,
                        state = i > 0 || job == ids[5] ? "Succeeded" : job == ids[77]
                    ? "Cancelled" : "Failed"
                    })));
        });

        var listed = new List<string>();
        for (JsonArray page = await ListAsync(""); page.Count > 0; page = await ListAsync($"&before={listed[^1]}"))
        {
            Assert.All(page, job => Assert.Equal((3, true), (job!["counts"]!.AsObject().Sum(c => (int)c.Value!), (bool)job["ended"]!)));
            listed.AddRange(page.Select(Id));
        }
        Assert.Equal(ids.Reverse(), listed);
        Assert.Equal(ids.Where((_, i) => i % 100 == 0).Reverse(), (await ListAsync("&kind=shutdown")).Select(Id));
        Assert.Equal([ids[5]], (await ListAsync("&state=succeeded")).Select(Id));
        Assert.Equal([ids[77]], (await ListAsync("&state=cancelled")).Select(Id));
        Assert.Equal(ids[..40].Where(id => id != ids[5]).Reverse(), (await ListAsync($"&state=failed&before={ids[40]}")).Select(Id));
        Assert.Empty(await ListAsync("&state=open"));
        Assert.Equal([ids[100], ids[0]], (await ListAsync($"&text=shut&before={ids[101]}")).Select(Id));
        string name = (await GetAsync($"nodes/{nodes[1]}"))["name"]!.ToString();
        Assert.Equal(Page, (await ListAsync($"&text={name[2..].ToUpperInvariant()}")).Count);
        Assert.Empty(await ListAsync("&text=%25"));
        Assert.Equal("A job is not 'fine': state is one of open, paused, succeeded, failed, cancelled, skipped.",
            await RefusalAsync(HttpMethod.Get, "jobs?state=fine", null));
        Assert.Equal("limit is 1 to 1000, not 0.", await RefusalAsync(HttpMethod.Get, "jobs?limit=0", null));
        Assert.StartsWith("There are no jobs of kind 'dance': ", await RefusalAsync(HttpMethod.Get, "jobs?kind=dance", null),
            StringComparison.Ordinal);
    }

    private static string Id(JsonNode? job) => job!["id"]!.ToString();

    private async Task<JsonArray> ListAsync(string query) => (await GetAsync($"jobs?limit={Page}{query}")).AsArray();
}
