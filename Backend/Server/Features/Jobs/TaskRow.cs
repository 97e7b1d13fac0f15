using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Jobs;

/// <summary>Where a task is on its way.</summary>
public enum TaskState
{
    /// <summary>Its node is not connected, or does something else first.</summary>
    Waiting,

    /// <summary>On its way to the node.</summary>
    Sent,

    /// <summary>The node works on it, or is expected back from it.</summary>
    Running,

    Succeeded,
    Failed,
    Cancelled,
    TimedOut,
}

/// <summary>One node's part of a job, as the database has it.</summary>
internal sealed class TaskRow
{
    private const string Select = """
        SELECT t.id AS Id, t.job_id AS JobId, t.node_id AS NodeId, j.kind AS Kind, j.image AS Image, j.parameters AS Parameters, t.state AS StateText, t.phase AS Phase,
            t.cause AS Cause, t.disk AS Disk, t.attempts AS Attempts, t.cancel_requested AS CancelRequested,
            t.boot_id_before AS BootIdBefore, t.created_at AS CreatedAt, t.sent_at AS SentAt, t.phase_at AS PhaseAt, t.ended_at AS EndedAt,
            t.exit_code AS ExitCode, t.note AS Note
        FROM tasks t JOIN jobs j ON j.id = t.job_id
        """;

    public required string Id { get; init; }
    public required string JobId { get; init; }
    public required string NodeId { get; init; }
    public required string Kind { get; init; }
    public string? Image { get; init; }
    public required string Parameters { get; init; }
    public required string StateText { get; init; }
    public required string Phase { get; init; }
    public required string Cause { get; init; }
    public string? Disk { get; init; }
    public required long Attempts { get; init; }
    public required long CancelRequested { get; init; }
    public string? BootIdBefore { get; init; }
    public required long CreatedAt { get; init; }
    public long? SentAt { get; init; }
    public required long PhaseAt { get; init; }
    public long? EndedAt { get; init; }
    public long? ExitCode { get; init; }
    public string Note { get; init; } = "";

    public Guid TaskId => Guid.Parse(Id);

    public NodeId Node => Protocol.Ids.NodeId.Parse(NodeId);

    public TaskState State => Enum.Parse<TaskState>(StateText);

    public DiskState? DiskState => Disk is null ? null : Enum.Parse<DiskState>(Disk);

    public static TaskRow? Find(SqliteConnection c, Guid id) =>
        c.QuerySingleOrDefault<TaskRow>($"{Select} WHERE t.id = @id", new { id = id.ToString() });

    /// <summary>Tasks that have not ended, oldest first.</summary>
    public static List<TaskRow> Open(SqliteConnection c) =>
        [.. c.Query<TaskRow>($"{Select} WHERE t.ended_at IS NULL ORDER BY t.created_at, t.id")];

    /// <summary>A node's tasks that have not ended, oldest first: the first is the one that it works on.</summary>
    public static List<TaskRow> Open(SqliteConnection c, NodeId node) =>
        [.. c.Query<TaskRow>($"{Select} WHERE t.node_id = @node AND t.ended_at IS NULL ORDER BY t.created_at, t.id", new { node = node.ToString() })];

    public static List<TaskRow> OfJob(SqliteConnection c, Guid job) =>
        [.. c.Query<TaskRow>($"{Select} WHERE t.job_id = @job ORDER BY t.id", new { job = job.ToString() })];

    /// <summary>Moves the task to a state or phase; states that end a task have an end time.</summary>
    public void Move(SqliteConnection c, Step.Move move, long now) =>
        c.Execute("""
            UPDATE tasks SET state = @state, phase = @Phase, cause = @Cause, disk = coalesce(@disk, disk), phase_at = @now,
                ended_at = iif(@ends, @now, NULL), exit_code = @ExitCode, note = @Note
            WHERE id = @Id
            """,
            new { Id, state = move.State.ToString(), move.Phase, move.Cause, disk = move.Disk?.ToString(), now, ends = move.State >= TaskState.Succeeded, move.ExitCode, move.Note });
}
