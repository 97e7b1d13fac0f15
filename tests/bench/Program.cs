using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Bootstrap.Bench;
using Bootstrap.Board;
using Bootstrap.Installer;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

// The nodes' part of the measurements; tests/bench/run and tests/bench/netboot say when.
//   bench-node install DEVICE IMAGE http://ADDRESS:PORT CA-FILE        prints the seconds of each phase and the peak of memory
//   bench-node install DEVICE IMAGE https://ADDRESS:PORT FOLDER        the same of a private image, as the node of the folder
//   bench-node enrol ADDRESS:PORT CA-FILE JOIN-TOKEN FOLDER            makes FOLDER what a Slave finds in /etc/bootstrap
//   bench-node tftp ADDRESS:PORT PATH CLIENTS WINDOW                   fetches a file as often at once; prints seconds and bytes
//   bench-node tftp-hold ADDRESS:PORT PATH CLIENTS WINDOW              leaves as many transfers at their first block until its input ends
//   bench-node polos COUNT INTERFACE AUTHORITY|-                       as many nodes, each with sockets of its own, until its input ends
//   bench-node beating-polos COUNT INTERFACE ADDRESS:PORT CA-FILE JOIN-TOKEN   the same as nodes of an appliance, which say that they are
// there
//   bench-node marco INTERFACE RUNS AUTHORITY-FILE|- BUFFER            looks for all of them; prints a line for each run
//   bench-node question-a-second INTERFACE SECONDS                     prints how often a Slave has answered
//   bench-node fleet ADDRESS:PORT CA-FILE JOIN-TOKEN COUNT             as many nodes on real links, which restart when they are told to,
// until its input ends
//   bench-node strangers ADDRESS:PORT CA-FILE JOIN-TOKEN COUNT SECONDS as many boards ask to be admitted, each once a second
//   bench-node kernel SECONDS KIND NAME=VALUE…                         measures a benchmark's kernel; prints the median
//   bench-node sampler READINGS                                        reads this machine's status as often; prints what one costs
return args switch
{
    ["kernel", var seconds, var kind, .. var parameters] =>
        KernelLoad.Run(kind, parameters, TimeSpan.FromSeconds(int.Parse(seconds, CultureInfo.InvariantCulture))),
    ["sampler", var readings] => SamplerLoad.Run(int.Parse(readings, CultureInfo.InvariantCulture)),
    ["install", var device, var image, var store, var trust] => await InstallAsync(device, Digest.Parse(image), new Uri(store), trust),
    ["enrol", var appliance, var authority, var token, var folder] => await EnrolAsync(appliance, authority, token, folder),
    ["tftp", var server, var path, var clients, var window] => Fetch(server, path, clients, window, hold: false),
    ["tftp-hold", var server, var path, var clients, var window] => Fetch(server, path, clients, window, hold: true),
    ["polos", var count, var network, var authority] =>
        await DiscoveryLoad.AnswerAsync(int.Parse(count, CultureInfo.InvariantCulture), network, authority),
    ["beating-polos", var count, var network, var appliance, var authority, var token] => await DiscoveryLoad.BeatAsync(
        int.Parse(count, CultureInfo.InvariantCulture), network, new FleetLoad(appliance, ReadAuthority(authority), token)),
    ["marco", var network, var runs, var authority, var buffer] =>
        await DiscoveryLoad.AskAsync(network, int.Parse(runs, CultureInfo.InvariantCulture), authority,
            int.Parse(buffer, CultureInfo.InvariantCulture)),
    ["question-a-second", var network, var seconds] => await DiscoveryLoad.AskEverySecondAsync(network,
        int.Parse(seconds, CultureInfo.InvariantCulture)),
    ["fleet", var appliance, var authority, var token, var count] =>
        await new FleetLoad(appliance, ReadAuthority(authority), token).RunAsync(int.Parse(count, CultureInfo.InvariantCulture)),
    ["strangers", var appliance, var authority, var token, var count, var seconds] => await new StrangerLoad(IPEndPoint.Parse(appliance),
        ReadAuthority(authority), token)
        .RunAsync(int.Parse(count, CultureInfo.InvariantCulture), TimeSpan.FromSeconds(int.Parse(seconds, CultureInfo.InvariantCulture))),
    _ => Usage(),
};

