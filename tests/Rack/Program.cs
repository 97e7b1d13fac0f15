using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Rack;
using Bootstrap.Rack.Machine;
using Bootstrap.Rack.Rom;

const string Usage = """
    A rack of virtual boards in a network of its own.

      rack enter [--address-server dnsmasq|none] -- COMMAND…
          Runs a command inside a new rack: switch rack0 with this host as 10.77.0.1/24. Everything in it ends with the command.
      rack board --kind virt|raspi3b|x86|x86bios|armuefi --id N --card FILE --log FILE [--card-size BYTES] [--memory MIB] [--resets N]
          [--bridge rack0] [--network-first yes] [--http-boot yes] [--keeps-order yes]
          Inside a rack: plugs in a board and switches it on. Events go to standard output as lines of JSON. SIGKILL is a power cut.
          Exit code 0 once the board has switched itself off, or has come to reset N+1.
      rack machine --id N --address ADDR/LENGTH -- COMMAND…
          Inside a rack: runs a command on a machine of its own, whose interface eth0 is plugged into the switch.
      rack ask --from PORT --to ADDR:PORT --messages HEX[,HEX…] [--gap MS] [--patience MS]
          On a machine of a rack: sends datagrams from a port, and prints what comes to that port as lines of JSON.
      rack netboot --folder FOLDER [--dhcp proxy|full] [--pool "POOL POOL…"] [--force yes]
    """ + "\n" +
    "      Inside a rack: the appliance's DHCP and TFTP alone, with the files of a folder, until the end of its input. Events as lines " +
    "of JSON.\n" +
    "  rack roms --count N --folder FOLDER [--kind KIND,…] [--id FIRST]\n" +
    "      Inside a rack: N boards, numbered from FIRST, boot from the network at once, of the kinds in turn (also raspi3bplus, raspi4, " +
    "raspi5), as far as their boot\n" +
    "      ROM and firmware go, each in up to five attempts. What they load is put into FOLDER. Events as lines of JSON; the exit code " +
    "is the number of boards that found nothing.\n" +
    """
      rack forward --socket PATH --to ADDR:PORT
          Inside a rack: passes connections to a Unix socket, which can be reached from outside, on to an address of the rack.
    """;

try
{
    return await RunAsync(args);
}
catch (RackException reason)
{
    Console.Error.WriteLine("rack: " + reason.Message);
    return 1;
}

static async Task<int> RunAsync(string[] args)
{
    if (args.Length == 0 || args[0] is "--help" or "-h")
    {
        Console.WriteLine(Usage);
        return args.Length == 0 ? 2 : 0;
    }
    var arguments = new Arguments(args[1..]);
    var events = new EventLog(Console.Out, TimeProvider.System);
    switch (args[0])
    {
        case "enter" or "hold":
            if (await Namespaces.WhyNotAsync() is { } reason)
            {
                throw new RackException(reason);
            }
            return Become(Namespaces.NewRack([.. Namespaces.Self, args[0] + "-inside", .. args[1..]]));
        case "enter-inside":
            return await EnterAsync(arguments);
        case "hold-inside":
            await SetUpAsync(arguments);
            events.Write("rack-up", ("pid", Namespaces.OuterProcessId));
            while (await Console.In.ReadLineAsync() is not null)
            {
            }
            return 0;
        case "board":
            return Become(Namespaces.NewTree([.. Namespaces.Self, "board-inside", .. args[1..]]));
        case "board-inside":
            await new Board(ReadBoard(arguments), events, TimeProvider.System).RunAsync();
            return 0;
        case "machine":
            return Become(Namespaces.NewTree([.. Namespaces.Self, "machine-inside", .. args[1..]]));
        case "machine-inside":
            return await RunMachineAsync(arguments);
        case "forward":
            using (var stop = new CancellationTokenSource())
            {
                Socket listener = Forwarder.Listen(arguments.Get("socket"));
                Console.WriteLine("forwarding");
                await Forwarder.RunAsync(listener, IPEndPoint.Parse(arguments.Get("to")), stop.Token);
            }
            return 0;
        case "netboot":
            string files = arguments.Get("folder"), dhcp = arguments.Find("dhcp") ?? "proxy";
            bool force = arguments.Find("force") == "yes";
            var plan = new AddressPlan
            {
                Pools = [.. (arguments.Find("pool") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(text =>
                    AddressPool.TryParse(text, out AddressPool? pool) ? pool : throw new RackException($"--pool {text} is no pool"))],
            };
            arguments.End();
            await new BareNetboot(files, events).RunAsync(dhcp == "full", force, plan);
            return 0;
        case "ask":
            int from = (int)arguments.GetNumber("from", 68);
            var to = IPEndPoint.Parse(arguments.Get("to"));
            byte[][] messages = [.. arguments.Get("messages").Split(',').Select(Convert.FromHexString)];
            long gap = arguments.GetNumber("gap", 0), patience = arguments.GetNumber("patience", 1500);
            arguments.End();
            await new Question(events, TimeProvider.System).AskAsync(from, to, messages, TimeSpan.FromMilliseconds(gap),
                TimeSpan.FromMilliseconds(patience));
            return 0;
        case "roms":
            return await RunRomsAsync(arguments, events);
        case "rom":
            string folder = arguments.Get("folder");
            BootPayload? payload = await new NetworkRom(ReadBoard(arguments), events, TimeProvider.System).RunAsync(folder);
            if (payload is not null)
            {
                Console.WriteLine("payload " + JsonSerializer.Serialize(payload));
            }
            return 0;
        default:
            throw new RackException($"'{args[0]}' is not a command; see rack --help");
    }
}

static int Become(string[] command)
{
    Native.Exec(command);
    throw new RackException($"cannot run {command[0]}: run `make deps-lab`");
}

static async Task<Process?> SetUpAsync(Arguments arguments)
{
    string server = arguments.Find("address-server") ?? "none";
    arguments.End();
    await RackNetwork.CreateAsync();
    return server switch
    {
        "none" => null,
        "dnsmasq" => await RackNetwork.StartAddressServerAsync(),
        _ => throw new RackException($"--address-server {server} is not one of dnsmasq, none"),
    };
}

static async Task<int> EnterAsync(Arguments arguments)
{
    if (arguments.Command.Length == 0)
    {
        throw new RackException("which command? rack enter -- COMMAND…");
    }
    using Process? server = await SetUpAsync(arguments);
    // Ctrl-C reaches the command too, which decides what it means.
    Console.CancelKeyPress += (_, pressed) => pressed.Cancel = true;
    using Process command = Process.Start(new ProcessStartInfo(arguments.Command[0], arguments.Command[1..]))!;
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
    {
        signal.Cancel = true;
        _ = Native.Kill(command.Id, Native.SigTerm);
    });
    await command.WaitForExitAsync();
    return command.ExitCode;
}

