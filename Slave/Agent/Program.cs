using System.Reflection;
using System.Runtime.InteropServices;
using Bootstrap.Agent;
using Bootstrap.Board;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Protocol.Link;

const string usage = """
    bootstrap-slave: makes this machine a node of its Bootstrap appliance.

      --config DIR   what the appliance gave this node (default /etc/bootstrap)
      --state DIR    tasks and staged files (default /var/lib/bootstrap)
      --version      show the version
    """;
string version = typeof(Daemon).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";
string config = NodeFiles.Directory, state = "/var/lib/bootstrap";
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
    var board = new BoardReader();
    string bootId = board.ReadBootId();
    Inventory inventory = board.ReadInventory() ?? throw new IOException("this machine has neither a serial number nor a network interface to be named by");

    NodeLink? link = null;
    Daemon? daemon = null;
    void Log(string line)
    {
        Console.WriteLine(line);
        link?.Outbox.AddLine(daemon?.CurrentTask, line);
    }

    Hello SayHello() => new(NodeRole.Slave, version, bootId, node.Settings.InstallId, board.ReadInventory() ?? inventory, board.ReadHealth(),
        daemon?.CurrentTask is { } task ? [task] : []);

    using IdentityKeeper keeper = IdentityKeeper.Open(config, node.Authority, Log, clock);
    var staging = new NetInstStaging("/", state, () => keeper.Current);
    if (staging.Undo())
    {
        Log($"NetInst was staged and did not come up: put the boot partition's {StagedBoot.Config} back");
    }
    var locator = new ApplianceLocator(node.Settings.Mesh, () => node.Settings.Backends, clock);
    link = new NodeLink(new ApplianceTls(node.Authority), locator, keeper.Current, keeper.RefusedAsync, SayHello, board.ReadHealth, Log, clock) { Accepted = keeper.Accepted };
    var runner = new TaskRunner(new TaskJournal(Path.Combine(state, "tasks")), bootId, staging, new SystemPower(), link.Outbox, Log, clock);
    daemon = new Daemon(link, runner, keeper, Log, clock);

    using var poloStop = new CancellationTokenSource();
    string host = Environment.MachineName;
    var slave = new Service(Service.Slave, new Dictionary<string, string> { ["version"] = version });
    var self = new NodeDescription(keeper.Current.Name, host, new Identity(Service.Slave, Identity.Word(inventory.Model), host), new Dictionary<string, string>(), [slave]);
    var polo = new Polo([node.Settings.Mesh], () => self, new Wires(null, clock), clock, new MessageSigner(() => keeper.Current.Certificate));
    Task answering = polo.RunAsync(poloStop.Token);
    SystemdNotify.Send("READY=1");
    await daemon.RunAsync(stop.Token);
    SystemdNotify.Send("STOPPING=1");
    await poloStop.CancelAsync();
    await answering;
}
