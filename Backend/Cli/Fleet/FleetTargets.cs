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
    private static readonly Option<FileInfo?> s_file = new("--hosts")
    {
        Description = "Without discovery: the machines in this file, the " +
        "first word of each line; # begins a comment.",
        HelpName = "FILE"
    };

    private static readonly Option<bool> s_yes =
        new("--yes") { Description = "Where no CA of an appliance is known here: believe whoever answers discovery." };

    private static readonly Option[] s_ofDiscovery =
        [SearchOptions.Mesh, SearchOptions.Service, SearchOptions.Interfaces, SearchOptions.Nodes, Vouching.AuthorityFile, s_yes];

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
                result.AddError(
                    $"{asked.Name} chooses among nodes that are found: leave it out where --host or --hosts name the machines.");
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
            Target[] named = [.. hosts.Concat(file is null ? [] : Lines(file)).Distinct().Select(Parse)
                .Where(t => !excluded.Any(e => Is(e, t.Name, t.Host)))];
            return named.Length > 0 ? new FleetTargets(named, [])
                : throw Usage("no machine is left to work on: --hosts is empty, or --exclude names all of them");
        }

        string mesh = string.Join("', '", parsed.GetRequiredValue(SearchOptions.Mesh));
        string[] wanted = parsed.GetRequiredValue(SearchOptions.Nodes);
        MessageVerifier? verifier = await Vouching.FindAsync(parsed, cancellation);
        IReadOnlyList<Found> found = await DiscoverAsync(parsed, verifier, cancellation);
        Found[] chosen = [.. found.Where(f => !excluded.Any(e => Is(e, f)) && (wanted.Length == 0 || wanted.Any(w => Is(w, f))))];
        if (chosen.Length == 0)
        {
            string vouched = verifier is null ? "" : " that the appliance vouches for";
            throw Usage(found.Count == 0
                ? $"no node of mesh '{mesh}' answered{vouched}: look at --mesh and --service, or name machines with --host"
                : $"{found.Count} nodes of mesh '{mesh}' answered, and none of them is chosen: look at --node and --exclude");
        }
        if (verifier is null && !parsed.GetValue(s_yes))
        {
            await ConfirmAsync(chosen, cancellation);
        }
        HashSet<string> twice = [.. found.GroupBy(HostList.NameOf).Where(g => g.Count() > 1).Select(g => g.Key)];
        return new FleetTargets(
            [.. chosen.Select(f => new Target(twice.Contains(HostList.NameOf(f)) ? HostList.Safe(f.Node.Id, f.Address)
                : HostList.NameOf(f), f.Address.ToString(), null)).OrderBy(t => t.Name, StringComparer.Ordinal)],
            [.. wanted.Where(w => !found.Any(f => Is(w, f)))]);
    }

    /// <summary>Who answers now; where it can be proven, only who is. An appliance is none to work on, unless it was asked for by a
    /// service.</summary>
    private static async Task<IReadOnlyList<Found>> DiscoverAsync(ParseResult parsed, MessageVerifier? verifier,
        CancellationToken cancellation)
    {
        string? service = parsed.GetValue(SearchOptions.Service);
        var search = new Search { Meshes = parsed.GetRequiredValue(SearchOptions.Mesh), Filter = new NodeFilter(service) };
        var found = new List<Found>();
        await foreach (Found answer in SearchOptions.CreateMarco(parsed, verifier).FindAsync(search, cancellation))
        {
            if (verifier is not null && !answer.IsProven)
            {
                continue;
            }
            if (service is not null || !answer.Node.Services.Any(s => s.Id == Service.Backend))
            {
                found.Add(answer);
            }
        }
        return found;
    }

    /// <summary>Anybody may have answered, and would get what is sent: whoever sits at the terminal decides.</summary>
    /// <exception cref="CliException">He does not want to, or nobody can be asked.</exception>
    private static async Task ConfirmAsync(IReadOnlyList<Found> chosen, CancellationToken cancellation)
    {
        const string others = "name machines with --host, give the appliance's CA with --ca or by `bootstrap login`";
        if (Console.IsInputRedirected || Console.IsErrorRedirected)
        {
            throw Usage($"nobody vouches for the {chosen.Count} that answered, for no appliance's CA is known here: {others}, or believe " +
                "them with --yes");
        }
        foreach (Found found in chosen)
        {
            await Console.Error.WriteLineAsync($"  {found.Address}  {HostList.NameOf(found)}");
        }
        await Console.Error.WriteAsync(
            "Anybody may have answered, for no appliance's CA is known here. Are these the machines that are meant? Type yes to go on: ");
        if ((await Console.In.ReadLineAsync(cancellation))?.Trim() is not ("yes" or "y"))
        {
            throw Usage($"nothing was sent: {others}");
        }
    }

    private static IEnumerable<string> Lines(FileInfo file)
    {
        try
        {
            return File.ReadAllLines(file.FullName)
                .Select(line => line.Split('#')[0].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
                .Where(words => words.Length > 0).Select(words => words[0]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Usage($"the hosts in {file.FullName} cannot be read: {e.Message}");
        }
    }

    private static Target Parse(string text) => Target.TryParse(text, out Target? target) ? target
        : throw Usage(NotAHost(text).TrimEnd('.'));

    /// <summary>What a node calls itself counts only where nothing better is known.</summary>
    private static bool Is(string wanted, Found found) =>
        Is(wanted, found.Node.Id, HostList.NameOf(found), found.Address.ToString(), found.IsProven ? found.Node.Id : found.Node.HostName);

    private static bool Is(string wanted, params string[] names) => names.Contains(wanted, StringComparer.OrdinalIgnoreCase);

    private static CliException Usage(string sentence) => new(sentence) { ExitCode = 2 };

    private static string NotAHost(string text) =>
        $"'{text}' is not a machine: write ADDRESS, ADDRESS:PORT or [IPV6]:PORT; a user goes with --user.";
}
