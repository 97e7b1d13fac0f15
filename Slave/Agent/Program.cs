using System.Reflection;
using System.Runtime.InteropServices;
using Bootstrap.Agent;
using Bootstrap.Agent.Commands;
using Bootstrap.Agent.Deploy;
using Bootstrap.Agent.Discovery;
using Bootstrap.Agent.Discovery.HostLists;
using Bootstrap.Agent.Peers;
using Bootstrap.Agent.Relay;
using Bootstrap.Agent.Slots;
using Bootstrap.Agent.Status;
using Bootstrap.Benchmarks;
using Bootstrap.Board;
using Bootstrap.Board.Lldp;
using Bootstrap.Board.Sampling;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Protocol.Discovery.Legacy;
using Bootstrap.Protocol.Discovery.Local;
using Bootstrap.Protocol.Link;

const string usage = """
    bootstrap-slave: makes this machine a node of its Bootstrap appliance.

      --config DIR   what the appliance gave this node (default /etc/bootstrap)
      --state DIR    tasks and staged files (default /var/lib/bootstrap)
      --socket FILE  where this machine's programs use discovery (default /run/bootstrap/discovery.sock)
      --status PORT  where this machine's status is served, TLS (default 8445; 0 for any that is free)
      --no-2015      do not answer the discovery protocol of 2015
      --version      show the version
    """;
string version = typeof(Daemon).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ??
    "0";
string config = NodeFiles.Directory, state = NodeSystem.UsualState, run = LocalRequest.Socket;
bool answer2015 = true;
int statusPort = ServicePorts.Status;
if (args is ["--deploy", var order, "--from", var appliance, "--config", var identityFolder])
{
    return await Deployment.RunAsync(order, appliance, identityFolder, TimeProvider.System);
}
if (await SlotProgram.RunAsync(args, TimeProvider.System) is { } code)
{
    return code;
}
if (await BenchmarkProgram.RunAsync(args, TimeProvider.System) is { } measured)
{
    return measured;
}
for (int i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--config" when i + 1 < args.Length:
            config = args[++i];
            break;
        case "--state" when i + 1 < args.Length:
            state = args[++i];
            break;
        case "--socket" when i + 1 < args.Length:
            run = args[++i];
            break;
        case "--status" when i + 1 < args.Length && ushort.TryParse(args[i + 1], out ushort port):
            statusPort = port;
            i++;
            break;
        case "--no-2015":
            answer2015 = false;
            break;
        case "--version":
            Console.WriteLine(version);
            return 0;
        default:
            Console.Error.WriteLine(usage);
            return args[i] is "--help" or "-h" ? 0 : 2;
    }
}

using var stop = new CancellationTokenSource();
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
try
{
    await RunAsync(TimeProvider.System);
    return 0;
}
catch (IOException e)
{
    Console.Error.WriteLine($"bootstrap-slave: {e.Message}");
    return 1;
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}

