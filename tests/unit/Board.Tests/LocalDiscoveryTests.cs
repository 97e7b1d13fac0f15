using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Bootstrap.Agent.Discovery;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Protocol.Discovery.Local;

namespace Bootstrap.Board.Tests;

/// <summary>Programs of a node use its discovery by the Unix socket; the node is a real Polo on loopback.</summary>
public sealed class LocalDiscoveryTests : IAsyncLifetime
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;
    private LoopbackSlave _slave = null!;

    public async ValueTask InitializeAsync() => _slave = await LoopbackSlave.StartAsync();

    public ValueTask DisposeAsync() => _slave.DisposeAsync();

    [Fact]
    public async Task A_program_finds_nodes_and_services_and_what_it_publishes_lives_as_long_as_it_does()
    {
        using LocalDiscovery other = await LocalDiscovery.ConnectAsync(_slave.SocketPath, s_end);
        using (LocalDiscovery program = await LocalDiscovery.ConnectAsync(_slave.SocketPath, s_end))
        {
            Assert.Equal("this-node", (await program.MarcoAsync(cancellation: s_end)).Single().Id);
            Assert.Empty(await program.RequestForAsync("compiler", cancellation: s_end));
            Assert.Equal("compiler",
                await program.PublishAsync("compiler", new Dictionary<string, string> { ["cores"] = "4" }, cancellation: s_end));
            Assert.Equal("4", (await other.RequestForAsync("compiler", cancellation: s_end))
                .Single().Services.Single().Parameters["cores"]);
            Assert.Empty(await other.RequestForAsync(
                "compiler", new LocalRequest(0, "") { Params = new Dictionary<string, string> { ["cores"] = "8" } }, s_end));
            Assert.Empty(await other.MarcoAsync(new LocalRequest(0, "") { Exclude = ["this-host"] }, s_end));
            Assert.Equal(["slave", "compiler"], (await other.ServicesAsync("this-host", s_end)).Select(s => s.Id));
            LocalDiscoveryException taken =
                await Assert.ThrowsAsync<LocalDiscoveryException>(() => other.PublishAsync("compiler", cancellation: s_end));
            Assert.Equal("another program offers 'compiler'", taken.Message);
            await Assert.ThrowsAsync<LocalDiscoveryException>(() => other.UnpublishAsync("compiler", s_end));
            await program.PublishAsync("second", cancellation: s_end);
            Assert.Equal("second", await program.UnpublishAsync("second", s_end));
            Assert.Empty(await other.RequestForAsync("second", cancellation: s_end));
        }
        await LoopbackSlave.UntilAsync(() => _slave.Registry.Current.Count == 1);
        Assert.Empty(await other.RequestForAsync("compiler", cancellation: s_end));
    }

    [Fact]
    public async Task A_user_s_service_has_the_user_s_name()
    {
        // As nobody, who is somebody else than root.
        using Process program = Process.Start(new ProcessStartInfo("setpriv",
            ["--reuid", "65534", "--regid", "65534", "--clear-groups", "/usr/bin/python3", "-c", """
                import socket, sys
                s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); f = s.makefile('rw')
                for line in sys.stdin:
                    f.write(line); f.flush(); print(f.readline(), end='', flush=True)
                """, _slave.SocketPath])
        { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        async Task<JsonNode> AskAsync(string line)
        {
            await program.StandardInput.WriteLineAsync(line);
            await program.StandardInput.FlushAsync(s_end);
            return JsonNode.Parse((await program.StandardOutput.ReadLineAsync(s_end))!)!;
        }
        Assert.Equal("nobody:web", (string?)(await AskAsync("""{"id":1,"command":"publish","service":"web"}"""))["service"]);
        Assert.Equal("nobody:web2", (string?)(await AskAsync("""{"id":2,"command":"publish","service":"nobody:web2"}"""))["service"]);
        Assert.NotNull((await AskAsync("""{"id":3,"command":"publish","service":"root:web"}"""))["error"]);
        Assert.Contains(_slave.Registry.Current, s => s.Id == "nobody:web");
        program.Kill();
        await program.WaitForExitAsync(s_end);
        await LoopbackSlave.UntilAsync(() => _slave.Registry.Current.Count == 1);
    }

    [Fact]
    public async Task A_user_who_opens_all_that_he_can_leaves_room_for_others_programs_and_services()
    {
        using Process program = Process.Start(new ProcessStartInfo("setpriv",
            ["--reuid", "65534", "--regid", "65534", "--clear-groups", "/usr/bin/python3", "-c", """
                import json, socket, sys
                held = []
                def ask(s, **request):
                    f = s.makefile('rw'); f.write(json.dumps(request) + '\n'); f.flush()
                    return json.loads(f.readline() or 'null')
                taken = published = 0
                for i in range(300):
                    s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); held.append(s)
                    try:
                        answer = ask(s, id=1, command='publish', service='s%d' % i)
                    except OSError:
                        answer = None
                    taken += answer is not None
                for i in range(100):
                    published += 'error' not in ask(held[0], id=2, command='publish', service='t%d' % i)
                print(taken, published, flush=True)
                sys.stdin.read()
                """, _slave.SocketPath])
        { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        Assert.Equal($"{LocalApi.MaximumOfUser} 0", await program.StandardOutput.ReadLineAsync(s_end));
        Assert.Equal(ServiceRegistry.MaximumOfUser + 1, _slave.Registry.Current.Count);
        using LocalDiscovery other = await LocalDiscovery.ConnectAsync(_slave.SocketPath, s_end);
        Assert.Equal("compiler", await other.PublishAsync("compiler", cancellation: s_end));
        program.StandardInput.Close();
        await program.WaitForExitAsync(s_end);
        await LoopbackSlave.UntilAsync(() => _slave.Registry.Current.Count == 2);
    }

    [Theory]
    [InlineData("nonsense", "the line is no request")]
    [InlineData("null", "the line is no request")]
    [InlineData("""{"id":1,"command":"fly"}""", "there is no command 'fly'")]
    [InlineData("""{"id":1,"command":"publish"}""", "'publish' needs \"service\"")]
    [InlineData("""{"id":1,"command":"publish","service":"two words"}""", "is no name for a service")]
    [InlineData("""{"id":1,"command":"publish","service":"slave"}""", "the node's own service")]
    [InlineData("""{"id":1,"command":"publish","service":"x","meshes":["elsewhere"]}""", "not one of this node's")]
    [InlineData("""{"id":1,"command":"services"}""", "needs \"nodes\"")]
    [InlineData("""{"id":1,"command":"marco","v":9}""", "speaks version 1")]
    [InlineData("""{"id":1,"command":"marco","exclude":[null]}""", "is null")]
    [InlineData("""{"id":1,"command":"request_for","service":"x","maxNodes":0}""", "\"maxNodes\" is 1 or more")]
    public async Task What_cannot_be_done_is_refused_in_one_sentence_and_the_connection_goes_on(string line, string reason)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(_slave.SocketPath), s_end);
        using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream);
        await stream.WriteAsync(Encoding.UTF8.GetBytes(line + "\n{\"id\":7,\"command\":\"marco\",\"retries\":0}\n"), s_end);
        Assert.Contains(reason, (string?)JsonNode.Parse((await reader.ReadLineAsync(s_end))!)!["error"], StringComparison.Ordinal);
        Assert.Equal(7, (int)JsonNode.Parse((await reader.ReadLineAsync(s_end))!)!["id"]!);
    }

    [Fact]
    public async Task A_search_that_names_more_than_a_question_holds_is_refused()
    {
        using LocalDiscovery program = await LocalDiscovery.ConnectAsync(_slave.SocketPath, s_end);
        string[] names = [.. Enumerable.Range(0, 200).Select(i => $"node-{i:000000}")];
        LocalDiscoveryException refused =
            await Assert.ThrowsAsync<LocalDiscoveryException>(() => program.MarcoAsync(new LocalRequest(0, "") { Nodes = names }, s_end));
        Assert.Contains("more than a question of discovery holds", refused.Message, StringComparison.Ordinal);
        Assert.Single(await program.MarcoAsync(new LocalRequest(0, "") { Exclude = names }, s_end));
    }

    [Fact]
    public async Task A_line_without_end_ends_the_connection()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(_slave.SocketPath), s_end);
        using var stream = new NetworkStream(socket);
        try
        {
            await stream.WriteAsync(new byte[4 * LocalRequest.MaximumBytes], s_end);
        }
        catch (IOException)
        {
            // Cut off while it was still writing.
        }
        int read;
        try
        {
            read = await stream.ReadAsync(new byte[1], s_end);
        }
        catch (IOException)
        {
            read = 0;
        }
        Assert.Equal(0, read);
    }

    [Fact]
    public async Task Files_of_the_services_folder_are_offered_as_they_come_change_and_go()
    {
        using LocalDiscovery program = await LocalDiscovery.ConnectAsync(_slave.SocketPath, s_end);
        await program.PublishAsync("dynamic", cancellation: s_end);
        await File.WriteAllTextAsync(Path.Combine(_slave.Services, "web"), """{"id":"web","params":{"port":"80"}}""", s_end);
        await LoopbackSlave.UntilAsync(() => Offered("web")?.Parameters["port"] == "80");
        await File.WriteAllTextAsync(Path.Combine(_slave.Services, "web"), """{"id":"web","params":{"port":"81"}}""", s_end);
        await LoopbackSlave.UntilAsync(() => Offered("web")?.Parameters["port"] == "81");
        await File.WriteAllTextAsync(
            Path.Combine(_slave.Services, "web"), """{"id":"web","params":{"port":"81"},"disabled":true}""", s_end);
        await LoopbackSlave.UntilAsync(() => Offered("web") is null);
        await File.WriteAllTextAsync(Path.Combine(_slave.Services, "other"), """{"id":"other","groups":["elsewhere"]}""", s_end);
        await LoopbackSlave.UntilAsync(() => Offered("other") is not null);
        // Not in this mesh.
        Assert.Empty(await program.RequestForAsync("other", cancellation: s_end));
        await File.WriteAllTextAsync(Path.Combine(_slave.Services, "bad"), "{\"id\":\"no name\"}", s_end);
        await LoopbackSlave.UntilAsync(
            () => _slave.Log.Lines.Any(line => line.Contains("bad: 'no name' is no name of a service", StringComparison.Ordinal)));
        await File.WriteAllTextAsync(Path.Combine(_slave.Services, "nameless"), "{}", s_end);
        await LoopbackSlave.UntilAsync(() => _slave.Log.Lines.Any(
            line => line.Contains("nameless: ", StringComparison.Ordinal) && line.Contains("'id'", StringComparison.Ordinal)));
        File.Delete(Path.Combine(_slave.Services, "other"));
        await LoopbackSlave.UntilAsync(() => Offered("other") is null);
        Assert.NotNull(Offered("dynamic"));
    }

    [Fact]
    public async Task Events_are_told_to_a_program_that_watches()
    {
        using LocalDiscovery program = await LocalDiscovery.ConnectAsync(_slave.SocketPath, s_end);
        await foreach (PresenceEvent e in program.WatchAsync(s_end))
        {
            Assert.Equal((PresenceKind.Join, "this-node"), (e.Kind, e.Id));
            break;
        }
    }

    [Theory]
    [InlineData("web", 0u, "web")]
    [InlineData("anna:web", 0u, "anna:web")]
    [InlineData("web", 1000u, "anna:web")]
    [InlineData("anna:web", 1000u, "anna:web")]
    [InlineData("bert:web", 1000u, null)]
    [InlineData("web", 4242u, "user4242:web")]
    [InlineData("", 0u, null)]
    [InlineData("a-name-that-is-longer-than-thirty-characters", 0u, null)]
    [InlineData("web\n", 0u, null)]
    public void Names_of_services_are_root_s_or_begin_with_the_user(string service, uint user, string? name)
    {
        string passwd = Path.Combine(_slave.Folder, "passwd");
        File.WriteAllText(passwd, "root:x:0:0::/root:/bin/sh\nanna:x:1000:1000::/home/anna:/bin/sh\n");
        Assert.Equal(name, ServiceNames.NameFor(service, user, passwd));
    }

    private Service? Offered(string id) => _slave.Registry.Current.FirstOrDefault(s => s.Id == id);
}
