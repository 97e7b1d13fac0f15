using System.Text.Json;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.Jobs.Rollouts;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Jobs.Tasks;

/// <summary>Where a task is on its way.</summary>
public enum TaskState
{
    /// <summary>Its job has not come to it yet: the node does not know of it, and other jobs' tasks pass it.</summary>
    Held,

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

    /// <summary>Never begun, because its job stopped before.</summary>
    Skipped,
}

/// <summary>One node's part of a job, as the database has it.</summary>
internal sealed class TaskRow
{
    /// <summary>What was begun comes before what was not: a task that was held for long does not push itself between.</summary>
    private const string Oldest = "t.sent_at IS NULL, t.created_at, t.rowid";

    private const string Select = """
        SELECT t.id AS Id, t.job_id AS JobId, t.node_id AS NodeId, j.kind AS Kind, j.image AS Image, j.parameters AS Parameters,
            t.state AS StateText, t.phase AS Phase,
            t.cause AS Cause, t.disk AS Disk, t.attempts AS Attempts, t.cancel_requested AS CancelRequested,
            t.boot_id_before AS BootIdBefore, t.created_at AS CreatedAt, t.sent_at AS SentAt, t.phase_at AS PhaseAt, t.ended_at AS EndedAt,
            t.exit_code AS ExitCode, t.note AS Note,
            t.position AS Position, t.retries AS Retries, t.retry_at AS RetryAt, j.retry AS RetryText, j.paused AS JobPaused,
            coalesce(n.name, t.node_name, t.node_id) AS NodeName
        FROM tasks t JOIN jobs j ON j.id = t.job_id LEFT JOIN node_names n ON n.id = t.node_id
        """;

    public required string Id { get; init; }
    public required string JobId { get; init; }
    public required string NodeId { get; init; }
    /// <summary>Of a node that was forgotten, the last one that it had.</summary>
    public string NodeName { get; init; } = "";

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

    /// <summary>Its place in the job's order, from 0.</summary>
    public long Position { get; init; }

    /// <summary>How often the job's retry policy gave it another attempt.</summary>
    public long Retries { get; init; }

    /// <summary>A waiting task is not sent before; null: at once.</summary>
    public long? RetryAt { get; init; }

    public string? RetryText { get; init; }
    public long JobPaused { get; init; }

    public Guid TaskId => Guid.Parse(Id);

    public NodeId Node => Protocol.Ids.NodeId.Parse(NodeId);

    public TaskState State => Enum.Parse<TaskState>(StateText);

    public DiskState? DiskState => Disk is null ? null : Enum.Parse<DiskState>(Disk);

    public RetryPolicy? Retry => JobRow.Read<RetryPolicy>(RetryText);

    public static TaskRow? Find(SqliteConnection c, Guid id) =>
        c.QuerySingleOrDefault<TaskRow>($"{Select} WHERE t.id = @id", new { id = id.ToString() });

    /// <summary>Tasks that are not held back and have not ended, oldest first.</summary>
    public static List<TaskRow> Open(SqliteConnection c) =>
        [.. c.Query<TaskRow>($"{Select} WHERE t.ended_at IS NULL AND t.state <> 'Held' ORDER BY {Oldest}")];

    /// <summary>Those that nodes work on.</summary>
    public static IEnumerable<TaskRow> Running(SqliteConnection c) =>
        Open(c).Where(task => task.State is TaskState.Sent or TaskState.Running);

    /// <summary>A node's tasks that are not held back and have not ended: the first is the one that it works on.</summary>
    public static List<TaskRow> Open(SqliteConnection c, NodeId node) =>
        [.. c.Query<TaskRow>($"{Select} WHERE t.node_id = @node AND t.ended_at IS NULL AND t.state <> 'Held' ORDER BY {Oldest}",
            new { node = node.ToString() })];

    /// <summary>A node's tasks, the newest first.</summary>
    public static List<TaskRow> OfNode(SqliteConnection c, NodeId node, int limit) => [.. c.Query<TaskRow>(
        $"{Select} WHERE t.node_id = @node ORDER BY t.created_at DESC, t.rowid DESC LIMIT @limit", new { node = node.ToString(), limit })];

