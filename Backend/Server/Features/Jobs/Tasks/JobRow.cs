using System.Globalization;
using System.Text.Json;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.Jobs.Rollouts;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Jobs.Tasks;

/// <summary>A job with its plan, as the database has it.</summary>
internal sealed class JobRow
{
    private const string Select = """
        SELECT j.id AS Id, j.kind AS Kind, j.image AS Image, j.parameters AS Parameters, j.rollout AS RolloutText,
            j.retry AS RetryText, j.paused AS PausedNumber, j.note AS Note, j.not_before AS NotBefore, j.begin_by AS BeginBy,
            j.after AS AfterText, j.also_failed AS AlsoFailedNumber, j.node_by_node AS NodeByNodeNumber,
            iif(j.chosen_at IS NULL, j.selector, NULL) AS OpenSelector,
            EXISTS (SELECT 1 FROM jobs WHERE id = j.after AND selector IS NOT NULL AND chosen_at IS NULL) AS EarlierChooses
        FROM jobs j
        """;

    public required string Id { get; init; }
    public required string Kind { get; init; }
    public string? Image { get; init; }
    public string Parameters { get; init; } = "{}";
    public string? RolloutText { get; init; }
    public string? RetryText { get; init; }
    public long PausedNumber { get; init; }
    public string Note { get; init; } = "";
    public long? NotBefore { get; init; }
    public long? BeginBy { get; init; }
    public string? AfterText { get; init; }
    public long AlsoFailedNumber { get; init; }
    public long NodeByNodeNumber { get; init; }

    /// <summary>Asked for the job's nodes when it begins; null: they are known.</summary>
    public string? OpenSelector { get; init; }

    /// <summary>Not 0: the job that it comes after is yet to choose its nodes, and so has not ended.</summary>
    public long EarlierChooses { get; init; }

    public Guid JobId => Guid.Parse(Id);

    /// <summary>What it does.</summary>
    public JobSpec Spec => new(Kind, Image is null ? null : Digest.Parse(Image), Parameters);

    public Guid? After => AfterText is null ? null : Guid.Parse(AfterText);

    /// <summary>It is done also on those nodes that failed in the job that it comes after.</summary>
    public bool AlsoFailed => AlsoFailedNumber != 0;

    /// <summary>Each node begins when it has ended in the job that this one comes after.</summary>
    public bool NodeByNode => NodeByNodeNumber != 0;

    public bool Paused => PausedNumber != 0;

    /// <summary>How it was planned, for a job that does the same.</summary>
    public JobPlan Plan => new(Read<RolloutPolicy>(RolloutText), Read<RetryPolicy>(RetryText));

    public RolloutPolicy Rollout => Read<RolloutPolicy>(RolloutText) ?? RolloutPolicy.AllAtOnce;

    /// <summary>A time as notes and causes tell it.</summary>
    public static string Time(long unixMilliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds).ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    public static JobRow? Find(SqliteConnection c, Guid id) =>
        c.QuerySingleOrDefault<JobRow>($"{Select} WHERE j.id = @id", new { id = id.ToString() });

    /// <summary>A condition: the job's selector is to be asked when it begins, and so it has not ended, whatever tasks it has.</summary>
    public const string Unchosen = "selector IS NOT NULL AND chosen_at IS NULL";

    /// <summary>A condition of the one table jobs: the job has not ended. What it needs stays until then.</summary>
    public const string Open = $"(({Unchosen}) OR id IN (SELECT job_id FROM tasks WHERE ended_at IS NULL))";

    /// <summary>The jobs that measure before and after another one.</summary>
    public static IReadOnlyList<Guid> Measuring(SqliteConnection c, Guid job) =>
        [.. c.Query<string>("SELECT id FROM jobs WHERE measures = @job", new { job = job.ToString() }).Select(Guid.Parse)];

    /// <summary>Open jobs of which something holds, the oldest first.</summary>
    /// <param name="condition">Of the table jobs, with @value.</param>
    public static IReadOnlyList<Guid> OpenWhere(SqliteConnection c, string condition, string value) =>
        [.. c.Query<string>($"SELECT id FROM jobs WHERE {Open} AND ({condition}) ORDER BY created_at, rowid", new { value })
            .Select(Guid.Parse)];

