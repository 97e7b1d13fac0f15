using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Bootstrap.Server.Features.Notifications;
using Bootstrap.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using MimeKit;
using SmtpServer;
using SmtpServer.Authentication;
using SmtpServer.Protocol;
using SmtpServer.Storage;

namespace Bootstrap.Server.Tests;

/// <summary>What programs and people are told, by a real receiver of webhooks and a real mail server.</summary>
public sealed class NotificationTests : JobTest
{
    [Fact]
    public async Task A_webhook_is_told_signed_when_a_board_comes_and_when_a_job_fails_and_ends()
    {
        long started = Time.GetUtcNow().ToUnixTimeSeconds();
        await using Receiver receiver = await Receiver.StartAsync();
        string secret = await SetAsync(receiver.Url);
        SimulatedNode[] nodes = await ConnectAsync(2);
        string job = await OrderAsync(new { kind = "reboot", nodes = new[] { "all" } });
        await FailAsync(nodes[0]);
        await RebootAsync(nodes[1]);
        await UntilAsync(job, "failed succeeded");
        await TellAsync(() => receiver.Heard.Count == 4);

        Assert.Equal(["node.new", "node.new", "job.failing", "job.ended"], receiver.Heard.Select(h => h.Json["type"]!.ToString()));
        JsonNode ended = receiver.Heard.Last().Json;
        Assert.Equal("reboot on 2 nodes has ended: 1 failed, 1 succeeded", ended["text"]!.ToString());
        Assert.Equal("no power", ended["data"]!["causes"]![0]!["cause"]!.ToString());
        Assert.Equal(job, $"jobs/{ended["data"]!["job"]!["id"]}");
        foreach (Receiver.Request heard in receiver.Heard)
        {
            Assert.Equal(WebhookSignature.Sign(WebhookSignature.KeyOf(secret)!, heard.Id, heard.Timestamp, heard.Body), heard.Signature);
            Assert.InRange(heard.Timestamp, started, Time.GetUtcNow().ToUnixTimeSeconds());
        }
        Assert.Equal(4, receiver.Heard.Select(h => h.Id).Distinct().Count());
    }

    [Fact]
    public async Task What_a_receiver_missed_arrives_in_order_once_it_is_back_also_over_a_restart()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        await SetAsync(receiver.Url);
        receiver.Answer = StatusCodes.Status503ServiceUnavailable;
        await ConnectAsync(1);
        await TellAsync(() => receiver.Heard.Count == 1);
        JsonNode waiting = await Poll.UntilAsync(() => GetAsync("notifications"),
            n => n["waiting"] is JsonArray { Count: 1 } all && all[0]!["error"]!.ToString().Length > 0, s_end);
        Assert.Equal(("hook", "it answered 503 Service Unavailable"),
            (waiting["waiting"]![0]!["target"]!.ToString(), waiting["waiting"]![0]!["error"]!.ToString()));

