using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Jobs;
using Bootstrap.Server.Features.Jobs.Api;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.Settings;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.BurnIn;

/// <summary><c>/burn-ins</c>: which boards are fit, and trying them.</summary>
internal static class BurnInEndpoints
{
    /// <param name="Nodes">Ids or names; <c>["all"]</c> for every node.</param>
    /// <param name="Select">A selector, in the place of them.</param>
    /// <param name="Set">"short" or "long".</param>
    internal sealed record NewBurnIn(IReadOnlyList<string>? Nodes = null, string? Select = null, string Set = Policy.ShortBurnIn);

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/burn-ins", (BurnIns burnIns, string? node) =>
            node is null ? Results.Ok(burnIns.List(null))
            : NodeId.TryParse(node, out NodeId id) ? Results.Ok(burnIns.List(id))
            : Problems.Bad($"'{node}' is no id of a node.")).Compresses().WithSummary("Each node's newest burn-in, and how it went");
        api.MapPost("/burn-ins", (NewBurnIn wanted, BurnIns burnIns, NodeDirectory nodes, JobSources sources, HttpContext context) =>
        {
            if (BurnInSet.Find(wanted.Set) is not { } set)
            {
                return Problems.Bad($"There is no burn-in '{wanted.Set}': it is one of {string.Join(", ", Policy.BurnInSets)}.");
            }
            var order = new JobEndpoints.NewJob(BenchmarkJobKind.Name, wanted.Nodes, wanted.Select,
                Parameters: System.Text.Json.JsonElement.Parse(BenchmarkJobKind.SpecOf(set.Benchmarks[0]).Parameters));
            if (JobEndpoints.Refuse(order, nodes, sources, out List<NodeView> targets, out _) is { } refusal)
            {
                return refusal;
            }
            burnIns.Begin(set, [.. targets.Select(t => t.Id)], Caller.Of(context).Name);
            HashSet<NodeId> begun = [.. targets.Select(t => t.Id)];
            return Results.Ok(burnIns.List(null).Where(view => begun.Contains(view.Node)));
        }).WithSummary("Begin a burn-in");
    }
}
