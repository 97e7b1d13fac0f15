using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.Jobs.Tasks;

namespace Bootstrap.Server.Features.Jobs.Rollouts;

/// <summary>What becomes of a job's tasks that have not begun.</summary>
/// <param name="Begin">Held tasks whose turn has come.</param>
/// <param name="Skip">Tasks that will never begin.</param>
/// <param name="Note">Why the others wait, or why these were skipped; empty where there is nothing to say.</param>
internal sealed record RolloutStep(IReadOnlyList<TaskRow> Begin, IReadOnlyList<TaskRow> Skip, string Note);

/// <summary>Decides whose turn it is, from what the database holds at that moment and nothing else: a killed appliance decides the same
/// again.</summary>
internal static class Rollout
{
    /// <summary>One decision about one job.</summary>
    /// <param name="tasks">All of the job's, in its order.</param>
    /// <param name="earlier">The tasks of the job that it comes after; empty where it comes after none.</param>
    /// <param name="now">Unix milliseconds.</param>
    /// <param name="isConnected">The node's link is up.</param>
    /// <param name="isFree">The node does nothing else.</param>
    /// <param name="watts">What the node draws when it has most to do.</param>
    public static RolloutStep Decide(
        JobRow job, IReadOnlyList<TaskRow> tasks, IReadOnlyList<TaskRow> earlier, long now, Func<NodeId, bool> isConnected,
        Func<NodeId, bool> isFree, Func<NodeId, double> watts)
    {
        TaskRow[] unbegun = [.. tasks.Where(t => t.EndedAt is null && t.SentAt is null)];
        // What was begun before a pause goes on before all others, whatever became of the rest.
        TaskRow[] resumed = job.Paused ? [] : [.. tasks.Where(t => t.State == TaskState.Held && t.SentAt is not null)];
        string? stop = job.BeginBy <= now && unbegun.Length > 0 ? $"the maintenance window closed at {JobRow.Time(job.BeginBy.Value)}"
            : FindStop(job.Rollout, tasks);
        if (stop is not null)
        {
            return new RolloutStep(resumed, unbegun, stop);
        }
        if (job.Paused)
        {
            return new RolloutStep([], [], "paused");
        }
        if (FindDelay(job, earlier, now) is { } delay)
        {
            return new RolloutStep([], [], delay);
        }
        HashSet<string> unready = [.. earlier.Where(t => t.EndedAt is not null && t.State != TaskState.Succeeded &&
            (!job.AlsoFailed || t.State == TaskState.Skipped)).Select(t => t.NodeId)];
        TaskRow[] left = [.. unbegun.Where(t => unready.Contains(t.NodeId))];
        if (left.Length > 0)
        {
            return new RolloutStep([], left, $"did not succeed in job {job.After}, which comes before");
        }
        HashSet<string> before = [.. earlier.Where(t => t.EndedAt is null).Select(t => t.NodeId)];
        return Next(job, tasks, now, isConnected, isFree, watts, before, resumed);
    }

    /// <summary>What the job as a whole waits for before it begins; null: nothing.</summary>
    public static string? FindDelay(JobRow job, IReadOnlyList<TaskRow> earlier, long now) =>
        job.NotBefore > now ? $"begins at {JobRow.Time(job.NotBefore.Value)}"
        : job.EarlierChooses != 0 || (!job.NodeByNode && earlier.Any(t => t.EndedAt is null)) ? $"waits for the end of job {job.After}"
        : null;

    /// <summary>Why nothing more may begin; null: it may.</summary>
    private static string? FindStop(RolloutPolicy policy, IReadOnlyList<TaskRow> tasks)
    {
        TaskRow[] failed = [.. tasks.Where(t => t.State is TaskState.Failed or TaskState.TimedOut)];
        // Those that it was never to be done on count neither as nodes nor as failures.
        int nodes = tasks.Count(t => t.State != TaskState.Skipped);
        int canaries = failed.Count(t => t.Position < policy.Canary);
        return canaries > 0 ? $"the canary failed on {canaries} of {policy.Canary} nodes"
            : failed.Length > 0 && failed.Length >= policy.FailureLimit(nodes)
                ? $"{failed.Length} of {nodes} nodes failed, and the roll-out stops after {policy.StopAfter ?? "1"}"
            : null;
    }

    private static RolloutStep Next(
        JobRow job, IReadOnlyList<TaskRow> tasks, long now, Func<NodeId, bool> isConnected, Func<NodeId, bool> isFree,
        Func<NodeId, double> watts, HashSet<string> before, TaskRow[] resumed)
    {
        RolloutPolicy policy = job.Rollout;
        TaskRow[] done = [];
        foreach (IGrouping<int, TaskRow> batch in tasks.GroupBy(t => policy.BatchOf(t.Position)).OrderBy(b => b.Key))
        {
            if (batch.All(t => t.EndedAt is not null))
            {
                done = [.. batch];
                continue;
            }
            bool opened = batch.Any(t => t.SentAt is not null || (t.EndedAt is null && t.State != TaskState.Held));
            if (!opened && done.Length > 0 && FindWait(job, policy.NameOf(batch.Key), done, now, isConnected) is { } wait)
            {
                return new RolloutStep(resumed, [], wait);
            }
            return Fill(job, batch.Key, tasks, node => isConnected(node) && isFree(node), watts, before, resumed);
        }
        return new RolloutStep(resumed, [], "");
    }

