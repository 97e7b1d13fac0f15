using System.Net.ServerSentEvents;
using System.Text.Json;
using Bootstrap.Cli.Api;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Cli.Top;

/// <summary>Hears nodes by way of the appliance: those that this machine cannot reach.</summary>
internal static class RelayWatch
{
    /// <summary>What is new of one node.</summary>
    internal sealed record Update(string Node, StatusMessage? Status, string? Fault);

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>Watches until cancelled.</summary>
    public static Task RunAsync(ApplianceClient client, IReadOnlyDictionary<string, WatchedNode> nodes, CancellationToken cancellation) =>
        client.FetchAsync("status/relay", new { nodes = nodes.Keys }, async stream =>
        {
            await foreach (SseItem<string> item in SseParser.Create(stream).EnumerateAsync(cancellation))
            {
                foreach (Update update in JsonSerializer.Deserialize<Update[]>(item.Data, s_json) ?? [])
                {
                    Take(nodes, update);
                }
            }
            return true;
        }, cancellation);

    private static void Take(IReadOnlyDictionary<string, WatchedNode> nodes, Update update)
    {
        if (!nodes.TryGetValue(update.Node, out WatchedNode? node) || node.Way == Way.Direct)
        {
            return;
        }
        if (update.Status is { } status)
        {
            node.Take(status, Way.Relayed);
        }
        else if (update.Fault is { } fault)
        {
            node.Refuse(fault);
        }
    }
}
