using Bootstrap.Server.Features.Jobs.Api;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Jobs.Tasks;

/// <summary>A task came to a state or phase.</summary>
/// <param name="Phase">Empty where the state has none.</param>
/// <param name="At">Unix milliseconds; it lasted until the next one.</param>
public sealed record TaskPhaseView(Guid Task, TaskState State, string Phase, long At);

/// <summary><c>/jobs/{id}/phases</c>: the course of each task, for timelines.</summary>
internal static class TaskPhases
{
    public static void Map(IEndpointRouteBuilder api) =>
        api.MapGet("/jobs/{id:guid}/phases", (Guid id, Database database) => database.Read(c =>
            JobRow.Find(c, id) is null ? JobEndpoints.Missing(id) : Results.Ok(OfJob(c, id)))).Compresses();

    /// <summary>Notes that a task comes to a state and phase, before it is written there; nothing where it is in them.</summary>
    internal static void Note(SqliteConnection c, string task, TaskState state, string phase, long at) => c.Execute("""
        INSERT INTO task_phases (task_id, state, phase, at)
        SELECT id, @state, @phase, @at FROM tasks WHERE id = @task AND (state <> @state OR phase <> @phase)
        """, new { task, state = state.ToString(), phase, at });

    /// <summary>Of all tasks of a job, each one's in their order. What was before its order was sent is not among them.</summary>
    internal static List<TaskPhaseView> OfJob(SqliteConnection c, Guid job) =>
        [.. c.Query<(string Task, string State, string Phase, long At)>("""
            SELECT p.task_id, p.state, p.phase, p.at FROM task_phases p JOIN tasks t ON t.id = p.task_id
            WHERE t.job_id = @job ORDER BY p.rowid
            """, new { job = job.ToString() })
        .Select(p => new TaskPhaseView(Guid.Parse(p.Task), Enum.Parse<TaskState>(p.State), p.Phase, p.At))];
}
