namespace Bootstrap.Agent.Relay;

/// <summary>What was noted in the last seconds; older notes are forgotten in two halves. Thread-safe.</summary>
/// <param name="time">So long a note is kept at least, and twice as long at most.</param>
/// <param name="clock">Measures it.</param>
internal sealed class RecentKeys(TimeSpan time, TimeProvider clock)
{
    /// <summary>Of one half; a flood makes notes live less long.</summary>
    private const int Maximum = 16_384;

    private readonly Lock _lock = new();
    private HashSet<string> _newer = [], _older = [];
    private long _turned = clock.GetTimestamp();

    public void Add(string key)
    {
        lock (_lock)
        {
            Turn();
            _newer.Add(key);
        }
    }

    public bool Contains(string key)
    {
        lock (_lock)
        {
            Turn();
            return _newer.Contains(key) || _older.Contains(key);
        }
    }

    private void Turn()
    {
        TimeSpan age = clock.GetElapsedTime(_turned);
        if (age >= time || _newer.Count >= Maximum)
        {
            (_older, _newer) = (age >= 2 * time ? [] : _newer, []);
            _turned = clock.GetTimestamp();
        }
    }
}
