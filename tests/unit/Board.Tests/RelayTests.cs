using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Bootstrap.Agent.Discovery;
using Bootstrap.Agent.Relay;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Protocol.Discovery.Local;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Board.Tests;

/// <summary>Real Slaves in two networks, between which nothing but the relays' own connections goes.</summary>
public sealed class RelayTests : IAsyncLifetime
{
    /// <summary>
    /// Two networks of one machine each, and a cable between them that discovery leaves alone. The processes have ids of their own, and all
    /// of them end with the first. Lines of its input, "KILL near-node", send signals.
    /// </summary>
    private const string Networks = """
        mount -t tmpfs tmpfs /sys
        mkdir -p /sys/class/net/eth0/device
        echo 02:00:00:00:00:01 >/sys/class/net/eth0/address
        unshare -n sleep infinity &
        until [ "$(readlink /proc/$!/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
        near= far="nsenter -t $! -n"
        ip link add tun0 type veth peer name tun1
        ip link set tun1 netns $!
        network() {
          $1 ip link set lo up
          $1 ip link add eth0 type veth peer name veth0
          $1 ip link set veth0 up
          $1 ip address add $2 brd + dev eth0
          $1 ip link set eth0 up
          $1 ip address add $3 dev $4
          $1 ip link set $4 up
        }
        network "$near" 10.13.1.1/24 10.13.9.1/30 tun0
        network "$far" 10.13.2.1/24 10.13.9.2/30 tun1
        for node in near-* far-*; do
          case $node in near-*) enter=$near ;; *) enter=$far ;; esac
          (exec $enter "$@" --config $node/config --state $node/state --socket $node/socket >$node/log 2>&1) &
          echo $! >$node/pid
        done
        while read -r signal node; do kill -$signal $(cat $node/pid); done
        """;

    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private readonly string _folder = Directory.CreateTempSubdirectory("relay-").FullName;
    private readonly X509Certificate2 _authority = TestIdentity.CreateAuthority();
    private Process? _networks;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Networks_that_only_relays_join_see_each_other_and_any_relay_may_fail()
    {
        Make("near-node");
        Make("far-node");
        Make("near-relay-1", """{"peers":[{"node":"far-relay-1","address":"10.13.9.2"}]}""");
        Make("far-relay-1", """{"peers":[{"node":"near-relay-1"}]}""");
        Make("near-relay-2", """{"peers":[{"node":"far-relay-2","address":"10.13.9.2:1338"}],"port":1338}""");
        Make("far-relay-2", """{"peers":[{"node":"near-relay-2"}],"port":1338}""");
        _networks = Process.Start(
            new ProcessStartInfo("unshare", ["-nm", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-ec", Networks, "sh",
            "dotnet", "exec", Path.Combine(AppContext.BaseDirectory, "bootstrap-slave.dll")])
            {
                WorkingDirectory = _folder,
                RedirectStandardInput = true,
            })!;
        _networks.StandardInput.AutoFlush = true;
        using LocalDiscovery near = await ConnectAsync("near-node"), far = await ConnectAsync("far-node"),
            watcher = await ConnectAsync("near-node");
        string[] all = ["far-node", "far-relay-1", "far-relay-2", "near-node", "near-relay-1", "near-relay-2"];
        LocalNode found = await UntilAllAsync(near, all, "far-node");
        Assert.Equal(("10.13.2.1", true), (found.Address, found.Proven));
        LocalNode back = await UntilAllAsync(far, all, "near-node");
        Assert.Equal(("10.13.1.1", true), (back.Address, back.Proven));
        Assert.Equal([Service.Slave], (await near.ServicesAsync("far-node", s_end)).Select(s => s.Id));
        // Relays are found as everything else is.
        IReadOnlyList<LocalNode> relays =
            await near.RequestForAsync(DiscoveryRelay.Service, new LocalRequest(0, "") { Retries = 20 }, s_end);
        LocalNode relay = Assert.Single(relays, n => n.Id == "far-relay-1");
        Assert.Equal("near-relay-1", relay.Services.Single().Parameters["peers"]);

        await _networks.StandardInput.WriteLineAsync("KILL near-relay-1");
        await UntilAllAsync(near, [.. all.Where(id => id != "near-relay-1")], "far-node");
        // What is told, too, comes over: the one who leaves in the far network says goodbye to the near one.
        await using IAsyncEnumerator<PresenceEvent> events = watcher.WatchAsync(s_end).GetAsyncEnumerator(s_end);
        await UntilAsync(events, "far-node", PresenceKind.Join);
        await _networks.StandardInput.WriteLineAsync("TERM far-node");
        Assert.Equal("said goodbye", (await UntilAsync(events, "far-node", PresenceKind.Leave)).Reason);
    }

