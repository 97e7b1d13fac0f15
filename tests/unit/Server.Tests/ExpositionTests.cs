using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>What the appliance tells Prometheus of itself.</summary>
public sealed class ExpositionTests : ApplianceTest
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private Uri Metrics => new(Appliance.Url, "metrics");

    [Fact]
    public async Task Nodes_tasks_and_the_process_are_told_as_they_are_now()
    {
        Assert.Equal("0", await ValueAsync("bootstrap_nodes{link=\"slave\"}"));
        Assert.Equal("0", await ValueAsync("bootstrap_open_tasks{state=\"sent\"}"));
        await using (SimulatedNode node = await SimulatedNode.ConnectAsync(
            Appliance.Info, NodeId.Parse("10000000cccc0001"), NodeRole.Slave, "arm64", s_end))
        {
            (await Api.PostAsJsonAsync("jobs", new { kind = "reboot", nodes = new[] { "all" } }, s_end)).EnsureSuccessStatusCode();
            Assert.Equal("1", await ValueAsync("bootstrap_nodes{link=\"slave\"}"));
            Assert.Equal("1", await ValueAsync("bootstrap_open_tasks{state=\"sent\"}"));
        }
        await Poll.UntilAsync(() => ValueAsync("bootstrap_nodes{link=\"offline\"}"), value => value == "1", s_end);
        Assert.Equal("0", await ValueAsync("bootstrap_nodes{link=\"slave\"}"));
        Assert.Equal("0", await ValueAsync("bootstrap_unapproved_boards"));
        Assert.InRange(double.Parse(await ValueAsync("process_cpu_seconds_total"), CultureInfo.InvariantCulture), 0.01, 1e6);
    }

    [Fact]
    public async Task Nobody_is_told_who_is_not_signed_in()
    {
        using HttpClient stranger = Appliance.CreateClient();
        stranger.DefaultRequestHeaders.Authorization = null;
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.GetAsync(Metrics, s_end)).StatusCode);
    }

    private async Task<string> ValueAsync(string name)
    {
        using HttpResponseMessage answer = await Api.GetAsync(Metrics, s_end);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        string[] lines = (await answer.Content.ReadAsStringAsync(s_end)).Split('\n');
        return lines.Single(line => line.StartsWith(name + " ", StringComparison.Ordinal))[(name.Length + 1)..];
    }
}
