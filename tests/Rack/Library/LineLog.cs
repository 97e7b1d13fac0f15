namespace Bootstrap.Rack;

/// <summary>The lines that a program has printed, and a way to wait for one.</summary>
public sealed class LineLog
{
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _ended;

    /// <summary>All lines so far.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>The first line, from the beginning or yet to come, of which something is found.</summary>
    /// <param name="find">Returns what is found in a line, or null.</param>
    /// <param name="from">Number of lines from the beginning to pass over.</param>
    /// <exception cref="RackException">The program has ended without such a line; the message holds its last ones.</exception>
    public async Task<T> WaitForAsync<T>(Func<string, T?> find, CancellationToken cancel, int from = 0)
        where T : class
    {
        for (int next = from; ;)
        {
            Task changed;
            lock (_lock)
            {
                for (; next < _lines.Count; next++)
                {
                    if (find(_lines[next]) is { } found)
                    {
                        return found;
                    }
                }
                if (_ended)
                {
                    throw new RackException($"the program ended before it said what was waited for; it ended " +
                        $"with:\n{string.Join('\n', _lines.TakeLast(20))}");
                }
                changed = _changed.Task;
            }
            await changed.WaitAsync(cancel);
        }
    }

    /// <summary>The first line, from the beginning or yet to come, that contains a text.</summary>
    public Task<string> WaitForAsync(string text, CancellationToken cancel) =>
        WaitForAsync(line => line.Contains(text, StringComparison.Ordinal) ? line : null, cancel);

    internal void Add(string line) => Change(() => _lines.Add(line));

    internal void End() => Change(() => _ended = true);

    private void Change(Action change)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            change();
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        changed.SetResult();
    }
}
