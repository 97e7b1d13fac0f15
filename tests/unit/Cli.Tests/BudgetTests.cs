using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Bootstrap.Support;

namespace Bootstrap.Cli.Tests;

/// <summary>What strangers may cost a real process.</summary>
public sealed class BudgetTests : IDisposable
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private readonly string _folder = Directory.CreateTempSubdirectory("test-budget-").FullName;

    [Fact]
    public async Task More_idle_connections_than_there_are_descriptors_keep_nobody_out_and_end_nothing()
    {
        string token = Path.Combine(_folder, "token");
        await using RunningAppliance appliance = await RunningAppliance.StartAsync(Path.Combine(_folder, "data"),
            ["sh", "-c", "ulimit -n 1024; exec \"$0\" \"$@\""], "--initial-token", token);
        using HttpClient before = appliance.CreateClient((await File.ReadAllTextAsync(token, s_end)).Trim());
        using HttpResponseMessage stream = await before.GetAsync("events", HttpCompletionOption.ResponseHeadersRead, s_end);
        await using Stream events = await stream.Content.ReadAsStreamAsync(s_end);
        var idle = new List<Socket>();
        foreach (int port in new[] { appliance.Https, appliance.Http, appliance.Link })
        {
            for (int i = 0; i < 400; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), s_end);
                idle.Add(socket);
            }
        }
        // Who was there is still there, and who comes gets in: signs in, reads and writes.
        Assert.NotEqual(0, await events.ReadAsync(new byte[1], s_end));
        using HttpClient after = appliance.CreateClient((await File.ReadAllTextAsync(token, s_end)).Trim());
        foreach (HttpClient client in new[] { before, after })
        {
            JsonNode? made = await (await client.PostAsJsonAsync("tokens", new { name = "another" },
                s_end)).Content.ReadFromJsonAsync<JsonNode>(s_end);
            Assert.Equal("another", made!["name"]!.ToString());
        }
        Assert.True(appliance.Lives);
        Assert.InRange(Directory.GetFiles($"/proc/{appliance.Pid}/fd").Length, 1, 1023);
        idle.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public async Task One_token_with_more_connections_than_the_door_has_keeps_nobody_else_out()
    {
        string token = Path.Combine(_folder, "token");
        await using RunningAppliance appliance = await RunningAppliance.StartAsync(Path.Combine(_folder, "data"),
            ["sh", "-c", "ulimit -n 1024; exec \"$0\" \"$@\""], "--initial-token", token);
        string secret = (await File.ReadAllTextAsync(token, s_end)).Trim();
        using HttpClient owner = appliance.CreateClient(secret);
        // Watches on each of its connections: none of them is idle.
        JsonNode? made = await (await owner.PostAsJsonAsync("tokens", new { name = "greedy" },
            s_end)).Content.ReadFromJsonAsync<JsonNode>(s_end);
        using HttpClient greedy = appliance.CreateClient(made!["token"]!.ToString());
        var streams = new List<HttpResponseMessage>();
        int refused = 0;
        for (int i = 0; i < 250; i++)
        {
            try
            {
                streams.Add(await greedy.GetAsync("events", HttpCompletionOption.ResponseHeadersRead, s_end));
            }
            catch (HttpRequestException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 150, 249);
        using HttpClient late = appliance.CreateClient(secret);
        using HttpResponseMessage watching = await late.GetAsync("events", HttpCompletionOption.ResponseHeadersRead, s_end);
        Assert.Equal(HttpStatusCode.OK, watching.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await late.GetAsync("nodes", s_end)).StatusCode);
        streams.ForEach(stream => stream.Dispose());
    }

    [Fact]
    public async Task A_process_that_may_open_too_few_files_is_told_how_many_it_needs()
    {
        (int code, _, string errors) = await CommandLine.RunToolAsync(["sh", "-c", "ulimit -n 320; exec timeout 60 \"$0\" \"$@\"",
            CommandLine.Program,
            .. RunningAppliance.Arguments(Path.Combine(_folder, "data")).Arguments]);
        Assert.Equal(1, code);
        Assert.Matches("^bootstrap: this process may have no more than 320 open files, and needs [0-9]+: raise the limit, such as by " +
            "ulimit -n 4096\\.$", errors);
    }

    [Fact]
    public async Task A_body_of_JSON_is_refused_by_its_length_before_it_is_read_or_understood()
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync();
        using HttpClient api = appliance.CreateClient();
        string body = $$"""{"name": "{{new string('x', 2 << 20)}}"}""";
        using var large = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await api.PostAsync("tokens", large, s_end);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        JsonNode? problem = await answer.Content.ReadFromJsonAsync<JsonNode>(s_end);
        Assert.Equal("This takes no more than 1048576 bytes.", problem!["detail"]!.ToString());
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
