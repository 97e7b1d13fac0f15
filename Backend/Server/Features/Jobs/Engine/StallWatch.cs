using System.Globalization;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Jobs.Engine;

/// <summary>
/// Notices tasks that do not get on, by what is usual for them: the pauses between their own reports, and how long the phase took in
/// earlier tasks of the kind on the same node. It ends nothing; the kinds have time-outs.
/// </summary>
internal sealed class StallWatch(Database database, ProgressBoard progress)
{
    /// <summary>What is shorter is no stall, however fast a node is otherwise.</summary>
    private static readonly TimeSpan s_least = TimeSpan.FromSeconds(60);

    private const int UsualPauses = 10, Medians = 5;

    /// <summary>Earlier tasks that say what is usual: at least and at most so many.</summary>
    private const int FewestEarlier = 3, MostEarlier = 21;

    /// <summary>What is usual in the phase that a running task is in; null: not enough is known.</summary>
    private readonly Dictionary<Guid, (string Phase, TimeSpan? Usual)> _usual = [];

    /// <summary>Looks at a task that is open.</summary>
    /// <param name="inPhase">How long it has been in its phase, and the appliance has seen it there.</param>
    /// <returns>True if a stall has begun or ended with this.</returns>
    public bool Look(TaskRow task, TimeSpan inPhase)
    {
        if (task.State != TaskState.Running || task.Phase == TaskPhase.WarningUsers)
        {
            _usual.Remove(task.TaskId);
            return progress.SetStall(task.TaskId, "");
        }
        TimeSpan? usual = UsualOf(task);
        return progress.SetStall(task.TaskId, Describe(progress.PauseOf(task.TaskId), inPhase, usual));
    }

    /// <summary>Forgets a task that has ended.</summary>
    public void Forget(Guid task) => _usual.Remove(task);

    /// <summary>What is to be said of a task; empty: it gets on.</summary>
    /// <param name="pause">Since its last progress, and what is usual between two; null where its phase has no measure.</param>
    /// <param name="usual">How long the phase usually takes; null: not known.</param>
    internal static string Describe((TimeSpan Now, TimeSpan Usual)? pause, TimeSpan inPhase, TimeSpan? usual) =>
        pause is { } p && p.Now > Longer(s_least, UsualPauses * p.Usual) ? $"no progress for {Seconds(p.Now)}"
        : usual is { } u && inPhase > Longer(s_least, Medians * u)
            ? $"no end of this phase for {Seconds(inPhase)}; on this node it usually takes {Seconds(u)}"
        : "";

    /// <summary>The median; null of too few.</summary>
    internal static TimeSpan? Median(IReadOnlyList<long> milliseconds) =>
        milliseconds.Count < FewestEarlier ? null : TimeSpan.FromMilliseconds(milliseconds.Order().ElementAt(milliseconds.Count / 2));

    private TimeSpan? UsualOf(TaskRow task)
    {
        if (!_usual.TryGetValue(task.TaskId, out (string Phase, TimeSpan? Usual) known) || known.Phase != task.Phase)
        {
            _usual[task.TaskId] = known = (task.Phase, Median(database.Read(c => Earlier(c, task))));
        }
        return known.Usual;
    }

    /// <summary>How long the phase took in earlier tasks of the kind on the node that went well, in milliseconds.</summary>
    private static List<long> Earlier(SqliteConnection c, TaskRow task) => [.. c.Query<long>("""
        SELECT (SELECT n.at FROM task_phases n WHERE n.task_id = p.task_id AND n.rowid > p.rowid ORDER BY n.rowid LIMIT 1) - p.at AS took
        FROM task_phases p JOIN tasks t ON t.id = p.task_id JOIN jobs j ON j.id = t.job_id
        WHERE t.node_id = @NodeId AND j.kind = @Kind AND t.state = 'Succeeded'
            AND p.state = 'Running' AND p.phase = @Phase AND took IS NOT NULL
        ORDER BY p.rowid DESC LIMIT @MostEarlier
        """, new { task.NodeId, task.Kind, task.Phase, MostEarlier })];

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} s");
}