    /// <summary>Those of a kind whose parameters have a switch on, the oldest first.</summary>
    /// <param name="node">Of this node alone.</param>
    public static IEnumerable<TaskRow> With(SqliteConnection c, string kind, string parameter, NodeId? node) => c.Query<TaskRow>($"""
        {Select} WHERE j.kind = @kind AND json_extract(j.parameters, '$.' || @parameter) AND (@node IS NULL OR t.node_id = @node)
        ORDER BY t.created_at, t.rowid
        """, new { kind, parameter, node = node?.ToString() });

    /// <summary>The last phase in which its node worked on it; empty: none.</summary>
    public string LastPhase(SqliteConnection c) => c.QueryFirstOrDefault<string>(
        "SELECT phase FROM task_phases WHERE task_id = @Id AND state = 'Running' ORDER BY rowid DESC LIMIT 1", new { Id }) ?? "";

    /// <summary>Nodes whose last task has shut them down.</summary>
    public static List<NodeId> ShutDown(SqliteConnection c) => [.. c.Query<string>("""
        SELECT n.id FROM node_names n
        JOIN tasks t ON t.id = (SELECT id FROM tasks WHERE node_id = n.id AND ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT 1)
        JOIN jobs j ON j.id = t.job_id WHERE j.kind IN (SELECT value FROM json_each(@off)) AND t.state = 'Succeeded'
        """, new { off = JsonSerializer.Serialize(TaskKind.Words.Where(word => !TaskKind.Find(word)!.EndsConnected)) })
        .Select(Protocol.Ids.NodeId.Parse)];

    public static List<TaskRow> OfJob(SqliteConnection c, Guid job) =>
        [.. c.Query<TaskRow>($"{Select} WHERE t.job_id = @job ORDER BY t.position, t.id", new { job = job.ToString() })];

    public static IReadOnlyList<Guid> IdsOfJob(SqliteConnection c, Guid job) =>
        [.. c.Query<string>("SELECT id FROM tasks WHERE job_id = @job", new { job = job.ToString() }).Select(Guid.Parse)];

    /// <summary>
    /// Moves the task to a state or phase; states that end a task have an end time. What an attempt has begun on the disk stays so when a
    /// later attempt writes nothing. Once the task is not with its node any more, the node's state is what its disk is.
    /// </summary>
    /// <param name="retryAt">A task that waits again is not sent before.</param>
    /// <param name="retries">Attempts that the job's policy gave it with this.</param>
    public void Move(SqliteConnection c, Step.Move move, long now, long? retryAt = null, int retries = 0)
    {
        bool ends = move.State >= TaskState.Succeeded;
        bool isFirstEnd = ends && c.ExecuteScalar<bool>("SELECT ended_at IS NULL FROM tasks WHERE id = @Id", new { Id });
        TaskPhases.Note(c, Id, move.State, move.Phase, now);
        c.Execute("""
            UPDATE tasks SET state = @state, phase = @Phase, cause = @Cause, phase_at = @now,
                disk = iif(disk = 'Unbootable' AND @disk = 'Untouched', disk, coalesce(@disk, disk)),
                ended_at = iif(@ends, @now, NULL), exit_code = @ExitCode, note = @Note, retry_at = @retryAt, retries = retries + @retries
            WHERE id = @Id
            """,
            new
            {
                Id,
                state = move.State.ToString(),
                move.Phase,
                move.Cause,
                disk = move.Disk?.ToString(),
                now,
                ends,
                move.ExitCode,
                move.Note,
                retryAt,
                retries,
            });
        if (move.State is not (TaskState.Sent or TaskState.Running))
        {
            InstalledNodes.Settle(c, Id);
        }
        if (isFirstEnd)
        {
            JobEnds.Note(c, JobId, move.State, now);
        }
    }

    /// <summary>The node is about to be forgotten: the history of its jobs keeps its name.</summary>
    public static void KeepName(SqliteConnection c, NodeId node) => c.Execute(
        "UPDATE tasks SET node_name = (SELECT name FROM node_names WHERE id = @node) WHERE node_id = @node",
        new { node = node.ToString() });

    /// <summary>Its turn has come: what it waited for before, and since when, stays as it is.</summary>
    public void Begin(SqliteConnection c) => c.Execute("UPDATE tasks SET state = 'Waiting' WHERE id = @Id AND state = 'Held'", new { Id });
}