    /// <summary>What the next batch waits for, now that the one before it has ended; null: nothing.</summary>
    private static string? FindWait(JobRow job, string next, TaskRow[] before, long now, Func<NodeId, bool> isConnected)
    {
        long begins = before.Max(t => t.EndedAt!.Value) + job.Rollout.PauseBetween * 1000L;
        if (begins > now)
        {
            return $"{next} begins at {JobRow.Time(begins)}";
        }
        bool needsConnection = job.Rollout.RequireHealthy ?? TaskKind.Find(job.Kind)!.EndsConnected;
        int away = needsConnection ? before.Count(t => t.State == TaskState.Succeeded && !isConnected(t.Node)) : 0;
        return away > 0 ? $"{next} waits until {away} of the nodes that were done before are connected again" : null;
    }

    /// <summary>Begins as many of a batch as there is room for. Where there is not room for all, none of it is kept for a node that is
    /// away or busy.</summary>
    /// <param name="before">Nodes that have something to end first.</param>
    private static RolloutStep Fill(
        JobRow job, int batch, IReadOnlyList<TaskRow> tasks, Func<NodeId, bool> isReady, Func<NodeId, double> watts,
        HashSet<string> before, TaskRow[] resumed)
    {
        RolloutPolicy policy = job.Rollout;
        TaskRow[] held = [.. tasks.Where(t => t.State == TaskState.Held && t.SentAt is null && policy.BatchOf(t.Position) == batch)];
        TaskRow[] able = before.Count == 0 ? held : [.. held.Where(t => !before.Contains(t.NodeId))];
        Func<TaskRow, NodeId?>? partners = TaskKind.Find(job.Kind)!.Partners(job.Parameters, tasks);
        IReadOnlyList<TaskRow> begin = able;
        string note = "";
        if (policy.MaximumAtOnce is not null || policy.MaximumWatts is not null || partners is not null)
        {
            (begin, note) = Choose(
                policy, able, [.. resumed, .. tasks.Where(t => t.State is TaskState.Waiting or TaskState.Sent or TaskState.Running)],
                isReady, watts, partners);
        }
        note = note.Length > 0 ? note
            : able.Length < held.Length ? $"each node waits for its end in job {job.After}"
            : tasks.Any(t => t.State == TaskState.Held && policy.BatchOf(t.Position) > batch)
                ? $"{policy.NameOf(batch + 1)} waits for the end of {policy.NameOf(batch)}"
            : "";
        return new RolloutStep([.. resumed, .. begin], [], note);
    }

    /// <param name="atWork">What is under way; what is chosen comes to it.</param>
    private static (IReadOnlyList<TaskRow> Begin, string Note) Choose(
        RolloutPolicy policy, TaskRow[] held, List<TaskRow> atWork, Func<NodeId, bool> isReady, Func<NodeId, double> watts,
        Func<TaskRow, NodeId?>? partners)
    {
        int most = policy.MaximumAtOnce ?? int.MaxValue;
        double drawn = policy.MaximumWatts is null ? 0 : atWork.Sum(t => watts(t.Node));
        // Null stands for the appliance.
        HashSet<NodeId?> taken = partners is null ? [] : [.. atWork.SelectMany(task => (NodeId?[])[task.Node, partners(task)])];
        List<TaskRow> begin = [];
        string wait = "";
        foreach (TaskRow task in held)
        {
            if (atWork.Count >= most)
            {
                break;
            }
            double more = policy.MaximumWatts is null ? 0 : watts(task.Node);
            NodeId? partner = partners?.Invoke(task);
            // One alone may always: who draws more than the budget would never have his turn.
            string reason = atWork.Count > 0 && drawn + more > policy.MaximumWatts ? $"at most {policy.MaximumWatts} W at once"
                : partners is not null && (taken.Contains(task.Node) || taken.Contains(partner)) ? "each waits until its turn comes"
                : "";
            if (reason.Length > 0 && wait.Length > 0)
            {
                continue;
            }
            if (!isReady(task.Node) || (partner is { } other && other != task.Node && !isReady(other)))
            {
                continue;
            }
            if (reason.Length > 0)
            {
                wait = wait.Length > 0 ? wait : reason;
                continue;
            }
            begin.Add(task);
            atWork.Add(task);
            drawn += more;
            taken.Add(task.Node);
            taken.Add(partner);
        }
        return (begin, begin.Count == held.Length ? ""
            : atWork.Count >= most ? $"at most {most} at once"
            : wait.Length > 0 ? wait
            : $"waits until {held.Length - begin.Count} of the nodes are connected and free");
    }
}
