namespace Bootstrap.Protocol.Status;

/// <summary>What a watcher knows of a node: what was told since it last told everything.</summary>
public sealed class WatchedStatus
{
    private readonly Dictionary<string, double> _values = [];
    private readonly Dictionary<string, string> _facts = [];
    private long _next = -1;

    /// <summary>By key.</summary>
    public IReadOnlyDictionary<string, double> Values => _values;

    /// <summary>By name.</summary>
    public IReadOnlyDictionary<string, string> Facts => _facts;

    /// <summary>As last told.</summary>
    public IReadOnlyList<ProcessReading> Processes { get; private set; } = [];

    /// <summary>Of the last message; 0: there was none.</summary>
    public long At { get; private set; }

    /// <summary>Takes a message.</summary>
    /// <returns>Null: it was taken; else why the connection is to be given up.</returns>
    public string? Take(StatusMessage message)
    {
        if (message.Validate() is { } fault)
        {
            return fault;
        }
        if (message.Whole)
        {
            _values.Clear();
            _facts.Clear();
            Processes = [];
        }
        else if (message.Sequence != _next)
        {
            return $"message {message.Sequence} came, {_next} was to come";
        }
        _next = message.Sequence + 1;
        Apply(message.Values, _values, value => value is { } number ? (true, number) : default);
        Apply(message.Facts ?? new Dictionary<string, string?>(), _facts, fact => (fact is not null, fact!));
        Processes = message.Processes ?? Processes;
        At = message.At;
        return _values.Count > StatusMessage.MostValues ? $"more than {StatusMessage.MostValues} values" : null;
    }

    private static void Apply<TGiven, TKept>(
        IReadOnlyDictionary<string, TGiven> changes, Dictionary<string, TKept> to, Func<TGiven, (bool IsKnown, TKept Kept)> read)
    {
        foreach ((string name, TGiven given) in changes)
        {
            if (read(given) is (true, var kept))
            {
                to[name] = kept;
            }
            else
            {
                to.Remove(name);
            }
        }
    }
}
