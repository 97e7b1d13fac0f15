using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Bootstrap.Rack;

namespace Bootstrap.Demo;

/// <summary>
/// Shows the whole way: a rack with an appliance, bare boards with empty cards, and what becomes of them.
/// </summary>
/// <param name="program">The appliance's program.</param>
/// <param name="imageFile">The operating system that the boards get.</param>
/// <param name="folder">Keeps the appliance's data from one start to the next; cards are always new.</param>
/// <param name="kind">Which boards.</param>
/// <param name="count">How many.</param>
/// <param name="once">Ends as soon as every board runs.</param>
internal sealed class DemoRun(string program, string imageFile, string folder, BoardKind kind, int count, bool once)
{
    private const long CardBytes = 2L << 30;
    private const int FirstPort = 8443;

    /// <summary>Emulation on a busy machine is slow, a Raspberry Pi 3's emulated network slower still.</summary>
    private static readonly TimeSpan s_timeLimit = TimeSpan.FromMinutes(30);

    private static readonly TimeSpan s_lookPeriod = TimeSpan.FromMilliseconds(250);

    private string Architecture => kind == BoardKind.X86 ? "amd64" : "arm64";

    public async Task<int> RunAsync(CancellationToken cancel)
    {
        Directory.CreateDirectory(folder);
        await using VirtualRack rack = await VirtualRack.StartAsync(addressServer: false);
        Say("a rack of its own: nothing in it can reach your network");
        await using RackAppliance appliance = await RackAppliance.StartAsync(rack, program, folder, ["--dhcp", "full"], cancel);

        // The page is looked at from outside the rack.
        using var stopForwarding = new CancellationTokenSource();
        Socket listener = Listen(out int port);
        Task forwarding = Forwarder.RunAsync(listener, new UnixDomainSocketEndPoint(appliance.ApiSocket), stopForwarding.Token);
        Say($"the appliance is ready: https://localhost:{port}/{appliance.SignIn}");
        Say("  (the link signs you in, once; your browser will ask about the certificate, which the appliance made itself)");
        try
        {
            return await InstallAsync(rack, appliance, cancel);
        }
        finally
        {
            await stopForwarding.CancelAsync();
            await forwarding;
        }
    }

    private async Task<int> InstallAsync(VirtualRack rack, RackAppliance appliance, CancellationToken cancel)
    {
        string image = await ImportAsync(appliance, cancel);
        await ForgetBoardsAsync(appliance, cancel);
        await appliance.InstallNewBoardsAsync(Architecture, image, cancel);
        Say($"the demo sets the policy that new {Architecture} boards get '{image}' at once; without it they would wait for a person");

        var boards = new List<VirtualBoard>();
        try
        {
            for (int id = 1; id <= count; id++)
            {
                string card = Path.Combine(folder, $"card-{id}.img"), log = Path.Combine(folder, $"board-{id}.log");
                File.Delete(card);
                File.Delete(card + ".uefi");
                File.Delete(log);
                boards.Add(await rack.StartBoardAsync(new BoardOptions(kind, id, card, log) { CardSize = CardBytes }));
                Say($"power: board {id}, {kind.ToString().ToLowerInvariant()}, with an empty card of {CardBytes >> 30} GiB; its console " +
                    $"goes to {log}");
            }
            return await WatchAsync(appliance, boards, cancel);
        }
        finally
        {
            foreach (VirtualBoard board in boards)
            {
                await board.DisposeAsync();
            }
        }
    }

    private async Task<string> ImportAsync(RackAppliance appliance, CancellationToken cancel)
    {
        string name = Path.GetFileName(imageFile).Split(".img")[0];
        if ((await appliance.GetAsync("images", cancel)).AsArray().All(i => i!["name"]!.ToString() != name))
        {
            Say($"importing {Path.GetFileName(imageFile)} into the store");
            await appliance.ImportAsync(imageFile, name, cancel);
        }
        return name;
    }

    /// <summary>The boards of an earlier start had the same serial numbers; these are to be new ones.</summary>
    private static async Task ForgetBoardsAsync(RackAppliance appliance, CancellationToken cancel)
    {
        foreach (JsonNode? node in (await appliance.GetAsync("nodes", cancel)).AsArray())
        {
            await appliance.SendAsync(HttpMethod.Delete, $"nodes/{node!["id"]}", null, cancel);
        }
    }

    private async Task<int> WatchAsync(RackAppliance appliance, List<VirtualBoard> boards, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(s_timeLimit);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, limit.Token);
        var display = new BoardDisplay(boards);
        try
        {
            bool allRun = false;
            while (true)
            {
                display.Update(await appliance.GetAsync("nodes", either.Token));
                if (!allRun && await FailureAsync(appliance, boards, either.Token) is { } failure)
                {
                    throw new RackException(failure);
                }
                if (!allRun && display.AllRun)
                {
                    allRun = true;
                    limit.CancelAfter(Timeout.InfiniteTimeSpan);
                    Say($"every board runs what was installed on it{(once ? "" : "; they go on until you press Ctrl-C")}");
                    if (once)
                    {
                        return 0;
                    }
                }
                await Task.Delay(s_lookPeriod, TimeProvider.System, either.Token);
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            throw new RackException($"after {s_timeLimit.TotalMinutes:0} minutes not every board runs; see the boards' consoles in " +
                $"{folder}");
        }
    }

    private static async Task<string?> FailureAsync(RackAppliance appliance, List<VirtualBoard> boards, CancellationToken cancel)
    {
        if (appliance.Exited.IsCompleted)
        {
            return $"the appliance ended: {string.Join('\n', appliance.Log.TakeLast(5))}";
        }
        if (boards.FirstOrDefault(b => b.Exited.IsCompleted) is { } dead)
        {
            return $"board {dead.Options.Id} ended: {dead.Errors}";
        }
        foreach (JsonNode? job in (await appliance.GetAsync("jobs", cancel)).AsArray())
        {
            if (job!["counts"]!.AsObject().Any(c => c.Key is "failed" or "timed-out" or "cancelled"))
            {
                JsonNode detail = await appliance.GetAsync($"jobs/{job["id"]}", cancel);
                JsonNode? task = detail["tasks"]!.AsArray().FirstOrDefault(t => t!["cause"]!.ToString().Length > 0);
                // Boards that were forgotten took their tasks along: what is left belongs to these boards.
                return $"an installation did not succeed: {task?["nodeName"]}: {task?["cause"]}";
            }
        }
        return null;
    }

    private static Socket Listen(out int port)
    {
        for (port = FirstPort; ; port++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                socket.Listen();
                return socket;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse && port < FirstPort + 100)
            {
                socket.Dispose();
            }
        }
    }

    private static void Say(string line) => Console.WriteLine($"demo: {line}");
}
