using System.Text.Json;
using Bootstrap.Protocol.Ids;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Jobs;

/// <summary>A job in short.</summary>
/// <param name="Kind"><c>install</c>, <c>reboot</c> …</param>
/// <param name="Image">Digest; of installations alone.</param>
/// <param name="Parameters">Those of the kind.</param>
/// <param name="CreatedAt">Unix milliseconds.</param>
/// <param name="CreatedBy">"api" for people and programs, "policy" for the policy on new boards.</param>
/// <param name="Ended">No task is open any more.</param>
/// <param name="Counts">How many tasks are in each state.</param>
public sealed record JobView(
    Guid Id, string Kind, string? Image, string? ImageName, JsonElement Parameters, long CreatedAt, string CreatedBy, bool Ended,
    IReadOnlyDictionary<string, int> Counts)
{
    private sealed class Row
    {
        public required string Id { get; init; }
        public required string Kind { get; init; }
        public string? Image { get; init; }
        public string? ImageName { get; init; }
        public required string Parameters { get; init; }
        public required long CreatedAt { get; init; }
        public required string CreatedBy { get; init; }
    }

    /// <summary>The newest jobs first, or one of them.</summary>
    internal static List<JobView> Query(SqliteConnection c, Guid? only = null)
    {
        string? id = only?.ToString();
        ILookup<string, (string State, long Count)> counts = c.Query<(string Job, string State, long Count)>("""
            SELECT job_id, state, count(*) FROM tasks WHERE @id IS NULL OR job_id = @id GROUP BY job_id, state
            """, new { id }).ToLookup(r => r.Job, r => (r.State, r.Count));
        IEnumerable<Row> rows = c.Query<Row>("""
            SELECT j.id AS Id, j.kind AS Kind, j.image AS Image, i.name AS ImageName, j.parameters AS Parameters, j.created_at AS CreatedAt, j.created_by AS CreatedBy
            FROM jobs j LEFT JOIN images i ON i.digest = j.image
            WHERE @id IS NULL OR j.id = @id ORDER BY j.created_at DESC, j.id DESC LIMIT 1000
            """, new { id });
        return [.. rows.Select(row => new JobView(Guid.Parse(row.Id), row.Kind, row.Image, row.ImageName,
            JsonElement.Parse(row.Parameters), row.CreatedAt, row.CreatedBy,
            counts[row.Id].All(s => Enum.Parse<TaskState>(s.State) >= TaskState.Succeeded),
            counts[row.Id].ToDictionary(s => ApiJson.Word(Enum.Parse<TaskState>(s.State)), s => (int)s.Count)))];
    }
}

/// <summary>A task as people see it.</summary>
/// <param name="Phase">One word: <c>staging</c>, <c>checking</c>, <c>writing</c>, <c>verifying</c>, <c>configuring</c>, <c>starting</c> …</param>
/// <param name="Cause">Why it failed, in one sentence; empty otherwise.</param>
/// <param name="Disk">State of the node's disk, once known.</param>
/// <param name="Attempts">How often NetInst was sent at it.</param>
/// <param name="PhaseAt">When the phase began, Unix milliseconds.</param>
/// <param name="ExitCode">Of the command that was run; 128 + n where signal n ended it.</param>
/// <param name="Note">What people must know although it succeeded; empty otherwise.</param>
public sealed record TaskView(
    Guid Id, Guid JobId, NodeId Node, string NodeName, string Kind, TaskState State, string Phase, long Done, long Total, string Unit,
    double Rate, string Cause, string? Disk, int Attempts, bool CancelRequested, long CreatedAt, long? SentAt, long PhaseAt, long? EndedAt,
    int? ExitCode, string Note)
{
    internal static TaskView Of(TaskRow t, string nodeName, TaskMeasure measure) => new(
        t.TaskId, Guid.Parse(t.JobId), t.Node, nodeName, t.Kind, t.State, t.Phase, measure.Done, measure.Total, measure.Unit, measure.Rate,
        t.Cause, t.DiskState is { } disk ? ApiJson.Word(disk) : null, (int)t.Attempts, t.CancelRequested != 0,
        t.CreatedAt, t.SentAt, t.PhaseAt, t.EndedAt, (int?)t.ExitCode, t.Note);
}

/// <summary>A job with each of its tasks.</summary>
public sealed record JobDetail(JobView Job, IReadOnlyList<TaskView> Tasks);
