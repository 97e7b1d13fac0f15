namespace Bootstrap.Agent.Commands;

/// <summary>
/// Lets no command flood the link and the appliance's log: <see cref="Burst"/> lines at once, then <see cref="PerSecond"/>. What is more is
/// left out and counted; the last lines, which tell why something failed, come in any case. Any thread may call.
/// </summary>
/// <param name="line">Gets the lines that are let through, one at a time.</param>
/// <param name="clock">Measures the rate.</param>
public sealed class OutputRate(Action<string> line, TimeProvider clock)
{
    /// <summary>Lines at once.</summary>
    public const int Burst = 500;

    /// <summary>Lines a second in the long run.</summary>
    public const int PerSecond = 100;

    /// <summary>Of lines that were left out, these last ones come at the end.</summary>
    public const int Tail = 20;

    private readonly Lock _lock = new();
    private readonly Queue<string> _tail = [];
    private double _allowed = Burst;
    private long _at = clock.GetTimestamp();
    private long _leftOut;

    /// <summary>What comes now is left out.</summary>
    public bool IsOver
    {
        get
        {
            lock (_lock)
            {
                return _leftOut > 0;
            }
        }
    }

    /// <summary>Takes a line.</summary>
    public void Add(string text)
    {
        lock (_lock)
        {
            long now = clock.GetTimestamp();
            _allowed = Math.Min(Burst, _allowed + clock.GetElapsedTime(_at, now).TotalSeconds * PerSecond);
            _at = now;
            // Whoever was too fast waits for a whole second's worth: else every other line would be a note.
            if (_allowed < (_leftOut + _tail.Count > 0 ? PerSecond : 1))
            {
                LeaveOut(text);
                return;
            }
            GiveLeftOut();
            _allowed--;
            line(text);
        }
    }

    /// <summary>No more lines come.</summary>
    public void End()
    {
        lock (_lock)
        {
            GiveLeftOut();
        }
    }

    private void LeaveOut(string text)
    {
        if (_tail.Count == Tail)
        {
            _tail.Dequeue();
            _leftOut++;
        }
        _tail.Enqueue(text);
    }

    private void GiveLeftOut()
    {
        if (_leftOut > 0)
        {
            line($"… {_leftOut} lines left out: no more than {PerSecond} a second are kept");
        }
        while (_tail.TryDequeue(out string? text))
        {
            _allowed--;
            line(text);
        }
        _leftOut = 0;
    }
}
