using System.IO.Compression;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Bootstrap.Server.Http;
using Bootstrap.Support;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

/// <summary>What is sent compressed, and what never is.</summary>
public sealed class CompressionTests : JobTest
{
    [Theory]
    [InlineData("nodes", "gzip")]
    [InlineData("nodes", "br")]
    [InlineData("nodes.csv", "gzip")]
    [InlineData("jobs", "br")]
    public async Task Lists_are_sent_as_short_as_the_client_can_read_them(string path, string encoding)
    {
        foreach (SimulatedNode node in await ConnectAsync(20))
        {
            await node.DisconnectAsync(s_end);
        }
        for (int i = 0; i < 20; i++)
        {
            await OrderAsync(new { kind = "run", nodes = new[] { "all" }, parameters = new { shell = "true" } });
        }
        byte[] plain = await Api.GetByteArrayAsync(path, s_end);
        using HttpResponseMessage answer = await AskAsync(HttpMethod.Get, path, encoding);
        Assert.Equal([encoding], answer.Content.Headers.ContentEncoding);
        Assert.Contains("Accept-Encoding", answer.Headers.Vary);
        byte[] sent = await answer.Content.ReadAsByteArrayAsync(s_end);
        Assert.InRange(sent.Length, 1, plain.Length / 3);
        await using Stream whole = encoding == "br" ? new BrotliStream(new MemoryStream(sent), CompressionMode.Decompress)
            : new GZipStream(new MemoryStream(sent), CompressionMode.Decompress);
        using var read = new MemoryStream();
        await whole.CopyToAsync(read, s_end);
        Assert.Equal(plain, read.ToArray());
    }

    [Fact]
    public async Task What_holds_a_secret_or_what_others_wrote_beside_what_people_did_is_sent_as_it_is()
    {
        await ImportAsync();
        await using SimulatedNode node = await ConnectAsync("10000000eeee0001");
        string job = await OrderAsync(new { kind = "run", nodes = new[] { "all" }, parameters = new { shell = "true" } });
        string digest = (await GetAsync("images/tiny"))["digest"]!.ToString();
        foreach ((HttpMethod method, string path, object? body) in new (HttpMethod, string, object?)[]
        {
            (HttpMethod.Post, "tokens", new { name = "script that asks for nodes" }), (HttpMethod.Get, "tokens", null),
            (HttpMethod.Get, "audit", null), (HttpMethod.Get, "profiles", null), (HttpMethod.Get, "values", null),
            (HttpMethod.Get, "notifications", null),
            (HttpMethod.Get, "backups", null), (HttpMethod.Get, job, null), (HttpMethod.Get, $"nodes/{node.Id}/log", null),
            (HttpMethod.Get, $"nodes/{node.Id}/jobs", null), (HttpMethod.Get, $"store/manifests/{digest}", null),
        })
        {
            using HttpResponseMessage answer = await AskAsync(method, path, "gzip", body);
            Assert.True(answer.IsSuccessStatusCode, $"{path}: {answer.StatusCode}");
            Assert.Empty(answer.Content.Headers.ContentEncoding);
        }
    }

    [Fact]
    public void Only_lists_that_open_nothing_are_compressed() => Assert.Equal(
        ["/api/v1/benchmarks/ranking", "/api/v1/benchmarks/results", "/api/v1/benchmarks/results.csv",
            "/api/v1/boot/boards", "/api/v1/burn-ins", "/api/v1/calendar", "/api/v1/images", "/api/v1/jobs",
            "/api/v1/jobs/{id:guid}/phases", "/api/v1/metrics",
            "/api/v1/nodes", "/api/v1/nodes.csv", "/api/v1/nodes.json", "/api/v1/nodes/{id}/changes", "/api/v1/nodes/{id}/history",
            "/api/v1/schedules", "/api/v1/unapproved"],
        Appliance.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(e => e.Metadata.GetMetadata<Compression.Mark>() is not null && e.RoutePattern.RawText!.StartsWith("/api/",
                StringComparison.Ordinal))
            .Select(e => e.RoutePattern.RawText).Order(StringComparer.Ordinal));

    private async Task<HttpResponseMessage> AskAsync(HttpMethod method, string path, string encoding, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue(encoding));
        return await Api.SendAsync(request, s_end);
    }
}
