using System.Text.Json;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Jobs.Rollouts;
using Bootstrap.Server.Features.Jobs.Tasks;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Jobs.Api;

/// <summary>A job in short.</summary>
/// <param name="Kind"><c>install</c>, <c>reboot</c> …</param>
/// <param name="Image">Digest; of installations alone.</param>
/// <param name="Parameters">Those of the kind.</param>
/// <param name="CreatedAt">Unix milliseconds.</param>
/// <param name="CreatedBy">Name of the person whose it is, "policy" for the policy on new boards, or "schedule".</param>
/// <param name="Ended">No task is open any more, and none will come.</param>
/// <param name="Counts">How many tasks are in each state.</param>
/// <param name="Paused">A person halted it: nothing more begins.</param>
/// <param name="Note">What the tasks that are held wait for, or why it stopped; empty where there is nothing to say.</param>
/// <param name="RetryOf">The job whose failed nodes this one takes up again.</param>
/// <param name="After">The job whose end it waits for.</param>
/// <param name="NotBefore">When it begins, Unix milliseconds.</param>
/// <param name="BeginBy">What has not begun by then is skipped, Unix milliseconds.</param>
/// <param name="Schedule">The schedule that made it.</param>
/// <param name="DueAt">When that was due, Unix milliseconds.</param>
/// <param name="Select">The selector by which its nodes were chosen; null: they were named.</param>
/// <param name="ChoosesAgain">It has not begun, and asks its selector again when it does: other nodes may come and go until then.</param>
public sealed record JobView(
    Guid Id, string Kind, string? Image, string? ImageName, JsonElement Parameters, long CreatedAt, string CreatedBy, bool Ended,
    IReadOnlyDictionary<string, int> Counts, RolloutPolicy? Rollout, RetryPolicy? Retry, bool Paused, string Note, Guid? RetryOf,
    Guid? After, long? NotBefore, long? BeginBy, string? Schedule, long? DueAt,
    string? Select, bool ChoosesAgain)
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
        public string? Rollout { get; init; }
        public string? Retry { get; init; }
        public long Paused { get; init; }
        public required string Note { get; init; }
        public string? RetryOf { get; init; }
        public string? After { get; init; }
        public long? NotBefore { get; init; }
        public long? BeginBy { get; init; }
        public string? Schedule { get; init; }
        public long? DueAt { get; init; }
        public string? Selector { get; init; }
        public long? ChosenAt { get; init; }
    }

    /// <summary>A job with this id; none where there is no such job.</summary>
    internal static List<JobView> Query(SqliteConnection c, Guid id) => Query(c, "@id", new { id = id.ToString() });

    /// <summary>The jobs of these tasks, in no order.</summary>
    internal static List<JobView> Query(SqliteConnection c, IEnumerable<TaskRow> tasks) =>
        Query(c, "SELECT value FROM json_each(@ids)", new { ids = JsonSerializer.Serialize(tasks.Select(t => t.JobId)) });

    /// <summary>The newest jobs first.</summary>
    internal static List<JobView> Query(SqliteConnection c, JobFilter filter) => Query(c, filter.Ids, filter.Values);

    private static List<JobView> Query(SqliteConnection c, string chosen, object choice)
    {
        ILookup<string, (string State, long Count)> counts = c.Query<(string Job, string State, long Count)>($"""
            SELECT job_id, state, count(*) FROM tasks WHERE job_id IN ({chosen}) GROUP BY job_id, state
            """, choice).ToLookup(r => r.Job, r => (r.State, r.Count));
        IEnumerable<Row> rows = c.Query<Row>($"""
            SELECT j.id AS Id, j.kind AS Kind, j.image AS Image, i.name AS ImageName, j.parameters AS Parameters,
                j.created_at AS CreatedAt, j.created_by AS CreatedBy,
                j.rollout AS Rollout, j.retry AS Retry, j.paused AS Paused, j.note AS Note, j.retry_of AS RetryOf,
                j.after AS After, j.not_before AS NotBefore, j.begin_by AS BeginBy, j.schedule AS Schedule, j.due_at AS DueAt,
                j.selector AS Selector, j.chosen_at AS ChosenAt
            FROM jobs j LEFT JOIN image_names i ON i.digest = j.image
            WHERE j.id IN ({chosen}) ORDER BY j.id DESC
            """, choice);
        return [.. rows.Select(row => Of(row, counts[row.Id].ToDictionary(s => Enum.Parse<TaskState>(s.State), s => (int)s.Count)))];
    }

    private static JobView Of(Row row, Dictionary<TaskState, int> counts)
    {
        bool choosesAgain = row.Selector is not null && row.ChosenAt is null;
        bool ended = !choosesAgain && counts.Keys.All(s => s >= TaskState.Succeeded);
        // What the last tasks waited for is of no interest once they have ended otherwise.
        string note = ended && counts.Count > 0 && !counts.ContainsKey(TaskState.Skipped) ? "" : row.Note;
        return new JobView(Guid.Parse(row.Id), row.Kind, row.Image, row.ImageName, JsonElement.Parse(row.Parameters), row.CreatedAt,
            row.CreatedBy, ended,
            counts.ToDictionary(s => ApiJson.Word(s.Key), s => s.Value),
            JobRow.Read<RolloutPolicy>(row.Rollout), JobRow.Read<RetryPolicy>(row.Retry), row.Paused != 0, note, row.RetryOf is { } first
                ? Guid.Parse(first) : null,
            row.After is { } before ? Guid.Parse(before) : null, row.NotBefore, row.BeginBy, row.Schedule, row.DueAt, row.Selector,
            choosesAgain);
    }
}

