using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.Jobs.Tasks;

namespace Bootstrap.Server.Tests;

/// <summary>A kind of job that this file alone knows.</summary>
public sealed class NewKindTests : WorkJobTest
{
    internal sealed record WaveParameters(string Whom, int TimeoutSeconds = 60);

    internal sealed class WaveKind : WorkKind<WaveParameters>
    {
        public override string Word => "wave";

        private protected override string? Validate(WaveParameters parameters, JobRequest request, JobSources sources) =>
            parameters.Whom.Length > 0 ? null : "Nobody is to be waved at: name one.";

        private protected override WorkOrder? Compose(
            TaskRow task, WaveParameters parameters, bool again, JobSources sources, out string fault)
        {
            fault = "";
            return new RunOrder(["echo", "wave", parameters.Whom], "root", "/", new Dictionary<string, string>(), parameters.TimeoutSeconds,
                again);
        }

        private protected override int TimeoutSeconds(WaveParameters parameters) => parameters.TimeoutSeconds;
    }

    static NewKindTests() => TaskKind.Add(new WaveKind());

    [Fact]
    public async Task A_new_kind_of_job_is_one_class_and_is_ordered_done_found_and_scheduled_like_any_other()
    {
        JsonNode task = await DoAsync("wave", new { whom = "the rack" });
        Assert.Equal(("succeeded", "", 0), End(task));
        Assert.Contains("wave the rack", await LogAsync(task));
        Assert.Equal("wave", (await Api.GetFromJsonAsync<JsonArray>("jobs?kind=wave", s_end))![0]!["kind"]!.ToString());

        using HttpResponseMessage refused = await Api.PostAsJsonAsync("jobs",
            new { kind = "wave", nodes = new[] { "all" }, parameters = new { whom = "" } }, s_end);
        Assert.Contains("Nobody is to be waved at: name one.", await refused.Content.ReadAsStringAsync(s_end), StringComparison.Ordinal);

        using HttpResponseMessage scheduled = await Api.PutAsJsonAsync("schedules/morning", new
        {
            name = "morning",
            cron = "0 8 * * *",
            zone = "UTC",
            job = new { kind = "wave", select = "all", parameters = new { whom = "everybody" } },
        }, s_end);
        Assert.True(scheduled.IsSuccessStatusCode, await scheduled.Content.ReadAsStringAsync(s_end));
        using HttpResponseMessage made = await Api.PostAsync("schedules/morning/run", null, s_end);
        JsonNode job = (await made.Content.ReadFromJsonAsync<JsonNode>(s_end))!;
        Assert.Equal(("succeeded", "", 0), End(await EndOfAsync(job["tasks"]![0]!)));
    }
}
