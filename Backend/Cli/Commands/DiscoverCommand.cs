using System.CommandLine;
using Bootstrap.Cli.Api;
using Bootstrap.Cli.Doctor;
using Bootstrap.Cli.Fleet;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Protocol.Discovery.Legacy;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap discover</c>: who is on the wire, without an appliance.</summary>
internal static class DiscoverCommand
{
    private static readonly TimeSpan s_servicesTime = TimeSpan.FromSeconds(3);

    private static readonly Option<bool> s_services =
        new("--services") { Description = "Show every node's services with their parameters." };
    private static readonly Option<bool> s_shell =
        new("--sh") { Description = "Addresses alone, for scripts: for host in $(bootstrap discover --sh); do …" };
    private static readonly Option<string?> s_hostFile = new("--hostsfile")
    {
        Description = "The list that another program reads.",
        HelpName = string.Join('|', HostList.Formats)
    };

    private static readonly Option<string?> s_2015 = new("--2015")
    {
        Description = "Ask programs of 2015, in this group.",
        HelpName = string.Join('|', LegacyMessage.Groups)
    };

    private static readonly Option<bool> s_doctor = new("--doctor")
    {
        Description = "Say why nodes are not found: what is wrong, how that is known, what to change. Exit code 1 if something is at " +
            "fault. Asks all nodes of the mesh, and --address besides; root sees more.",
    };

    private static readonly Option<bool> s_thorough =
        new("--thorough") { Description = "With --doctor: listen for more than two minutes, to know whether there is an IGMP querier." };

    static DiscoverCommand()
    {
        s_hostFile.AcceptOnlyFromAmong([.. HostList.Formats]);
        s_2015.AcceptOnlyFromAmong([.. LegacyMessage.Groups]);
    }

    private sealed record Shown(
        string Id, string HostName, string Address, Identity Identity, IReadOnlyDictionary<string, string> Parameters,
        IReadOnlyList<Service> Services, bool Proven);

    public static Command Create()
    {
        var command = new Command("discover",
            "Ask the wires of this machine who is there; needs no appliance. Exit code 1 where nobody answers.") { s_services, s_shell,
            s_hostFile, s_2015, s_doctor, s_thorough }.WithTable();
        SearchOptions.AddTo(command);
        command.SetAction((parsed, cancellation) => ClientCommand.GuardAsync(() =>
            parsed.GetValue(s_doctor) ? ExplainAsync(parsed, cancellation) :
            parsed.GetValue(s_2015) is { } group ? Discover2015Async(parsed, group, cancellation) : DiscoverAsync(parsed, cancellation)));
        return command;
    }

    private static async Task<int> DiscoverAsync(ParseResult parsed, CancellationToken cancellation)
    {
        MessageVerifier? verifier = await Vouching.FindAsync(parsed, cancellation);
        // What programs work with has no strangers in it; people see who else answers, unless they ask for a certain CA's nodes.
        bool isForPrograms = parsed.GetValue(s_hostFile) is not null || parsed.GetValue(s_shell),
            onlyProven = isForPrograms || parsed.GetValue(Vouching.AuthorityFile) is not null;
        IReadOnlyList<Found> found = await SearchOptions.FindAsync(parsed, verifier, onlyProven, cancellation);
        if (parsed.GetValue(s_hostFile) is { } format)
        {
            // Lists are of machines to work with, and the appliance is none.
            Console.Write(HostList.Write(format, found.Where(node => node.Node.Identity.Role != "appliance")));
        }
        else if (parsed.GetValue(s_shell))
        {
            Console.Write(string.Concat(found.Select(node => $"{node.Address}\n")));
        }
        else if (parsed.GetValue(ClientCommand.Json))
        {
            Output.Json(await Task.WhenAll(found.Select(node => ShowAsync(parsed, node, cancellation))));
        }
        else if (parsed.GetValue(s_services) && found.Count > 0)
        {
            Shown[] all = await Task.WhenAll(found.Select(node => ShowAsync(parsed, node, cancellation)));
            ClientCommand.Print(parsed, ["NODE", "SERVICE", "PARAMETERS"],
                all.SelectMany((node,
                i) => node.Services.Select(service => new[] { HostList.NameOf(found[i]), service.Id, Text(service.Parameters) })));
        }
        else if (found.Count > 0)
        {
            Column[] proven = verifier is null || onlyProven ? [] : ["PROVEN"];
            Column[] columns = ["NODE", "ADDRESS", .. proven, new("ID", 3), new("ROLE", 1), new("KIND", 2), "SERVICES"];
            ClientCommand.Print(parsed, columns, found.Select(node => (string[])
            [
                HostList.NameOf(node), node.Address.ToString(), .. proven.Select(_ => node.IsProven ? "yes" : "no"),
                node.Node.Id, node.Node.Identity.Role, node.Node.Identity.Kind, ServicesOf(node),
            ]));
        }
        if (found.Count == 0)
        {
            Console.Error.WriteLine($"nobody of mesh {string.Join(", ", parsed.GetRequiredValue(SearchOptions.Mesh))} answered");
        }
        return found.Count > 0 ? 0 : 1;
    }

