using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Kinds;
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
    [InlineData("""{"kind":"reboot","parameters":{"graceSeconds":-1}}""", "0 to 3600")]
    [InlineData("""{"kind":"shutdown","parameters":{"message":"bye"}}""", "needs a grace")]
    [InlineData("""{"kind":"shutdown","parameters":{"graceSeconds":60,"message":"\u001b[2J"}}""", "control characters")]
    [InlineData("""{"kind":"update","parameters":{"packages":["--reinstall"]}}""", "'--reinstall' is no name of a package")]
    [InlineData("""{"kind":"update","parameters":{"timeoutSeconds":100000}}""", "time-out")]
    [InlineData("""{"kind":"firmware","image":"tiny"}""", "takes no image")]
    [InlineData("""{"kind":"firmware","parameters":{"graceSeconds":4000}}""", "0 to 3600")]
    [InlineData("""{"kind":"firmware","parameters":{"force":true}}""", "'force'")]
    [InlineData("""{"kind":"run"}""", "either 'command'")]
    [InlineData("""{"kind":"run","parameters":{"command":["ls"],"shell":"ls"}}""", "either 'command'")]
    [InlineData("""{"kind":"run","parameters":{"command":[]}}""", "empty")]
    [InlineData("""{"kind":"run","parameters":{"shell":" "}}""", "empty")]
    [InlineData("""{"kind":"run","parameters":{"command":["ls","a\u0000b"]}}""", "NUL")]
    [InlineData("""{"kind":"run","parameters":{"shell":"ls","user":"-u root"}}""", "no name of a user")]
    [InlineData("""{"kind":"run","parameters":{"shell":"ls","user":"root\n"}}""", "no name of a user")]
    [InlineData("""{"kind":"run","parameters":{"shell":"ls","folder":"tmp"}}""", "absolute path")]
    [InlineData("""{"kind":"run","parameters":{"shell":"ls","timeoutSeconds":0}}""", "time-out")]
    [InlineData("""{"kind":"run","parameters":{"shell":"ls","environment":{"A B":"c"}}}""", "'A B'")]
    [InlineData("""{"kind":"run","parameters":{"shell":"ls","environment":{"DB_PASSWORD":"c"}}}""", "seems to be a secret")]
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
    public async Task A_command_that_is_too_long_is_refused()
    {
        await using SimulatedNode node = await ConnectAsync("10000000abcdef01");
        using HttpResponseMessage answer = await Api.PostAsJsonAsync("jobs",
            new { kind = "run", nodes = new[] { "all" }, parameters = new { shell = new string('x', 20_000) } }, s_end);
        Assert.Contains("longer than 16384 bytes", (await answer.Content.ReadFromJsonAsync<JsonNode>(s_end))!["detail"]!.ToString());
    }

    [Fact]
    public async Task NetInst_is_no_system_to_run_a_command_in()
    {
        await using SimulatedNode node = await ConnectAsync("10000000abcdef01");
        using HttpResponseMessage answer = await Api.PostAsJsonAsync("jobs",
            new { kind = "run", nodes = new[] { "all" }, parameters = new { shell = "true" } }, s_end);
        JsonNode task = (await answer.Content.ReadFromJsonAsync<JsonNode>(s_end))!["tasks"]![0]!;
        Assert.Equal("failed", task["state"]!.ToString());
        Assert.Contains("install one first", task["cause"]!.ToString());
    }

    [Fact]
    public async Task A_node_that_was_away_when_its_task_was_cancelled_is_told_and_does_not_begin_again()
    {
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(Appliance.Info, NodeId.Parse("10000000abcdef01"), NodeRole.Slave,
            "arm64", s_end);
        using HttpResponseMessage answer = await Api.PostAsJsonAsync("jobs",
            new { kind = "run", nodes = new[] { "all" }, parameters = new { shell = "true" } }, s_end);
        StartTask start = await node.AcceptTaskAsync(s_end);
        Assert.False(Assert.IsType<RunOrder>(start.Order).Again);
        await Poll.UntilAsync(async () => (await Api.GetFromJsonAsync<JsonArray>("jobs", s_end))![0]!["counts"]!["running"],
            running => running is not null, s_end);
        await node.DisconnectAsync(s_end);
        using HttpResponseMessage cancelled = await Api.PostAsync($"tasks/{start.TaskId}/cancel", null, s_end);
        await node.RestartAsync(NodeRole.Slave, cancellation: s_end);
        StartTask again = await node.ReceiveAsync<StartTask>(s_end);
        Assert.Equal((start.TaskId, true), (again.TaskId, Assert.IsType<RunOrder>(again.Order).Again));
        Assert.Equal(start.TaskId, (await node.ReceiveAsync<CancelTask>(s_end)).TaskId);
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
