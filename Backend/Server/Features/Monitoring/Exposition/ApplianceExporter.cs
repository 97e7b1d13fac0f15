using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.Monitoring.Alerts;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Prometheus;

namespace Bootstrap.Server.Features.Monitoring.Exposition;

/// <summary>
/// <c>/metrics</c> of the appliance: how many nodes, tasks and alerts there are, and what its process takes. What a node is like, the node
/// tells itself.
/// </summary>
internal sealed class ApplianceExporter
{
    private static readonly LinkState[] s_links = Enum.GetValues<LinkState>();
    private static readonly TaskState[] s_open = [TaskState.Held, TaskState.Waiting, TaskState.Sent, TaskState.Running];

    private readonly CollectorRegistry _registry = Prometheus.Metrics.NewCustomRegistry();

    public ApplianceExporter(NodeDirectory nodes, UnapprovedBoards unapproved, AlertStore alerts, Database database)
    {
        IMetricFactory factory = Prometheus.Metrics.WithCustomRegistry(_registry);
        Gauge links = factory.CreateGauge("bootstrap_nodes", "Nodes, by what they are connected with.", ["link"]);
        Gauge boards = factory.CreateGauge("bootstrap_unapproved_boards", "Boards that ask to be admitted.");
        Gauge tasks = factory.CreateGauge("bootstrap_open_tasks", "Tasks that have not ended, by their state.", ["state"]);
        Gauge open = factory.CreateGauge("bootstrap_alerts", "What is wrong with nodes now.");
        DotNetStats.Register(_registry);
        _registry.AddBeforeCollectCallback(() =>
        {
            ILookup<LinkState, NodeView> byLink = nodes.List().ToLookup(node => node.Link);
            Array.ForEach(s_links, link => links.WithLabels(Word(link)).Set(byLink[link].Count()));
            boards.Set(unapproved.List().Count);
            ILookup<TaskState, TaskRow> byState = database.Read(TaskRow.Open).ToLookup(task => task.State);
            Array.ForEach(s_open, state => tasks.WithLabels(Word(state)).Set(byState[state].Count()));
            open.Set(alerts.All().Count(alert => alert.EndedAt is null));
        });
    }

    /// <summary>Writes all of it as Prometheus takes it (text format 0.0.4).</summary>
    public Task WriteAsync(Stream output, CancellationToken cancellation) => _registry.CollectAndExportAsTextAsync(output, cancellation);

    private static string Word<T>(T value)
        where T : struct, Enum => System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());
}

internal static class ExpositionEndpoints
{
    private const string TextFormat = "text/plain; version=0.0.4; charset=utf-8";

    /// <param name="root">Where it is <c>/metrics</c>, for those who are signed in.</param>
    public static void Map(IEndpointRouteBuilder root) =>
        root.MapGet("/metrics", async (ApplianceExporter exporter, HttpContext http) =>
        {
            http.Response.ContentType = TextFormat;
            await exporter.WriteAsync(http.Response.Body, http.RequestAborted);
        }).Needs(Role.Viewer);
}
