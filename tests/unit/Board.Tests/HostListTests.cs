using System.Diagnostics;
using System.Text;
using Bootstrap.Agent.Discovery;
using Bootstrap.Agent.Discovery.HostLists;
using Bootstrap.Link;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Board.Tests;

/// <summary>Lists of nodes for programs that know nothing of discovery, kept up to date with real discovery on loopback.</summary>
public sealed class HostListTests : IAsyncLifetime
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;
    private static readonly string[] s_loopback = ["lo"], s_noInterface = ["none-such"];

    private LoopbackSlave _slave = null!;
    private LoopbackSlave _other = null!;

    public async ValueTask InitializeAsync()
    {
        _slave = await LoopbackSlave.StartAsync();
        _other = await LoopbackSlave.StartAsync("other-node", "other-host", _slave.Mesh, "4");
    }

    public async ValueTask DisposeAsync()
    {
        await _slave.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Fact]
    public async Task A_node_that_begins_to_offer_a_service_is_on_the_list_at_the_next_reload()
    {
        string list = Describe("distcc", """ "service":"compiler","format":"distcc","head":"# made by discovery","delaySeconds":3600 """);
        await IsAsync(list, "# made by discovery\n");
        Offer(_other, "compiler");
        Reload();
        await IsAsync(list, "# made by discovery\n127.0.0.1/4\n");
    }

    [Fact]
    public async Task What_happens_to_nodes_is_followed_without_a_reload()
    {
        string list = Describe("mine", """
            "service":"compiler","params":{"abi":"9"},"line":"{name} has {cores} at {address}","foot":"end","delaySeconds":1
            """);
        await IsAsync(list, "end\n");
        Offer(_other, "compiler", ("abi", "9"));
        Offer(_slave, "compiler", ("abi", "8"));
        await IsAsync(list, "other-host has 4 at 127.0.0.1\nend\n");
        Offer(_slave, "compiler", ("abi", "9"));
        await IsAsync(list, "other-host has 4 at 127.0.0.1\nthis-host has 2 at 127.0.0.1\nend\n");
        _slave.Registry.Withdraw(this);
        await IsAsync(list, "other-host has 4 at 127.0.0.1\nend\n");
    }

    [Fact]
    public async Task Of_a_file_of_somebody_else_s_only_the_block_changes_and_it_keeps_its_owner_and_mode()
    {
        string hosts = Path.Combine(_slave.Folder, "hosts"), link = Path.Combine(_slave.Folder, "link");
        byte[] before = [.. "127.0.0.1 localhost\r\n# caf"u8, 0xe9, .. "\n"u8],
            after = "10.9.9.9 printer # no newline at the end"u8.ToArray();
        await File.WriteAllBytesAsync(hosts, [.. before, .. after], s_end);
        File.SetUnixFileMode(hosts, (UnixFileMode)0b110_100_000);
        Linux.Check(Linux.ChOwn(hosts, 65534, 65534), "chown");
        File.CreateSymbolicLink(link, hosts);
        const string begin = "# begin of the list 'cluster', which bootstrap-slave writes\n", end = "# end of the list 'cluster'\n";
        Describe("cluster", """ "service":"slave","format":"hosts","delaySeconds":1 """, link);
        const string both = "127.0.0.1 other-host\n127.0.0.1 this-host\n";
        await IsAsync(hosts, [.. before, .. after, .. Encoding.UTF8.GetBytes($"\n{begin}{both}{end}")]);

        // Somebody moves the block to the middle and writes a line behind it; a second list has its block there as well.
        await File.WriteAllBytesAsync(hosts, [.. before, .. Encoding.UTF8.GetBytes(begin + end), .. after], s_end);
        Reload();
        await IsAsync(hosts, [.. before, .. Encoding.UTF8.GetBytes(begin + both + end), .. after]);
        Describe("second", """ "service":"compiler","format":"hosts" """, hosts);
        await IsAsync(hosts, [.. before, .. Encoding.UTF8.GetBytes(begin + both + end), .. after,
            .. "\n# begin of the list 'second', which bootstrap-slave writes\n# end of the list 'second'\n"u8]);
        Assert.Equal((UnixFileMode)0b110_100_000, File.GetUnixFileMode(hosts));
        Assert.Equal((65534u, 65534u), Linux.OwnerOf(hosts));
        Assert.Equal(hosts, new FileInfo(link).LinkTarget);

        // Half a block is not guessed at.
        await File.WriteAllTextAsync(hosts, begin + "mine\n", s_end);
        Reload();
        await LogsAsync("the marker lines of the list 'cluster' are not one begin and one end");
        Assert.StartsWith(begin + "mine\n", await File.ReadAllTextAsync(hosts, s_end));
    }

    [Fact]
    public async Task The_reload_command_runs_once_for_each_change()
    {
        string runs = Path.Combine(_slave.Folder, "runs");
        string list = Describe("counted", $$"""
            "service":"compiler","format":"mpi","delaySeconds":1,"periodSeconds":2,
            "reload":["sh","-c","cat {{_slave.Folder}}/counted.list >> {{runs}}; echo . >> {{runs}}"]
            """);
        string witness = Describe("witness", """ "service":"slave","format":"mpi","delaySeconds":1,"periodSeconds":2 """);
        await IsAsync(runs, ".\n");
        for (int i = 0; i < 2; i++)
        {
            // The lists are looked at again, together.
            await IsWrittenAsync(_slave.Log, "witness", i + 1);
            File.Delete(witness);
        }
        Offer(_other, "compiler");
        await IsAsync(runs, ".\n127.0.0.1 slots=4\n.\n");
    }

    [Theory]
    [InlineData("""["false"]""", "`false` failed with exit code 1")]
    [InlineData("""["/none/such"]""", "`/none/such` cannot be run: ")]
    [InlineData("""["sleep","1000"],"reloadLimitSeconds":1""", "`sleep 1000` was ended after 1 s")]
    public async Task A_reload_command_that_fails_is_told_of_and_the_list_goes_on(string command, string reason)
    {
        string list = Describe("failing", $""" "service":"compiler","format":"distcc","delaySeconds":1,"reload":{command} """);
        await LogsAsync($"host list 'failing': {reason}");
        Offer(_other, "compiler");
        await IsAsync(list, "127.0.0.1/4\n");
    }

    [Fact]
    public async Task Files_that_are_wrong_are_named_with_the_reason_and_do_not_stop_the_others()
    {
        string good = Describe("good", """ "service":"slave","format":"distcc" """);
        foreach ((string name, string text) in new[]
        {
            ("broken", "{"),
            ("pathless", """{"format":"distcc"}"""),
            ("relative", """{"path":"hosts","format":"distcc"}"""),
            ("formless", """{"path":"/x"}"""),
            ("unheard", """{"path":"/x","format":"slurm"}"""),
            ("misspelt", """{"path":"/x","format":"distcc","servise":"compiler"}"""),
            ("idle", """{"path":"/x","format":"distcc","reload":[]}"""),
            ("never", """{"path":"/x","format":"distcc","periodSeconds":0}"""),
            ("same", $$"""{"path":"{{good}}","format":"distcc"}"""),
            ("nowhere", """{"path":"/none/such/hosts","format":"distcc"}"""),
            ("off", """{"path":"/none/such/either-hosts","format":"distcc","disabled":true}"""),
        })
        {
            await File.WriteAllTextAsync(Path.Combine(_slave.HostLists, name + ".json"), text, s_end);
        }
        await IsAsync(good, "127.0.0.1/4\n127.0.0.1/2\n");
        foreach (string complaint in new[]
        {
            "broken.json: ",
            "pathless.json: ",
            "relative.json: \"path\" is 'hosts': give the whole path",
            "formless.json: give either \"format\" or \"line\"",
            "unheard.json: there is no format 'slurm': mpi, distcc, ansible, ssh, hosts",
            "misspelt.json: The JSON property 'servise'",
            "idle.json: \"reload\" is a list of words",
            "never.json: \"delaySeconds\", \"periodSeconds\"",
            $"same.json: {good} is written by the list 'good' already",
            "host list 'nowhere' is not written to /none/such/hosts: ",
        })
        {
            await LogsAsync(complaint);
        }
        Assert.DoesNotContain(_slave.Log.Lines, line => line.Contains("either-hosts", StringComparison.Ordinal));

        // Of the same faults nothing is said again when the folder changes; the first of these lists sees that all before it was said.
        int said = 0;
        foreach (string name in new[] { "later", "latest" })
        {
            said = _slave.Log.Lines.Count(line => line.Contains("unheard.json", StringComparison.Ordinal));
            string list = Path.Combine(Path.GetDirectoryName(good)!, name);
            await File.WriteAllTextAsync(list + ".json", $$"""{"path":"{{list}}","format":"distcc"}""", s_end);
            File.Move(list + ".json", Path.Combine(_slave.HostLists, name + ".json")); // never half there
            await IsAsync(list, "127.0.0.1/4\n127.0.0.1/2\n");
        }
        Assert.Equal(said, _slave.Log.Lines.Count(line => line.Contains("unheard.json", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Nodes_come_off_the_list_at_once_but_the_last_ones_only_when_nobody_was_found_for_a_while()
    {
        Offer(_other, "compiler");
        Offer(_slave, "compiler");
        string patient = Describe("patient", """
            "service":"compiler","format":"distcc","delaySeconds":1,"periodSeconds":2,"emptyAfterSeconds":3600
            """);
        string hasty = Describe("hasty", """
            "service":"compiler","format":"distcc","delaySeconds":1,"periodSeconds":2,"emptyAfterSeconds":0
            """);
        await using (LoopbackSlave third = await LoopbackSlave.StartAsync("third-node", "third-host", _slave.Mesh, "8"))
        {
            Offer(third, "compiler");
            await IsAsync(patient, "127.0.0.1/4\n127.0.0.1/8\n127.0.0.1/2\n");
        }
        await IsAsync(patient, "127.0.0.1/4\n127.0.0.1/2\n");
        await IsAsync(hasty, "127.0.0.1/4\n127.0.0.1/2\n");

        _other.Registry.Withdraw(this);
        // This node alone is left, which might as well be the fault of its network.
        await IsAsync(hasty, "127.0.0.1/2\n");
        Assert.Equal("127.0.0.1/4\n127.0.0.1/2\n", await File.ReadAllTextAsync(patient, s_end));
        Offer(_other, "compiler", ("abi", "9"));
        await IsAsync(hasty, "127.0.0.1/4\n127.0.0.1/2\n");
        Assert.Equal("127.0.0.1/4\n127.0.0.1/2\n", await File.ReadAllTextAsync(patient, s_end));
    }

    [Fact]
    public async Task A_list_stays_as_it_is_while_the_machine_has_no_network()
    {
        string folder = Path.Combine(_slave.Folder, "lists-without-network");
        Directory.CreateDirectory(folder);
        string list = Describe("kept", """
            "service":"compiler","format":"distcc","delaySeconds":1,"periodSeconds":2,"emptyAfterSeconds":0
            """, folder: folder);
        string witness = Describe("witness", """
            "service":"compiler","format":"distcc","delaySeconds":1,"periodSeconds":2
            """, folder: folder);
        await File.WriteAllTextAsync(list, "10.0.0.7/4\n", s_end);
        await using var keeping = new Keeping(
            folder, new LocalContext([_slave.Mesh], s_noInterface, new MessageVerifier(null), _slave.Registry, TimeProvider.System));
        for (int i = 0; i < 3; i++)
        {
            // There was no list, so an empty one is the best there is.
            await IsWrittenAsync(keeping.Log, "witness", i + 1);
            Assert.Equal("", await File.ReadAllTextAsync(witness, s_end));
            Assert.Equal("10.0.0.7/4\n", await File.ReadAllTextAsync(list, s_end));
            File.Delete(witness);
        }
    }

    [Fact]
    public async Task Who_cannot_prove_to_be_a_node_of_the_appliance_is_on_no_list()
    {
        using NodeIdentity identity = TestIdentity.Create("honest-node");
        await using LoopbackSlave honest = await LoopbackSlave.StartAsync("honest-node", "honest-host", _slave.Mesh, "16", identity);
        Offer(honest, "compiler");
        // Has no certificate.
        Offer(_other, "compiler");
        string folder = Path.Combine(_slave.Folder, "lists-with-proof");
        Directory.CreateDirectory(folder);
        string list = Describe("proven", """ "service":"compiler","format":"distcc","delaySeconds":1 """, folder: folder);
        var verifier = new MessageVerifier(certificate => certificate.Thumbprint == identity.Certificate.Thumbprint);
        await using var keeping =
            new Keeping(folder, new LocalContext([_slave.Mesh], s_loopback, verifier, _slave.Registry, TimeProvider.System));
        await IsAsync(list, "127.0.0.1/16\n");
    }

    [Theory]
    [InlineData("front-row-7", "127.0.0.1 front-row-7\n")]
    [InlineData("localhost", "# 127.0.0.1\n")]
    [InlineData(null, "# 127.0.0.1\n")]
    public async Task A_proven_node_is_called_as_the_appliance_calls_it_and_never_as_it_calls_itself(string? called, string expected)
    {
        using NodeIdentity identity = TestIdentity.Create("honest-node", called);
        await using LoopbackSlave honest = await LoopbackSlave.StartAsync("honest-node", "intranet", _slave.Mesh, "16", identity);
        string folder = Path.Combine(_slave.Folder, $"lists-of-{called}");
        Directory.CreateDirectory(folder);
        string list = Describe("named", """ "format":"hosts","block":false,"delaySeconds":1 """, folder: folder);
        var verifier = new MessageVerifier(certificate => certificate.Thumbprint == identity.Certificate.Thumbprint);
        await using var keeping =
            new Keeping(folder, new LocalContext([_slave.Mesh], s_loopback, verifier, _slave.Registry, TimeProvider.System));
        await IsAsync(list, expected);
    }

    /// <summary>Puts a description of a list into the folder.</summary>
    /// <param name="name">Of the list.</param>
    /// <param name="how">What it says beside the path.</param>
    /// <param name="path">The list's file; null: one of its own.</param>
    /// <param name="folder">Of the descriptions; null: the Slave's.</param>
    /// <returns>The list's file.</returns>
    private string Describe(string name, string how, string? path = null, string? folder = null)
    {
        path ??= Path.Combine(_slave.Folder, name + ".list");
        File.WriteAllText(Path.Combine(folder ?? _slave.HostLists, name + ".json"), $$"""{"path":"{{path}}",{{how}}}""");
        return path;
    }

    private void Offer(LoopbackSlave node, string service, params (string Name, string Value)[] parameters) =>
        Assert.Null(node.Registry.Publish(new Service(service, parameters.ToDictionary(p => p.Name, p => p.Value)), this));

    private static void Reload()
    {
        using Process kill = Process.Start("kill", ["-HUP", $"{Environment.ProcessId}"]);
        kill.WaitForExit();
    }

    private static Task IsAsync(string path, string content) => IsAsync(path, Encoding.UTF8.GetBytes(content));

    private static async Task IsAsync(string path, byte[] content)
    {
        byte[] Now() => File.Exists(path) ? File.ReadAllBytes(path) : [0];
        try
        {
            await LoopbackSlave.UntilAsync(() => Now().AsSpan().SequenceEqual(content));
        }
        catch (OperationCanceledException)
        {
            Assert.Equal(Encoding.Latin1.GetString(content), Encoding.Latin1.GetString(Now()));
        }
    }

    /// <summary>Waits until a list was written so often: its file is there a moment before that is done, and whoever takes it away in that
    /// moment is complained of.</summary>
    private static async Task IsWrittenAsync(Log log, string list, int times)
    {
        int Now() => log.Lines.Count(line => line.StartsWith($"host list '{list}'", StringComparison.Ordinal));
        await LoopbackSlave.UntilAsync(() => Now() >= times);
        Assert.Equal(times, Now());
        Assert.All(log.Lines, line => Assert.DoesNotContain("is not written", line, StringComparison.Ordinal));
    }

    private async Task LogsAsync(string part)
    {
        try
        {
            await LoopbackSlave.UntilAsync(() => _slave.Log.Lines.Any(line => line.Contains(part, StringComparison.Ordinal)));
        }
        catch (OperationCanceledException)
        {
            Assert.Contains(part, string.Join('\n', _slave.Log.Lines), StringComparison.Ordinal);
        }
        // A folder that is read while files are still being put there is complained of once more.
        Assert.Single(_slave.Log.Lines.Distinct(), line => line.Contains(part, StringComparison.Ordinal));
    }

    /// <summary>Lists that are kept by themselves, in other circumstances than the Slave's.</summary>
    private sealed class Keeping : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;

        public Keeping(string folder, LocalContext context) =>
            _running = new HostListFolder(folder, context, () => "this-node", Log.Add).RunAsync(_stop.Token);

        public Log Log { get; } = new();

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running;
            _stop.Dispose();
        }
    }
}
