using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>A test that orders something from an appliance of its own, by a clock that it sets.</summary>
public abstract class JobTest : ApplianceTest
{
    private protected static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private protected SettableClock Time { get; } = new();

    private protected override TimeProvider Clock => Time;

    /// <summary>Boards that are connected, in the order of their names.</summary>
    /// <param name="first">Number of the first one: a board that was connected before is not the same with another key.</param>
    private protected async Task<SimulatedNode[]> ConnectAsync(int count, int first = 0)
    {
        var nodes = new SimulatedNode[count];
        for (int i = 0; i < count; i++)
        {
            nodes[i] = await ConnectAsync($"10000000cccc{first + i:d4}");
        }
        return nodes;
    }

    /// <summary>Orders a job.</summary>
    /// <returns>Its path.</returns>
    private protected async Task<string> OrderAsync(object order)
    {
        using HttpResponseMessage response = await Api.PostAsJsonAsync("jobs", order, s_end);
        Assert.True(response.StatusCode == HttpStatusCode.Created, await response.Content.ReadAsStringAsync(s_end));
        return $"jobs/{(await response.Content.ReadFromJsonAsync<JsonNode>(s_end))!["job"]!["id"]}";
    }

    /// <summary>Gives the appliance the image 'tiny'.</summary>
    private protected async Task ImportAsync()
    {
        using HttpResponseMessage answer = await Api.PostAsync("images?name=tiny&architecture=arm64",
            new ByteArrayContent(TinyImage.Create()), s_end);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
    }

    /// <summary>A time as an order names it.</summary>
    private protected string InAnHour() =>
        (Time.Now + TimeSpan.FromHours(1)).ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture);

    private protected async Task<JsonNode> GetAsync(string path) => (await Api.GetFromJsonAsync<JsonNode>(path, s_end))!;

    /// <summary>The states of a job's tasks in its order.</summary>
    private protected async Task<string> StatesAsync(string job) => States(await GetAsync(job));

    /// <summary>Waits until the tasks are in these states.</summary>
    private protected Task<JsonNode> UntilAsync(string job, string states) =>
        Poll.UntilAsync(() => GetAsync(job), j => States(j) == states, s_end);

    private protected static string States(JsonNode job) => string.Join(' ', job["tasks"]!.AsArray().Select(t => t!["state"]!.ToString()));

    /// <summary>Sends a request, which is refused with a sentence.</summary>
    private protected async Task<string> RefusalAsync(HttpMethod method, string path, object? body,
        HttpStatusCode status = HttpStatusCode.BadRequest)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using HttpResponseMessage response = await Api.SendAsync(request, s_end);
        string text = await response.Content.ReadAsStringAsync(s_end);
        Assert.True(response.StatusCode == status, text);
        return JsonNode.Parse(text)!["detail"]!.ToString();
    }

    /// <summary>Takes the order to reboot, and does.</summary>
    private protected static async Task RebootAsync(SimulatedNode node)
    {
        await node.AcceptTaskAsync(s_end);
        await node.RestartAsync(NodeRole.NetInst, cancellation: s_end);
    }

    /// <summary>Takes an order, and fails.</summary>
    private protected static async Task FailAsync(SimulatedNode node, bool final = false)
    {
        StartTask start = await node.AcceptTaskAsync(s_end);
        var ended = new TaskEnded(start.TaskId, false, false, "no power", DiskState.Untouched, final);
        await node.SendAsync(ended, s_end);
        // A node that is not sure that it was heard says it again: that is no second failure.
        await node.SendAsync(ended, s_end);
    }
}
