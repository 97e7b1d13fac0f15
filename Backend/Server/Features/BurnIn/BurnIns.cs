using System.Text.Json;
using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Benchmarks;
using Bootstrap.Server.Features.Jobs.Engine;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.Jobs.Rollouts;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.Settings;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.BurnIn;

/// <summary>
/// Puts boards through a set of benchmarks, as the policy wants it of new ones or a person of any, and tells how it went. What was tried is
/// the jobs' and the benchmarks' to know: here stands only which jobs they are.
/// </summary>
internal sealed class BurnIns(
    Database database, NodeDirectory nodes, JobEngine engine, PolicyStore policy, BenchmarkStore results, TimeProvider clock) : ILinkFeature
{
    /// <summary>In the place of a set's name: an installation tests the card, and nothing else was tried.</summary>
    private const string CardAlone = "card";

    private sealed record Row(string Node, string Name, string Jobs, long StartedAt);

    /// <summary>A board that came after the policy asked for it, and was installed, is tried at its first connection.</summary>
    public void Introduced(LinkSession session)
    {
        if (policy.Get() is { BurnIn: { } wanted, BurnInSince: { } since } && BurnInSet.Find(wanted) is { } set &&
            session.Hello is { Role: NodeRole.Slave, OnTrial: false } && nodes.Find(session.Node)?.FirstSeen >= since &&
            Rows(session.Node).Count == 0)
        {
            TaskRow? install = session.Hello.InstallId is { } id ? database.Read(c => TaskRow.Find(c, id)) : null;
            Begin(set, [session.Node], "policy", install is not null && InstallKind.TestsCard(install) ? Guid.Parse(install.JobId) : null);
        }
    }

    public bool Heard(LinkSession session, LinkMessage message) => false;

    /// <summary>Begins one; it takes the place of an earlier one.</summary>
    /// <param name="by">Name of a person, or "policy".</param>
    /// <param name="cardTest">The installation that has tested the card before; null: there was none.</param>
    public void Begin(BurnInSet set, IReadOnlyCollection<NodeId> on, string by, Guid? cardTest = null)
    {
        List<Guid> jobs = [.. cardTest is { } first ? [first] : Array.Empty<Guid>()];
        Guid? before = null;
        foreach (BenchmarkParameters benchmark in set.Benchmarks)
        {
            before = engine.Create(BenchmarkJobKind.SpecOf(benchmark), on, by,
                before is { } after ? new JobPlan(After: after, AlsoFailed: true) : null);
            jobs.Add(before.Value);
        }
        database.Write(c => c.Execute("""
            INSERT OR REPLACE INTO burn_ins (node_id, set_name, jobs, started_at)
            VALUES (@node, @Name, @jobs, @at)
            """, on.Where(node => NodeRow.Exists(c, node.ToString())).Select(node => new
        {
            set.Name,
            jobs = JsonSerializer.Serialize(jobs),
            at = clock.GetUtcNow().ToUnixTimeMilliseconds(),
            node = node.ToString(),
        })));
    }

    /// <summary>How they went, by the nodes' names.</summary>
    /// <param name="node">Of this node alone.</param>
    public IReadOnlyList<BurnInView> List(NodeId? node)
    {
        IReadOnlyList<Row> rows = Rows(node);
        Guid[] jobs = [.. rows.SelectMany(row => JobsOf(row)).Distinct()];
        Dictionary<(Guid Job, NodeId Node), TaskRow> tasks = database.Read(c => jobs.SelectMany(job => TaskRow.OfJob(c, job)).ToList())
            .ToDictionary(task => (Guid.Parse(task.JobId), task.Node));
        Dictionary<NodeId, BurnInView> views = rows.Select(row => View(row, tasks)).ToDictionary(view => view.Node);
        long now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        foreach ((TaskRow test, BurnInState state) in database.Read(c => CardTests(c, node)))
        {
            BurnInView? known = views.GetValueOrDefault(test.Node);
            var job = Guid.Parse(test.JobId);
            bool isCardAlone = known is { Set: CardAlone };
            // What a later burn-in has shown counts. A test that went well is only a beginning: it takes back what one before it has shown.
            bool isNews = known is null || isCardAlone || (known.StartedAt <= (test.EndedAt ?? now) && !known.Jobs.Contains(job));
            if (isNews && (isCardAlone || state != BurnInState.Passed) && nodes.Find(test.Node) is { } view)
            {
                string[] findings = state == BurnInState.Failed ? [$"card test: {test.Cause}"] : [];
                views[test.Node] = new BurnInView(test.Node, view.Name, CardAlone, state, findings, test.CreatedAt, [job]);
            }
        }
        return [.. views.Values.OrderBy(view => view.NodeName, StringComparer.Ordinal)];
    }

    /// <summary>Installations that tell something of the card, the oldest first. One that came to grief before the test, or after it, does
    /// not.</summary>
    private static List<(TaskRow Test, BurnInState State)> CardTests(SqliteConnection c, NodeId? node) =>
    [
        .. InstallKind.CardTests(c, node).ToList().Select(test => (test, state: StateOf(c, test))).Where(found => found.state is not null)
            .Select(found => (found.test, found.state!.Value)),
    ];

    private static BurnInState? StateOf(SqliteConnection c, TaskRow test) =>
        test.State == TaskState.Succeeded ? BurnInState.Passed
        : test is { State: TaskState.Running, Phase: TaskPhase.Testing } ? BurnInState.Running
        : test.State is TaskState.Failed or TaskState.TimedOut && test.LastPhase(c) == TaskPhase.Testing ? BurnInState.Failed
        : null;

    private BurnInView View(Row row, Dictionary<(Guid Job, NodeId Node), TaskRow> tasks)
    {
        var node = NodeId.Parse(row.Node);
        Guid[] jobs = JobsOf(row);
        TaskRow[] its = [.. jobs.Select(job => tasks.GetValueOrDefault((job, node))).OfType<TaskRow>()];
        bool isOver = its.All(task => task.EndedAt is not null);
        string[] findings = [.. its.Where(task => task.EndedAt is not null).SelectMany(FindingsOf),
            .. its.Length < jobs.Length ? ["not all of its benchmarks are known any more: begin it again"] : Array.Empty<string>()];
        return new BurnInView(node, nodes.Find(node)?.Name ?? row.Node, row.Name,
            findings.Length > 0 && isOver ? BurnInState.Failed : isOver ? BurnInState.Passed : BurnInState.Running,
            findings, row.StartedAt, jobs);
    }

    private IEnumerable<string> FindingsOf(TaskRow task)
    {
        if (task.Kind == InstallKind.Name)
        {
            return []; // its system runs: the card has passed
        }
        string benchmark = BenchmarkJobKind.NameOf(task);
        return task.State != TaskState.Succeeded
            ? [$"{benchmark}: {(task.Cause.Length > 0 ? task.Cause : ApiJson.Word(task.State))}"]
            : (results.Find(task.TaskId)?.Summary.Faults ?? [new BenchmarkFault("", "its result is gone")])
                .Select(fault => $"{benchmark}: {fault.Words}");
    }

    private static Guid[] JobsOf(Row row) => JsonSerializer.Deserialize<Guid[]>(row.Jobs)!;

    private IReadOnlyList<Row> Rows(NodeId? node) => database.Read(c => c.Query<Row>("""
        SELECT node_id AS Node, set_name AS Name, jobs AS Jobs, started_at AS StartedAt FROM burn_ins WHERE @node IS NULL OR node_id = @node
        """, new { node = node?.ToString() }).ToList());
}
