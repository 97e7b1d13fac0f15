using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Images;
using Bootstrap.Server.Features.Jobs.Engine;
using Bootstrap.Server.Features.Jobs.Rollouts;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Jobs.Api;

/// <summary><c>/jobs/{id}/pause</c>, <c>/resume</c>, <c>/undo</c> and <c>/retry</c>: a person takes a hand in a job.</summary>
internal static class JobControlEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapPost("/jobs/{id:guid}/pause", (Guid id, JobEngine engine, Database database, ProgressBoard progress) =>
            SetPaused(id, true, engine, database, progress)).WithSummary("Pause a job");
        api.MapPost("/jobs/{id:guid}/resume", (Guid id, JobEngine engine, Database database, ProgressBoard progress) =>
            SetPaused(id, false, engine, database, progress)).WithSummary("Resume a job");
        api.MapPost("/jobs/{id:guid}/undo", (Guid id, JobEngine engine, Database database, ProgressBoard progress) =>
        {
            string? refusal = engine.Undo(id);
            return JobEndpoints.Detail(database, progress, id) is not { } job ? JobEndpoints.Missing(id)
                : refusal is null ? Results.Ok(job)
                : Problems.Conflict(refusal);
        }).WithSummary("Undo a job before it has begun");
        api.MapPost("/jobs/{id:guid}/retry", (
            Guid id, string? node, int? holdSeconds, JobEngine engine, ImageCatalogue images, Database database, ProgressBoard progress,
            HttpContext context) =>
        {
            if (JobEndpoints.Detail(database, progress, id) is not { } job)
            {
                return JobEndpoints.Missing(id);
            }
            if (job.Job.Image is { } image && images.Find(image) is null)
            {
                return Problems.Conflict("The image of this job was deleted: order an installation of another one.");
            }
            if (JobPlan.FindHoldFault(holdSeconds ?? 0) is { } fault)
            {
                return Problems.Bad(fault);
            }
            NodeId only = default;
            if (node is not null && !NodeId.TryParse(node, out only))
            {
                return Problems.Bad($"'{node}' is no node's id.");
            }
            return engine.Retry(id, node is null ? null : only, Caller.Of(context).Name, holdSeconds ?? 0, out string refusal) is { } made
                ? Results.Created($"/api/v1/jobs/{made}", JobEndpoints.Detail(database, progress, made))
                : Problems.Conflict(refusal);
        }).WithSummary("Retry what failed of a job");
    }

    private static IResult SetPaused(Guid id, bool paused, JobEngine engine, Database database, ProgressBoard progress)
    {
        bool open = engine.SetPaused(id, paused);
        return JobEndpoints.Detail(database, progress, id) is not { } job ? JobEndpoints.Missing(id)
            : open ? Results.Ok(job)
            : Problems.Conflict($"Job {id} has ended: there is nothing to {(paused ? "pause" : "resume")}.");
    }
}