    /// <summary>Jobs with tasks that have not begun, and may be told to or not, and those that are yet to choose: there is something to
    /// decide.</summary>
    public static List<JobRow> Undecided(SqliteConnection c) => [.. c.Query<JobRow>($"""
        {Select} WHERE j.id IN (SELECT id FROM jobs WHERE {Unchosen})
            OR j.id IN (SELECT job_id FROM tasks WHERE ended_at IS NULL AND state = 'Held')
            OR ((j.rollout IS NOT NULL OR j.begin_by IS NOT NULL)
                AND j.id IN (SELECT job_id FROM tasks WHERE ended_at IS NULL AND sent_at IS NULL))
        ORDER BY j.created_at, j.rowid
        """)];

    /// <summary>Writes a job with a task for each node, in the order of the nodes.</summary>
    public static void Insert(SqliteConnection c, Guid job, JobSpec spec, IEnumerable<NodeId> nodes, string by, JobPlan plan, long now)
    {
        c.Execute("""
            INSERT INTO jobs (id, kind, image, parameters, created_at, created_by, rollout, retry, retry_of, after, also_failed,
                node_by_node, measures, not_before, begin_by, schedule, due_at, note, selector, chosen_at)
            VALUES (@id, @Kind, @image, @Parameters, @now, @by, @rollout, @retry, @retryOf, @after, @AlsoFailed,
                @NodeByNode, @measures, @NotBefore, @BeginBy, @schedule, @due, @Note, @Selector, iif(@IsChosen, @now, NULL))
            """,
            new
            {
                id = job.ToString(),
                spec.Kind,
                image = spec.Image?.ToString(),
                spec.Parameters,
                now,
                by,
                rollout = Write(plan.Rollout),
                retry = Write(plan.Retry),
                retryOf = plan.RetryOf?.ToString(),
                after = plan.After?.ToString(),
                plan.AlsoFailed,
                plan.NodeByNode,
                measures = plan.Measures?.ToString(),
                plan.NotBefore,
                plan.BeginBy,
                schedule = plan.Run?.Schedule,
                due = plan.Run?.DueAt,
                plan.Note,
                plan.Selector,
                plan.IsChosen,
            });
        plan.Run?.Made(c);
        InsertTasks(c, job, nodes, 0, plan.HoldsBack ? TaskState.Held : TaskState.Waiting, plan.Unfit, now);
        // Where no node is fit, it has ended before it began.
        JobEnds.NoteIfEnded(c, job.ToString(), now);
    }

    /// <summary>
    /// Its nodes are known from now on: those that the selector takes, of which some may be new, and those that it does not take any more
    /// are skipped. Those that go on have the first places: a canary is one of them.
    /// </summary>
    /// <param name="added">In their order.</param>
    /// <param name="left">Those of its tasks whose nodes are not taken.</param>
    public void Choose(
        SqliteConnection c, IReadOnlyCollection<NodeId> added, IReadOnlyDictionary<NodeId, string> unfit,
        IReadOnlyCollection<TaskRow> left, long now)
    {
        InsertTasks(c, JobId, added, int.MaxValue / 2, TaskState.Held, unfit, now);
        foreach (TaskRow task in left)
        {
            task.Move(c, new Step.Move(TaskState.Skipped, "", $"'{OpenSelector}' did not take it any more when the job began"), now);
        }
        c.Execute("""
            UPDATE tasks SET position = placed.place
            FROM (SELECT id, row_number() OVER (ORDER BY ended_at IS NOT NULL, position, id) - 1 AS place
                FROM tasks WHERE job_id = @Id) AS placed
            WHERE tasks.id = placed.id
            """, new { Id });
        Close(c, JobId, now);
    }

    /// <summary>Its nodes are those that it has: its selector is not asked any more.</summary>
    public static void Close(SqliteConnection c, Guid job, long now)
    {
        if (c.Execute($"UPDATE jobs SET chosen_at = @now WHERE id = @job AND {Unchosen}", new { job = job.ToString(), now }) > 0)
        {
            JobEnds.NoteIfEnded(c, job.ToString(), now);
        }
    }

    /// <summary>
    /// Ends all that is open, for a database that was restored: what it waits for may have been done since, and boards would be installed
    /// again.
    /// </summary>
    /// <returns>How many jobs that were.</returns>
    public static int EndOpen(SqliteConnection c, string cause, long now)
    {
        List<string> jobs = [.. c.Query<string>($"SELECT id FROM jobs WHERE {Open}")];
        foreach (string job in jobs)
        {
            foreach (TaskRow task in TaskRow.OfJob(c, Guid.Parse(job)).Where(task => task.EndedAt is null))
            {
                task.Move(c, new Step.Move(TaskState.Cancelled, "", cause), now);
            }
            Close(c, Guid.Parse(job), now);
        }
        return jobs.Count;
    }

