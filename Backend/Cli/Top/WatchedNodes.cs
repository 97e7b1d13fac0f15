using Bootstrap.Protocol.Status;

namespace Bootstrap.Cli.Top;

/// <summary>How a node is heard.</summary>
internal enum Way
{
    None,
    Direct,
    Relayed,
}

/// <summary>A node that is watched, as it was last heard of.</summary>
/// <param name="id">Its id.</param>
/// <param name="name">What people call it.</param>
internal sealed class WatchedNode(string id, string name)
{
    /// <summary>A node says something every two seconds; by way of the appliance it is heard a little later.</summary>
    private static readonly TimeSpan s_directSilence = TimeSpan.FromSeconds(5), s_relayedSilence = TimeSpan.FromSeconds(35);

    private readonly Lock _lock = new();
    private readonly WatchedStatus _status = new();
    private long _heardAt, _relayed;

    public string Id => id;

    public string Name => name;

    public Way Way { get; private set; }

    /// <summary>Why what it says cannot be believed; null: it can.</summary>
    public string? Fault { get; private set; }

    /// <summary>It was heard, and says nothing any more.</summary>
    public bool IsSilent => Way != Way.None
        && TimeProvider.System.GetElapsedTime(_heardAt) > (Way == Way.Direct ? s_directSilence : s_relayedSilence);

    /// <summary>A value; null: unknown.</summary>
    public double? ValueOf(string metric)
    {
        lock (_lock)
        {
            return _status.Values.TryGetValue(metric, out double value) ? value : null;
        }
    }

    /// <summary>All values.</summary>
    public IReadOnlyDictionary<string, double> Values()
    {
        lock (_lock)
        {
            return new SortedDictionary<string, double>(_status.Values.ToDictionary(), StringComparer.Ordinal);
        }
    }

    /// <summary>Takes a message.</summary>
    /// <returns>False: the connection is to be given up.</returns>
    public bool Take(StatusMessage message, Way way)
    {
        lock (_lock)
        {
            // The appliance puts several into one: its numbers have gaps.
            StatusMessage next = way == Way.Relayed ? message with { Sequence = _relayed++ } : message;
            (Fault, Way, _heardAt) = (_status.Take(next), way, TimeProvider.System.GetTimestamp());
            return Fault is null;
        }
    }

    /// <summary>What the appliance thinks of what it says.</summary>
    public void Refuse(string fault) => (Fault, Way) = (fault, Way.Relayed);
}

/// <summary>What lets a watcher in at nodes.</summary>
internal interface ITokenSource
{
    /// <summary>Tokens by node id; each opens one connection, for five minutes.</summary>
    Task<IReadOnlyDictionary<string, string>> CreateAsync(IReadOnlyList<string> nodes, CancellationToken cancellation);
}
