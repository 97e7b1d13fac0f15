using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Cli.Api;
using Bootstrap.Cli.Fleet;
using Bootstrap.Cli.Top;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Protocol.Status;
using Spectre.Console;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap top</c>: how nodes are, live, in a terminal.</summary>
internal static class TopCommand
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1), s_first = TimeSpan.FromSeconds(4);

    private static readonly Option<string?> s_by = new("--by")
    {
        Description = "Order by a metric, the greatest first, such as temperature (by name).",
        HelpName = "METRIC",
    };

    private static readonly Option<bool> s_once = new("--once") { Description = "Show it once, a few seconds from now, and end." };

    private static readonly Option<DirectoryInfo?> s_data = new("--data")
    {
        Description = "Without the appliance running: find nodes by discovery, and get in by the key in its data folder.",
        HelpName = "FOLDER",
    };

    private sealed record NodeView(string Id, string Name, string Link);

    private sealed record MemberView(string Node, string Url);

    private sealed record Shown(
        string Node, string Name, string Way, bool Silent, string? Fault, IReadOnlyDictionary<string, double> Values);

    public static Command Create()
    {
        var command = new Command("top", "How nodes are at this moment, each heard from itself.")
        {
            NodeCommands.Select, s_by, s_once, s_data, SearchOptions.Interfaces, SearchOptions.Mesh,
        };
        command.SetAction((parsed, cancellation) => ClientCommand.GuardAsync(() =>
        {
            if (parsed.GetValue(s_by) is { } metric && Metrics.Find(metric) is null)
            {
                throw new CliException($"There is no metric '{metric}': they are {string.Join(", ", Metrics.All.Select(m => m.Name))}")
                {
                    ExitCode = 2,
                };
            }
            return parsed.GetValue(s_data) is { } folder
                ? RunAloneAsync(parsed, folder.FullName, cancellation) : RunAsync(parsed, cancellation);
        }));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        using var client = new ApplianceClient(Connection.Load(Connection.DefaultPath));
        string query = parsed.GetValue(NodeCommands.Select) is { } select ? $"?select={Uri.EscapeDataString(select)}" : "";
        IReadOnlyList<NodeView> nodes = await client.GetAsync<IReadOnlyList<NodeView>>("nodes" + query, cancellation);
        Dictionary<string, Uri> urls = (await client.GetAsync<IReadOnlyList<MemberView>>("status/members", cancellation))
            .ToDictionary(member => member.Node, member => new Uri(member.Url));
        using X509Certificate2 authority = client.Authority;
        Member[] members = [.. nodes.Where(node => node.Link == "slave")
            .Select(node => new Member(node.Id, node.Name, urls.GetValueOrDefault(node.Id)))];
        return await ShowAsync(parsed, new Watch(members, authority, new ApplianceTokens(client), client), members.Length, cancellation);
    }

    /// <summary>Whoever may read the appliance's key may do what it may: the nodes let him in.</summary>
    private static async Task<int> RunAloneAsync(ParseResult parsed, string folder, CancellationToken cancellation)
    {
        using X509Certificate2 authority = OpenAuthority(folder);
        var search = new Search { Meshes = parsed.GetRequiredValue(SearchOptions.Mesh), Filter = new NodeFilter(Service.StatusMonitor) };
        var verifier = new MessageVerifier(certificate => Protocol.Trust.IsIssuedBy(certificate, authority));
        var members = new List<Member>();
        await foreach (Found found in SearchOptions.CreateMarco(parsed, verifier).FindAsync(search, cancellation))
        {
            if (found.IsProven && UrlOf(found) is { } url)
            {
                members.Add(new Member(found.Node.Id, HostList.NameOf(found), url));
            }
        }
        return await ShowAsync(parsed, new Watch(members, authority, new OwnTokens(authority), null), members.Count, cancellation);
    }

    private static async Task<int> ShowAsync(ParseResult parsed, Watch watch, int count, CancellationToken cancellation)
    {
        if (count == 0)
        {
            throw new CliException("no node tells its status: Slaves do, once they are connected");
        }
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task watching = watch.RunAsync(stop.Token);
        string? by = parsed.GetValue(s_by);
        bool isOnce = parsed.GetValue(s_once) || parsed.GetValue(ClientCommand.Json) || Console.IsOutputRedirected;
        try
        {
            if (isOnce)
            {
                await Task.WhenAny(watching, Task.Delay(s_first, TimeProvider.System, cancellation));
                Print(parsed, [.. Screen.Sort(watch.Nodes, by)]);
                return watch.Nodes.All(node => node.Way != Way.None) ? 0 : 1;
            }
            await AnsiConsole.Live(new Text("")).AutoClear(true).StartAsync(async live =>
            {
                while (!watching.IsCompleted)
                {
                    live.UpdateTarget(new Text(Screen.Page([.. Screen.Sort(watch.Nodes, by)], Console.WindowWidth, Console.WindowHeight)));
                    await Task.WhenAny(watching, Task.Delay(s_interval, TimeProvider.System, cancellation));
                    cancellation.ThrowIfCancellationRequested();
                }
            });
            await watching;
            return 0;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return 0; // the user has seen enough
        }
        finally
        {
            await stop.CancelAsync();
            await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static void Print(ParseResult parsed, IReadOnlyList<WatchedNode> nodes)
    {
        if (parsed.GetValue(ClientCommand.Json))
        {
            Output.Json(nodes.Select(node =>
                new Shown(node.Id, node.Name, node.Way.ToString().ToLowerInvariant(), node.IsSilent, node.Fault, node.Values())));
            return;
        }
        Output.Table(Screen.Columns, nodes.Select(Screen.Row));
    }

    private static Uri? UrlOf(Found found) =>
        found.Node.Services.FirstOrDefault(s => s.Id == Service.StatusMonitor)?.Parameters.GetValueOrDefault("port") is { } text
        && ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port)
            ? new Uri($"wss://{new IPEndPoint(found.Address, port)}/status") : null;

    private static X509Certificate2 OpenAuthority(string folder)
    {
        string path = Path.Combine(folder, "ca");
        try
        {
            return X509Certificate2.CreateFromPemFile(Path.Combine(path, "ca.pem"), Path.Combine(path, "ca.key"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new CliException($"--data {folder}: its authority cannot be read: {e.Message.TrimEnd('.')}", e) { ExitCode = 2 };
        }
    }
}
