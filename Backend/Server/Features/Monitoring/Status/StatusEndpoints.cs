using System.Net;
using System.Text.Json;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Status;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Discovery;
using Bootstrap.Server.Features.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;

namespace Bootstrap.Server.Features.Monitoring.Status;

/// <summary>
/// How a page watches nodes: <c>GET /status/members</c> tells which nodes serve their status and where, <c>POST /status/tokens</c> lets the
/// caller in there, and <c>POST /status/relay</c> tells of those that cannot be reached, as server-sent events.
/// </summary>
internal static class StatusEndpoints
{
    /// <summary>Nodes of one request.</summary>
    private const int MostTokens = 300, MostRelayed = 2000;

    private const int LongestInterval = 60;

    /// <param name="Node">Its id.</param>
    /// <param name="Url">Of its WebSocket.</param>
    internal sealed record Member(string Node, string Url);

    internal sealed record TokenRequest(IReadOnlyList<string> Nodes);

    /// <param name="Until">When it ends by itself.</param>
    internal sealed record ScrapeTokenAnswer(DateTimeOffset Until, string Token);

    /// <summary>Of Prometheus' HTTP service discovery.</summary>
    /// <param name="Targets">Host and port.</param>
    internal sealed record Target(IReadOnlyList<string> Targets, IReadOnlyDictionary<string, string> Labels);

    /// <param name="Tokens">By node id.</param>
    internal sealed record TokenAnswer(DateTimeOffset Until, IReadOnlyDictionary<string, string> Tokens);

    /// <param name="Nodes">Ids.</param>
    /// <param name="IntervalSeconds">1 to 60.</param>
    /// <param name="Metrics">Names; null: everything.</param>
    internal sealed record RelayRequest(IReadOnlyList<string> Nodes, int IntervalSeconds = 1, IReadOnlyList<string>? Metrics = null);

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/status/members", (DiscoveryService discovery, NodeDirectory nodes) => Members(discovery, nodes))
            .WithSummary("Nodes that serve their status, and where");
        api.MapPost("/status/tokens", (TokenRequest request, HttpContext context, StatusHolders holders, NodeDirectory nodes) =>
        {
            if (Parse(request.Nodes, MostTokens, nodes, out IReadOnlyList<NodeId> wanted) is { } fault)
            {
                return fault;
            }
            IReadOnlyDictionary<string, string> tokens = holders.Create(Caller.Of(context), wanted, out DateTimeOffset until);
            return Results.Ok(new TokenAnswer(until, tokens));
        }).OnlyReads().WithSummary("Make tokens for watching nodes");
        api.MapPost("/status/scrape-token", (HttpContext context, StatusHolders holders) =>
            holders.CreateScrapeToken(Caller.Of(context), out DateTimeOffset until) is { } token
                ? Results.Ok(new ScrapeTokenAnswer(until, token))
                : Problems.Bad("Too many programs read metrics: revoke API tokens that are not used any more."))
            .OnlyReads().WithSummary("Make a token by which a program reads the metrics of all nodes");
        api.MapGet("/status/targets", (DiscoveryService discovery, NodeDirectory nodes) => Targets(discovery, nodes))
            .WithSummary("Nodes whose metrics can be read, as Prometheus finds them");
        api.MapPost("/status/relay", async (RelayRequest request, HttpContext context, StatusRelays relays, NodeDirectory nodes,
            IHostApplicationLifetime lifetime) =>
        {
            if (request.IntervalSeconds is < 1 or > LongestInterval)
            {
                return Problems.Bad($"'intervalSeconds' is from 1 to {LongestInterval}.");
            }
            if (request.Metrics?.FirstOrDefault(metric => Metrics.Find(metric) is null) is { } unknown)
            {
                return Problems.Bad($"There is no metric '{unknown}': GET /metrics lists them.");
            }
            if (Parse(request.Nodes, MostRelayed, nodes, out IReadOnlyList<NodeId> wanted) is { } fault)
            {
                return fault;
            }
            var watch = new StatusWatch(request.IntervalSeconds, request.Metrics?.ToHashSet());
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
            await TellAsync(context.Response, relays.WatchAsync(watch, wanted, stop.Token), stop.Token);
            return Results.Empty;
        }).OnlyReads().WithSummary("Watch nodes by way of the appliance");
    }

    private static List<Member> Members(DiscoveryService discovery, NodeDirectory nodes)
    {
        HashSet<string> known = [.. nodes.List().Select(node => node.Id.ToString())];
        var members = new List<Member>();
        foreach (PresenceRecord there in discovery.Nodes.Where(n => n.State == PresenceState.Alive && known.Contains(n.Node.Id)))
        {
            if (there.Node.Services.FirstOrDefault(s => s.Id == Service.StatusMonitor)?.Parameters.GetValueOrDefault("port") is { } port
                && ushort.TryParse(port, out ushort number) && IPEndPoint.TryParse(there.Address, out IPEndPoint? heard))
            {
                members.Add(new Member(there.Node.Id, $"wss://{new IPEndPoint(heard.Address, number)}/status"));
            }
        }
        return members;
    }

    private static List<Target> Targets(DiscoveryService discovery, NodeDirectory nodes)
    {
        var views = nodes.List().ToDictionary(node => node.Id.ToString());
        return [.. Members(discovery, nodes).Where(member => views.ContainsKey(member.Node))
            .Select(member => (member, node: views[member.Node]))
            .Select(pair => new Target([new Uri(pair.member.Url).Authority], new Dictionary<string, string>
            {
                ["node"] = pair.node.Name,
                ["id"] = pair.member.Node,
                ["location"] = pair.node.Location,
                ["model"] = pair.node.Inventory.Model,
                ["architecture"] = pair.node.Inventory.Architecture,
                // One of several is found by ",tag,".
                ["tags"] = pair.node.Tags.Count == 0 ? "" : $",{string.Join(',', pair.node.Tags)},",
            }))];
    }

    private static IResult? Parse(IReadOnlyList<string> ids, int most, NodeDirectory nodes, out IReadOnlyList<NodeId> wanted)
    {
        var found = new List<NodeId>();
        wanted = found;
        if (ids.Count > most)
        {
            return Problems.Bad($"'nodes' has {ids.Count} nodes: {most} at once.");
        }
        HashSet<string> known = [.. nodes.List().Select(node => node.Id.ToString())];
        foreach (string id in ids)
        {
            if (!NodeId.TryParse(id, out NodeId node) || !known.Contains(node.ToString()))
            {
                return Problems.NotFound($"There is no node '{id}'.");
            }
            found.Add(node);
        }
        return null;
    }

    private static async Task TellAsync(
        HttpResponse response, IAsyncEnumerable<IReadOnlyList<StatusRelays.Update>> updates, CancellationToken gone)
    {
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        try
        {
            await foreach (IReadOnlyList<StatusRelays.Update> news in updates)
            {
                // An empty list is a comment: it shows proxies, and us, that the other side is still there.
                await response.WriteAsync(news.Count == 0 ? ":\n\n" : $"data: {JsonSerializer.Serialize(news, ApiJson.Options)}\n\n", gone);
                await response.Body.FlushAsync(gone);
            }
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested)
        {
            // The watcher went away, or the appliance stops.
        }
    }
}
