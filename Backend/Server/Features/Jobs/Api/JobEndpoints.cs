using System.Text.Json;
using System.Text.Json.Serialization;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Jobs.Engine;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.Jobs.Rollouts;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Jobs.Api;

/// <summary><c>/jobs</c> and <c>/tasks</c>: order something, watch it, end it.</summary>
internal static class JobEndpoints
{
    /// <summary>Jobs of a node that are told at once.</summary>
    private const int MostOfNode = 100;

    /// <summary>Benchmarks before and after one job: each takes a minute or more.</summary>
    private const int MostMeasured = 5;

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
    /// <param name="AlsoFailed">And on those that did.</param>
    /// <param name="Frozen">It stays with the nodes that the selector takes now.</param>
    /// <param name="HoldSeconds">Nothing is sent for so long, so that the order can be undone.</param>
    /// <param name="Measure">Benchmarks by which the nodes are measured before, and again after it: by jobs of their own.</param>
    internal sealed record NewJob(string Kind, IReadOnlyList<string>? Nodes = null, string? Select = null, string? Image = null,
        JsonElement? Parameters = null, RolloutPolicy? Rollout = null, RetryPolicy? Retry = null, string? NotBefore = null,
        Guid? After = null,
        bool Frozen = false, int HoldSeconds = 0, bool AlsoFailed = false, IReadOnlyList<string>? Measure = null)
    {
        [JsonIgnore]
        public JobPlan Plan => new(Rollout, Retry, JobPlan.ReadTime(NotBefore), After: After, Selector: Select, Frozen: Frozen,
            AlsoFailed: AlsoFailed, Measure: Measure is null ? null : [.. Measure.Select(BenchmarkJobKind.SpecOf)]);
    }

    public static void Map(IEndpointRouteBuilder api)
    {
        // Jobs that are older than the last of a list are those before it.
        api.MapGet("/jobs", (string? kind, string? state, string? text, string? id, Guid? before, int? limit, Database database) =>
        {
            var filter = new JobFilter(kind, state, text, id, before, limit ?? JobFilter.MostListed);
            return filter.Validate() is { } fault ? Problems.Bad(fault)
                : Results.Ok(database.Read(c => JobView.Query(c, filter)));
        }).Compresses();
        api.MapGet("/jobs/{id:guid}", (Guid id, Database database, ProgressBoard progress) =>
            Detail(database, progress, id) is { } job ? Results.Ok(job) : Missing(id));
        api.MapPost("/jobs", (
            NewJob request, NodeDirectory nodes, JobSources sources, JobEngine engine, Database database, ProgressBoard progress,
            TimeProvider clock,
            HttpContext context) =>
        {
            if (Refuse(request, nodes, sources, database, clock, out List<NodeView> targets, out JobSpec? spec) is { } refusal)
            {
                return refusal;
            }
            Guid job = engine.Create(spec!, [.. targets.Select(t => t.Id)], Caller.Of(context).Name,
                request.Plan.Hold(request.HoldSeconds, clock.GetUtcNow()));
            return Results.Created($"/api/v1/jobs/{job}", Detail(database, progress, job));
        }).WithSummary("Order a job");
        // Whoever asks a person before an order learns here first whether it would be refused.
        api.MapPost("/jobs/check", (NewJob request, NodeDirectory nodes, JobSources sources, Database database, TimeProvider clock) =>
            Refuse(request, nodes, sources, database, clock, out _, out _) ?? Results.NoContent())
            .WithSummary("Check an order without making a job").OnlyReads();
        api.MapPost("/jobs/{id:guid}/cancel", (Guid id, JobEngine engine, Database database, ProgressBoard progress) =>
        {
            engine.CancelAll(id);
            return Detail(database, progress, id) is { } job ? Results.Ok(job) : Missing(id);
        }).WithSummary("Cancel a job");
        api.MapPost("/tasks/{id:guid}/cancel", (Guid id, JobEngine engine) =>
            engine.Cancel(id) ? Results.NoContent()
                : Problems.Conflict($"There is no open task {id}.")).WithSummary("Cancel one node's task");
        // The newest first.
        api.MapGet("/nodes/{id}/jobs", (string id, int? limit, NodeDirectory nodes, Database database, ProgressBoard progress) =>
            limit is < 1 or > MostOfNode ? Problems.Bad($"limit is 1 to {MostOfNode}, not {limit}.")
            : NodeEndpoints.Find(nodes, id) is { } node ? Results.Ok(OfNode(database, progress, node, limit ?? MostOfNode))
            : NodeEndpoints.Unknown(id));
        api.MapGet("/jobs/{id:guid}/log", (Guid id, long? after, Database database, NodeLog log) =>
                log.Read(database.Read(c => TaskRow.IdsOfJob(c, id)), after ?? 0))
            .WithSummary("What all nodes of a job said, as it came");
        api.MapGet("/tasks/{id:guid}/log", (Guid id, long? after, NodeLog log) => log.Read([id], after ?? 0));
    }

