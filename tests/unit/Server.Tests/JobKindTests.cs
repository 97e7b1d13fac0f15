using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>What each kind of job takes and refuses, by the API.</summary>
public sealed class JobKindTests : ApplianceTest
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public void Every_kind_is_found_by_its_word() =>
        Assert.All(TaskKind.Words, word => Assert.Equal(word, TaskKind.Find(word)!.Word));

    [Theory]
    [InlineData("""{"kind":"dance"}""", "no jobs of kind 'dance'")]
    [InlineData("""{"kind":"dance"}""", "install, ")]
    [InlineData("""{"kind":"reboot","image":"tiny"}""", "takes no image")]
    [InlineData("""{"kind":"install"}""", "needs an image")]
    [InlineData("""{"kind":"reboot","parameters":{"gracious":true}}""", "'gracious'")]
    [InlineData("""{"kind":"reboot","parameters":[]}""", "cannot be read")]
    public async Task What_a_kind_does_not_take_is_refused_in_one_sentence(string request, string sentence)
    {
        await using SimulatedNode node = await ConnectAsync("10000000abcdef01");
        JsonObject job = JsonNode.Parse(request)!.AsObject();
        job["nodes"] = new JsonArray("all");
        using HttpResponseMessage answer = await Api.PostAsJsonAsync("jobs", job, s_end);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(sentence, (await answer.Content.ReadFromJsonAsync<JsonNode>(s_end))!["detail"]!.ToString());
        Assert.Empty((await Api.GetFromJsonAsync<JsonArray>("jobs", s_end))!);
    }

    [Fact]
    public async Task A_job_shows_its_parameters()
    {
        await using SimulatedNode node = await ConnectAsync("10000000abcdef01");
        using HttpResponseMessage answer = await Api.PostAsJsonAsync("jobs", new { kind = "reboot", nodes = new[] { "all" } }, s_end);
        JsonNode job = (await answer.Content.ReadFromJsonAsync<JsonNode>(s_end))!["job"]!;
        Assert.Equal("reboot", job["kind"]!.ToString());
        Assert.NotNull(job["parameters"]);
        Assert.IsType<RebootOrder>((await node.ReceiveAsync<StartTask>(s_end)).Order);
    }
}