/// <summary>A task as people see it.</summary>
/// <param name="Phase">One word: <c>staging</c>, <c>checking</c>, <c>writing</c>, <c>verifying</c>, <c>configuring</c>, <c>starting</c>
/// …</param>
/// <param name="Cause">Why it failed, in one sentence; empty otherwise.</param>
/// <param name="Disk">State of the node's disk, once known.</param>
/// <param name="Attempts">How often NetInst was sent at it.</param>
/// <param name="PhaseAt">When the phase began, Unix milliseconds.</param>
/// <param name="ExitCode">Of the command that was run; 128 + n where signal n ended it.</param>
/// <param name="Note">What people must know beside how it ended; empty where there is nothing.</param>
/// <param name="Stall">That it does not get on ("no progress for 75 s"), for as long as that is so; empty otherwise. It goes on all the
/// same.</param>
/// <param name="Fraction">How far it is on its whole way, 0 to 1; null: nobody knows.</param>
public sealed record TaskView(
    Guid Id, Guid JobId, NodeId Node, string NodeName, string Kind, TaskState State, string Phase, long Done, long Total, string Unit,
    double Rate, string Cause, string? Disk, int Attempts, bool CancelRequested, long CreatedAt, long? SentAt, long PhaseAt, long? EndedAt,
    int? ExitCode, string Note, string Stall, double? Fraction)
{
    internal static TaskView Of(TaskRow t, TaskMeasure measure) => new(
        t.TaskId, Guid.Parse(t.JobId), t.Node, t.NodeName, t.Kind, t.State, t.Phase, measure.Done, measure.Total, measure.Unit,
        measure.Rate, t.Cause, t.DiskState is { } disk ? ApiJson.Word(disk) : null, (int)t.Attempts, t.CancelRequested != 0,
        t.CreatedAt, t.SentAt, t.PhaseAt, t.EndedAt, (int?)t.ExitCode, t.Note, measure.Stall,
        TaskFraction.Of(t, measure));
}

/// <summary>What a node did, or is to do, in a job.</summary>
public sealed record NodeJob(JobView Job, TaskView Task);

/// <summary>A job with each of its tasks.</summary>
public sealed record JobDetail(JobView Job, IReadOnlyList<TaskView> Tasks) : IAudited
{
    private const int MostNamed = 3;

    /// <summary>"reboot of pi-1, pi-2": for those who read who did what.</summary>
    string IAudited.Describe()
    {
        string image = Job.ImageName is { } name ? $" of {name} on" : " of";
        string more = Tasks.Count > MostNamed ? $" and {Tasks.Count - MostNamed} more" : "";
        return $"{Job.Kind}{image} {string.Join(", ", Tasks.Take(MostNamed).Select(t => t.NodeName))}{more}";
    }
}
