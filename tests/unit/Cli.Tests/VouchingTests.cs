using System.Security.Cryptography;
using Bootstrap.Link;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Cli.Tests;

/// <summary>Which nodes commands work with where an appliance is known, and a stranger answers as well.</summary>
public sealed class VouchingTests : IAsyncLifetime
{
    private static readonly string[] s_loopback = ["lo"];
    private static readonly NodeId s_node = NodeId.Parse("10000000cccc0001");

    private readonly string _mesh = $"m-{Guid.NewGuid():n}"[..10], _elsewhere = $"e-{Guid.NewGuid():n}"[..10];
    private readonly CancellationTokenSource _stop = new();
    private CommandLine _line = null!;
    private SshFleet _fleet = null!;
    private string _authority = "";
    private Task _polos = Task.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        _line = CommandLine.For(await TestAppliance.StartAsync(change: options => options with { Mesh = _mesh }));
        _authority = Path.Combine(_line.Folder, "ca.pem");
        await File.WriteAllTextAsync(_authority, _line.Appliance.Info.Authority.ExportCertificatePem());
        _fleet = await SshFleet.StartAsync(1);
        // All answer from one address of this machine: the configuration leads from there to the one server.
        await File.AppendAllTextAsync(_fleet.Config, $"Host *\n  HostName {_fleet.Host(1).Split(':')[0]}\n  Port " +
            $"{_fleet.Host(1).Split(':')[1]}\n");
        ECDsa key = NodeIdentity.CreateKey();
        EnrolResponse enrolled = await SimulatedNode.EnrolAsync(_line.Appliance.Info, key, SimulatedNode.InventoryOf(s_node, "arm64"),
            _stop.Token);
        NodeIdentity identity = NodeIdentity.Create(enrolled.Certificate, key);
        // The node calls itself what it likes, too.
        _polos = Task.WhenAll(Polo(s_node.ToString(), "intranet", new MessageSigner(() => identity.Certificate)),
            Polo("10000000dddd0001", "fileserver", null));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await Poll.UntilAsync(() => CommandLine.RunToolAsync([CommandLine.Program, "discover", "--mesh", _mesh, "--interface", "lo",
            "--sh"]),
            run => run.Output.Split('\n').Length == 4, patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _polos;
        await _fleet.DisposeAsync();
        await _line.DisposeAsync();
        _stop.Dispose();
    }

    [Fact]
    public async Task Work_goes_to_nodes_that_the_appliance_vouches_for_and_no_more_to_one_that_was_forgotten()
    {
        (int code, string output, string errors) = await RunAsync(_mesh);
        Assert.Equal((0, ""), (code, errors));
        Assert.Matches(@"\nnode-cc0001 [(]127\.0\.0\.1[)] +ok ", output);
        Assert.EndsWith("\n1 ok\n", output, StringComparison.Ordinal);

        using HttpClient api = _line.Appliance.CreateClient();
        (await api.DeleteAsync($"nodes/{s_node}", TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();
        (code, output, errors) = await RunAsync(_mesh);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains("answered that the appliance vouches for", errors, StringComparison.Ordinal);
        (code, output, _) = await DiscoverAsync("--ca", _authority, "--exclude", "appliance", "--role", "slave");
        Assert.Equal((1, ""), (code, output));
    }

    [Fact]
    public async Task Where_the_appliance_does_not_answer_it_is_said_that_forgotten_nodes_cannot_be_told()
    {
        (int code, string output, string errors) = await RunAsync(_elsewhere);
        Assert.Equal((0, "bootstrap: the appliance does not answer: nodes that it has forgotten since cannot be told from others"),
            (code, errors));
        Assert.EndsWith("\n1 ok\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_no_appliance_is_known_nobody_gets_anything_before_a_person_has_looked()
    {
        string[] command = _fleet.Command("run", "--mesh", _mesh, "--interface", "lo", "--", "true");
        (int code, string output, string errors) = await CommandLine.RunToolAsync(command);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains("nobody vouches for the 2 that answered", errors, StringComparison.Ordinal);
        Assert.All(["--host", "--ca", "--yes"], option => Assert.Contains(option, errors, StringComparison.Ordinal));
        (code, _, _) = await CommandLine.RunToolAsync(_fleet.Command("run", "--mesh", _mesh, "--interface", "lo", "--ca", _authority, "--",
            "true"));
        Assert.Equal(0, code);
    }

    [Fact]
    public async Task Lists_have_the_appliance_s_names_alone()
    {
        (int code, string output, _) = await DiscoverAsync("--hostsfile", "hosts");
        Assert.Equal((0, "127.0.0.1 node-cc0001\n"), (code, output));
        (_, output, _) = await DiscoverAsync("--ca", _authority, "--hostsfile", "ansible");
        Assert.Equal("[bootstrap]\nnode-cc0001 ansible_host=127.0.0.1\n", output);
        (_, output, _) = await DiscoverAsync("--role", "slave");
        Assert.Matches(@"\nfileserver +127\.0\.0\.1 +no +10000000dddd0001 ", output);
        Assert.Matches(@"\nnode-cc0001 +127\.0\.0\.1 +yes +10000000cccc0001 ", output);
    }

    private Task<(int Code, string Output,
        string Errors)> RunAsync(string mesh) => _line.RunAsync(_fleet.Command("run", "--mesh", mesh, "--interface", "lo", "--",
        "true")[1..]);

    private Task<(int Code, string Output, string Errors)> DiscoverAsync(params string[] options) =>
        _line.RunAsync(["discover", "--mesh", _mesh, "--interface", "lo", .. options]);

    private Task Polo(string id, string host, MessageSigner? signer)
    {
        var node = new NodeDescription(id, host, new Identity("slave", "test", host), new Dictionary<string, string>(),
            [new Service(Service.Slave, new Dictionary<string, string>())]);
        return new Polo([_mesh, _elsewhere], () => node, new Wires(s_loopback, TimeProvider.System), TimeProvider.System, signer)
            .RunAsync(_stop.Token);
    }
}
