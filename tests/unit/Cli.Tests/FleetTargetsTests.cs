using Bootstrap.Protocol.Discovery;
using Bootstrap.Support;

namespace Bootstrap.Cli.Tests;

public sealed class FleetTargetsTests
{
    private static readonly string[] s_loopback = ["lo"];

    [Fact]
    public async Task A_file_names_the_machines_and_exclusions_are_left_out()
    {
        await using SshFleet fleet = await SshFleet.StartAsync(3);
        string file = Path.Combine(fleet.Folder, "hosts");
        await File.WriteAllTextAsync(file, $"# all of them\n{fleet.Host(1)} slots=4\n\n  {fleet.Host(2)} # the second\n{fleet.Host(1)}\n",
            TestContext.Current.CancellationToken);
        (int code, string output, string errors) = await fleet.RunAsync("run", "--hosts", file, "--host", fleet.Host(3), "--exclude",
            fleet.Host(2), "--", "true");
        Assert.Equal((0, ""), (code, errors));
        Assert.EndsWith("\n2 ok\n", output, StringComparison.Ordinal);
        Assert.DoesNotContain(fleet.Host(2), output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'10.0.0.7:99999' is not a machine", "run", "--host", "10.0.0.7:99999", "--", "true")]
    [InlineData("a user goes with --user", "run", "--host", "root@10.0.0.7", "--", "true")]
    [InlineData("is not a machine", "run", "--host=-oProxyCommand=touch", "--", "true")]
    [InlineData("--mesh chooses among nodes that are found", "run", "--host", "10.0.0.7", "--mesh", "m", "--", "true")]
    [InlineData("Required argument 'command' missing", "run", "--host", "10.0.0.7")]
    [InlineData("--parallel must be from 1", "run", "--host", "10.0.0.7", "--parallel", "0", "--", "true")]
    [InlineData("Cannot parse argument 'soon'", "run", "--host", "10.0.0.7", "--timeout", "soon", "--", "true")]
    [InlineData("there is no file /nowhere/key", "run", "--host", "10.0.0.7", "--identity", "/nowhere/key", "--", "true")]
    [InlineData("the hosts in /nowhere/hosts cannot be read", "run", "--hosts", "/nowhere/hosts", "--", "true")]
    [InlineData("no machine is left", "run", "--hosts", "/dev/null", "--", "true")]
    [InlineData("there is no file /nowhere/file", "scp", "--host", "10.0.0.7", "/nowhere/file", ".")]
    [InlineData("/usr is a folder: give --recursive", "scp", "--host", "10.0.0.7", "/usr", ".")]
    [InlineData("two files are called hostname", "scp", "--host", "10.0.0.7", "/etc/hostname", "/proc/sys/kernel/hostname", ".")]
    [InlineData("is not an OpenSSH public key", "install-key", "--host", "10.0.0.7", "--key", "/etc/hostname")]
    [InlineData("the password in /nowhere/password cannot be read", "install-key", "--host", "10.0.0.7", "--password-file",
        "/nowhere/password")]
    [InlineData("no node of mesh 'nobody-has-this-one' answered", "run", "--mesh", "nobody-has-this-one", "--interface", "lo", "--",
        "true")]
    public async Task What_cannot_be_meant_is_said_and_the_exit_code_is_2(string sentence, params string[] arguments)
    {
        await using SshFleet fleet = await SshFleet.StartAsync(0);
        string[] key = arguments[0] == "install-key" && !arguments.Contains("--key") ? ["--key", $"{fleet.Key}.pub"] : [];
        (int code, _, string errors) = await fleet.RunAsync(arguments[0], [.. key, .. arguments[1..]]);
        Assert.Equal(2, code);
        Assert.Contains(sentence, errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nodes_are_found_by_discovery_and_chosen_by_name_and_service()
    {
        string mesh = $"m-{Guid.NewGuid():n}"[..10];
        await using SshFleet fleet = await SshFleet.StartAsync(1);
        // All answer from one address of this machine: the configuration leads from there to the one server.
        await File.AppendAllTextAsync(fleet.Config, $"Host *\n  HostName {fleet.Host(1).Split(':')[0]}\n  Port " +
            $"{fleet.Host(1).Split(':')[1]}\n", TestContext.Current.CancellationToken);
        using var stop = new CancellationTokenSource();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        Task polos = Task.WhenAll(Polo("node-1", mesh, Service.Slave), Polo("node-2", mesh, "distcc"),
            Polo("appliance-1", mesh, Service.Backend));
        Task Polo(string id, string mesh, string service) => new Polo(
            [mesh], () => new NodeDescription(id, Environment.MachineName, new Identity("test", "test", id), new Dictionary<string,
                string>(), [new Service(service, new Dictionary<string, string>())]),
            new Wires(s_loopback, TimeProvider.System), TimeProvider.System).RunAsync(stop.Token);
        Task<(int Code, string Output, string Errors)> Run(params string[] options) => fleet.RunAsync("run",
            ["--mesh", mesh, "--interface", "lo", "--yes", .. options, "--", "true"]);

        // Polos take a moment to join; the appliance is no node.
        await Poll.UntilAsync(() => Run(), run => run.Output.EndsWith("\n2 ok\n", StringComparison.Ordinal) && run.Code == 0,
            patience.Token);
        (int code, string output, _) = await Run("--exclude", "node-1");
        Assert.Equal(0, code);
        Assert.Matches(@"\nnode-2 [(][0-9.]+[)] +ok ", output);
        Assert.EndsWith("\n1 ok\n", output, StringComparison.Ordinal);

        (code, output, _) = await Run("--service", "slave");
        Assert.Equal(0, code);
        Assert.EndsWith("\n1 ok\n", output, StringComparison.Ordinal);

        (code, output, _) = await Run("--node", "node-1", "--node", "ghost");
        Assert.Equal(1, code);
        Assert.Matches("\nghost +unreachable .* did not answer discovery", output);
        Assert.EndsWith("\n1 ok, 1 unreachable\n", output, StringComparison.Ordinal);

        (code, _, string errors) = await Run("--node", "ghost");
        Assert.Equal((2, $"bootstrap: 2 nodes of mesh '{mesh}' answered, and none of them is chosen: look at --node and --exclude"),
            (code, errors));
        await stop.CancelAsync();
        await polos;
    }
}
