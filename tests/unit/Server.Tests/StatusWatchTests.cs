using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Bootstrap.Link;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Protocol.Status;
using Bootstrap.Server.Features.Access;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>What the appliance does for those who watch nodes: certificates, tokens, and the way round where there is none
/// straight.</summary>
public sealed class StatusWatchTests : ApplianceTest
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_node_gets_a_certificate_for_the_address_that_it_connects_from_and_for_nothing_else()
    {
        await using SimulatedNode node = await SlaveAsync("10000000cccc0001");
        using ECDsa key = NodeIdentity.CreateKey();
        await node.SendAsync(new AskStatusCertificate(NodeIdentity.CreateSigningRequest(key, NodeId.Parse("10000000cccc0002"))), s_end);
        StatusCertificate answer = await node.ReceiveAsync<StatusCertificate>(s_end);
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(answer.Certificate);
        Assert.True(Protocol.Trust.IsIssuedBy(certificate, Appliance.Info.Authority));
        Assert.Equal("status of 10000000cccc0001", certificate.GetNameInfo(X509NameType.SimpleName, false));
        X509SubjectAlternativeNameExtension names = Assert.Single(certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>());
        Assert.Equal(["127.0.0.1"], names.EnumerateIPAddresses().Select(address => address.ToString()));
        Assert.Empty(names.EnumerateDnsNames());
        Assert.False(certificate.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
        // It opens no link: neither as this node nor as another.
        using var identity = NodeIdentity.Create(answer.Certificate, NodeIdentity.Parse(
            $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}")!.CopyKey());
        using var link = new HttpClient(new ApplianceTls(Appliance.Info.Authority).CreateHandler(identity, _ => { }));
        HttpResponseMessage refused = await link.GetAsync(new Uri($"https://{Appliance.Info.Link}{LinkMessage.Path}"), s_end);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Fact]
    public async Task A_token_is_for_its_node_ends_with_what_made_it_and_all_may_have_one_who_may_look()
    {
        await using SimulatedNode node = await SlaveAsync("10000000cccc0001");
        using HttpClient viewer = Appliance.CreateClient(Role.Viewer);
        JsonNode answer = await ReadAsync(
            await viewer.PostAsJsonAsync("status/tokens", new { nodes = new[] { node.Id.ToString() } }, s_end));
        StatusToken token = Read(answer["tokens"]![node.Id.ToString()]!.ToString());
        Assert.InRange(token.Until - TimeProvider.System.GetUtcNow().ToUnixTimeSeconds(), 200, 300);
        Assert.NotEqual(token.Number, Read((await ReadAsync(await viewer.PostAsJsonAsync("status/tokens",
            new { nodes = new[] { node.Id.ToString() } }, s_end)))["tokens"]![node.Id.ToString()]!.ToString()).Number);
        Assert.Equal(HttpStatusCode.NotFound,
            (await viewer.PostAsJsonAsync("status/tokens", new { nodes = new[] { "10000000cccc0009" } }, s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await viewer.PostAsJsonAsync("status/tokens",
            new { nodes = Enumerable.Repeat(node.Id.ToString(), 301) }, s_end)).StatusCode);
        using HttpClient stranger = Appliance.CreateClient(secret: null);
        Assert.Equal(HttpStatusCode.Unauthorized,
            (await stranger.PostAsJsonAsync("status/tokens", new { nodes = Array.Empty<string>() }, s_end)).StatusCode);

        // The node hears of it when the token of the API is revoked that it came from, and by a name that tells nothing of that.
        string id = (await Api.GetFromJsonAsync<JsonArray>("tokens", s_end))!
            .Single(t => t!["role"]!.ToString() == "viewer")!["id"]!.ToString();
        using HttpClient admin = Appliance.SignIn();
        (await admin.DeleteAsync($"tokens/{id}", s_end)).EnsureSuccessStatusCode();
        Assert.Equal(token.Holder, (await node.ReceiveAsync<EndStatus>(s_end)).Holder);

        StatusToken Read(string text)
        {
            StatusToken? read = StatusToken.Read(
                text, Appliance.Info.Authority, node.Id.ToString(), TimeProvider.System.GetUtcNow(), out string? fault);
            Assert.Null(fault);
            return read!;
        }
    }

    [Fact]
    public async Task A_programs_token_ends_with_what_it_was_made_from_also_over_a_restart()
    {
        await using SimulatedNode node = await SlaveAsync("10000000cccc0001");
        using HttpClient admin = Appliance.SignIn();
        foreach (bool restarts in new[] { false, true })
        {
            JsonNode made = await ReadAsync(
                await admin.PostAsJsonAsync("tokens", new { name = "prometheus", role = "viewer", days = 30 }, s_end));
            using HttpClient program = Appliance.CreateClient(made["token"]!.ToString());
            string text = (await ReadAsync(await program.PostAsync("status/scrape-token", null, s_end)))["token"]!.ToString();
            DateTimeOffset now = TimeProvider.System.GetUtcNow();
            ScrapeToken token = ScrapeToken.Read(text, Appliance.Info.Authority, now, _ => false)!;
            Assert.InRange(token.Until - now.ToUnixTimeSeconds(), 29 * 86400, 30 * 86400);
            Assert.Null(ScrapeToken.Read(text, Appliance.Info.Authority, now.AddDays(31), _ => false));
            Assert.Null(ScrapeToken.Read(text, Appliance.Info.Authority, now, token.Revocation.Equals));
            // It is no token for watching.
            Assert.Null(StatusToken.Read(text, Appliance.Info.Authority, node.Id.ToString(), now, out _));

            if (restarts)
            {
                await Appliance.RestartAsync();
                await node.RestartAsync(NodeRole.Slave, cancellation: s_end);
            }
            using HttpClient again = Appliance.SignIn();
            string id = (await again.GetFromJsonAsync<JsonArray>("tokens", s_end))!
                .Single(t => t!["name"]!.ToString() == "prometheus")!["id"]!.ToString();
            (await again.DeleteAsync($"tokens/{id}", s_end)).EnsureSuccessStatusCode();
            RevokedKeys revoked;
            do
            {
                revoked = await node.ReceiveAsync<RevokedKeys>(s_end);
            }
            while (!revoked.Keys.Contains(token.Revocation));
        }
    }

    [Fact]
    public async Task A_node_sends_its_status_only_while_somebody_watches_and_only_what_is_wanted()
    {
        await using SimulatedNode node = await SlaveAsync("10000000cccc0001");
        using (RelayStream all = await WatchAsync(new { nodes = new[] { node.Id.ToString() } }))
        {
            WatchStatus asked = await node.ReceiveAsync<WatchStatus>(s_end);
            Assert.Null(asked.Metrics);
            Assert.Equal(1, asked.IntervalSeconds);
            Assert.InRange(asked.Seconds, 61, 300);
            await node.SendAsync(new StatusReport(Whole(0, 55, new() { ["kernel"] = "6.12" })), s_end);
            JsonNode first = await all.NextAsync();
            Assert.Equal((node.Id.ToString(), 55d, "6.12"), (first["node"]!.ToString(),
                (double)first["status"]!["values"]!["temperature"]!, first["status"]!["facts"]!["kernel"]!.ToString()));
            using (RelayStream some = await WatchAsync(
                new { nodes = new[] { node.Id.ToString() }, metrics = new[] { "load.1" }, intervalSeconds = 2 }))
            {
                await node.ReceiveAsync<WatchStatus>(s_end);
                // Of what is wanted here nothing is known yet.
                Assert.Equal("{}", (await some.NextAsync())["status"]!["values"]!.ToJsonString());
                await node.SendAsync(new StatusReport(new StatusMessage(1, 0, false,
                    new Dictionary<string, double?> { ["temperature"] = null, ["load.1"] = 3 })), s_end);
                Assert.Equal("""{"load.1":3}""", (await some.NextAsync())["status"]!["values"]!.ToJsonString());
                Assert.Equal("""{"temperature":null,"load.1":3}""", (await all.NextAsync())["status"]!["values"]!.ToJsonString());
            }
        }
        WatchStatus last;
        do
        {
            last = await node.ReceiveAsync<WatchStatus>(s_end);
        }
        while (last.Seconds > 0);
    }

    [Fact]
    public async Task A_node_that_comes_back_is_asked_again_and_one_that_lies_is_shown_as_malformed()
    {
        await using SimulatedNode node = await SlaveAsync("10000000cccc0001");
        using RelayStream stream = await WatchAsync(new { nodes = new[] { node.Id.ToString() } });
        await node.ReceiveAsync<WatchStatus>(s_end);
        await node.SendAsync(new StatusReport(Whole(0, 1e300)), s_end);
        Assert.Equal("a value that no machine has", (await stream.NextAsync())["fault"]!.ToString());
        await SwitchOffAsync(node);
        await node.RestartAsync(NodeRole.Slave, cancellation: s_end);
        await node.ReceiveAsync<WatchStatus>(s_end);
        await node.SendAsync(new StatusReport(Whole(0, 44)), s_end);
        JsonNode next;
        do
        {
            next = await stream.NextAsync();
        }
        while (next["fault"] is not null);
        Assert.Equal(44d, (double)next["status"]!["values"]!["temperature"]!);
    }

    [Theory]
    [InlineData("""{"nodes":[],"intervalSeconds":0}""", "'intervalSeconds' is from 1 to 60.")]
    [InlineData("""{"nodes":[],"metrics":["temprature"]}""", "There is no metric 'temprature'")]
    [InlineData("""{"nodes":["nobody"]}""", "There is no node 'nobody'.")]
    public async Task What_cannot_be_watched_is_refused_with_the_reason(string request, string reason)
    {
        using var content = new StringContent(request, System.Text.Encoding.UTF8, "application/json");
        HttpResponseMessage answer = await Api.PostAsync("status/relay", content, s_end);
        Assert.False(answer.IsSuccessStatusCode);
        Assert.StartsWith(reason, JsonNode.Parse(await answer.Content.ReadAsStringAsync(s_end))!["detail"]!.ToString());
    }

    [Fact]
    public async Task Every_metric_has_a_name_a_title_and_a_unit_and_names_are_distinct()
    {
        JsonArray metrics = (await Api.GetFromJsonAsync<JsonArray>("metrics", s_end))!;
        Assert.Equal(Metrics.All.Count, metrics.Select(metric => metric!["name"]!.ToString()).Distinct().Count());
        Assert.Equal("celsius", metrics.Single(metric => metric!["name"]!.ToString() == "temperature")!["unit"]!.ToString());
    }

    private Task<SimulatedNode> SlaveAsync(string id) =>
        SimulatedNode.ConnectAsync(Appliance.Info, NodeId.Parse(id), NodeRole.Slave, "arm64", s_end);

    private static StatusMessage Whole(long sequence, double temperature, Dictionary<string, string?>? facts = null) =>
        new(sequence, 1000, true, new Dictionary<string, double?> { [Metrics.Temperature] = temperature }, facts);

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage answer)
    {
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonNode>(s_end))!;
    }

    private async Task<RelayStream> WatchAsync(object request)
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, "status/relay") { Content = JsonContent.Create(request) };
        HttpResponseMessage answer = await Api.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, s_end);
        answer.EnsureSuccessStatusCode();
        return new RelayStream(answer, new StreamReader(await answer.Content.ReadAsStreamAsync(s_end)));
    }

    private sealed class RelayStream(HttpResponseMessage answer, StreamReader lines) : IDisposable
    {
        private readonly Queue<JsonNode> _updates = [];

        public async Task<JsonNode> NextAsync()
        {
            while (_updates.Count == 0)
            {
                string line = await lines.ReadLineAsync(s_end) ?? throw new IOException("the stream has ended");
                if (line.StartsWith("data: ", StringComparison.Ordinal))
                {
                    foreach (JsonNode? update in JsonNode.Parse(line["data: ".Length..])!.AsArray())
                    {
                        _updates.Enqueue(update!);
                    }
                }
            }
            return _updates.Dequeue();
        }

        public void Dispose()
        {
            lines.Dispose();
            answer.Dispose();
        }
    }
}
