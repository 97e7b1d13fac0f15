using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using Bootstrap.Support;

namespace Bootstrap.Cli.Tests;

/// <summary>
/// Nodes with an SSH server: each a real sshd on a loopback address of its own, with host key and home folder of its own. Their user, who
/// has
/// a random password, exists in the servers' mount namespaces alone; the machine's own accounts and keys are never touched.
/// </summary>
internal sealed class SshFleet : IAsyncDisposable
{
    private const int UserId = 54321;
    private const int Port = 2222;

    private static readonly string s_program = Path.Combine(AppContext.BaseDirectory, "bootstrap");

    /// <summary>Gives sshd the accounts of its node, and the folder that it wants.</summary>
    private const string AsNode = """
        mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && mount --bind passwd /etc/passwd && mount --bind shadow /etc/shadow &&
        exec /usr/sbin/sshd -D -E sshd.log -f sshd_config
        """;

    private readonly string _network = $"127.{RandomNumberGenerator.GetInt32(16, 250)}.{RandomNumberGenerator.GetInt32(1, 250)}";
    private readonly Dictionary<int, Process> _servers = [];

    private SshFleet()
    {
        File.SetUnixFileMode(Folder, (UnixFileMode)0b111_101_101); // sshd's user passes through
        File.WriteAllText(Config, $"Host *\n  UserKnownHostsFile {Folder}/known_hosts\n  GlobalKnownHostsFile /dev/null\n  IdentityFile " +
            $"{Key}\n  IdentityAgent none\n");
    }

    /// <summary>For the test's files.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("test-fleet-").FullName;

    /// <summary>ssh's configuration on the user's machine.</summary>
    public string Config => Path.Combine(Folder, "ssh_config");

    /// <summary>The user's private key; the public one is beside it.</summary>
    public string Key => Path.Combine(Folder, "id_ed25519");

    /// <summary>The user's password on every node.</summary>
    public string Password { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));

    /// <param name="nodes">How many; they are numbered from 1 on.</param>
    /// <param name="keyInstalled">The user's key signs in already.</param>
    /// <param name="settings">More lines of sshd_config.</param>
    public static async Task<SshFleet> StartAsync(int nodes, bool keyInstalled = true, string settings = "Subsystem sftp internal-sftp")
    {
        var fleet = new SshFleet();
        await CommandLine.ToolAsync("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "user@machine", "-f", fleet.Key);
        (_, string hash, _) = await CommandLine.RunToolAsync(["openssl", "passwd", "-6", "-stdin"], fleet.Password);
        for (int node = 1; node <= nodes; node++)
        {
            await fleet.MakeAsync(node, hash.Trim(), keyInstalled, settings);
            await fleet.StartAsync(node);
        }
        return fleet;
    }

    /// <summary>"127.30.7.3:2222", also for a number that has no node.</summary>
    public string Host(int node) => $"{_network}.{node}:{Port}";

    /// <summary>The user's home on a node.</summary>
    public string Home(int node) => Path.Combine(Folder, $"node{node}", "home");

    /// <summary>Arguments that name these nodes.</summary>
    public string[] Hosts(params IEnumerable<int> nodes) => [.. nodes.SelectMany(n => new[] { "--host", Host(n) })];

    /// <summary>Runs the program as the nodes' user.</summary>
    /// <param name="command">run, scp or install-key.</param>
    public Task<(int Code, string Output, string Errors)> RunAsync(string command, params string[] arguments) =>
        CommandLine.RunToolAsync(Command(command, arguments));

    /// <summary>Starts the program; the test ends it.</summary>
    public Process Start(string command, params string[] arguments)
    {
        string[] words = Command(command, arguments);
        return Process.Start(new ProcessStartInfo(words[0], words[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        })!;
    }

    public string[] Command(string command, params string[] arguments) => [s_program, command, "--ssh-config", Config, "--user", "fleet",
        .. arguments];

    /// <summary>Ends a node's server and all its sessions at once, as when its power is cut.</summary>
    public async Task StopAsync(int node)
    {
        if (_servers.Remove(node, out Process? server))
        {
            server.Kill(entireProcessTree: true);
            await server.WaitForExitAsync();
            server.Dispose();
        }
    }

    /// <summary>Gives a node that was stopped another host key, and starts it.</summary>
    public async Task ReinstallAsync(int node)
    {
        string folder = Path.Combine(Folder, $"node{node}");
        File.Delete(Path.Combine(folder, "host_key"));
        await CommandLine.ToolAsync("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(folder, "host_key"));
        await StartAsync(node);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (int node in _servers.Keys.ToArray())
        {
            await StopAsync(node);
        }
        Directory.Delete(Folder, recursive: true);
    }

    private async Task MakeAsync(int node, string hash, bool keyInstalled, string settings)
    {
        string folder = Path.Combine(Folder, $"node{node}"), keys = Path.Combine(Home(node), ".ssh");
        Directory.CreateDirectory(Home(node));
        if (keyInstalled)
        {
            Directory.CreateDirectory(keys);
            File.Copy($"{Key}.pub", Path.Combine(keys, "authorized_keys"));
        }
        await File.WriteAllTextAsync(Path.Combine(folder, "passwd"),
            $"{await File.ReadAllTextAsync("/etc/passwd")}fleet:x:{UserId}:{UserId}::{Home(node)}:/bin/sh\n");
        await File.WriteAllTextAsync(Path.Combine(folder, "shadow"), $"root:*:19000:0:99999:7:::\nfleet:{hash}:19000:0:99999:7:::\n");
        await File.WriteAllTextAsync(Path.Combine(folder, "sshd_config"), $"""
            ListenAddress {Host(node)}
            HostKey {folder}/host_key
            PidFile none
            MaxStartups 100
            {settings}
            """ + "\n");
        await CommandLine.ToolAsync("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(folder, "host_key"));
        await CommandLine.ToolAsync("chown", "-R", $"{UserId}:{UserId}", Home(node));
    }

    private async Task StartAsync(int node)
    {
        _servers[node] = Process.Start(new ProcessStartInfo("unshare",
            ["-m", "sh", "-c", AsNode])
        { WorkingDirectory = Path.Combine(Folder, $"node{node}") })!;
        await Poll.UntilAsync(() => AcceptsAsync($"{_network}.{node}"), accepts => accepts || _servers[node].HasExited,
            TestContext.Current.CancellationToken);
    }

    private static async Task<bool> AcceptsAsync(string address)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(address, Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
