namespace Bootstrap.Protocol.Discovery;

/// <summary>So many a second for one source address; memory is bounded whatever addresses are made up.</summary>
/// <param name="perSecond">For one source.</param>
/// <param name="clock">Measures the second.</param>
public sealed class SourceLimit(int perSecond, TimeProvider clock)
{
    /// <summary>Answers to one source within a second.</summary>
    public const int Answers = 10;

    private const int MaximumSources = 4096;

    private readonly Dictionary<uint, int> _counts = [];
    private readonly Lock _lock = new();
    private long _secondStarted = clock.GetTimestamp();

    /// <summary>How often it said no: a source that asks too much, or a flood.</summary>
    public long Refusals { get; private set; }

    /// <summary>True if one more is allowed to this source now; it is counted.</summary>
    /// <param name="source">IPv4 address, in whatever byte order the caller always uses.</param>
    public bool Allows(uint source)
    {
        lock (_lock)
        {
            if (clock.GetElapsedTime(_secondStarted) >= TimeSpan.FromSeconds(1))
            {
                _counts.Clear();
                _secondStarted = clock.GetTimestamp();
            }
            int count = _counts.GetValueOrDefault(source);
            if (count >= perSecond || (count == 0 && _counts.Count >= MaximumSources))
            {
                Refusals++;
                return false;
            }
            _counts[source] = count + 1;
            return true;
        }
    }
}
