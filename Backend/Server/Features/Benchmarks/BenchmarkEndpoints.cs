using System.Text;
using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Ids;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Benchmarks;

/// <summary><c>/benchmarks</c>: what can be measured, and what was. A job of kind <c>benchmark</c> measures.</summary>
internal static class BenchmarkEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/benchmarks", () => BenchmarkKind.All).WithSummary("What can be measured");
        api.MapGet("/benchmarks/results", (BenchmarkStore store, string? benchmark, string? node, Guid? job) =>
            Choose(benchmark, node, out NodeId? id) ?? Results.Ok(Chosen(store, benchmark, id, job)))
            .Compresses().WithSummary("What was measured, the newest first, and how it compares with the times before");
        api.MapGet("/benchmarks/results.csv", (BenchmarkStore store, string? benchmark, string? node, Guid? job) =>
            Choose(benchmark, node, out NodeId? id) ?? Results.File(
                Encoding.UTF8.GetBytes(BenchmarkExport.Csv(Chosen(store, benchmark, id, job))), "text/csv; charset=utf-8",
                "benchmarks.csv"))
            .Compresses().WithSummary("The same for spreadsheets");
        api.MapGet("/benchmarks/results/{task:guid}", (BenchmarkStore store, Guid task) => store.Find(task) is { } result
            ? Results.Ok(result with { Summary = Compared(store, result.Summary) })
            : Problems.NotFound($"Task {task} has no result of a benchmark."))
            .WithSummary("All of one result: samples, and the node second by second");
        api.MapGet("/benchmarks/ranking", (BenchmarkStore store, string? benchmark, Guid? job) =>
            Choose(benchmark, null, out _) ?? Results.Ok(Ranking.Of(store.List(benchmark, null, job))))
            .Compresses().WithSummary("Each node's newest result that counts, among boards of its model");
    }

    /// <summary>Of one job alone too, a result is compared with those of other jobs.</summary>
    private static IReadOnlyList<BenchmarkView> Chosen(BenchmarkStore store, string? benchmark, NodeId? node, Guid? job) =>
        [.. History.Of(store.List(benchmark, node, null)).Where(result => job is null || result.Job == job)];

    /// <summary>The same result, compared with the times before.</summary>
    private static BenchmarkView Compared(BenchmarkStore store, BenchmarkView result) =>
        Chosen(store, result.Request.Kind, result.Node, null).FirstOrDefault(r => r.Task == result.Task) ?? result;

    /// <summary>The refusal of a choice that cannot be; null: it can.</summary>
    private static IResult? Choose(string? benchmark, string? node, out NodeId? id)
    {
        id = null;
        if (benchmark is not null && BenchmarkKind.Find(benchmark) is null)
        {
            return Problems.Bad(
                $"There is no benchmark '{benchmark}': it is one of {string.Join(", ", BenchmarkKind.All.Select(k => k.Name))}.");
        }
        if (node is null)
        {
            return null;
        }
        if (!NodeId.TryParse(node, out NodeId parsed))
        {
            return Problems.Bad($"'{node}' is no id of a node.");
        }
        id = parsed;
        return null;
    }
}
