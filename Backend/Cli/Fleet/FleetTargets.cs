using System.CommandLine;
using Bootstrap.Cli.Api;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Cli.Fleet;

/// <summary>Which nodes a command works on.</summary>
/// <param name="Nodes">At least one.</param>
/// <param name="Missing">Nodes that the user named and that did not answer discovery.</param>
internal sealed record FleetTargets(IReadOnlyList<Target> Nodes, IReadOnlyList<string> Missing)
{
    private static readonly Option<string[]> s_hosts = SearchOptions.Values("--host", "ADDRESS[:PORT]", "Without discovery: this machine.");
    private static readonly Option<FileInfo?> s_file = new("--hosts") { Description = "Without discovery: the machines in this file, the first word of each line; # begins a comment.", HelpName = "FILE" };

    private static readonly Option[] s_ofDiscovery = [SearchOptions.Mesh, SearchOptions.Service, SearchOptions.Interfaces, SearchOptions.Nodes];

    /// <summary>Adds the options that choose nodes.</summary>
    public static void AddTo(Command command)
    {
        foreach (Option option in s_ofDiscovery.Concat([SearchOptions.Exclude, s_hosts, s_file]))
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
        string[] hosts = parsed.GetRequiredValue(s_hosts), excluded = parsed.GetRequiredValue(SearchOptions.Exclude);
        FileInfo? file = parsed.GetValue(s_file);
        if (hosts.Length > 0 || file is not null)
        {
            Target[] named = [.. hosts.Concat(file is null ? [] : Lines(file)).Distinct().Select(Parse).Where(t => !excluded.Any(e => Is(e, t.Name, t.Host)))];
            return named.Length > 0 ? new FleetTargets(named, []) : throw Usage("no machine is left to work on: --hosts is empty, or --exclude names all of them");
        }

        string mesh = string.Join("', '", parsed.GetRequiredValue(SearchOptions.Mesh));
        string[] wanted = parsed.GetRequiredValue(SearchOptions.Nodes);
        IReadOnlyList<Found> found = await DiscoverAsync(parsed, cancellation);
        Found[] chosen = [.. found.Where(f => !excluded.Any(e => Is(e, f)) && (wanted.Length == 0 || wanted.Any(w => Is(w, f))))];
        if (chosen.Length == 0)
        {
            throw Usage(found.Count == 0
                ? $"no node of mesh '{mesh}' answered: look at --mesh and --service, or name machines with --host"
                : $"{found.Count} nodes of mesh '{mesh}' answered, and none of them is chosen: look at --node and --exclude");
        }
        HashSet<string> twice = [.. found.GroupBy(HostList.NameOf).Where(g => g.Count() > 1).Select(g => g.Key)];
        return new FleetTargets(
            [.. chosen.Select(f => new Target(twice.Contains(HostList.NameOf(f)) ? HostList.Safe(f.Node.Id, f.Address) : HostList.NameOf(f), f.Address.ToString(), null)).OrderBy(t => t.Name, StringComparer.Ordinal)],
            [.. wanted.Where(w => !found.Any(f => Is(w, f)))]);
    }

    /// <summary>Who answers now. An appliance is none to work on, unless it was asked for by a service.</summary>
    private static async Task<IReadOnlyList<Found>> DiscoverAsync(ParseResult parsed, CancellationToken cancellation)
    {
        string? service = parsed.GetValue(SearchOptions.Service);
        var search = new Search { Meshes = parsed.GetRequiredValue(SearchOptions.Mesh), Filter = new NodeFilter(service) };
        var found = new List<Found>();
        await foreach (Found answer in SearchOptions.CreateMarco(parsed).FindAsync(search, cancellation))
        {
            if (service is not null || !answer.Node.Services.Any(s => s.Id == Service.Backend))
            {
                found.Add(answer);
            }
        }
        return found;
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

    private static bool Is(string wanted, Found found) => Is(wanted, found.Node.Id, found.Node.HostName, found.Address.ToString());

    private static bool Is(string wanted, params string[] names) => names.Contains(wanted, StringComparer.OrdinalIgnoreCase);

    private static CliException Usage(string sentence) => new(sentence) { ExitCode = 2 };

    private static string NotAHost(string text) => $"'{text}' is not a machine: write ADDRESS, ADDRESS:PORT or [IPV6]:PORT; a user goes with --user.";
}