    private static void InsertTasks(
        SqliteConnection c, Guid job, IEnumerable<NodeId> nodes, int position, TaskState first, IReadOnlyDictionary<NodeId, string>? unfit,
        long now) => c.Execute("""
            INSERT INTO tasks (id, job_id, node_id, position, state, cause, created_at, phase_at, ended_at)
            SELECT @id, @job, id, @position, @state, @cause, @now, @now, iif(@unfit, @now, NULL) FROM node_names WHERE id = @node
            """,
            nodes.Distinct().Select((node, place) => (Node: node, Place: place, Unfit: unfit?.GetValueOrDefault(node))).Select(task => new
            {
                id = Guid.CreateVersion7().ToString(),
                job = job.ToString(),
                node = task.Node.ToString(),
                position = position + task.Place,
                state = (task.Unfit is null ? first : TaskState.Skipped).ToString(),
                cause = task.Unfit ?? "",
                unfit = task.Unfit is not null,
                now,
            }).ToList());

    public static void SetNote(SqliteConnection c, string id, string note) =>
        c.Execute("UPDATE jobs SET note = @note WHERE id = @id", new { id, note });

    /// <summary>Halts a job or lets it go on. What waits for its node when it is halted is held from then on.</summary>
    /// <returns>False where no task of it is open.</returns>
    public static bool SetPaused(SqliteConnection c, Guid id, bool paused)
    {
        var job = new { id = id.ToString(), paused };
        bool open = c.Execute($"UPDATE jobs SET paused = @paused, note = '' WHERE id = @id AND {Open}", job) > 0;
        if (open && paused)
        {
            c.Execute("UPDATE tasks SET state = 'Held' WHERE job_id = @id AND state = 'Waiting'", job);
        }
        return open;
    }

    /// <summary>Whether there is a job for the run of a schedule that was due then (Unix milliseconds).</summary>
    public static bool HasRun(SqliteConnection c, string schedule, long due) => c.ExecuteScalar<bool>(
        "SELECT EXISTS (SELECT 1 FROM jobs WHERE schedule = @schedule AND due_at = @due)", new { schedule, due });

    /// <summary>The newest job of a schedule, and when it was made (Unix milliseconds); null: it has made none.</summary>
    public static (Guid Job, long At)? LastOf(SqliteConnection c, string schedule) => c.Query<(string Job, long At)>(
        "SELECT id, created_at FROM jobs WHERE schedule = @schedule ORDER BY created_at DESC, id DESC LIMIT 1", new { schedule })
        .Select(made => ((Guid, long)?)(Guid.Parse(made.Job), made.At)).FirstOrDefault();

    /// <summary>The jobs that schedules have made in a time (Unix milliseconds, without its end), the oldest first.</summary>
    public static IEnumerable<(Guid Job, string Schedule, long At)> Scheduled(SqliteConnection c, long from, long until) =>
        c.Query<(string Job, string Schedule, long At)>("""
            SELECT id, schedule, created_at FROM jobs
            WHERE schedule IS NOT NULL AND created_at >= @from AND created_at < @until ORDER BY created_at, id
            """, new { from, until }).Select(made => (Guid.Parse(made.Job), made.Schedule, made.At));

    /// <summary>The nodes for which what failed in a job is tried again at this moment, each with the job that does.</summary>
    public static Dictionary<NodeId, Guid> OpenRetriesOf(SqliteConnection c, Guid id) => c.Query<(string Node, string Job)>("""
        SELECT t.node_id, j.id FROM jobs j JOIN tasks t ON t.job_id = j.id WHERE j.retry_of = @id AND t.ended_at IS NULL
        """, new { id = id.ToString() }).DistinctBy(r => r.Node).ToDictionary(r => NodeId.Parse(r.Node), r => Guid.Parse(r.Job));

    /// <summary>What a column of JSON holds.</summary>
    public static T? Read<T>(string? json)
        where T : class => json is null ? null : JsonSerializer.Deserialize<T>(json, ApiJson.Options);

    private static string? Write<T>(T? value)
        where T : class => value is null ? null : JsonSerializer.Serialize(value, ApiJson.Options);
}