static async Task<int> RunMachineAsync(Arguments arguments)
{
    int id = (int)arguments.GetNumber("id", 1);
    string address = arguments.Get("address");
    arguments.End();
    using Process machine = await RackNetwork.StartMachineAsync(id, address, arguments.Command);
    await Task.WhenAll(CopyAsync(machine.StandardOutput, Console.Out), CopyAsync(machine.StandardError, Console.Error));
    await machine.WaitForExitAsync();
    return machine.ExitCode;

    static async Task CopyAsync(StreamReader from, TextWriter to)
    {
        while (await from.ReadLineAsync() is { } line)
        {
            await to.WriteLineAsync(line);
        }
    }
}

static async Task<int> RunRomsAsync(Arguments arguments, EventLog events)
{
    int count = (int)arguments.GetNumber("count", 1);
    string folder = arguments.Get("folder");
    int first = (int)arguments.GetNumber("id", 1);
    BoardKind[] kinds = [.. (arguments.Find("kind") ?? "raspi4").Split(',').Select(kind => Enum.Parse<BoardKind>(kind, ignoreCase: true))];
    arguments.End();
    bool[] booted = await Task.WhenAll(Enumerable.Range(first, count).Select(id =>
    {
        string own = Path.Combine(folder, id.ToString(System.Globalization.CultureInfo.InvariantCulture));
        var board = new BoardOptions(kinds[(id - first) % kinds.Length], id, own, own);
        return BootAsync(board, own, events);
    }));
    return booted.Count(ok => !ok);

    static async Task<bool> BootAsync(BoardOptions board, string folder, EventLog events)
    {
        events.Write("power-on", ("serial", board.Serial), ("mac", board.Mac), ("kind", board.Kind));
        for (int attempts = 0; attempts < 5; attempts++)
        {
            if (await NetworkRom.RunOnCableAsync(board, $"rom{board.Id}", folder,
                line => events.WriteLine($"{{\"board\":{board.Id},{line[1..]}")) is not null)
            {
                return true;
            }
        }
        return false;
    }
}

static BoardOptions ReadBoard(Arguments arguments)
{
    BoardKind kind = Enum.TryParse(arguments.Get("kind"), ignoreCase: true, out BoardKind known)
        ? known : throw new RackException("--kind must be one of virt, raspi3b, x86, x86bios, armuefi");
    var board = new BoardOptions(kind, (int)arguments.GetNumber("id", 1), Path.GetFullPath(arguments.Get("card")),
        Path.GetFullPath(arguments.Get("log")));
    board = board with
    {
        CardSize = arguments.GetNumber("card-size", board.CardSize),
        Memory = (int)arguments.GetNumber("memory", board.Memory),
        Bridge = arguments.Find("bridge") ?? board.Bridge,
        Resets = (int)arguments.GetNumber("resets", board.Resets),
        NetworkFirst = arguments.Find("network-first") == "yes",
        HttpBoot = arguments.Find("http-boot") == "yes",
        KeepsOrder = arguments.Find("keeps-order") == "yes",
    };
    arguments.End();
    return board.Id is >= 1 and <= 65535 ? board : throw new RackException("--id must be from 1 to 65535");
}
