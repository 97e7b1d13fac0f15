using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Protocol.Status;
using Bootstrap.Server.Features.Nodes;
using Microsoft.Extensions.Hosting;

namespace Bootstrap.Server.Features.Monitoring.Status;

/// <summary>
/// Tells people of nodes that their browser cannot reach itself. A node sends over its link only while somebody watches it here, once for
/// all who do, and only what they want.
/// </summary>
internal sealed class StatusRelays(NodeDirectory nodes, TimeProvider clock) : BackgroundService, ILinkFeature
{
    /// <summary>What a node is asked for, and how often it is asked again.</summary>
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(90), s_renewal = TimeSpan.FromSeconds(60);

    /// <summary>However often people change their minds, a node is asked once in this time.</summary>
    private static readonly TimeSpan s_askInterval = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly Dictionary<NodeId, RelayedNode> _nodes = [];
    private readonly HashSet<NodeId> _toAsk = [];

    /// <summary>What is new of one node.</summary>
    internal sealed record Update(string Node, StatusMessage? Status, string? Fault);

    /// <summary>Watches nodes until cancelled or no longer asked for.</summary>
    /// <param name="watch">What is wanted.</param>
    /// <param name="watched">Of which nodes.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>What is new, all of it together, not more often than the watch says; first what is known already. An empty list: nothing
    /// is.</returns>
    public async IAsyncEnumerable<IReadOnlyList<Update>> WatchAsync(StatusWatch watch, IReadOnlyList<NodeId> watched,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var told = watched.Distinct().ToDictionary(node => node, _ => 0L);
        try
        {
            foreach (NodeId node in told.Keys)
            {
                Change(node, relayed => relayed.Watches.Add(watch));
            }
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(watch.IntervalSeconds), clock);
            do
            {
                yield return Changes(watch, told);
            }
            while (await timer.WaitForNextTickAsync(cancellation));
        }
        finally
        {
            foreach (NodeId node in told.Keys)
            {
                Change(node, relayed => relayed.Watches.Remove(watch));
            }
        }
    }

    public void Introduced(LinkSession session)
    {
        lock (_lock)
        {
            if (_nodes.TryGetValue(session.Node, out RelayedNode? relayed))
            {
                session.Send(relayed.Ask((int)s_lease.TotalSeconds));
            }
        }
    }

    public bool Heard(LinkSession session, LinkMessage message)
    {
        if (message is not StatusReport report)
        {
            return false;
        }
        lock (_lock)
        {
            // Nobody watches any more: it has not heard of that yet.
            if (_nodes.TryGetValue(session.Node, out RelayedNode? relayed))
            {
                relayed.Take(report.Status);
            }
        }
        return true;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_askInterval, clock);
        long renewed = clock.GetTimestamp();
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            lock (_lock)
            {
                if (clock.GetElapsedTime(renewed) >= s_renewal)
                {
                    renewed = clock.GetTimestamp();
                    _toAsk.UnionWith(_nodes.Keys);
                }
                foreach (NodeId node in _toAsk)
                {
                    // Whoever watches it no longer is gone from the list.
                    RelayedNode relayed = _nodes.GetValueOrDefault(node) ?? new RelayedNode();
                    nodes.Session(node)?.Send(relayed.Ask((int)s_lease.TotalSeconds));
                }
                _toAsk.Clear();
            }
        }
    }

    private void Change(NodeId node, Action<RelayedNode> change)
    {
        lock (_lock)
        {
            if (!_nodes.TryGetValue(node, out RelayedNode? relayed))
            {
                _nodes.Add(node, relayed = new RelayedNode());
            }
            change(relayed);
            if (relayed.Watches.Count == 0)
            {
                _nodes.Remove(node);
            }
            _toAsk.Add(node);
        }
    }

    private List<Update> Changes(StatusWatch watch, Dictionary<NodeId, long> told)
    {
        var updates = new List<Update>();
        lock (_lock)
        {
            foreach ((NodeId node, long version) in told)
            {
                if (_nodes.TryGetValue(node, out RelayedNode? relayed) && relayed.Version > version)
                {
                    updates.Add(relayed.Fault is { } fault ? new Update(node.ToString(), null, fault)
                        : new Update(node.ToString(), relayed.Since(watch, version), null));
                    told[node] = relayed.Fault is null ? relayed.Version : version;
                }
            }
        }
        return updates;
    }
}
