namespace Bootstrap.Board.Sampling;

/// <summary>A reading that is being made.</summary>
internal sealed class Sample
{
    /// <summary>No metric has more parts: a board with thousands of interfaces tells of the first.</summary>
    public const int MaximumParts = 64;

    /// <summary>What files are read into, one after the other. The longest, /proc/stat of a machine with many interrupts, has its numbers
    /// of processors first.</summary>
    public byte[] Buffer { get; } = new byte[32 << 10];

    /// <summary>By key of a metric.</summary>
    public Dictionary<string, double> Values { get; private set; } = [];

    /// <summary>Seconds since the reading before; 0: this is the first.</summary>
    public double Elapsed { get; private set; }

    /// <summary>What changes slowly or costs much is read now, too.</summary>
    public bool IsSlow { get; private set; }

    /// <summary>The kernel has just complained of a file system: it may be read-only now.</summary>
    public bool HasFileSystemError { get; set; }

    /// <summary>Begins the next one.</summary>
    public void Begin(double elapsed, bool isSlow)
    {
        Values = new Dictionary<string, double>(Math.Max(32, Values.Count));
        Elapsed = elapsed;
        IsSlow = isSlow;
        HasFileSystemError = false;
    }

    /// <summary>Sets a value that is one.</summary>
    public void Set(string key, double value)
    {
        if (double.IsFinite(value))
        {
            Values[key] = value;
        }
    }

    /// <summary>A flag.</summary>
    public void Set(string key, bool value) => Set(key, value ? 1 : 0);

    /// <summary>Sets a value where it is known.</summary>
    public void Set(string key, double? value)
    {
        if (value is { } known)
        {
            Set(key, known);
        }
    }
}

/// <summary>A part of the machine that is read.</summary>
internal interface ISource : IDisposable
{
    /// <summary>Looks for what has come and what has gone.</summary>
    void Scan();

    /// <summary>Reads it.</summary>
    void Read(Sample sample);

    /// <summary>Tells what it last read to Prometheus.</summary>
    void Write(MetricsWriter writer);
}

/// <summary>Counters that only rise, but for two reasons.</summary>
internal static class Counter
{
    /// <summary>A counter of 32 bits that wraps was about to; one that has started anew might have been anywhere.</summary>
    private const ulong Wrap = 1UL << 32, NearWrap = Wrap - (Wrap >> 3);

    /// <summary>By how much it has risen; null: it was set back, and nobody knows.</summary>
    public static ulong? Rise(ulong before, ulong now) =>
        now >= before ? now - before
        : before is >= NearWrap and < Wrap && now < Wrap >> 3 ? now + Wrap - before
        : null;
}
