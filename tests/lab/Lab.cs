using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

namespace Bootstrap.Lab.Tests;

/// <summary>
/// One test's rack with its appliance and boards. Consoles, events, the appliance's log and the state of all jobs are left in
/// <c>build/lab/TEST</c>; cards go when the test ends.
/// </summary>
internal sealed class Lab : IAsyncDisposable
{
    /// <summary>Asked for by <c>make soak</c>: what takes long and seldom shows anything new.</summary>
    public static bool IsSoak { get; } = Environment.GetEnvironmentVariable("SOAK") == "1";

    /// <summary>Far beyond what a busy machine needs: only what hangs comes to it.</summary>
    private static readonly TimeSpan s_timeLimit = TimeSpan.FromMinutes(20);

    /// <summary>Exit code of a board whose plug was pulled.</summary>
    private const int PowerCut = 137;

    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly string _artefacts;
    private readonly string[] _serve;
    private readonly List<VirtualBoard> _boards = [];
    private RackAppliance? _appliance;

    private Lab(VirtualRack rack, string artefacts, string[] serve)
    {
        (Rack, _artefacts, _serve) = (rack, artefacts, serve);
        _stop.CancelAfter(s_timeLimit);
    }

    public VirtualRack Rack { get; }

    public RackAppliance Appliance => _appliance ?? throw new InvalidOperationException("the appliance is not switched on");

    /// <summary>Ends whatever waits when the test has taken far too long.</summary>
    public CancellationToken Cancel => _stop.Token;

    /// <summary>For cards and the appliance's data.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("bootstrap-lab-").FullName;

