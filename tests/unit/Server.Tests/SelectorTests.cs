using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Http;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>Words choose the same nodes here as on the page, whose tests read the same cases.</summary>
public sealed class SelectorTests : ApplianceTest
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private static readonly Selectors s_selectors =
        JsonSerializer.Deserialize<Selectors>(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "selectors.json")),
            ApiJson.Options)!;

    private sealed record Case(string Query, bool Taken);

    private sealed record FaultCase(string Query, string Field);

    private sealed record Selectors(NodeView Node, IReadOnlyList<string> Fields, IReadOnlyList<FaultCase> Faults,
        IReadOnlyList<Case> Cases);

    [Fact]
    public void Words_choose_what_they_choose_on_the_page()
    {
        Assert.NotEmpty(s_selectors.Cases);
        Assert.All(s_selectors.Cases,
            c => Assert.Equal((c.Query, c.Taken), (c.Query, NodeSelector.Parse(c.Query).Matches(s_selectors.Node))));
    }

    [Fact]
    public async Task A_field_that_there_is_not_is_refused_with_those_that_there_are_wherever_words_choose_nodes()
    {
        await using SimulatedNode node = await ConnectAsync("10000000eeee0001");
        foreach (FaultCase fault in s_selectors.Faults)
        {
            Assert.False(NodeSelector.Parse(fault.Query).Matches(s_selectors.Node));
            string sentence = $"Nodes have no field '{fault.Field}': it is one of {string.Join(", ", s_selectors.Fields)}. Words with " +
                "':' or '=' in them stand between quotes.";
            foreach (string list in new[] { "nodes", "nodes.csv", "nodes.json" })
            {
                using HttpResponseMessage listed = await Api.GetAsync($"{list}?select={Uri.EscapeDataString(fault.Query)}", s_end);
                Assert.Equal((HttpStatusCode.BadRequest, sentence), await DetailAsync(listed));
            }
            using HttpResponseMessage ordered = await Api.PostAsJsonAsync("jobs", new { kind = "reboot", select = fault.Query }, s_end);
            Assert.Equal((HttpStatusCode.BadRequest, $"{sentence} Nothing was ordered."), await DetailAsync(ordered));
            using HttpResponseMessage planned = await Api.PostAsJsonAsync("schedules",
                new { name = "s", cron = "0 3 * * *", zone = "UTC", job = new { kind = "reboot", select = fault.Query } }, s_end);
            Assert.Equal((HttpStatusCode.BadRequest, $"{sentence} Nothing was ordered."), await DetailAsync(planned));
        }
        Assert.All(s_selectors.Cases, c => Assert.Equal("", NodeSelector.Parse(c.Query).Fault));

        async Task<(HttpStatusCode, string)> DetailAsync(HttpResponseMessage answer) =>
            (answer.StatusCode, (await answer.Content.ReadFromJsonAsync<JsonNode>(s_end))!["detail"]!.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    public void Nothing_said_chooses_nobody(string query) => Assert.False(NodeSelector.Parse(query).Matches(s_selectors.Node));

    [Fact]
    public async Task A_job_by_words_is_for_those_that_they_take_and_for_nobody_else()
    {
        await using SimulatedNode camera = await ConnectAsync("10000000eeee0001"), other = await ConnectAsync("10000000eeee0002");
        (await Api.PatchAsJsonAsync("nodes/10000000eeee0001", new { tags = new[] { "camera" } }, s_end)).EnsureSuccessStatusCode();
        JsonNode taken = (await Api.GetFromJsonAsync<JsonNode>("nodes?select=tag%3Dcamera", s_end))!;
        Assert.Equal(["10000000eeee0001"], taken.AsArray().Select(n => n!["id"]!.ToString()));

        foreach (object order in new object[]
        {
            new { kind = "reboot", select = "tag=cam" }, new { kind = "reboot", select = "" },
                new { kind = "reboot", select = "all", nodes = new[] { "all" } }, new { kind = "reboot" },
        })
        {
            using HttpResponseMessage refusal = await Api.PostAsJsonAsync("jobs", order, s_end);
            Assert.Equal(HttpStatusCode.BadRequest, refusal.StatusCode);
        }
        Assert.Equal("[]", await Api.GetStringAsync("jobs", s_end));

        using HttpResponseMessage ordered = await Api.PostAsJsonAsync("jobs", new { kind = "reboot", select = "tag=camera" }, s_end);
        Assert.Equal(HttpStatusCode.Created, ordered.StatusCode);
        JsonNode job = (await ordered.Content.ReadFromJsonAsync<JsonNode>(s_end))!;
        Assert.Equal(["10000000eeee0001"], job["tasks"]!.AsArray().Select(t => t!["node"]!.ToString()));
    }
}