    private static List<NodeJob> OfNode(Database database, ProgressBoard progress, NodeView node, int limit) => database.Read(c =>
    {
        List<TaskRow> tasks = TaskRow.OfNode(c, node.Id, limit);
        var jobs = JobView.Query(c, tasks).ToDictionary(j => j.Id.ToString());
        return tasks.ConvertAll(t => new NodeJob(jobs[t.JobId], TaskView.Of(t, progress.Find(t.TaskId))));
    });

    internal static string NoSuchKind(string kind) =>
        $"There are no jobs of kind '{kind}': it is one of {string.Join(", ", TaskKind.Words)}.";

    internal static IResult Missing(Guid id) => Problems.NotFound($"There is no job {id}.");

    internal static JobDetail? Detail(Database database, ProgressBoard progress, Guid id) => database.Read(c =>
    {
        return JobView.Query(c, id) is [{ } job]
            ? new JobDetail(job, [.. TaskRow.OfJob(c, id).Select(t => TaskView.Of(t, progress.Find(t.TaskId)))]) : null;
    });

    /// <summary>Looks everything up before anything is made, also when it is to begin; null: nothing is wrong.</summary>
    private static IResult? Refuse(NewJob request, NodeDirectory nodes, JobSources sources, Database database, TimeProvider clock,
        out List<NodeView> targets, out JobSpec? spec)
    {
        if (Refuse(request, nodes, sources, out targets, out spec) is { } refusal)
        {
            return refusal;
        }
        string? fault = JobPlan.FindTimeFault(request.NotBefore, clock.GetUtcNow()) ?? JobPlan.FindHoldFault(request.HoldSeconds) ??
            (request.After is { } after && database.Read(c => JobRow.Find(c, after)) is null
                ? $"There is no job {after} that this one could come after." : null);
        return fault is null ? null : Problems.Bad($"{fault} Nothing was ordered.");
    }

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
        if (request.Measure is { Count: > MostMeasured })
        {
            return Problems.Bad($"measure names {MostMeasured} benchmarks at most, not {request.Measure.Count}. Nothing was ordered.");
        }
        if (request.Plan.Validate(kind) is { } unsound)
        {
            return Problems.Bad($"{unsound} Nothing was ordered.");
        }
        spec = kind.Accept(new JobRequest(request.Image, request.Parameters, later ? [] : targets), sources, out string fault);
        fault = spec is null ? fault
            : kind.ValidateNumber(spec.Parameters, later ? int.MaxValue : targets.Count) is { } number ? number
            : FindMeasureFault(request, kind, targets, sources, later) is { Length: > 0 } unmeasured ? $"{unmeasured} Nothing was ordered."
            : "";
        return fault.Length > 0 ? Problems.Bad(fault) : null;
    }

    private static string FindMeasureFault(NewJob request, TaskKind kind, List<NodeView> targets, JobSources sources, bool later)
    {
        if (request.Measure is not { Count: > 0 } benchmarks)
        {
            return "";
        }
        if (!kind.MayBeMeasured)
        {
            return kind.EndsConnected ? "A benchmark is not measured by others before and after."
                : $"Nobody can be measured after a {request.Kind}.";
        }
        TaskKind measuring = TaskKind.Find(BenchmarkJobKind.Name)!;
        string fault = "";
        foreach (JobSpec spec in benchmarks.Select(BenchmarkJobKind.SpecOf))
        {
            if (measuring.Accept(new JobRequest(null, JsonElement.Parse(spec.Parameters), later ? [] : targets), sources, out fault)
                is null ||
                (fault = measuring.ValidateNumber(spec.Parameters, later ? int.MaxValue : targets.Count) ?? "").Length > 0)
            {
                break;
            }
        }
        return fault;
    }

    private static IResult? RefuseTargets(NewJob request, NodeDirectory nodes, bool mayBeNobody, out List<NodeView> targets)
    {
        targets = [];
        if (request.Select is { } selector)
        {
            var words = NodeSelector.Parse(selector);
            targets.AddRange(nodes.Select(words));
            return words.Fault.Length > 0 ? Problems.Bad($"{words.Fault} Nothing was ordered.")
                : request.Nodes is not null ? Problems.Bad("A job names its nodes or has a selector, not both. Nothing was ordered.")
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