    /// <summary>The fingerprint of the appliance's CA.</summary>
    public string Fingerprint
    {
        get
        {
            using X509Certificate2 authority = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(Folder, "data", "ca", "ca.pem"));
            return Protocol.Fingerprint.Of(authority);
        }
    }

    /// <summary>The appliance's store of images.</summary>
    public string ChunkFolder => Path.Combine(Folder, "data", "store", "chunks");

    /// <summary>Makes the rack and starts the appliance.</summary>
    /// <param name="addressServer">A site's DHCP server gives the addresses, and the appliance stands beside it as proxy.</param>
    /// <param name="serve">Other options of the appliance than those that say so.</param>
    /// <param name="approve">New boards are approved without a person, as in a rack that nobody else reaches.</param>
    /// <param name="test">Filled in by the compiler.</param>
    public static async Task<Lab> StartAsync(
        bool addressServer = false, string[]? serve = null, bool approve = true, [CallerMemberName] string test = "")
    {
        var lab = new Lab(await VirtualRack.StartAsync(addressServer), Repository.MakeArtefactFolder(test),
            serve ?? ["--dhcp", addressServer ? "proxy" : "full"]);
        await lab.StartApplianceAsync();
        if (approve)
        {
            await lab.Appliance.ApproveNewBoardsAsync(lab.Cancel);
        }
        return lab;
    }

    /// <summary>Switches the appliance on; a second time it goes on with its data.</summary>
    public async Task StartApplianceAsync() =>
        _appliance = await RackAppliance.StartAsync(Rack, Repository.Program, Folder, _serve, Cancel);

    /// <summary>SIGKILL.</summary>
    public async Task KillApplianceAsync()
    {
        await Appliance.KillAsync();
        await LeaveApplianceAsync();
    }

    /// <summary>Imports an image and returns the path of the same image as it is before it is imported.</summary>
    /// <param name="name">Such as "tiny-arm64"; also its name in the store.</param>
    public async Task<string> ImportAsync(string name)
    {
        string image = await Repository.BuildImageAsync(name);
        await Appliance.ImportAsync(image + ".zst", name, Cancel);
        return image;
    }

    /// <summary>What a board of this rack is plugged in with.</summary>
    public BoardOptions Plan(BoardKind kind, int id = 1) =>
        new(kind, id, Path.Combine(Folder, $"card-{id}.img"), Path.Combine(_artefacts, $"board-{id}.console"));

    /// <summary>Switches a board on.</summary>
    public async Task<VirtualBoard> PowerOnAsync(BoardOptions board)
    {
        VirtualBoard started = await Rack.StartBoardAsync(board);
        _boards.Add(started);
        return started;
    }

    /// <summary>Waits until something of the appliance's API is as it should be.</summary>
    /// <param name="what">For the message when it never is.</param>
    /// <param name="path">Relative to the API.</param>
    public async Task<JsonNode> WaitForAsync(string what, string path, Func<JsonNode, bool> isSo)
    {
        JsonNode? last = null;
        try
        {
            while (true)
            {
                last = await Appliance.GetAsync(path, Cancel);
                if (isSo(last))
                {
                    return last;
                }
                foreach (VirtualBoard ended in _boards.Where(b => b.Exited.IsCompleted))
                {
                    if (await ended.Exited is not (0 or PowerCut))
                    {
                        throw new RackException($"board {ended.Options.Id} failed: {ended.Errors}");
                    }
                }
                await Task.Delay(s_look, TimeProvider.System, Cancel);
            }
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            throw new RackException($"waited {s_timeLimit.TotalMinutes:0} minutes for {what}; last seen: {last?.ToJsonString()}");
        }
    }

    /// <summary>Waits until the board's node is as it should be.</summary>
    public async Task<JsonNode> WaitForNodeAsync(VirtualBoard board, string what, Func<JsonNode, bool> isSo)
    {
        JsonNode nodes = await WaitForAsync(
            $"board {board.Options.Id} {what}", "nodes", list => Find(list, board) is { } node && isSo(node));
        return Find(nodes, board)!;

        static JsonNode? Find(JsonNode nodes, VirtualBoard board) =>
            nodes.AsArray().FirstOrDefault(n => n.Text("id") == board.Options.NodeId);
    }

    /// <summary>Waits until the board has an installed system that is connected.</summary>
    public Task<JsonNode> WaitForRunningAsync(VirtualBoard board) =>
        WaitForNodeAsync(board, "runs", node => node.Text("lifecycle") == "installed" && node.Text("link") == "slave");

    /// <summary>Waits for the job that the policy for new boards makes.</summary>
    public async Task<Guid> WaitForJobAsync() =>
        Guid.Parse((await WaitForAsync("a job", "jobs", jobs => jobs.AsArray().Count > 0))[0].Text("id"));

    /// <summary>Waits until the only task of a job is as it should be.</summary>
    public async Task<JsonNode> WaitForTaskAsync(Guid job, string what, Func<JsonNode, bool> isSo)
    {
        JsonNode detail = await WaitForAsync($"a task {what}", $"jobs/{job}", found => isSo(found["tasks"]![0]!) || Ended(found));
        JsonNode task = detail["tasks"]![0]!;
        return isSo(task) ? task : throw new RackException($"the job ended before its task was {what}: {task.ToJsonString()}");
    }

    /// <summary>Waits for the end of a job and returns its tasks.</summary>
    public async Task<IReadOnlyList<JsonNode>> WaitForEndAsync(Guid job) =>
        [.. (await WaitForAsync("the end of a job", $"jobs/{job}", Ended))["tasks"]!.AsArray().Select(t => t!)];

    /// <summary>Installs an image on a new board, as a person's order once the board waits for one.</summary>
    public async Task<VirtualBoard> InstallAsync(BoardOptions plan, string image)
    {
        VirtualBoard board = await PowerOnAsync(plan);
        await WaitForNodeAsync(board, "waits", node => node.Text("link") == "net-inst");
        await ExpectSuccessAsync(await OrderAsync("install", board, image));
        await WaitForRunningAsync(board);
        return board;
    }

    /// <summary>Orders a shutdown, and returns when the board is off and the job has succeeded.</summary>
    public async Task ShutDownAsync(VirtualBoard board)
    {
        await ExpectSuccessAsync(await OrderAsync("shutdown", board));
        Assert.Equal(0, await board.Exited.WaitAsync(Cancel));
    }

    /// <summary>Waits until a fifth of the image is on the card, and most is not.</summary>
    public Task<JsonNode> WaitForMidWriteAsync(Guid job) =>
        WaitForTaskAsync(job, "in the middle of writing", t =>
        t.Text("phase") == "writing" && t.Number("total") > 0 && t.Number("done") * 5 > t.Number("total"));

    /// <summary>Orders something of one board.</summary>
    public Task<Guid> OrderAsync(string kind, VirtualBoard board, string? image = null, object? parameters = null) =>
        Appliance.OrderAsync(kind, [board.Options.NodeId], image, Cancel, parameters);

    /// <summary>Waits for the end of a job and checks that it went well for all.</summary>
    public async Task ExpectSuccessAsync(Guid job) =>
        Assert.All(await WaitForEndAsync(job), task => Assert.Equal(("succeeded", ""), (task.Text("state"), task.Text("cause"))));

    public async ValueTask DisposeAsync()
    {
        if (_appliance is not null)
        {
            await File.WriteAllTextAsync(Path.Combine(_artefacts, "jobs.json"), await DescribeJobsAsync(), CancellationToken.None);
            await LeaveApplianceAsync();
        }
        foreach (VirtualBoard board in _boards)
        {
            await board.DisposeAsync();
            await File.AppendAllLinesAsync(Path.Combine(_artefacts, $"board-{board.Options.Id}.events"),
                board.Events.Select(e =>
                $"{e.At:HH:mm:ss.fff} {e.Name} " +
                $"{string.Join(' ', e.Details.Where(d => d.Key is not ("at" or "event")).Select(d => $"{d.Key}={d.Value}"))}"),
                CancellationToken.None);
        }
        await Rack.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
        _stop.Dispose();
    }

    private static bool Ended(JsonNode job) => job["job"]!["ended"]!.GetValue<bool>();

    private async Task LeaveApplianceAsync()
    {
        await Appliance.DisposeAsync();
        await File.AppendAllLinesAsync(Path.Combine(_artefacts, "appliance.log"), Appliance.Log, CancellationToken.None);
        _appliance = null;
    }

    private async Task<string> DescribeJobsAsync()
    {
        try
        {
            var jobs = new JsonArray();
            foreach (JsonNode? job in (await Appliance.GetAsync("jobs", CancellationToken.None)).AsArray())
            {
                jobs.Add(await Appliance.GetAsync($"jobs/{job.Text("id")}", CancellationToken.None));
            }
            return jobs.ToJsonString(new() { WriteIndented = true });
        }
        catch (HttpRequestException reason)
        {
            return $"the appliance does not answer: {reason.Message}\n";
        }
    }
}
