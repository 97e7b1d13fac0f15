using System.Text.Json.Nodes;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Protocol.Discovery.Legacy;
using Bootstrap.Support;

namespace Bootstrap.Cli.Tests;

/// <summary><c>bootstrap discover</c> with nodes on loopback and no appliance.</summary>
public sealed class DiscoverTests : IAsyncLifetime
{
    private static readonly string[] s_loopback = ["lo"];

    private readonly string _mesh = $"m-{Guid.NewGuid():n}"[..10];
    private readonly CancellationTokenSource _stop = new();
    private Task _polos = Task.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        _polos = Task.WhenAll(
            Polo("id-a", "alpha", "raspberry-pi-4", "4", [new Service("slave", new Dictionary<string, string> { ["version"] = "1.0" })]),
            Polo("id-b", "beta", "raspberry-pi-5", "8",
                [.. Enumerable.Range(0, 40)
                .Select(i => new Service($"service-{i}", new Dictionary<string, string> { ["text"] = new('x', 60) }))]),
            Polo("id-c", "not a; host\nname", "raspberry-pi-5", "many", []));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await Poll.UntilAsync(() => RunAsync("--sh"), run => run.Output.Split('\n').Length == 4, patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _polos;
        _stop.Dispose();
    }

    [Fact]
    public async Task Nodes_are_listed_for_people_and_for_programs()
    {
        (int code, string output, string errors) = await RunAsync();
        Assert.Equal((0, ""), (code, errors));
        Assert.Matches(@"\nalpha +127\.0\.0\.1 +id-a +slave +raspberry-pi-4 +slave *\n", output);
        Assert.DoesNotContain("not a; host", output, StringComparison.Ordinal);

        (code, output, _) = await RunAsync("--json", "--node", "beta");
        JsonNode beta = Assert.Single(JsonNode.Parse(output)!.AsArray())!;
        Assert.Equal((0, "id-b", 40), (code, (string)beta["id"]!, beta["services"]!.AsArray().Count));

        (_, output, _) = await RunAsync("--services", "--node", "alpha");
        Assert.Matches(@"\nalpha +slave +version=1\.0", output);
    }

    [Theory]
    [InlineData("mpi", "127.0.0.1 slots=1\n127.0.0.1 slots=4\n127.0.0.1 slots=8\n")]
    [InlineData("distcc", "127.0.0.1/1\n127.0.0.1/4\n127.0.0.1/8\n")]
    [InlineData("ansible", "[bootstrap]\n127.0.0.1 ansible_host=127.0.0.1\nalpha ansible_host=127.0.0.1\nbeta ansible_host=127.0.0.1\n")]
    [InlineData("ssh", "Host 127.0.0.1\n  HostName 127.0.0.1\nHost alpha\n  HostName 127.0.0.1\nHost beta\n  HostName 127.0.0.1\n")]
    [InlineData("hosts", "# 127.0.0.1\n127.0.0.1 alpha\n127.0.0.1 beta\n")]
    public async Task Lists_are_written_for_other_programs(string format, string list)
    {
        (int code, string output, _) = await RunAsync("--hostsfile", format);
        Assert.Equal((0, list), (code, output));
    }