async Task RunAsync(TimeProvider clock)
{
    NodeConfig node = NodeConfig.Load(config);
    var neighbours = new LldpNeighbours(clock);
    var board = new BoardReader(switchOf: neighbours.PortOf);
    string bootId = board.ReadBootId();
    Inventory inventory = board.ReadInventory() ??
        throw new IOException("this machine has neither a serial number nor a network interface to be named by");

    NodeLink? link = null;
    Daemon? daemon = null;
    void Log(string line)
    {
        Console.WriteLine(line);
        link?.Outbox.AddLine(daemon?.CurrentTask, line);
    }

    var slots = new SlotWork(config, state, NodeSystem.This, Log, clock);
    Inventory ReadInventory() => (board.ReadInventory() ?? inventory) with { Slot = slots.Status?.Slot };

    string doubt = node.Settings.HostName is not { } installed || installed == Environment.MachineName ? ""
        : $"the system is called '{Environment.MachineName}', and was installed as '{installed}': something of the image set another name";
    if (doubt.Length > 0)
    {
        Log(doubt);
    }

    Hello SayHello() => new(NodeRole.Slave, version, bootId, node.Settings.InstallId, ReadInventory(), board.ReadHealth(),
        daemon?.CurrentTask is { } task ? [task] : [], slots.IsOnTrial, doubt);

    using IdentityKeeper keeper = IdentityKeeper.Open(config, node.Authority, Log, clock);
    await slots.LookAsync(stop.Token);
    await slots.FinishCommitAsync();
    var staging = new NetInstStaging("/", state, () => keeper.Current, () => slots.HasSlots);
    if (staging.Undo())
    {
        Log($"NetInst was staged and did not come up: put the boot partition's {StagedBoot.Config} back");
    }
    var locator = new ApplianceLocator(node.Settings.Mesh, () => node.Settings.Backends, clock);
    link = new NodeLink(new ApplianceTls(node.Authority), locator, keeper.Current, keeper.RefusedAsync, SayHello, board.ReadHealth, Log,
        clock);
    var power = new SystemPower();
    var trial = new TrialWatch(power, Log, clock);
    link.Accepted = accepted =>
    {
        keeper.Accepted(accepted);
        trial.Met();
    };
    var runner = new TaskRunner(new TaskJournal(Path.Combine(state, "tasks")), bootId, staging, power, link.Outbox, Log, clock,
        NodeSystem.This with { Config = config, State = state }, slots);
    await runner.EndLeftoversAsync();
    await BenchmarkWork.TidyAsync(NodeSystem.This, clock);
    var blinker = new LedBlinker("/", Path.Combine(state, "led"), clock);
    var revocations = new Revocations(Path.Combine(state, "revoked-keys"), Log, () => keeper.ApplianceTime);
    string host = Environment.MachineName;
    var registry = new ServiceRegistry([new Service(Service.Slave, new Dictionary<string, string> { ["version"] = version })]);
    using var sampler = new StatusSampler("/", clock);
    using var status = new StatusMonitor(
        config, statusPort, node.Authority, keeper, registry, sampler, link.Outbox.Add, Log, revocations.Contains, clock);
    var peers = new PeerListener(ServicePorts.Benchmark, Log, clock);
    daemon = new Daemon(link, runner, keeper, blinker, revocations, Log, clock, () => slots.IsOnTrial, message =>
    {
        status.Hear(message);
        peers.Hear(message);
    });
    var lldp = new LldpListener(neighbours, () => board.ReadInterfaces().Select(i => i.Name),
        () => link.Outbox.Add(new InventoryReport(ReadInventory())), Log, clock);

    using var discoveryStop = new CancellationTokenSource();
    var parameters = new Dictionary<string, string> { [HostList.Cores] = $"{Environment.ProcessorCount}" };
    NodeDescription Describe() =>
        new(keeper.Current.Name, host, new Identity(Service.Slave, Identity.Word(inventory.Model), host), parameters, registry.Current);
    string[] meshes = [node.Settings.Mesh];
    var wires = new Wires(null, clock);
    var legacy = new LegacyPolo(answer2015 ? LegacyMessage.Groups : [], Describe, null, clock);
    wires.Add(legacy);
    var polo = new Polo(meshes, Describe, wires, clock, new MessageSigner(() => keeper.Current.Certificate));
    registry.Changed += polo.Changed;
    var verifier = new MessageVerifier(certificate => Trust.IsIssuedBy(certificate, node.Authority),
        signer => revocations.Stands(signer.Key, signer.Number, signer.Ends));
    var folder = new ServiceFolder(Path.Combine(config, "services"), registry, Log, clock);
    var context = new LocalContext(meshes, null, verifier, registry, clock);
    var local = new LocalApi(run, context, Log);
    var hostLists = new HostListFolder(Path.Combine(config, "hostlists"), context, () => keeper.Current.Name, Log);
    DiscoveryRelay? relay = OpenRelay(keeper, node, revocations, meshes, wires, registry, Log, clock);
    Component[] components =
    [
        .. slots.IsOnTrial ? [new Component("the watch of a trial", trial.RunAsync)] : Array.Empty<Component>(),
        .. relay is null ? [] : new[] { new Component("the relay", relay.RunAsync) },
        .. status.Components, new("benchmarks between nodes", peers.RunAsync),
        new("the LED", stop => blinker.RunAsync(link.Outbox.Add, stop)), new("LLDP", lldp.RunAsync), new("discovery", polo.RunAsync),
        new("discovery of 2015", legacy.RunAsync), new("the folder of services", folder.RunAsync),
        new("discovery for programs", local.RunAsync), new("lists of nodes", hostLists.RunAsync),
    ];
    SystemdNotify.Send("READY=1");
    // The daemon has to say goodbye before the others go; where one of these fails, it goes at once.
    Task background = Supervisor.RunAsync(discoveryStop.Token, components);
    _ = background.ContinueWith(_ => stop.Cancel(), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    await daemon.RunAsync(stop.Token);
    SystemdNotify.Send("STOPPING=1");
    await discoveryStop.CancelAsync();
    await background;
}

DiscoveryRelay? OpenRelay(
    IdentityKeeper keeper, NodeConfig node, Revocations revocations, string[] meshes, Wires wires, ServiceRegistry registry,
    Action<string> log, TimeProvider clock)
{
    try
    {
        if (RelayFile.Load(config) is not { } file)
        {
            return null;
        }
        var relay = new DiscoveryRelay(keeper.Current.Name, meshes, wires,
            new RelayLinks(file, node.Authority, () => keeper.Current, revocations, log, clock), registry, clock);
        wires.Add(relay);
        return relay;
    }
    catch (IOException e)
    {
        log($"this node is no relay: {e.Message}");
        return null;
    }
}