    /// <summary>What the answer had room for, and how many more there are.</summary>
    private static string ServicesOf(Found found) =>
        string.Join(' ', found.Node.Services.Select(s => s.Id)) + (found.ServiceCount > found.Node.Services.Count
            ? $" +{found.ServiceCount - found.Node.Services.Count}" : "");

    private static async Task<int> ExplainAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var examination = new Examination(parsed.GetRequiredValue(SearchOptions.Interfaces), SearchOptions.Create(parsed),
            TimeProvider.System);
        IReadOnlyList<Finding> findings = DiscoveryDoctor.Explain(await examination.RunAsync(parsed.GetValue(s_thorough)
            ? Examination.Thorough : Examination.Quick, cancellation));
        if (parsed.GetValue(ClientCommand.Json))
        {
            Output.Json(findings);
        }
        else
        {
            Output.Findings(findings);
        }
        return findings.Any(f => f.Severity == "fault") ? 1 : 0;
    }

    private static async Task<int> Discover2015Async(ParseResult parsed, string group, CancellationToken cancellation)
    {
        Search search = SearchOptions.Create(parsed) with { Timeout = LegacyMarco.StandardTimeout };
        var found = new List<LegacyNode>();
        await foreach (LegacyNode node in new LegacyMarco(parsed.GetRequiredValue(SearchOptions.Interfaces), TimeProvider.System)
            .FindAsync(group, parsed.GetValue(SearchOptions.Service), search, cancellation))
        {
            found.Add(node);
        }
        if (parsed.GetValue(s_shell))
        {
            Console.Write(string.Concat(found.Select(node => $"{node.Address}\n")));
        }
        else if (found.Count > 0 || parsed.GetValue(ClientCommand.Json))
        {
            ClientCommand.Show(parsed, [.. found.Select(node => new { Address = node.Address.ToString(), node.Parameters })],
                ["ADDRESS", "PARAMETERS"],
                node => [node.Address, Text(node.Parameters)]);
        }
        if (found.Count == 0)
        {
            Console.Error.WriteLine($"nobody of 2015 answered in group {group}");
        }
        return found.Count > 0 ? 0 : 1;
    }

    /// <summary>The node with all its services: an answer holds as many as have room.</summary>
    private static async Task<Shown> ShowAsync(ParseResult parsed, Found found, CancellationToken cancellation)
    {
        NodeDescription node = found.Node;
        if (node.Services.Count < found.ServiceCount)
        {
            node = await SearchOptions.CreateMarco(parsed).ServicesAsync(found, s_servicesTime, cancellation) ?? node;
        }
        return new Shown(node.Id, node.HostName, found.Address.ToString(), node.Identity, node.Parameters, node.Services, found.IsProven);
    }

    private static string Text(IReadOnlyDictionary<string, string> parameters) =>
        string.Join(' ', parameters.Select(p => $"{p.Key}={p.Value}"));
}
