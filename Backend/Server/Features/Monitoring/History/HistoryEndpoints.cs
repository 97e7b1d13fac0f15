using Bootstrap.Protocol.Status;
using Bootstrap.Server.Features.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Monitoring.History;

/// <summary>A metric's points, column by column, as charts take them. A gap is where the next time is more than a step later.</summary>
/// <param name="Metric">Its name.</param>
/// <param name="Unit">Of the numbers.</param>
/// <param name="Times">When each point begins; Unix milliseconds.</param>
internal sealed record MetricHistory(
    string Metric, MetricUnit Unit, IReadOnlyList<long> Times, IReadOnlyList<double> Min, IReadOnlyList<double> Mean,
    IReadOnlyList<double> Max);

/// <summary>What a node measured.</summary>
/// <param name="StepSeconds">How long each point lasts.</param>
/// <param name="Series">One for each metric that was asked for, in that order.</param>
internal sealed record NodeMetricsHistory(long StepSeconds, IReadOnlyList<MetricHistory> Series);

/// <summary><c>/nodes/ID/history</c>: what a node measured; <c>/metrics</c>: all that nodes can measure.</summary>
internal static class HistoryEndpoints
{
    private const int UsualPoints = 720, MostPoints = 3000;

    /// <summary>Shown where nobody says since when.</summary>
    private static readonly TimeSpan s_usualRange = TimeSpan.FromHours(24);

    /// <summary>The last moment that can be asked for: year 9999.</summary>
    private static readonly long s_lastMoment = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/metrics", () => TypedResults.Ok(Metrics.All)).Compresses().WithSummary("All that nodes can measure");
        api.MapGet("/nodes/{id}/history", (string id, [FromQuery] string[] metric, long? from, long? until, int? points,
            NodeDirectory nodes, HistoryStore history, TimeProvider clock) =>
            Read(id, metric, from, until, points, nodes, history, clock)).Compresses()
            .WithSummary("What a node measured, by the minute or the quarter of an hour");
    }

    private static Results<Ok<NodeMetricsHistory>, ProblemHttpResult> Read(
        string id, string[] metric, long? from, long? until, int? points, NodeDirectory nodes, HistoryStore history, TimeProvider clock)
    {
        if (NodeEndpoints.Find(nodes, id) is not { } node)
        {
            return Problem($"There is no node '{id}'.", StatusCodes.Status404NotFound);
        }
        if (Validate(metric, from, until, points) is { } fault)
        {
            return Problem(fault, StatusCodes.Status400BadRequest);
        }
        DateTimeOffset end = until is { } last ? DateTimeOffset.FromUnixTimeMilliseconds(last) : clock.GetUtcNow();
        DateTimeOffset start = from is { } first ? DateTimeOffset.FromUnixTimeMilliseconds(first)
            : DateTimeOffset.FromUnixTimeMilliseconds(Math.Max(0, (end - s_usualRange).ToUnixTimeMilliseconds()));
        HistoryAnswer answer = history.Read(node.Id, [.. metric.Select(name => Metrics.Find(name)!)], start, end, points ?? UsualPoints);
        return TypedResults.Ok(new NodeMetricsHistory((long)answer.Step.TotalSeconds, [.. answer.Series.Select(View)]));
    }

    private static MetricHistory View(HistorySeries series) => new(series.Metric.Name, series.Metric.Unit,
        [.. series.Points.Select(p => p.At)], [.. series.Points.Select(p => p.Spread.Min)], [.. series.Points.Select(p => p.Spread.Mean)],
        [.. series.Points.Select(p => p.Spread.Max)]);

    /// <summary>What is wrong with a question; null: valid.</summary>
    private static string? Validate(string[] metrics, long? from, long? until, int? points)
    {
        List<string> kept = [.. Metrics.All.Where(metric => metric.IsKept).Select(metric => metric.Name)];
        return metrics.Length == 0 ? $"metric is missing: name one or more of {string.Join(", ", kept)}."
            : metrics.Length > kept.Count ? $"At most {kept.Count} metrics can be asked for at once, not {metrics.Length}."
            : metrics.FirstOrDefault(name => !kept.Contains(name)) is { } other
                ? $"'{other}' has no history: these have one: {string.Join(", ", kept)}."
            : from is { } start && (start < 0 || start > s_lastMoment) ? $"from is a time in Unix milliseconds, not {start}."
            : until is { } end && (end < 0 || end > s_lastMoment) ? $"until is a time in Unix milliseconds, not {end}."
            : from >= until ? "from is not before until."
            : points is < 1 or > MostPoints ? $"points is 1 to {MostPoints}, not {points}."
            : null;
    }

    private static ProblemHttpResult Problem(string sentence, int status) => TypedResults.Problem(sentence, statusCode: status);
}
