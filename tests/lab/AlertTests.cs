using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Bootstrap.Lab.Tests;

/// <summary>From a fault of a node to those who want to know: a real Slave, a real sensor's file, a real receiver.</summary>
public sealed class AlertTests
{
    private const int Port = 9999;

    /// <summary>Prints the body of each request, a line each.</summary>
    private const string Receiver = """
        import http.server
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                print(self.rfile.read(int(self.headers["Content-Length"])).decode(), flush=True)
                self.send_response(204)
                self.end_headers()
            def log_message(self, *_): pass
        print("ready", flush=True)
        http.server.HTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
        """;

    [Fact]
    public async Task A_node_that_gets_hot_is_on_the_list_and_told_to_a_webhook()
    {
        await using Lab lab = await Lab.StartAsync(serve: ["--dhcp", "off"]);
        await using var slaves = new LabSlaves();
        await slaves.StartAsync(lab, 1);
        string program = Receiver.Replace("PORT", $"{Port}", StringComparison.Ordinal);
        await using RackProcess receiver = await lab.Rack.StartAsync(["python3", "-c", program]);
        await receiver.Output.WaitForAsync("ready", lab.Cancel);
        await PutAsync(lab, "notifications", new
        {
            webhooks = new[] { new { name = "ops", url = $"http://127.0.0.1:{Port}/", events = new[] { "alert-started", "alert-ended" } } },
        });
        await PutAsync(lab, "alerts/rules/hot", new
        {
            name = "hot",
            title = "Hot",
            metric = "temperature",
            comparison = "above",
            threshold = 70,
            forSeconds = 0,
        });

        long began = TimeProvider.System.GetTimestamp();
        slaves.All[0].Temperature = 75;
        JsonNode alerts = await lab.WaitForAsync("an alert", "alerts", list => list.AsArray().Count > 0);
        double listed = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        string told = await receiver.Output.WaitForAsync(
            line => line.Contains("alert.started", StringComparison.Ordinal) ? line : null, lab.Cancel);
        double heard = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        TestContext.Current.TestOutputHelper!.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"on the list after {listed:0.0} s, told to the webhook after {heard:0.0} s"));
        Assert.Equal(("hot", slaves.All[0].NodeId), (alerts[0].Text("rule"), alerts[0].Text("node")));
        Assert.StartsWith("Hot (75 °C, cpu-thermal) on ", JsonNode.Parse(told)!.Text("text"), StringComparison.Ordinal);

        slaves.All[0].Temperature = 45;
        await lab.WaitForAsync("its end", "alerts", list => list[0]!["endedAt"] is not null);
    }

    private static Task<JsonNode> PutAsync(Lab lab, string path, object body) =>
        lab.Appliance.SendAsync(HttpMethod.Put, path, JsonContent.Create(body), lab.Cancel);
}