        await Appliance.RestartAsync();
        receiver.Answer = StatusCodes.Status204NoContent;
        await ConnectAsync(1, first: 1);
        await TellAsync(() => receiver.Heard.Count == 3);
        Assert.Equal(receiver.Heard.First().Id, receiver.Heard.ElementAt(1).Id);
        Assert.NotEqual(receiver.Heard.First().Id, receiver.Heard.ElementAt(2).Id);
        await Poll.UntilAsync(() => GetAsync("notifications"), n => n["waiting"]!.AsArray().Count == 0, s_end);
    }

    [Fact]
    public async Task What_happened_in_one_moment_is_told_in_its_order()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        await SetAsync(receiver.Url);
        SimulatedNode[] nodes = await ConnectAsync(20);
        await TellAsync(() => receiver.Heard.Count == nodes.Length);
        Assert.Equal(nodes.Select(n => n.Id.ToString()), receiver.Heard.Select(h => h.Json["data"]!["node"]!["id"]!.ToString()));
    }

    [Fact]
    public async Task The_end_of_a_job_that_was_yet_to_choose_is_told_once_however_its_tasks_ended()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        await ConnectAsync(2);
        await SetAsync(receiver.Url);
        string job = await OrderAsync(new { kind = "reboot", select = "all", notBefore = InAnHour() });
        foreach (JsonNode? task in (await GetAsync(job))["tasks"]!.AsArray())
        {
            using HttpResponseMessage answer = await Api.PostAsync($"tasks/{task!["id"]}/cancel", null, s_end);
            answer.EnsureSuccessStatusCode();
        }
        Assert.False((bool)(await GetAsync(job))["job"]!["ended"]!);
        await Poll.UntilAsync(() =>
        {
            Time.Advance(TimeSpan.FromMinutes(1));
            return GetAsync(job);
        }, j => (bool)j["job"]!["ended"]!, s_end);
        string last = await OrderAsync(new { kind = "reboot", select = "all", notBefore = InAnHour(), frozen = true });
        using HttpResponseMessage undone = await Api.PostAsync($"{last}/undo", null, s_end);
        undone.EnsureSuccessStatusCode();
        await TellAsync(() => Ended().Contains(last[5..]));
        Assert.Equal([job[5..], last[5..]], Ended());

        string[] Ended() =>
            [.. receiver.Heard.Where(h => h.Json["type"]!.ToString() == "job.ended")
                .Select(h => h.Json["data"]!["job"]!["id"]!.ToString())];
    }

    [Fact]
    public async Task People_get_an_e_mail_with_the_causes_from_a_server_that_asks_for_a_password()
    {
        await using var server = new MailServer();
        await PutAsync(new
        {
            webhooks = Array.Empty<object>(),
            mail = new
            {
                host = "127.0.0.1",
                port = server.Port,
                security = "none",
                from = "rack@example.org",
                to = new[] { "ada@example.org" },
                events = new[] { "job-ended" },
                user = "rack",
                password = "pass word"
            },
        });
        SimulatedNode[] nodes = await ConnectAsync(1);
        string name = (await GetAsync($"nodes/{nodes[0].Id}"))["name"]!.ToString();
        string job = await OrderAsync(new { kind = "reboot", nodes = new[] { "all" } });
        await FailAsync(nodes[0]);
        await UntilAsync(job, "failed");
        await TellAsync(() => !server.Received.IsEmpty);

        MimeMessage mail = Assert.Single(server.Received);
        Assert.Equal($"Bootstrap: reboot on {name} has ended: 1 failed", mail.Subject);
        Assert.Equal("ada@example.org", mail.To.Mailboxes.Single().Address);
        Assert.Contains($"no power\n  {name}", mail.TextBody!.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Equal(("rack", "pass word"), server.SignedIn);
    }

    [Fact]
    public async Task A_test_says_whether_it_arrived()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        await SetAsync(receiver.Url);
        using HttpResponseMessage answer = await Api.PostAsJsonAsync("notifications/test", new { target = "hook" }, s_end);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal("test", Assert.Single(receiver.Heard).Json["type"]!.ToString());
        receiver.Answer = StatusCodes.Status302Found;
        Assert.Equal("The test did not arrive: it answered 302 Found.",
            await RefusalAsync(HttpMethod.Post, "notifications/test", new { target = "hook" }, HttpStatusCode.Conflict));
        Assert.Equal("The test did not arrive: there is no webhook 'nobody' any more.",
            await RefusalAsync(HttpMethod.Post, "notifications/test", new { target = "nobody" }, HttpStatusCode.Conflict));
    }

    [Fact]
    public async Task Secrets_are_shown_when_they_are_made_and_never_again_and_stay_when_they_are_not_given()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        string secret = await SetAsync(receiver.Url);
        Assert.StartsWith("whsec_", secret, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, (await GetAsync("notifications")).ToJsonString(), StringComparison.Ordinal);
        JsonNode again = await PutAsync(Hook(receiver.Url));
        Assert.DoesNotContain("whsec_", again.ToJsonString(), StringComparison.Ordinal);
        await Api.PostAsJsonAsync("notifications/test", new { target = "hook" }, s_end);
        Receiver.Request heard = Assert.Single(receiver.Heard);
        Assert.Equal(WebhookSignature.Sign(WebhookSignature.KeyOf(secret)!, heard.Id, heard.Timestamp, heard.Body), heard.Signature);
        foreach (string file in Directory.EnumerateFiles(Appliance.Options.DataFolder, "appliance.db*"))
        {
            await using var open = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(open, Encoding.Latin1);
            Assert.DoesNotContain(secret["whsec_".Length..], await reader.ReadToEndAsync(s_end), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("{\"webhooks\":[{\"name\":\"a\",\"url\":\"ftp://x\",\"events\":[\"job-ended\"]}]}",
        "'ftp://x' of the webhook 'a' is no http or https address.")]
    [InlineData("{\"webhooks\":[{\"name\":\"a\",\"url\":\"https://u:p@x/\",\"events\":[\"job-ended\"]}]}", "has a name or password in it")]
    [InlineData("{\"webhooks\":[{\"name\":\"a\",\"url\":\"https://x/\",\"events\":[]}]}",
        "has no events: name one of job-ended, job-failing, new-board, backup-failed, alert-started, alert-ended.")]
    [InlineData("{\"webhooks\":[{\"name\":\"a\",\"url\":\"https://x/\",\"events\":[\"tea-time\"]}]}", "is not understood")]
    [InlineData("{\"webhooks\":[{\"name\":\"a\",\"url\":\"https://x/\",\"events\":[\"job-ended\"],\"secret\":\"short\"}]}",
        "is not 'whsec_' and 24 to 64 bytes in Base64.")]
    [InlineData("{\"webhooks\":[{\"name\":\"a\\n\",\"url\":\"https://x/\",\"events\":[\"job-ended\"]}]}", "cannot be a webhook's name")]
    [InlineData("{\"webhooks\":[{\"name\":\"e-mail\",\"url\":\"https://x/\",\"events\":[\"job-ended\"]}]}",
        "'e-mail' cannot be a webhook's name")]
    [InlineData("{\"webhooks\":[],\"mail\":{\"host\":\"mail.example.org\",\"port\":25,\"security\":\"none\",\"from\":\"a@b\"," +
        "\"to\":[\"c@d\"],\"events\":[\"job-ended\"],\"user\":\"u\",\"password\":\"p\"}}", "in the clear")]
    [InlineData("{\"webhooks\":[],\"mail\":{\"host\":\"mail.example.org\",\"port\":25,\"security\":\"tls\",\"from\":\"a@b\"," +
        "\"to\":[\"nobody\"],\"events\":[\"job-ended\"]}}", "'nobody' is not an e-mail address.")]
    public async Task Settings_that_cannot_be_are_refused_and_nothing_is_changed(string body, string sentence)
    {
        using HttpResponseMessage answer = await Api.PutAsync("notifications", new StringContent(body, Encoding.UTF8, "application/json"),
            s_end);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(sentence, JsonNode.Parse(await answer.Content.ReadAsStringAsync(s_end))!["detail"]!.ToString(),
            StringComparison.Ordinal);
        Assert.Empty((await GetAsync("notifications"))["settings"]!["webhooks"]!.AsArray());
    }

    [Fact]
    public void A_signature_is_that_of_the_specifications_example() =>
        // The example of the specification (standard-webhooks/spec/standard-webhooks.md, libraries' common test vector).
        Assert.Equal("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            WebhookSignature.Sign(WebhookSignature.KeyOf("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")!, "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1614265330, "{\"test\": 2432232314}"));

    private static object Hook(Uri url) =>
        new { webhooks = new[] { new { name = "hook", url, events = new[] { "job-ended", "job-failing", "new-board" } } } };

    /// <summary>Sets one webhook for all events.</summary>
    /// <returns>Its secret.</returns>
    private async Task<string> SetAsync(Uri url) => (await PutAsync(Hook(url)))["settings"]!["webhooks"]![0]!["secret"]!.ToString();

    private async Task<JsonNode> PutAsync(object settings)
    {
        using HttpResponseMessage answer = await Api.PutAsJsonAsync("notifications", settings, s_end);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(s_end));
        return (await answer.Content.ReadFromJsonAsync<JsonNode>(s_end))!;
    }

    /// <summary>Lets the appliance's clock go on until something has arrived.</summary>
    private Task TellAsync(Func<bool> arrived) => Poll.UntilAsync(() =>
    {
        Time.Advance(TimeSpan.FromSeconds(2));
        return Task.FromResult(arrived());
    }, done => done, s_end);

    /// <summary>Takes e-mail from whoever has signed in.</summary>
    private sealed class MailServer : MessageStore, IUserAuthenticator, IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;

        public MailServer()
        {
            using (var free = new TcpListener(IPAddress.Loopback, 0))
            {
                free.Start();
                Port = ((IPEndPoint)free.LocalEndpoint).Port;
            }
            var services = new SmtpServer.ComponentModel.ServiceProvider();
            services.Add((IMessageStore)this);
            services.Add((IUserAuthenticator)this);
            ISmtpServerOptions options = new SmtpServerOptionsBuilder().ServerName("localhost")
                .Endpoint(endpoint => endpoint.Endpoint(new IPEndPoint(IPAddress.Loopback, Port)).AuthenticationRequired()
                    .AllowUnsecureAuthentication()).Build();
            _running = new SmtpServer.SmtpServer(options, services).StartAsync(_stop.Token);
        }

        public int Port { get; }

        public ConcurrentQueue<MimeMessage> Received { get; } = new();

        public (string User, string Password) SignedIn { get; private set; }

        public Task<bool> AuthenticateAsync(ISessionContext context, string user, string password, CancellationToken token)
        {
            SignedIn = (user, password);
            return Task.FromResult(true);
        }

        public override async Task<SmtpResponse> SaveAsync(
            ISessionContext context, IMessageTransaction transaction, System.Buffers.ReadOnlySequence<byte> buffer,
            CancellationToken cancellationToken)
        {
            using var stream = new MemoryStream(System.Buffers.BuffersExtensions.ToArray(buffer));
            Received.Enqueue(await MimeMessage.LoadAsync(stream, cancellationToken));
            return SmtpResponse.Ok;
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _stop.Dispose();
        }
    }
}
