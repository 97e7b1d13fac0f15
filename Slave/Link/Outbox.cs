using Bootstrap.Protocol.Link;

namespace Bootstrap.Link;

/// <summary>
/// What waits to be sent. Nobody who puts something in ever waits. Messages on tasks are kept until sent (there are no more
/// than tasks: of a task's progress only the latest counts, as of the inventory and of alerts); of log lines the oldest are dropped, and
/// counted, when too many wait. A task's end waits for its lines, and a goodbye for all.
/// </summary>
public sealed class Outbox
{
    /// <summary>Log lines that wait at most.</summary>
    public const int MaximumLines = 1000;

    /// <summary>Characters of one log line at most.</summary>
    public const int MaximumLineLength = 500;

    private const int LinesPerMessage = 100;

    private readonly Lock _lock = new();
    private readonly List<LinkMessage> _messages = [];
    private readonly Queue<(Guid? Task, string Line)> _lines = [];
    private readonly SemaphoreSlim _filled = new(0, 1);
    private LinkMessage? _taken;
    private long _dropped;

    /// <summary>Log lines that were dropped so far.</summary>
    public long Dropped
    {
        get
        {
            lock (_lock)
            {
                return _dropped;
            }
        }
    }

    /// <summary>Puts a message in.</summary>
    public void Add(LinkMessage message)
    {
        lock (_lock)
        {
            if (message is TaskProgress progress)
            {
                _messages.RemoveAll(m => m is TaskProgress waiting && waiting.TaskId == progress.TaskId);
            }
            else if (message is RenewCertificate or InventoryReport or AskStatusCertificate or MetConditions)
            {
                _messages.RemoveAll(m => m.GetType() == message.GetType());
            }
            else if (message is StatusMinutes minutes && _messages.OfType<StatusMinutes>().FirstOrDefault() is { } waiting)
            {
                _messages.Remove(waiting);
                message = minutes.After(waiting);
            }
            _messages.Add(message);
            Signal();
        }
    }

    /// <summary>Puts a log line in.</summary>
    public void AddLine(Guid? task, string line)
    {
        lock (_lock)
        {
            if (_lines.Count == MaximumLines)
            {
                _lines.Dequeue();
                _dropped++;
            }
            _lines.Enqueue((task, line.Length > MaximumLineLength ? line[..MaximumLineLength] + "…" : line));
            Signal();
        }
    }

    /// <summary>
    /// The next thing to send, task messages first; null: nothing. The same is given again until <see cref="Sent"/> is called, so
    /// that what a broken connection swallowed half-way is sent on the next one.
    /// </summary>
    public LinkMessage? Next()
    {
        lock (_lock)
        {
            return _taken ??= Take();
        }
    }

    /// <summary>What <see cref="Next"/> gave is on its way.</summary>
    public void Sent()
    {
        lock (_lock)
        {
            _taken = null;
        }
    }

    private LinkMessage? Take()
    {
        // Whoever hears that a task has ended has heard all that it said, and nothing is said after a goodbye.
        bool waits = _messages.FirstOrDefault() switch
        {
            TaskEnded ended => _lines.Any(line => line.Task == ended.TaskId),
            Goodbye => _lines.Count > 0,
            _ => false,
        };
        if (_messages.Count > 0 && !waits)
        {
            LinkMessage first = _messages[0];
            _messages.RemoveAt(0);
            return first;
        }
        if (_lines.Count == 0)
        {
            return null;
        }
        Guid? task = _lines.Peek().Task;
        var lines = new List<string>();
        while (lines.Count < LinesPerMessage && _lines.TryPeek(out (Guid? Task, string Line) next) && next.Task == task)
        {
            lines.Add(_lines.Dequeue().Line);
        }
        return new LogLines(task, lines);
    }

    /// <summary>Waits until something was put in.</summary>
    public Task WaitAsync(CancellationToken cancellation) => _filled.WaitAsync(cancellation);

    private void Signal()
    {
        if (_filled.CurrentCount == 0)
        {
            _filled.Release();
        }
    }
}
