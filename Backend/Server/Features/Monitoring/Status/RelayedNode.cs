using Bootstrap.Protocol.Link;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Server.Features.Monitoring.Status;

/// <summary>What is known of a node's status while somebody watches it by way of the appliance. Not thread-safe.</summary>
internal sealed class RelayedNode
{
    private readonly WatchedStatus _status = new();
    private readonly Dictionary<string, long> _changed = [];
    private long _facts, _processes;

    /// <summary>Those who watch it, with what they want.</summary>
    public List<StatusWatch> Watches { get; } = [];

    /// <summary>Counts messages.</summary>
    public long Version { get; private set; }

    /// <summary>What the node told made no sense.</summary>
    public string? Fault { get; private set; }

    /// <summary>What the node is to send, for all who watch it.</summary>
    /// <param name="seconds">For how long.</param>
    public WatchStatus Ask(int seconds) => new(Watches.Count == 0 ? 0 : seconds,
        Watches.Count == 0 ? 1 : Watches.Min(watch => watch.IntervalSeconds),
        Watches.Any(watch => watch.Metrics is null) ? null : [.. Watches.SelectMany(watch => watch.Metrics!).Distinct().Order()]);

    /// <summary>The node told something.</summary>
    public void Take(StatusMessage message)
    {
        Fault = _status.Take(message);
        Version++;
        if (Fault is not null)
        {
            return;
        }
        if (message.Whole)
        {
            // What it does not name any more is unknown.
            foreach (string key in _changed.Keys)
            {
                _changed[key] = Version;
            }
        }
        foreach (string key in message.Values.Keys)
        {
            _changed[key] = Version;
        }
        _facts = message.Facts is null ? _facts : Version;
        _processes = message.Processes is null ? _processes : Version;
    }

    /// <summary>What a watcher does not know yet.</summary>
    /// <param name="watch">Who watches.</param>
    /// <param name="told">The version that he knows; 0: none.</param>
    public StatusMessage Since(StatusWatch watch, long told) => new(
        Version, _status.At, told == 0,
        _changed.Where(change => change.Value > told && watch.Wants(change.Key) && (told > 0 || _status.Values.ContainsKey(change.Key)))
            .ToDictionary(change => change.Key,
                change => _status.Values.TryGetValue(change.Key, out double value) ? value : default(double?)),
        watch.Metrics is null && _facts > told ? _status.Facts.ToDictionary(fact => fact.Key, fact => (string?)fact.Value) : null,
        watch.Metrics is null && _processes > told ? _status.Processes : null);
}

/// <summary>Somebody who watches nodes by way of the appliance.</summary>
/// <param name="IntervalSeconds">He is told not more often than that.</param>
/// <param name="Metrics">Names of metrics; null: all of them, facts and processes.</param>
internal sealed record StatusWatch(int IntervalSeconds, IReadOnlySet<string>? Metrics)
{
    /// <summary>Whether he wants to know this key.</summary>
    public bool Wants(string key) => Metrics is null || Metrics.Contains(MetricKey.MetricOf(key));
}
