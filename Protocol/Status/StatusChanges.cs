namespace Bootstrap.Protocol.Status;

/// <summary>
/// What one watcher does not know yet. A value is told when it has moved by its metric's <see cref="Metric.Step"/>, at the latest
/// <see cref="Latest"/> after it has moved at all. A watcher that is slow is told the newest state when it can take it: nothing is queued.
/// </summary>
public sealed class StatusChanges
{
    /// <summary>The smallest change is told after so long.</summary>
    public static readonly TimeSpan Latest = TimeSpan.FromSeconds(10);

    /// <summary>Who hears nothing for longer does not know whether the node is there: a message comes at least so often, with nothing in it
    /// if need be.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(2);

    /// <summary>Lists of processes are told not more often than this.</summary>
    private static readonly TimeSpan s_processInterval = TimeSpan.FromSeconds(3);

    private readonly Dictionary<string, (double Value, long At)> _told = [];
    private readonly Dictionary<string, string> _facts = [];
    private readonly List<string> _gone = [];
    private long _sequence, _processesAt, _messageAt;
    private bool _isWhole = true;

    /// <summary>The next message.</summary>
    /// <param name="reading">The newest one.</param>
    /// <param name="wanted">The metrics' names that the watcher asked for; null: all.</param>
    /// <returns>Null: nothing that is worth one.</returns>
    public StatusMessage? Next(StatusReading reading, IReadOnlySet<string>? wanted = null)
    {
        var values = new Dictionary<string, double?>();
        foreach ((string key, double value) in reading.Values)
        {
            if ((wanted is null || wanted.Contains(MetricKey.MetricOf(key))) && IsWorthTelling(key, value, reading.At))
            {
                _told[key] = (value, reading.At);
                values[key] = value;
            }
        }
        foreach (string key in Missing(_told.Keys, reading.Values.ContainsKey))
        {
            _told.Remove(key);
            values[key] = null;
        }
        Dictionary<string, string?>? facts = wanted is null ? ChangedFacts(reading.Facts) : null;
        IReadOnlyList<ProcessReading>? processes = null;
        if (reading.TopProcesses.Count > 0 && wanted is null && reading.At - _processesAt >= s_processInterval.TotalMilliseconds)
        {
            (processes, _processesAt) = (reading.TopProcesses, reading.At);
        }
        bool isEarly = Math.Abs(reading.At - _messageAt) < LongestSilence.TotalMilliseconds;
        if (!_isWhole && values.Count == 0 && facts is null && processes is null && isEarly)
        {
            return null;
        }
        var message = new StatusMessage(_sequence++, reading.At, _isWhole, values, facts, processes);
        (_isWhole, _messageAt) = (false, reading.At);
        return message;
    }

    private bool IsWorthTelling(string key, double value, long at)
    {
        if (!StatusMessage.IsSound(value))
        {
            return false;
        }
        if (!_told.TryGetValue(key, out (double Value, long At) told))
        {
            return true;
        }
        double change = Math.Abs(value - told.Value);
        // A node's clock may be set back: then it is told at once.
        return change > 0 && (change >= (Metrics.Find(key)?.Step ?? 0) || Math.Abs(at - told.At) >= Latest.TotalMilliseconds);
    }

    private Dictionary<string, string?>? ChangedFacts(IReadOnlyDictionary<string, string> now)
    {
        Dictionary<string, string?>? changed = null;
        foreach ((string name, string fact) in now)
        {
            if (!_facts.TryGetValue(name, out string? told) || told != fact)
            {
                _facts[name] = fact;
                (changed ??= [])[name] = fact;
            }
        }
        foreach (string name in Missing(_facts.Keys, now.ContainsKey))
        {
            _facts.Remove(name);
            (changed ??= [])[name] = null;
        }
        return changed;
    }

    private List<string> Missing(IEnumerable<string> told, Predicate<string> isThere)
    {
        _gone.Clear();
        _gone.AddRange(told.Where(name => !isThere(name)));
        return _gone;
    }
}
