using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Bootstrap.Agent.Discovery;
using Bootstrap.Agent.Status;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Board.Tests;

/// <summary>A node's status as those see it who watch the node itself: real TLS, real WebSockets.</summary>
public sealed class StatusListenerTests : IAsyncLifetime
{
    private const string Node = "10000000aaaa0001";

    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private readonly X509Certificate2 _authority = TestIdentity.CreateAuthority();
    private readonly string _folder = Directory.CreateTempSubdirectory("status-").FullName;
    private readonly CancellationTokenSource _stop = new();
    private readonly ServiceRegistry _registry = new([]);
    private readonly Log _log = new();
    private readonly HashSet<Digest> _revoked = [];
    private StatusIdentity _identity = null!;
    private StatusListener _listener = null!;
    private Task _running = Task.CompletedTask;
    private double _temperature = 40;
    private DateTimeOffset _now = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);

    public async ValueTask InitializeAsync()
    {
        _identity = new StatusIdentity(_folder, _authority, _log.Add);
        _identity.Take(Certify(_identity.Ask(NodeId.Parse(Node))), Node);
        // Readings come by the real clock, tokens end by the one of this test.
        var feed = new StatusFeed(Sample, TimeProvider.System);
        _listener = new StatusListener(
            0, _identity, new StatusTokens(_authority, () => Node, () => _now, _revoked.Contains), feed, _registry, _log.Add,
            TimeProvider.System,
            text => text.Write("metrics 1\n"u8));
        _running = Supervisor.RunAsync(_stop.Token, new("feed", feed.RunAsync), new("listener", _listener.RunAsync));
        await LoopbackSlave.UntilAsync(() => _listener.Port > 0);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        Directory.Delete(_folder, recursive: true);
        _authority.Dispose();
    }

    [Fact]
    public async Task A_watcher_is_told_everything_first_and_then_what_changes()
    {
        using ClientWebSocket socket = await WatchAsync(Sign());
        var watched = new WatchedStatus();
        StatusMessage first = await NextAsync(socket);
        Assert.Null(watched.Take(first));
        Assert.Equal((true, 40d, "6.12"), (first.Whole, watched.Values[Metrics.Temperature], watched.Facts[StatusFact.Kernel]));
        Volatile.Write(ref _temperature, 81.5);
        while (watched.Values[Metrics.Temperature] < 81)
        {
            StatusMessage next = await NextAsync(socket);
            Assert.Null(watched.Take(next));
            Assert.DoesNotContain(Metrics.Memory, next.Values.Keys);
        }
    }

    [Fact]
    public async Task Only_what_was_asked_for_is_told()
    {
        using ClientWebSocket socket = await WatchAsync(Sign(), "?metrics=temperature,fan");
        Assert.Equal([Metrics.Temperature], (await NextAsync(socket)).Values.Keys);
    }

    [Fact]
    public async Task The_service_is_found_by_discovery_where_it_can_be_served()
    {
        Service service = Assert.Single(_registry.Current);
        Assert.Equal((Service.StatusMonitor, $"{_listener.Port}"), (service.Id, service.Parameters["port"]));
        await _stop.CancelAsync();
        await _running;
        Assert.Empty(_registry.Current);
    }

    [Fact]
    public async Task A_token_that_is_wrong_expired_used_or_another_nodes_opens_nothing_and_says_why()
    {
        using X509Certificate2 stranger = TestIdentity.CreateAuthority();
        string used = Sign(), expired = Sign();
        using (await WatchAsync(used))
        {
            Assert.Contains("401", await RefusalAsync(used));
        }
        Assert.Contains("the token was used before", await AskAsync(used));
        Assert.Contains("the token is for another node", await AskAsync(Sign(node: "10000000aaaa0002")));
        Assert.Contains("not this appliance's", await AskAsync(Sign(authority: stranger)));
        Assert.Contains("not this appliance's", await AskAsync("x"));
        Assert.Contains("a token is needed", await AskAsync(null));
        _now += StatusToken.Lifetime;
        Assert.Contains("the token's time is over", await AskAsync(expired));
    }

    [Fact]
    public async Task Metrics_are_told_to_who_has_a_token_alone()
    {
        Assert.Contains("401", await RawAsync("GET /metrics HTTP/1.1\r\n\r\n"u8.ToArray()));
        Assert.Contains("not this appliance's", await RawAsync("GET /metrics HTTP/1.1\r\nAuthorization: Bearer x\r\n\r\n"u8.ToArray()));
        byte[] good = Encoding.ASCII.GetBytes($"GET /metrics HTTP/1.1\r\nAuthorization: Bearer {Sign()}\r\n\r\n");
        Assert.EndsWith("\r\n\r\nmetrics 1\n", await RawAsync(good));
        Assert.Contains("the token was used before", await RawAsync(good));
    }

    [Fact]
    public async Task A_program_reads_metrics_by_its_token_until_that_ends_and_watches_nothing_by_it()
    {
        string Signed(DateTimeOffset until, string holder = "program")
        {
            using ECDsa key = _authority.GetECDsaPrivateKey()!;
            return new ScrapeToken(until.ToUnixTimeSeconds(), holder).Sign(key);
        }
        byte[] Request(string token) => Encoding.ASCII.GetBytes($"GET /metrics HTTP/1.1\r\nAuthorization: Bearer {token}\r\n\r\n");
        string good = Signed(_now + TimeSpan.FromDays(30)), other = Signed(_now + TimeSpan.FromDays(30), "other");
        for (int i = 0; i < 3; i++)
        {
            Assert.EndsWith("\r\n\r\nmetrics 1\n", await RawAsync(Request(good)));
        }
        // What is good for longer than one may be was not made by the appliance's rules.
        Assert.Contains("401", await RawAsync(Request(Signed(_now + TimeSpan.FromDays(800)))));
        await Assert.ThrowsAsync<WebSocketException>(() => WatchAsync(good));
        _revoked.Add(ScrapeToken.RevocationOf("program"));
        Assert.Contains("401", await RawAsync(Request(good)));
        Assert.EndsWith("\r\n\r\nmetrics 1\n", await RawAsync(Request(other)));
        _now += TimeSpan.FromDays(31);
        Assert.Contains("401", await RawAsync(Request(other)));
    }

    [Fact]
    public async Task Who_watches_is_told_nothing_after_his_token_s_time_unless_he_brings_a_newer_one()
    {
        using ClientWebSocket idle = await WatchAsync(Sign()), busy = await WatchAsync(Sign());
        await NextAsync(idle);
        _now += StatusToken.Lifetime - TimeSpan.FromSeconds(10);
        await busy.SendAsync(JsonSerializer.SerializeToUtf8Bytes(new StatusRenewal(Sign()), ProtocolJson.Default.StatusRenewal),
            WebSocketMessageType.Text, true, s_end);
        Volatile.Write(ref _temperature, 50);
        await UntilAsync(busy, message => message.Values.GetValueOrDefault(Metrics.Temperature) == 50);
        _now += TimeSpan.FromSeconds(20);
        Assert.Equal((WebSocketCloseStatus)4401, await CloseOfAsync(idle));
        Volatile.Write(ref _temperature, 60);
        await UntilAsync(busy, message => message.Values.GetValueOrDefault(Metrics.Temperature) == 60);
    }

    [Fact]
    public async Task Who_is_shut_out_hears_nothing_more_and_others_go_on()
    {
        using ClientWebSocket gone = await WatchAsync(Sign(holder: "gone")), stays = await WatchAsync(Sign(holder: "stays"));
        await NextAsync(gone);
        await NextAsync(stays);
        _listener.End("gone");
        Assert.Equal((WebSocketCloseStatus)4403, await CloseOfAsync(gone));
        await NextAsync(stays);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("""{"token":null}""")]
    [InlineData("""{"token":"nobody.signed"}""")]
    public async Task Who_says_anything_else_is_cut_off(string said)
    {
        using ClientWebSocket socket = await WatchAsync(Sign());
        await socket.SendAsync(Encoding.UTF8.GetBytes(said), WebSocketMessageType.Text, true, s_end);
        Assert.InRange((int)await CloseOfAsync(socket), 4400, 4401);
    }

    [Fact]
    public async Task Two_hundred_connections_of_one_machine_keep_nobody_else_out_and_its_first_ones_are_served()
    {
        using ClientWebSocket first = await WatchAsync(Sign());
        var many = new List<Socket>();
        for (int i = 0; i < 200; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync("127.0.0.1", _listener.Port, s_end);
            many.Add(socket);
        }
        // Of another address of this machine: another machine, as the node sees it.
        using ClientWebSocket other = await WatchAsync(Sign(), from: "127.0.0.2");
        await NextAsync(other);
        await NextAsync(first);
        // Nor that machine itself, where it does show a token.
        using ClientWebSocket again = await WatchAsync(Sign());
        await NextAsync(again);
        many.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public async Task One_holder_has_so_many_connections_and_no_more_and_others_have_theirs()
    {
        var many = new List<ClientWebSocket>();
        for (int i = 0; i < StatusListener.MostOfHolder; i++)
        {
            many.Add(await WatchAsync(Sign(holder: "greedy")));
            await NextAsync(many[^1]);
        }
        using ClientWebSocket tooMany = await WatchAsync(Sign(holder: "greedy")), other = await WatchAsync(Sign(holder: "modest"));
        Assert.Equal((WebSocketCloseStatus)4429, await CloseOfAsync(tooMany));
        await NextAsync(other);
        many.ForEach(socket => socket.Dispose());
    }

    [Theory]
    [InlineData("GET /status HTTP/1.1\r\n\r\n", "HTTP/1.1 426")]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404")]
    [InlineData("POST /status HTTP/1.1\r\n\r\n", "HTTP/1.1 405")]
    [InlineData("GET /status HTTP/1.1\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("GET /status HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("GET /status HTTP/1.1\r\n folded: x\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("GET /status HTTP/1.1\r\na\0: x\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("GET http://x/status HTTP/1.1\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("GET /status HTTP/1.1\nHost: x\n\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("GET /status HTTP/1.1\r\n\r\nmore", "HTTP/1.1 400")]
    public async Task What_is_no_request_for_a_status_is_refused_with_the_right_answer(string request, string answer) =>
        Assert.StartsWith(answer, await RawAsync(Encoding.ASCII.GetBytes(request)));

    [Fact]
    public async Task A_head_without_an_end_is_read_no_further_than_8_KiB() =>
        Assert.StartsWith("HTTP/1.1 400", await RawAsync(Encoding.ASCII.GetBytes("GET /status HTTP/1.1\r\nx: " + new string('x', 9000))));

    [Fact]
    public async Task The_certificate_is_kept_and_serves_again_after_a_start_without_the_appliance()
    {
        var again = new StatusIdentity(_folder, _authority, _log.Add);
        Assert.Equal(_identity.Current!.Certificate.Thumbprint, again.Current!.Certificate.Thumbprint);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_folder, NodeFiles.StatusIdentity)));
        // One for another node, or of another authority, takes nobody's place.
        using X509Certificate2 stranger = TestIdentity.CreateAuthority();
        again.Take(Certify(again.Ask(NodeId.Parse(Node)), authority: stranger), Node);
        again.Take(Certify(again.Ask(NodeId.Parse(Node)), node: "10000000aaaa0002"), Node);
        Assert.Equal(_identity.Current!.Certificate.Thumbprint, again.Current!.Certificate.Thumbprint);
        await File.WriteAllTextAsync(Path.Combine(_folder, NodeFiles.StatusIdentity), "damaged", s_end);
        Assert.Null(new StatusIdentity(_folder, _authority, _log.Add).Current);
    }

    private StatusReading Sample(bool processes) => new(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
        new Dictionary<string, double> { [Metrics.Temperature] = Volatile.Read(ref _temperature), [Metrics.Memory] = 1e9 },
        new Dictionary<string, string> { [StatusFact.Kernel] = "6.12" }, processes ? [new ProcessReading(1, "init", 0, 1)] : []);

    private StatusCertificate Certify(AskStatusCertificate ask, string node = Node, X509Certificate2? authority = null)
    {
        CertificateRequest asked = CertificateRequest.LoadSigningRequest(ask.Request, HashAlgorithmName.SHA256);
        var request = new CertificateRequest(
            new X500DistinguishedName($"CN={StatusCertificate.NameOf(node)}"), asked.PublicKey, HashAlgorithmName.SHA256);
        using X509Certificate2 made = request.Create(
            authority ?? _authority, _now, _now.AddDays(30), RandomNumberGenerator.GetBytes(16));
        return new StatusCertificate(made.RawData);
    }

    private string Sign(string node = Node, string holder = "somebody", X509Certificate2? authority = null)
    {
        using ECDsa key = (authority ?? _authority).GetECDsaPrivateKey()!;
        return new StatusToken(node, Guid.NewGuid(), (_now + StatusToken.Lifetime).ToUnixTimeSeconds(), holder).Sign(key);
    }

    private async Task<ClientWebSocket> WatchAsync(string token, string query = "", string from = "127.0.0.1")
    {
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol(StatusListener.Protocol);
        socket.Options.AddSubProtocol(StatusListener.TokenPrefix + token);
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellation) =>
            {
                var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                tcp.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Parse(from), 0));
                await tcp.ConnectAsync(context.DnsEndPoint, cancellation);
                return new NetworkStream(tcp, ownsSocket: true);
            },
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, shown, _, _) => Trust.IsIssuedBy((X509Certificate2)shown!, _authority),
            },
        };
        var address = new Uri($"wss://127.0.0.1:{_listener.Port}{StatusListener.Path}{query}");
        await socket.ConnectAsync(address, new HttpMessageInvoker(handler), s_end);
        Assert.Equal(StatusListener.Protocol, socket.SubProtocol);
        return socket;
    }

    private async Task<string> RefusalAsync(string token) =>
        (await Assert.ThrowsAsync<WebSocketException>(() => WatchAsync(token))).Message;

    /// <summary>The answer to a request for a WebSocket.</summary>
    private Task<string> AskAsync(string? token) => RawAsync(Encoding.ASCII.GetBytes(
        "GET /status HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" +
        $"Sec-WebSocket-Protocol: {StatusListener.Protocol}{(token is null ? "" : $", {StatusListener.TokenPrefix}{token}")}\r\n\r\n"));

    private async Task<string> RawAsync(byte[] request)
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync("127.0.0.1", _listener.Port, s_end);
        await using var tls = new SslStream(tcp.GetStream(), false, (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync("127.0.0.1");
        await tls.WriteAsync(request, s_end);
        using var answer = new MemoryStream();
        try
        {
            await tls.CopyToAsync(answer, s_end);
        }
        catch (IOException)
        {
            // What was not read of the request resets the connection behind the answer.
        }
        return Encoding.ASCII.GetString(answer.ToArray());
    }

    private static async Task<StatusMessage> NextAsync(ClientWebSocket socket)
    {
        byte[] buffer = new byte[StatusMessage.MaximumBytes];
        ValueWebSocketReceiveResult part = await socket.ReceiveAsync(buffer.AsMemory(), s_end);
        Assert.Equal((WebSocketMessageType.Text, true), (part.MessageType, part.EndOfMessage));
        return JsonSerializer.Deserialize(buffer.AsSpan(0, part.Count), ProtocolJson.Default.StatusMessage)!;
    }

    private static async Task UntilAsync(ClientWebSocket socket, Func<StatusMessage, bool> condition)
    {
        while (!condition(await NextAsync(socket)))
        {
            // The next one.
        }
    }

    private static async Task<WebSocketCloseStatus> CloseOfAsync(ClientWebSocket socket)
    {
        byte[] buffer = new byte[StatusMessage.MaximumBytes];
        while ((await socket.ReceiveAsync(buffer.AsMemory(), s_end)).MessageType != WebSocketMessageType.Close)
        {
            // What was under way.
        }
        return socket.CloseStatus!.Value;
    }
}
