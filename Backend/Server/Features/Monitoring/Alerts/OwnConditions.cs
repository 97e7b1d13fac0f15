using System.Collections.Concurrent;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Status;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;

namespace Bootstrap.Server.Features.Monitoring.Alerts;

/// <summary>Measures what a node cannot say itself: that it is silent, and how often it has started.</summary>
internal sealed class OwnConditions(Database database, NodeDirectory nodes, AlertRules rules, TimeProvider clock)
{
    private static readonly TimeSpan s_restartsWithin = TimeSpan.FromHours(1);

    /// <summary>So long after a task a node may start once more because of it.</summary>
    private static readonly TimeSpan s_afterTask = TimeSpan.FromMinutes(2);

    private const int MostRestarts = 1000;

    private readonly ConcurrentDictionary<NodeId, Boots> _boots = new();

    /// <summary>While the appliance was away it heard nobody.</summary>
    private readonly DateTimeOffset _startedAt = clock.GetUtcNow();

    /// <summary>A node has come: its system may have been started since it was last here.</summary>
    public void Introduced(LinkSession session)
    {
        if (session.State != LinkState.Slave || session.Hello?.BootId is not { } boot)
        {
            return;
        }
        Boots boots = _boots.GetOrAdd(session.Node, _ => new Boots(boot));
        lock (boots)
        {
            if (boots.Id != boot && !IsOrdered(session.Node))
            {
                boots.At.Enqueue(clock.GetUtcNow());
            }
            boots.Id = boot;
        }
    }

    /// <summary>Whether a rule of this name is about what is measured here.</summary>
    public bool IsOf(string rule) => rules.All().FirstOrDefault(r => r.Name == rule) is { IsOfAppliance: true };

    /// <summary>What is met now, of each node that can be silent.</summary>
    public IReadOnlyDictionary<NodeId, IReadOnlyList<MetCondition>> Look(IReadOnlyList<AlertRule> wanted)
    {
        DateTimeOffset now = clock.GetUtcNow();
        (List<(NodeId Node, long At)> seen, HashSet<NodeId> away) = database.Read(c => (NodeRow.LastSeenInstalled(c),
            wanted.Count == 0 ? [] : TaskRow.ShutDown(c).Concat(TaskRow.Running(c).Select(task => task.Node)).ToHashSet()));
        var chosen = wanted.Where(rule => rule.Select is not null).ToDictionary(rule => rule.Name,
            rule => nodes.Select(NodeSelector.Parse(rule.Select!)).Select(node => node.Id).ToHashSet());
        return seen.ToDictionary(node => node.Node, node => (IReadOnlyList<MetCondition>)
        [
            .. wanted.Where(rule => !chosen.TryGetValue(rule.Name, out HashSet<NodeId>? those) || those.Contains(node.Node))
                .Select(rule => (rule, value: Measure(rule.Metric, node.Node, node.At, away.Contains(node.Node), now)))
                .Where(pair => pair.rule.Condition.IsMetBy(pair.value))
                .Select(pair => new MetCondition(pair.rule.Name, pair.value, null,
                    pair.rule.Metric == ApplianceMetrics.Silence ? (long)pair.value : 0)),
        ]);
    }

    private double Measure(string metric, NodeId node, long seenAt, bool isAway, DateTimeOffset now)
    {
        if (metric == ApplianceMetrics.Restarts)
        {
            return RestartsOf(node, now);
        }
        // A task knows itself how long its node may be away.
        if (isAway || nodes.Session(node) is not null)
        {
            return 0;
        }
        var seen = DateTimeOffset.FromUnixTimeMilliseconds(seenAt);
        return Math.Floor((now - (seen > _startedAt ? seen : _startedAt)).TotalSeconds);
    }

    private int RestartsOf(NodeId node, DateTimeOffset now)
    {
        if (!_boots.TryGetValue(node, out Boots? boots))
        {
            return 0;
        }
        lock (boots)
        {
            while (boots.At.TryPeek(out DateTimeOffset first) && (now - first > s_restartsWithin || boots.At.Count > MostRestarts))
            {
                boots.At.Dequeue();
            }
            return boots.At.Count;
        }
    }

    private bool IsOrdered(NodeId node) => database.Read(c => TaskRow.OfNode(c, node, 1)) is [{ SentAt: not null } task] &&
        (task.EndedAt is not { } ended || clock.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(ended) < s_afterTask);

    /// <summary>Of one node: the newest start of its system, and when it was started before in the last hour.</summary>
    private sealed class Boots(string id)
    {
        public string Id { get; set; } = id;

        public Queue<DateTimeOffset> At { get; } = [];
    }
}
