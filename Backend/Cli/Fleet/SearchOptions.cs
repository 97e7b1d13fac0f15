using System.CommandLine;
using System.Net;
using Bootstrap.Cli.Api;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Cli.Fleet;

/// <summary>The options by which commands choose nodes that are found on the wire, without an appliance.</summary>
internal static class SearchOptions
{
    public static readonly Option<string[]> Mesh = Values("--mesh", "NAME", "Nodes of this discovery mesh.", "default");
    public static readonly Option<string?> Service = new("--service")
    {
        Description = "Only nodes that offer this service.",
        HelpName = "ID"
    };
    public static readonly Option<string[]> Nodes = Values("--node", "ID|HOST", "Only the nodes with this id or host name.");
    public static readonly Option<string[]> Exclude = Values("--exclude", "ID|HOST", "Not the nodes with this id or host name.");
    public static readonly Option<string[]> Interfaces = Values("--interface", "NAME",
        "Ask on this interface. Default: all physical ones.");

    private static readonly Option<string?> s_role = new("--role")
    {
        Description = "Only nodes with this role: slave, appliance, …",
        HelpName = "WORD"
    };
    private static readonly Option<string?> s_kind =
        new("--kind") { Description = "Only nodes of this kind: raspberry-pi-4-model-b-rev-1-4, …", HelpName = "WORD" };
    private static readonly Option<string?> s_instance = new("--instance")
    {
        Description = "Only the nodes that are called so.",
        HelpName = "WORD"
    };
    private static readonly Option<string[]> s_parameters = Values("--param", "KEY=VALUE",
        "Only nodes with this parameter, on the service or on the node.");
    private static readonly Option<int?> s_maximum = new("--max") { Description = "Stop when this many nodes are found.", HelpName = "N" };
    private static readonly Option<double> s_timeout = new("--timeout")
    {
        Description = "Stop after so many seconds.",
        HelpName = "S",
        DefaultValueFactory = _ => 10
    };
    private static readonly Option<int> s_retries = new("--retries")
    {
        Description = "Ask again until so many repetitions in a row found " +
        "nobody new.",
        HelpName = "N",
        DefaultValueFactory = _ => 2
    };
    private static readonly Option<string?> s_address = new("--address")
    {
        Description = "Ask this machine alone.",
        HelpName = "ADDRESS[:PORT]"
    };

    /// <summary>Adds all of them.</summary>
    public static void AddTo(Command command)
    {
        foreach (Option option in (Option[])[Mesh, Service, Nodes, Exclude, Interfaces, s_role, s_kind, s_instance, s_parameters,
            s_maximum, s_timeout, s_retries, s_address, Vouching.AuthorityFile])
        {
            command.Add(option);
        }
    }

    /// <summary>What the options ask for.</summary>
    /// <exception cref="CliException">An option cannot be understood; exit code 2.</exception>
    public static Search Create(ParseResult parsed) => new()
    {
        Meshes = parsed.GetRequiredValue(Mesh),
        Filter = new NodeFilter(parsed.GetValue(Service), parsed.GetValue(s_role), parsed.GetValue(s_kind), parsed.GetValue(s_instance),
            Parameters(parsed), Names(parsed)),
        Exclude = parsed.GetRequiredValue(Exclude),
        MaximumNodes = parsed.GetValue(s_maximum) ?? int.MaxValue,
        Timeout = TimeSpan.FromSeconds(parsed.GetValue(s_timeout)),
        Retries = parsed.GetValue(s_retries),
        Address = Address(parsed),
    };

    /// <summary>Asks the wire.</summary>
    /// <param name="verifier">Proves answers; null: nobody does.</param>
    /// <param name="onlyProven">Nodes that are not proven are left out, where there is a verifier.</param>
    /// <exception cref="CliException">An option cannot be understood; exit code 2.</exception>
    public static async Task<IReadOnlyList<Found>> FindAsync(ParseResult parsed, MessageVerifier? verifier, bool onlyProven,
        CancellationToken cancellation)
    {
        Search search = Create(parsed);
        var found = new List<Found>();
        await foreach (Found node in CreateMarco(parsed, verifier).FindAsync(search, cancellation))
        {
            if (verifier is null || node.IsProven || !onlyProven)
            {
                found.Add(node);
            }
        }
        return [.. found.OrderBy(HostList.NameOf, StringComparer.Ordinal)];
    }

    /// <summary>Who asks, on the interfaces chosen.</summary>
    public static Marco CreateMarco(ParseResult parsed, MessageVerifier? verifier = null) =>
        new(parsed.GetRequiredValue(Interfaces), TimeProvider.System, verifier);

    private static Dictionary<string, string>? Parameters(ParseResult parsed)
    {
        string[] texts = parsed.GetRequiredValue(s_parameters);
        return texts.Length == 0 ? null : texts.Select(text => text.Split('=', 2) is [{ Length: > 0 } key, var value]
            ? (key, value)
            : throw Wrong($"--param {text}: write KEY=VALUE")).DistinctBy(p => p.key).ToDictionary(p => p.key, p => p.value);
    }

    private static string[]? Names(ParseResult parsed) => parsed.GetRequiredValue(Nodes) is { Length: > 0 } names ? names : null;

    private static IPEndPoint? Address(ParseResult parsed) => parsed.GetValue(s_address) switch
    {
        null => null,
        var text when IPEndPoint.TryParse(text, out IPEndPoint? address) => address.Port == 0
            ? new IPEndPoint(address.Address, ServicePorts.Discovery) : address,
        var text => throw Wrong($"--address {text}: write an IPv4 address, and :PORT where it is not {ServicePorts.Discovery}"),
    };

    private static CliException Wrong(string sentence) => new(sentence) { ExitCode = 2 };

    /// <summary>An option that may be given several times.</summary>
    public static Option<string[]> Values(string name, string help, string description, params string[] standard) =>
        new(name) { Description = $"{description} May be given several times.", HelpName = help, DefaultValueFactory = _ => standard };
}