static async Task<int> InstallAsync(string device, Digest image, Uri store, string trusted)
{
    bool isPrivate = store.Scheme == Uri.UriSchemeHttps;
    X509Certificate2 authority = isPrivate ? NodeConfig.LoadAuthority(trusted) : ReadAuthority(trusted);
    using NodeIdentity? identity = isPrivate ? NodeIdentity.Load(Path.Combine(trusted, NodeFiles.Identity)) : null;
    TimeProvider clock = TimeProvider.System;
    var nothing = new RemoteFile("", image, 0);
    var order = new InstallOrder(image, null, Compare: false, new NodeConfiguration("bench", [], nothing, [], ""));
    var trust = new InstallTrust(authority, "", default);
    using var client = new StoreClient(store, Log, clock, isPrivate ? new ApplianceTls(authority).CreateHandler(identity, Log) : null);
    using var kept = new KeptClient(new SocketsHttpHandler(), store);
    using var installation = new Installation(Guid.NewGuid(), order, client, trust, new BenchMachine(device), kept, static _ => { }, Log,
        clock);

    // What configures the new system needs a board's kernel to mount it.
    InstallStep[] steps = [.. installation.Steps.Where(s => !s.Text.Contains("Slave program") && !s.Text.Contains("configure the system"))];
    if (installation.Steps.Count - steps.Length != 2 || steps[^1].Phase != "configuring")
    {
        throw new InvalidOperationException("the installation's steps are no longer those that are measured: look at them and at this " +
            "program");
    }
    var phases = new Dictionary<string, double>();
    foreach (InstallStep step in steps)
    {
        long started = clock.GetTimestamp();
        await step.RunAsync(CancellationToken.None);
        phases[step.Phase] = phases.GetValueOrDefault(step.Phase) + clock.GetElapsedTime(started).TotalSeconds;
    }
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $$"""{"checking":{{phases["checking"]:0.000}},"writing":{{phases["writing"]:0.000}},"verifying":""" +
        $$"""{{phases["verifying"]:0.000}},"head":{{phases["configuring"]:0.000}},"peakBytes":{{PeakMemory()}}}"""));
    return 0;
}

static async Task<int> EnrolAsync(string appliance, string authorityFile, string token, string folder)
{
    TimeProvider clock = TimeProvider.System;
    var tls = new ApplianceTls(ReadAuthority(authorityFile));
    var enroller = new Enroller(tls, new ApplianceLocator("default", () => [appliance], clock), Log, clock);
    var board = new BoardReader();
    using NodeIdentity identity = await enroller.EnrolAsync(
        token, () => board.ReadInventory("bench") ?? throw new InvalidOperationException("this machine has neither a serial number nor a " +
            "network interface"),
        null, CancellationToken.None);
    Directory.CreateDirectory(folder);
    identity.Save(Path.Combine(folder, NodeFiles.Identity));
    File.Copy(authorityFile, Path.Combine(folder, NodeFiles.Authority), overwrite: true);
    File.WriteAllText(Path.Combine(folder, NodeFiles.Settings),
        JsonSerializer.Serialize(new NodeSettings("default", [appliance], null, null), ProtocolJson.Default.NodeSettings));
    return 0;
}

static int Fetch(string server, string path, string clients, string window, bool hold)
{
    using var load = new TftpLoad(IPEndPoint.Parse(server), path, int.Parse(clients, CultureInfo.InvariantCulture),
        int.Parse(window, CultureInfo.InvariantCulture), hold);
    long started = TimeProvider.System.GetTimestamp();
    long bytes = load.Run();
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{TimeProvider.System.GetElapsedTime(started).TotalSeconds:0.000} " +
        $"{bytes}"));
    if (hold)
    {
        Console.In.ReadToEnd();
    }
    return 0;
}

static X509Certificate2 ReadAuthority(string file) => X509Certificate2.CreateFromPem(File.ReadAllText(file));

// The most memory that was resident at any time, in bytes (proc(5), VmHWM).
static long PeakMemory() =>
    1024 * long.Parse(File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal))
        .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);

static void Log(string line) => Console.Error.WriteLine(line);

static int Usage()
{
    Console.Error.WriteLine("bench-node: called by tests/bench/run");
    return 2;
}