    [Theory]
    [InlineData("www.bank.example")]
    [InlineData("localhost")]
    [InlineData("0x7f000001")]
    [InlineData("2130706433")]
    [InlineData("-oProxyCommand")]
    [InlineData("all")]
    [InlineData("name-")]
    public async Task A_name_of_a_stranger_s_choice_that_means_something_is_in_no_list(string name)
    {
        string mesh = $"m-{Guid.NewGuid():n}"[..10];
        var node = new NodeDescription("id-x", name, new Identity("slave", "x", "x"), new Dictionary<string, string>(), []);
        Task polo = new Polo([mesh], () => node, new Wires(s_loopback, TimeProvider.System), TimeProvider.System).RunAsync(_stop.Token);
        Task<(int Code, string Output, string Errors)> Run() =>
            CommandLine.RunToolAsync([CommandLine.Program, "discover", "--mesh", mesh, "--interface", "lo", "--hostsfile", "hosts"]);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        Assert.Equal("# 127.0.0.1\n", (await Poll.UntilAsync(Run, run => run.Code == 0, patience.Token)).Output);
        await _stop.CancelAsync();
        await polo;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_stranger_says_rules_neither_a_terminal_nor_a_pipe(bool isTerminal)
    {
        string mesh = $"m-{Guid.NewGuid():n}"[..10];
        var node = new NodeDescription("id-x\u009b2J", "x", new Identity("slave\u202e", "\u001b]0;owned\u0007\r\nid-y", "x"),
            new Dictionary<string, string>(), []);
        Task polo = new Polo([mesh], () => node, new Wires(s_loopback, TimeProvider.System), TimeProvider.System).RunAsync(_stop.Token);
        string[] command = [CommandLine.Program, "discover", "--mesh", mesh, "--interface", "lo"];
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        (_, string output, _) = await Poll.UntilAsync(
            () => CommandLine.RunToolAsync(isTerminal ? ["script", "-qec", string.Join(' ', command), "/dev/null"] : command),
                run => run.Code == 0, patience.Token);
        Assert.Contains("owned", output, StringComparison.Ordinal);
        // The table's heads are bold on a terminal, and .NET sets up its keypad; a stranger's sequence is of another kind.
        string plain = System.Text.RegularExpressions.Regex.Replace(output, "\u001b(\\[[?0-9;]*[hlm]|[=>])", "")
            .Replace("\r\n", "\n", StringComparison.Ordinal);
        Assert.DoesNotContain(plain, c => c != '\n' && (char.IsControl(c) || c == '\u202e'));
        Assert.DoesNotContain(plain.Split('\n'), line => line.StartsWith("id-y", StringComparison.Ordinal));
        await _stop.CancelAsync();
        await polo;
    }

    [Theory]
    [InlineData(1, "--service", "slave")]
    [InlineData(2, "--kind", "raspberry-pi-5")]
    [InlineData(1, "--param", "cores=4")]
    [InlineData(2, "--exclude", "alpha")]
    [InlineData(2, "--max", "2")]
    [InlineData(3, "--role", "slave", "--retries", "3", "--timeout", "20")]
    public async Task Nodes_are_chosen(int count, params string[] options)
    {
        (int code, string output, _) = await RunAsync(["--sh", .. options]);
        Assert.Equal((0, count), (code, output.Split('\n').Length - 1));
    }

    [Fact]
    public async Task Programs_of_2015_are_found_by_their_own_protocol()
    {
        string service = "s" + Guid.NewGuid().ToString("n")[..12];
        var node = new NodeDescription("id", "old", new Identity("", "", ""), new Dictionary<string, string>(),
            [new Service(service, new Dictionary<string, string> { ["port"] = "80" })]);
        Task polo = new LegacyPolo(LegacyMessage.Groups, () => node, s_loopback, TimeProvider.System).RunAsync(_stop.Token);
        (int code, string output, _) = await RunAsync("--2015", "224.0.0.112", "--service", service, "--retries", "5", "--json");
        Assert.Equal((0, "80"), (code, (string?)JsonNode.Parse(output)![0]!["parameters"]!["port"]));
        (code, _, string errors) = await RunAsync("--2015", "224.0.0.113", "--service", "nothing", "--retries", "0");
        Assert.Equal((1, "nobody of 2015 answered in group 224.0.0.113"), (code, errors));
        await _stop.CancelAsync();
        await polo;
    }

    [Fact]
    public async Task Nobody_is_told_by_the_exit_code_and_what_is_wrong_in_one_sentence()
    {
        (int code, string output, string errors) = await RunAsync("--service", "nothing");
        Assert.Equal((1, "", $"nobody of mesh {_mesh} answered"), (code, output, errors));
        (code, _, errors) = await RunAsync("--param", "nonsense");
        Assert.Equal((2, "bootstrap: --param nonsense: write KEY=VALUE"), (code, errors));
        (code, _, errors) = await RunAsync("--ca", "/nowhere");
        Assert.Equal(2, code);
        Assert.Contains("/nowhere", errors, StringComparison.Ordinal);
        Assert.Equal(2, (await RunAsync("--hostsfile", "unheard-of")).Code);
    }

    private Task Polo(string id, string host, string kind, string cores, Service[] services)
    {
        var node = new NodeDescription(id, host, new Identity("slave", kind, host), new Dictionary<string,
            string>
        { [HostList.Cores] = cores }, services);
        return new Polo([_mesh], () => node, new Wires(s_loopback, TimeProvider.System), TimeProvider.System).RunAsync(_stop.Token);
    }

    private Task<(int Code, string Output, string Errors)> RunAsync(params string[] options) =>
        CommandLine.RunToolAsync([CommandLine.Program, "discover", "--mesh", _mesh, "--interface", "lo", .. options]);
}
