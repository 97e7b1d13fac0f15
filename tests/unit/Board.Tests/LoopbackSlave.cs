using Bootstrap.Agent.Discovery;
using Bootstrap.Agent.Discovery.HostLists;
using Bootstrap.Link;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Board.Tests;

/// <summary>All of a Slave's discovery for other programs, with a real Polo, on loopback and in a mesh of its own.</summary>
internal sealed class LoopbackSlave : IAsyncDisposable
{
    private static readonly string[] s_loopback = ["lo"];

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private readonly Wires _wires = new(s_loopback, TimeProvider.System);

    private LoopbackSlave(string id, string host, string mesh, string cores, NodeIdentity? identity)
    {
        Mesh = mesh;
        // Users other than root come to the socket, too.
        File.SetUnixFileMode(Folder, (UnixFileMode)0b111_101_101);
        Directory.CreateDirectory(Services);
        Directory.CreateDirectory(HostLists);
        var parameters = new Dictionary<string, string> { [HostList.Cores] = cores };
        var polo = new Polo([mesh], () => new NodeDescription(id, host, new Identity("slave", "test", host), parameters, Registry.Current),
            _wires, TimeProvider.System, identity is null ? null : new MessageSigner(() => identity.Certificate));
        Registry.Changed += polo.Changed;
        var context = new LocalContext([mesh], s_loopback, new MessageVerifier(null), Registry, TimeProvider.System);
        _running = Task.WhenAll(
            polo.RunAsync(_stop.Token),
            new ServiceFolder(Services, Registry, Log.Add, TimeProvider.System).RunAsync(_stop.Token),
            new HostListFolder(HostLists, context, () => id, Log.Add).RunAsync(_stop.Token),
            new LocalApi(SocketPath, context, Log.Add).RunAsync(_stop.Token));
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("loopback-slave-").FullName;

    public string Mesh { get; }

    public string SocketPath => Path.Combine(Folder, "run", "discovery.sock");

    public string Services => Path.Combine(Folder, "services");

    public string HostLists => Path.Combine(Folder, "hostlists");

    public ServiceRegistry Registry { get; } = new([new Service(Service.Slave, new Dictionary<string, string>())]);

    /// <summary>What it has said so far.</summary>
    public Log Log { get; } = new();

    /// <summary>Starts one and waits until it answers.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="host">Its host name.</param>
    /// <param name="mesh">Null: one where nobody else is.</param>
    /// <param name="cores">How many processors it says it has.</param>
    /// <param name="identity">By what it proves that it is it; null: it cannot.</param>
    public static async Task<LoopbackSlave> StartAsync(
        string id = "this-node", string host = "this-host", string? mesh = null, string cores = "2", NodeIdentity? identity = null)
    {
        var slave = new LoopbackSlave(id, host, mesh ?? "m-" + Guid.NewGuid().ToString("n")[..8], cores, identity);
        await UntilAsync(() => slave._wires.Current.Count > 0 && File.Exists(slave.SocketPath));
        return slave;
    }

    /// <summary>Waits for what comes by itself.</summary>
    public static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (!condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, patience.Token);
        }
    }

    /// <summary>Ends it in order, as the system does.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
