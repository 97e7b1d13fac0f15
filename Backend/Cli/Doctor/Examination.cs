using System.Diagnostics;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Bootstrap.Cli.Api;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Protocol.Discovery.Legacy;

namespace Bootstrap.Cli.Doctor;

/// <summary>Gathers what the rules look at, on all interfaces at the same time.</summary>
/// <param name="interfaceNames">Those to look at; none: all physical ones.</param>
/// <param name="search">Its meshes are asked, and its address alone.</param>
/// <param name="clock">Tells and measures the time.</param>
internal sealed class Examination(IReadOnlyCollection<string> interfaceNames, Search search, TimeProvider clock)
{
    /// <summary>The longest pause between two beats, and a little.</summary>
    public static readonly TimeSpan Quick = PresenceTiming.Standard.Beat * 1.2 + TimeSpan.FromSeconds(1);

    /// <summary>The pause between two queries of an IGMP querier is 125 s, and members get 10 s to answer (RFC 3376).</summary>
    public static readonly TimeSpan Thorough = TimeSpan.FromSeconds(136);

    private static readonly TimeSpan s_httpTime = TimeSpan.FromSeconds(5);

    /// <summary>Tries everything.</summary>
    /// <param name="time">Listens so long.</param>
    /// <param name="cancellation">Ends it early.</param>
    /// <exception cref="CliException">An interface that was named does not exist.</exception>
    public async Task<DoctorFacts> RunAsync(TimeSpan time, CancellationToken cancellation)
    {
        IReadOnlyList<NetworkInterface> all = DiscoverySocket.Physical(interfaceNames);
        if (interfaceNames.FirstOrDefault(name => all.All(i => i.Name != name)) is { } missing)
        {
            throw new CliException($"--interface {missing}: this machine has no such interface; see `ip link`") { ExitCode = 2 };
        }
        using FrontWatch? front = FrontWatch.TryStart(clock);
        long reversePath = ReversePathDrops();
        Task end = Task.Delay(time, clock, cancellation);
        Task<IReadOnlyList<IPAddress>> of2015 = Nodes2015Async(cancellation);
        InterfaceFacts[] interfaces = await Task.WhenAll(all.Where(i => DiscoverySocket.IPv4(i) is not null || !KernelTables.IsPort(i))
            .Select(i => ExamineAsync(i, front, end, cancellation)));
        if (front is not null)
        {
            await front.StopAsync();
        }
        var facts = new DoctorFacts(search.Meshes, clock.GetUtcNow(), time, interfaces)
        {
            Nodes2015 = await of2015,
            DroppingLines = await DroppingLinesAsync(cancellation),
            ReversePathDrops = ReversePathDrops() - reversePath,
            LostByOthers = KernelTables.Drops(KernelTables.Read("/proc/net/udp"), ServicePorts.Discovery),
            BufferLimit = KernelTables.Number("/proc/sys/net/core/rmem_max"),
        };
        ApplianceTime?[] times = await Task.WhenAll(facts.Answers.Where(a => a.HttpPort is not null).DistinctBy(a => a.Id)
            .Select(a => TimeOfAsync(a, cancellation)));
        return facts with { Times = [.. times.OfType<ApplianceTime>()] };
    }

    private async Task<InterfaceFacts> ExamineAsync(NetworkInterface i, FrontWatch? front, Task end, CancellationToken cancellation)
    {
        LinkState state = KernelTables.StateOf(i);
        try
        {
            return state == LinkState.Usable
                ? await new InterfaceExam(i, search.Meshes, search.Address, front, clock).RunAsync(end, cancellation)
                : new InterfaceFacts(i.Name, state, DiscoverySocket.IPv4(i)?.Address) { Bridge = KernelTables.BridgeOf(i.Name) };
        }
        catch (Exception e) when (e is SocketException or NetworkInformationException)
        {
            // It went down a moment ago.
            return new InterfaceFacts(i.Name, LinkState.Off);
        }
    }

    private async Task<IReadOnlyList<IPAddress>> Nodes2015Async(CancellationToken cancellation)
    {
        var marco = new LegacyMarco(interfaceNames, clock);
        var found = new HashSet<IPAddress>();
        foreach (string group in LegacyMessage.Groups)
        {
            await foreach (LegacyNode node in marco.FindAsync(group, null,
                new Search { Timeout = LegacyMarco.StandardTimeout, Retries = 1 }, cancellation))
            {
                found.Add(node.Address);
            }
        }
        return [.. found];
    }

    /// <summary>The appliance's time, from the head of any HTTP answer (RFC 9110, Date).</summary>
    private async Task<ApplianceTime?> TimeOfAsync(HeardAnswer appliance, CancellationToken cancellation)
    {
        using var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };
        using var http = new HttpClient(handler) { Timeout = s_httpTime };
        try
        {
            using HttpResponseMessage response = await http.GetAsync(
                new Uri($"http://{appliance.From.Address}:{appliance.HttpPort}/"), HttpCompletionOption.ResponseHeadersRead, cancellation);
            return response.Headers.Date is { } date ? new ApplianceTime(appliance.Id, appliance.From.Address, date, clock.GetUtcNow())
                : null;
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            // It does not say.
            return null;
        }
    }

    /// <summary>An explanation for people alone: what is dropped was found out by trying.</summary>
    private static async Task<IReadOnlyList<string>?> DroppingLinesAsync(CancellationToken cancellation)
    {
        try
        {
            using Process nft = Process.Start(new ProcessStartInfo("nft",
                ["list", "ruleset"])
            { RedirectStandardOutput = true, RedirectStandardError = true })!;
            Task<string> errors = nft.StandardError.ReadToEndAsync(cancellation);
            string rules = await nft.StandardOutput.ReadToEndAsync(cancellation);
            await errors;
            await nft.WaitForExitAsync(cancellation);
            return nft.ExitCode == 0 ? KernelTables.DroppingLines(rules) : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // Not installed.
            return null;
        }
    }

    private static long ReversePathDrops() => KernelTables.Counter(KernelTables.Read("/proc/net/netstat"), "IPReversePathFilter");
}