    [Theory]
    [InlineData("of its own CA", false)]
    [InlineData("not named", false)]
    [InlineData("named", true)]
    public async Task Only_a_node_of_the_appliance_that_is_named_as_a_peer_is_connected(string dialler, bool isTaken)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        int port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        listener.Dispose();
        using X509Certificate2 other = TestIdentity.CreateAuthority();
        using NodeIdentity own = TestIdentity.Issue(_authority, "here"),
            there = TestIdentity.Issue(dialler == "of its own CA" ? other : _authority, "there");
        var lines = new List<string>();
        void Log(string line)
        {
            lock (lines)
            {
                lines.Add(line);
            }
        }
        var here = new RelayLinks(new RelayFile([new RelayPeer(dialler == "not named" ? "somebody else" : "there")], port), _authority,
            () => own, new Revocations(null, Log), Log, TimeProvider.System);
        var dialling = new RelayLinks(new RelayFile([new RelayPeer("here", $"127.0.0.1:{port}")], 1), _authority, () =>
            there, new Revocations(null, Log), _ => { }, TimeProvider.System);
        using var stop = new CancellationTokenSource();
        var served = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        static Task Stay(RelayLink link, CancellationToken cancellation) => link.RunAsync((_, _) => { }, cancellation);
        Task running = Task.WhenAll(
            here.RunAsync((link, cancellation) =>
            {
                served.TrySetResult(link.Peer);
                return Stay(link, cancellation);
            }, stop.Token),
            dialling.RunAsync(Stay, stop.Token));
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(s_end);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        if (isTaken)
        {
            Assert.Equal("there", await served.Task.WaitAsync(patience.Token));
        }
        else
        {
            while (!Snapshot().Any(line => line.Contains("ended: ", StringComparison.Ordinal)))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, patience.Token);
            }
            Assert.False(served.Task.IsCompleted);
        }
        await stop.CancelAsync();
        await running;

        string[] Snapshot()
        {
            lock (lines)
            {
                return [.. lines];
            }
        }
    }

    [Theory]
    [InlineData("{", "relay.json: ")]
    [InlineData("""{"peers":[{"node":"a","address":"nowhere"}]}""", "'nowhere' is no address: write it as 10.2.0.7 or 10.2.0.7:1337")]
    [InlineData("""{"peers":[],"port":70000}""", "there is no port 70000")]
    public void A_file_that_makes_no_relay_is_one_sentence(string text, string sentence)
    {
        File.WriteAllText(Path.Combine(_folder, RelayFile.Name), text);
        Assert.Contains(sentence, Assert.Throws<IOException>(() => RelayFile.Load(_folder)).Message, StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        if (_networks is not null)
        {
            _networks.StandardInput.Close();
            await _networks.WaitForExitAsync(CancellationToken.None);
            _networks.Dispose();
        }
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Makes a folder as an installed system has it.</summary>
    private void Make(string id, string? relay = null)
    {
        string config = Directory.CreateDirectory(Path.Combine(_folder, id, "config")).FullName;
        using NodeIdentity identity = TestIdentity.Issue(_authority, id);
        identity.Save(Path.Combine(config, NodeFiles.Identity));
        File.WriteAllText(Path.Combine(config, NodeFiles.Authority), _authority.ExportCertificatePem());
        File.WriteAllText(Path.Combine(config, NodeFiles.Settings),
            JsonSerializer.Serialize(new NodeSettings("relayed", [], null, null), ProtocolJson.Default.NodeSettings));
        if (relay is not null)
        {
            File.WriteAllText(Path.Combine(config, RelayFile.Name), relay);
        }
    }

    private async Task<LocalDiscovery> ConnectAsync(string id)
    {
        string path = Path.Combine(_folder, id, "socket");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(s_end);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (!File.Exists(path))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, patience.Token);
        }
        return await LocalDiscovery.ConnectAsync(path, s_end);
    }

    /// <summary>Searches until these nodes are found, and no others; then gives one of them.</summary>
    private static async Task<LocalNode> UntilAllAsync(LocalDiscovery discovery, string[] ids, string wanted)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(s_end);
        patience.CancelAfter(TimeSpan.FromSeconds(90));
        while (true)
        {
            IReadOnlyList<LocalNode> nodes = await discovery.MarcoAsync(new LocalRequest(0, "") { Timeout = 5000 }, patience.Token);
            if (nodes.Select(n => n.Id).Order(StringComparer.Ordinal).SequenceEqual(ids))
            {
                return nodes.Single(n => n.Id == wanted);
            }
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, patience.Token);
        }
    }

    private static async Task<PresenceEvent> UntilAsync(IAsyncEnumerator<PresenceEvent> events, string id, PresenceKind kind)
    {
        while (await events.MoveNextAsync())
        {
            if (events.Current.Id == id && events.Current.Kind == kind)
            {
                return events.Current;
            }
        }
        throw new InvalidOperationException("the Slave ended");
    }
}
