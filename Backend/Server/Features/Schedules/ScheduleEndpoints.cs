using Bootstrap.Server.Features.Jobs;
using Bootstrap.Server.Features.Jobs.Api;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Schedules;

/// <summary><c>/schedules</c>: jobs that are made again and again; <c>/cron/runs</c>: when a line would run.</summary>
internal static class ScheduleEndpoints
{
    private const int MostRuns = 100;

    internal sealed record Switch(bool Enabled);

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/schedules", (ScheduleStore schedules) => schedules.All().Select(s => schedules.View(s.Schedule))).Compresses();
        api.MapGet("/schedules/{name}", (string name, ScheduleStore schedules) =>
            schedules.Find(name) is { } schedule ? Results.Ok(schedules.View(schedule)) : Missing(name));
        api.MapPost("/schedules", (Schedule wanted, ScheduleStore schedules, NodeDirectory nodes, JobSources sources, TimeProvider clock) =>
            schedules.Find(wanted.Name) is not null
                ? Problems.Conflict($"There is a schedule '{wanted.Name}' already: remove it first, or choose another name.")
                : Put(wanted, schedules, nodes, sources, clock)
                    ?? Results.Created($"/api/v1/schedules/{wanted.Name}", schedules.View(schedules.Find(wanted.Name)!)))
                    .WithSummary("Add a schedule");
        api.MapPut("/schedules/{name}",
            (string name, Schedule wanted, ScheduleStore schedules, NodeDirectory nodes, JobSources sources, TimeProvider clock) =>
            wanted.Name != name
                ? Problems.Bad($"The schedule is called '{wanted.Name}' here and '{name}' in the address.")
                : Put(wanted, schedules, nodes, sources, clock)
                    ?? Results.Ok(schedules.View(schedules.Find(name)!))).WithSummary("Add or change a schedule");
        api.MapPatch("/schedules/{name}", (string name, Switch wanted, ScheduleStore schedules) =>
        {
            if (schedules.Find(name) is not { } schedule)
            {
                return Missing(name);
            }
            if (schedule.Enabled != wanted.Enabled)
            {
                schedules.Put(schedule with { Enabled = wanted.Enabled });
            }
            return Results.Ok(schedules.View(schedule with { Enabled = wanted.Enabled }));
        }).WithSummary("Switch a schedule on or off");
        api.MapDelete("/schedules/{name}", (string name, ScheduleStore schedules) => schedules.Remove(name) ? Results.NoContent()
            : Missing(name)).WithSummary("Remove a schedule");
        api.MapGet("/schedules/{name}/runs", (string name, int? count, ScheduleStore schedules, TimeProvider clock) =>
            schedules.Find(name) is { } schedule ? Runs(schedule.Cron, schedule.Zone, count, clock) : Missing(name));
        api.MapPost("/schedules/{name}/run",
            (string name, ScheduleStore schedules, ScheduleRunner runner, Database database, ProgressBoard progress) =>
        {
            if (schedules.Find(name) is not { } schedule)
            {
                return Missing(name);
            }
            Guid job = runner.Run(schedule, due: null);
            return Results.Created($"/api/v1/jobs/{job}", JobEndpoints.Detail(database, progress, job));
        }).WithSummary("Run a schedule now");
        api.MapGet("/cron/runs", (string line, string zone, int? count, TimeProvider clock) => Runs(line, zone, count, clock));
    }

    /// <summary>The next runs, Unix milliseconds.</summary>
    private static IResult Runs(string line, string zone, int? count, TimeProvider clock)
    {
        DateTimeOffset now = clock.GetUtcNow();
        return count is < 1 or > MostRuns ? Problems.Bad($"count is 1 to {MostRuns}, not {count}.")
            : CronLine.Read(line, zone, now, out string fault) is { } cron
                ? Results.Ok(cron.After(now).Take(count ?? 5).Select(at => at.ToUnixTimeMilliseconds()))
            : Problems.Bad(fault);
    }

    /// <summary>Stores a schedule; null: done.</summary>
    private static IResult? Put(Schedule wanted, ScheduleStore schedules, NodeDirectory nodes, JobSources sources, TimeProvider clock)
    {
        if (wanted.Validate(clock.GetUtcNow()) is { } fault)
        {
            return Problems.Bad($"{fault} Nothing was changed.");
        }
        if (JobEndpoints.Refuse(wanted.Job, nodes, sources, out List<NodeView> targets, out _, later: true) is { } refusal)
        {
            return refusal;
        }
        // Nodes that were named are those that have these names now.
        JobEndpoints.NewJob job = wanted.Job.Select is null ? wanted.Job with { Nodes = [.. targets.Select(t => t.Id.ToString())] }
            : wanted.Job;
        schedules.Put(wanted with { Job = job });
        return null;
    }

    private static IResult Missing(string name) => Problems.NotFound($"There is no schedule '{name}'.");
}
