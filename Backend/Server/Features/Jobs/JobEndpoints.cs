using System.Text.Json;
using System.Text.Json.Serialization;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Jobs;

/// <summary><c>/jobs</c> and <c>/tasks</c>: order something, watch it, end it.</summary>
internal static class JobEndpoints
{
    /// <summary>What to do to which nodes: <paramref name="Nodes"/> or <paramref name="Select"/>.</summary>
    /// <param name="Nodes">Ids or names; <c>["all"]</c> for every node.</param>
    /// <param name="Select">
    /// A selector (<see cref="NodeSelector"/>); <c>GET /nodes?select=</c> shows what it takes. A job for later asks it again when it
    /// begins.
    /// </param>
    /// <param name="Image">Digest or name; of installations alone.</param>
    /// <param name="Parameters">Those of the kind.</param>
    /// <param name="NotBefore">When it begins, as RFC 3339 writes times; null: now.</param>
    /// <param name="After">It begins when that job has ended, on those nodes that did not fail in it.</param>
    /// <param name="Frozen">It stays with the nodes that the selector takes now.</param>
    /// <param name="HoldSeconds">Nothing is sent for so long, so that the order can be undone.</param>
    internal sealed record NewJob(string Kind, IReadOnlyList<string>? Nodes = null, string? Select = null, string? Image = null,
        JsonElement? Parameters = null, RolloutPolicy? Rollout = null, RetryPolicy? Retry = null, string? NotBefore = null,
        Guid? After = null,
        bool Frozen = false, int HoldSeconds = 0)
    {
        [JsonIgnore]
        public JobPlan Plan => new(Rollout, Retry, JobPlan.ReadTime(NotBefore), After: After, Selector: Select, Frozen: Frozen);
    }

    public static void MapJobs(this IEndpointRouteBuilder api)
    {
        // Jobs that are older than the last of a list are those before it.
        api.MapGet("/jobs", (string? kind, string? state, string? text, Guid? before, int? limit, Database database) =>
        {
            var filter = new JobFilter(kind, state, text, before, limit ?? JobFilter.MostListed);
            return filter.FindFault() is { Length: > 0 } fault ? Problems.Bad(fault)
                : Results.Ok(database.Read(c => JobView.Query(c, filter)));
        });
        api.MapGet("/jobs/{id:guid}", (Guid id, Database database, ProgressBoard progress) =>
            Detail(database, progress, id) is { } job ? Results.Ok(job) : Missing(id));
        api.MapPost("/jobs", (
            NewJob request, NodeDirectory nodes, JobSources sources, JobEngine engine, Database database, ProgressBoard progress,
            TimeProvider clock,
            HttpContext context) =>
        {
            if (Refuse(request, nodes, sources, out List<NodeView> targets, out JobSpec? spec) is { } refusal)
            {
                return refusal;
            }
            if (JobPlan.FindTimeFault(request.NotBefore, clock.GetUtcNow()) is { } fault)
            {
                return Problems.Bad($"{fault} Nothing was ordered.");
            }
            if (JobPlan.FindHoldFault(request.HoldSeconds) is { } tooLong)
            {
                return Problems.Bad($"{tooLong} Nothing was ordered.");
            }
            if (request.After is { } after && Detail(database, progress, after) is null)
            {
                return Problems.Bad($"There is no job {after} that this one could come after. Nothing was ordered.");
            }
            Guid job = engine.Create(spec!, [.. targets.Select(t => t.Id)], Caller.Of(context).Name,
                request.Plan.Hold(request.HoldSeconds, clock.GetUtcNow()));
            return Results.Created($"/api/v1/jobs/{job}", Detail(database, progress, job));
        }).WithSummary("Order a job");
        api.MapPost("/jobs/{id:guid}/cancel", (Guid id, JobEngine engine, Database database, ProgressBoard progress) =>
        {
            engine.CancelAll(id);
            return Detail(database, progress, id) is { } job ? Results.Ok(job) : Missing(id);
        }).WithSummary("Cancel a job");
        api.MapPost("/tasks/{id:guid}/cancel", (Guid id, JobEngine engine) =>
            engine.Cancel(id) ? Results.NoContent()
                : Problems.Conflict($"There is no open task {id}.")).WithSummary("Cancel one node's task");
        api.MapGet("/tasks/{id:guid}/log", (Guid id, long? after, NodeLog log) => log.Read(null, id, after ?? 0));
    }

    internal static string NoSuchKind(string kind) =>
        $"There are no jobs of kind '{kind}': it is one of {string.Join(", ", TaskKind.Words)}.";

    internal static IResult Missing(Guid id) => Problems.NotFound($"There is no job {id}.");

    internal static JobDetail? Detail(Database database, ProgressBoard progress, Guid id) => database.Read(c =>
    {
        if (JobView.Query(c, id) is not [{ } job])
        {
            return null;
        }
        Dictionary<string, string> names = NodeRow.All(c).ToDictionary(n => n.Id, n => n.Name);
        return new JobDetail(job, [.. TaskRow.OfJob(c, id).Select(t =>
            TaskView.Of(t, names.GetValueOrDefault(t.NodeId, t.NodeId), progress.Find(t.TaskId)))]);
    });

    /// <summary>Looks everything up before anything is made; null: nothing is wrong.</summary>
    /// <param name="later">It is for later runs: until then a selector may take nobody, and nodes of other architectures may go.</param>
    internal static IResult? Refuse(
        NewJob request, NodeDirectory nodes, JobSources sources, out List<NodeView> targets, out JobSpec? spec, bool later = false)
    {
        spec = null;
        if (RefuseTargets(request, nodes, later, out targets) is { } refusal)
        {
            return refusal;
        }
        if (TaskKind.Find(request.Kind) is not { } kind)
        {
            return Problems.Bad(NoSuchKind(request.Kind));
        }
        if (request.Plan.FindFault(kind) is { } unsound)
        {
            return Problems.Bad($"{unsound} Nothing was ordered.");
        }
        spec = kind.Accept(new JobWish(request.Image, request.Parameters, later ? [] : targets), sources, out string fault);
        return spec is null ? Problems.Bad(fault) : null;
    }

    private static IResult? RefuseTargets(NewJob request, NodeDirectory nodes, bool mayBeNobody, out List<NodeView> targets)
    {
        targets = [];
        if (request.Select is { } selector)
        {
            targets.AddRange(nodes.Select(NodeSelector.Parse(selector)));
            return request.Nodes is not null ? Problems.Bad("A job names its nodes or has a selector, not both. Nothing was ordered.")
                : targets.Count == 0 && !(mayBeNobody && selector.Trim().Length > 0)
                    ? Problems.Bad($"No node is taken by the selector '{selector}': nothing was ordered.")
                : null;
        }
        IReadOnlyList<NodeView> all = nodes.List();
        foreach (string wanted in request.Nodes ?? [])
        {
            NodeView[] found = [.. all.Where(n => wanted == "all" || n.Name == wanted || n.Id.ToString() == wanted.ToLowerInvariant())];
            if (found.Length == 0)
            {
                return Problems.Bad(wanted == "all" ? "There are no nodes yet."
                    : $"There is no node '{wanted}': see the list of nodes for names and ids.");
            }
            targets.AddRange(found);
        }
        targets = [.. targets.DistinctBy(t => t.Id)];
        return targets.Count == 0 ? Problems.Bad("No nodes were named: nothing was ordered.") : null;
    }
}
