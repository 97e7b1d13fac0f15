using System.CommandLine;
using Bootstrap.Cli.Api;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Cli.Fleet;

/// <summary>Which nodes a command works on.</summary>
/// <param name="Nodes">At least one.</param>
/// <param name="Missing">Nodes that the user named and that did not answer discovery.</param>
internal sealed record FleetTargets(IReadOnlyList<Target> Nodes, IReadOnlyList<string> Missing)
{
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(2);

    private static readonly Option<string> s_mesh = new("--mesh") { Description = "Nodes of this discovery mesh.", HelpName = "NAME", DefaultValueFactory = _ => "default" };
    private static readonly Option<string?> s_service = new("--service") { Description = "Only nodes that offer this service. Default: all but appliances.", HelpName = "ID" };
    private static readonly Option<string[]> s_interfaces = Values("--interface", "NAME", "Ask on this interface. Default: all physical ones.");
    private static readonly Option<string[]> s_nodes = Values("--node", "ID|HOST", "Only the found nodes with this id, host name or address.");
    private static readonly Option<string[]> s_excluded = Values("--exclude", "ID|HOST", "Not the nodes with this id, host name or address.");
    private static readonly Option<string[]> s_hosts = Values("--host", "ADDRESS[:PORT]", "Without discovery: this machine.");
    private static readonly Option<FileInfo?> s_file = new("--hosts") { Description = "Without discovery: the machines in this file, the first word of each line; # begins a comment.", HelpName = "FILE" };

    private static readonly Option[] s_ofDiscovery = [s_mesh, s_service, s_interfaces, s_nodes];

    /// <summary>Adds the options that choose nodes.</summary>
    public static void AddTo(Command command)
    {
        foreach (Option option in s_ofDiscovery.Concat([s_excluded, s_hosts, s_file]))
        {
            command.Add(option);
        }
        command.Validators.Add(result =>
        {
            Option? asked = s_ofDiscovery.FirstOrDefault(option => result.GetResult(option) is { Implicit: false });
            if (asked is not null && (result.GetResult(s_hosts) is { Implicit: false } || result.GetResult(s_file) is not null))
            {
                result.AddError($"{asked.Name} chooses among nodes that are found: leave it out where --host or --hosts name the machines.");
            }
            if ((result.GetValue(s_hosts) ?? []).FirstOrDefault(host => !Target.TryParse(host, out _)) is { } wrong)
            {
                result.AddError(NotAHost(wrong));
            }
        });
    }

    /// <summary>The targets that the options name.</summary>
    /// <exception cref="CliException">There are none, or the file of hosts cannot be read; exit code 2.</exception>
    public static async Task<FleetTargets> FindAsync(ParseResult parsed, CancellationToken cancellation)
    {
        string[] hosts = parsed.GetRequiredValue(s_hosts), excluded = parsed.GetRequiredValue(s_excluded);
        FileInfo? file = parsed.GetValue(s_file);
        if (hosts.Length > 0 || file is not null)
        {
            Target[] named = [.. hosts.Concat(file is null ? [] : Lines(file)).Distinct().Select(Parse).Where(t => !excluded.Any(e => Is(e, t.Name, t.Host)))];
            return named.Length > 0 ? new FleetTargets(named, []) : throw Usage("no machine is left to work on: --hosts is empty, or --exclude names all of them");
        }

        string mesh = parsed.GetRequiredValue(s_mesh);
        string[] wanted = parsed.GetRequiredValue(s_nodes);
        IReadOnlyList<Found> found = await DiscoverAsync(mesh, parsed.GetValue(s_service), parsed.GetRequiredValue(s_interfaces), cancellation);
        Found[] chosen = [.. found.Where(f => !excluded.Any(e => Is(e, f)) && (wanted.Length == 0 || wanted.Any(w => Is(w, f))))];
        if (chosen.Length == 0)
        {
            throw Usage(found.Count == 0
                ? $"no node of mesh '{mesh}' answered within {s_window.TotalSeconds} s: look at --mesh and --service, or name machines with --host"
                : $"{found.Count} nodes of mesh '{mesh}' answered, and none of them is chosen: look at --node and --exclude");
        }
        HashSet<string> twice = [.. found.GroupBy(f => f.HostName).Where(g => g.Count() > 1).Select(g => g.Key)];
        return new FleetTargets(
            [.. chosen.Select(f => new Target(twice.Contains(f.HostName) ? Name(f.Id, f) : Name(f.HostName, f), f.Address.ToString(), null)).OrderBy(t => t.Name, StringComparer.Ordinal)],
            [.. wanted.Where(w => !found.Any(f => Is(w, f)))]);
    }

    /// <summary>What a node calls itself, if that is a name: anybody may answer, and a terminal obeys some characters.</summary>
    private static string Name(string told, Found found) =>
        told.Length > 0 && told.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') ? told : found.Address.ToString();

    /// <summary>Who answers now, each node once: with the address that answered first.</summary>
    private static async Task<IReadOnlyList<Found>> DiscoverAsync(string mesh, string? service, string[] interfaces, CancellationToken cancellation)
    {
        var found = new Dictionary<string, Found>();
        await foreach (Found answer in new Marco(mesh, interfaces, TimeProvider.System).AskAsync(service, s_window, cancellation))
        {
            if (service is not null || !answer.Services.Any(s => s.Id == Service.Backend))
            {
                found.TryAdd(answer.Id, answer);
            }
        }
        return [.. found.Values];
    }

    private static IEnumerable<string> Lines(FileInfo file)
    {
        try
        {
            return File.ReadAllLines(file.FullName).Select(line => line.Split('#')[0].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).Where(words => words.Length > 0).Select(words => words[0]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Usage($"the hosts in {file.FullName} cannot be read: {e.Message}");
        }
    }

    private static Target Parse(string text) => Target.TryParse(text, out Target? target) ? target : throw Usage(NotAHost(text).TrimEnd('.'));

    private static bool Is(string wanted, Found found) => Is(wanted, found.Id, found.HostName, found.Address.ToString());

    private static bool Is(string wanted, params string[] names) => names.Contains(wanted, StringComparer.OrdinalIgnoreCase);

    private static CliException Usage(string sentence) => new(sentence) { ExitCode = 2 };

    private static string NotAHost(string text) => $"'{text}' is not a machine: write ADDRESS, ADDRESS:PORT or [IPV6]:PORT; a user goes with --user.";

    private static Option<string[]> Values(string name, string help, string description) =>
        new(name) { Description = $"{description} May be given several times.", HelpName = help, DefaultValueFactory = _ => [] };
}
