using System.Text.Json.Nodes;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

public sealed class JobHistoryTests : JobTest
{
    private const int Jobs = 10_000, Page = 900;

    [Fact]
    public async Task Ten_thousand_jobs_are_listed_page_by_page_and_by_kind()
    {
        string[] nodes = [.. (await ConnectAsync(3)).Select(node => node.Id.ToString())];
        string[] ids = [.. Enumerable.Range(1, Jobs).Select(i => Guid.CreateVersion7(DateTimeOffset.UnixEpoch.AddSeconds(i)).ToString())];
        Appliance.Services.GetRequiredService<Database>().Write(c =>
        {
            c.Execute("INSERT INTO jobs (id, kind, created_at, created_by) VALUES (@id, @kind, @at, 'api')",
                ids.Select((id, i) => new { id, kind = i % 100 == 0 ? "shutdown" : "reboot", at = i * 1000 }));
            c.Execute("INSERT INTO tasks (id, job_id, node_id, state, created_at, phase_at, ended_at) VALUES (@id, @job, @node, @state, 0, 0, 1)",
                ids.SelectMany(job => nodes.Select((node, i) => new { id = Guid.NewGuid().ToString(), job, node, state = i == 0 ? "Failed" : "Succeeded" })));
        });

        var listed = new List<string>();
        for (JsonArray page = await ListAsync(""); page.Count > 0; page = await ListAsync($"&before={listed[^1]}"))
        {
            Assert.All(page, job => Assert.Equal((1, 2, true), ((int)job!["counts"]!["failed"]!, (int)job["counts"]!["succeeded"]!, (bool)job["ended"]!)));
            listed.AddRange(page.Select(job => job!["id"]!.ToString()));
        }
        Assert.Equal(ids.Reverse(), listed);
        Assert.Equal(ids.Where((_, i) => i % 100 == 0).Reverse(), (await ListAsync("&kind=shutdown")).Select(job => job!["id"]!.ToString()));
        Assert.Equal("limit is 1 to 1000, not 0.", await RefusalAsync(HttpMethod.Get, "jobs?limit=0", null));
        Assert.StartsWith("There are no jobs of kind 'dance': ", await RefusalAsync(HttpMethod.Get, "jobs?kind=dance", null), StringComparison.Ordinal);
    }

    private async Task<JsonArray> ListAsync(string query) => (await GetAsync($"jobs?limit={Page}{query}")).AsArray();
}
