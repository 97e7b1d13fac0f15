using System.Globalization;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Server.Storage;

namespace Bootstrap.Server.Features.Jobs.Kinds;

/// <summary>Finds the other ends of benchmarks of the network, and tells them when it is over. Thread-safe.</summary>
internal sealed class BenchmarkPeers(Database database, NodeDirectory nodes, SecretBox box, TimeProvider clock) : ILinkFeature
{
    private readonly Lock _lock = new();

    /// <summary>By the task: its secret, and the node that knows it; null: the appliance does.</summary>
    private readonly Dictionary<Guid, (byte[] Secret, NodeId? Node)> _told = [];

    /// <summary>Who may measure against the appliance.</summary>
    public PeerSecrets Secrets { get; } = new(clock);

    /// <summary>Who was told to measure against the appliance, and has not ended, still may: the appliance may have restarted
    /// meanwhile.</summary>
    public void Introduced(LinkSession session)
    {
        if (session.Hello is not { ActiveTasks: { Count: > 0 } active })
        {
            return;
        }
        foreach (TaskRow task in database.Read(c => TaskRow.Open(c, session.Node)))
        {
            if (active.Contains(task.TaskId) && BenchmarkJobKind.LifeOfPeer(task) is { } life)
            {
                Find(task, PeerKind.Appliance, life, out _);
            }
        }
    }

    /// <summary>A task that has ended measures no more.</summary>
    public bool Heard(LinkSession session, LinkMessage message)
    {
        if (message is TaskEnded ended)
        {
            Forget(ended.TaskId);
        }
        return false; // the task ends by it
    }

    /// <summary>The other end for a task, which is told to answer. An order that is sent again has the secret of before, also after a
    /// restart of the appliance: the node may be at it already, by the first one.</summary>
    /// <param name="life">For how long, if the task does not end before.</param>
    /// <param name="fault">Why there is none; empty where there is one, or none is needed.</param>
    public BenchmarkPeer? Find(TaskRow task, PeerKind kind, TimeSpan life, out string fault)
    {
        fault = "";
        if (kind == PeerKind.None)
        {
            return null;
        }
        byte[] secret;
        if (kind == PeerKind.Appliance)
        {
            secret = SecretFor(task, null);
            Remember(task.TaskId, secret, null);
            Secrets.Add(secret, life);
            return new BenchmarkPeer("the appliance", "", 0, secret);
        }
        TaskRow? next = NextOf(database.Read(c => TaskRow.OfJob(c, Guid.Parse(task.JobId))), task);
        if (next is null || nodes.Session(next.Node) is not { Hello.Role: NodeRole.Slave } session)
        {
            fault = next is null ? "there is no other node in this job that it could be measured against"
                : $"{next.NodeName}, against which this node is measured, runs no Slave that is connected";
            Forget(task.TaskId);
            return null;
        }
        secret = SecretFor(task, next.Node);
        Remember(task.TaskId, secret, next.Node);
        session.Send(new ServePeer(secret, (int)life.TotalSeconds));
        return new BenchmarkPeer(next.NodeName, session.Address.ToString(), ServicePorts.Benchmark, secret);
    }

    /// <summary>The task against whose node another task's node is measured: the next one that takes part, and behind the last the
    /// first.</summary>
    /// <param name="tasks">All of the job's, in its order.</param>
    /// <returns>Null: nobody else takes part.</returns>
    public static TaskRow? NextOf(IReadOnlyList<TaskRow> tasks, TaskRow task)
    {
        TaskRow[] ring = [.. tasks.Where(t => t.Id == task.Id || t.State is not (TaskState.Skipped or TaskState.Cancelled))];
        TaskRow next = ring[(Array.FindIndex(ring, t => t.Id == task.Id) + 1) % ring.Length];
        return next.Id == task.Id ? null : next;
    }

    /// <summary>Of each attempt, and for each other end, its own.</summary>
    private byte[] SecretFor(TaskRow task, NodeId? other) =>
        box.Derive(string.Create(CultureInfo.InvariantCulture, $"benchmark {task.Id} {task.Retries} {other}"), PeerSecrets.Length);

    /// <summary>Another machine that knew a secret for the task knows it no longer.</summary>
    private void Remember(Guid task, byte[] secret, NodeId? node)
    {
        lock (_lock)
        {
            if (_told.TryGetValue(task, out (byte[] Secret, NodeId? Node) told) && told.Node == node && told.Secret.SequenceEqual(secret))
            {
                return;
            }
        }
        Forget(task);
        lock (_lock)
        {
            _told[task] = (secret, node);
        }
    }

    private void Forget(Guid task)
    {
        (byte[] Secret, NodeId? Node) told;
        lock (_lock)
        {
            if (!_told.Remove(task, out told))
            {
                return;
            }
        }
        if (told.Node is { } node)
        {
            nodes.Session(node)?.Send(new ServePeer(told.Secret, 0));
        }
        else
        {
            Secrets.Remove(told.Secret);
        }
    }
}
