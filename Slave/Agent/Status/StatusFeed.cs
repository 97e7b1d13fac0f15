using Bootstrap.Protocol.Status;

namespace Bootstrap.Agent.Status;

/// <summary>Reads once a second how the machine is, and has the newest reading for all who want it.</summary>
/// <param name="sample">Takes a reading; true: with the processes that use most.</param>
/// <param name="clock">Times the readings.</param>
public sealed class StatusFeed(Func<bool, StatusReading> sample, TimeProvider clock)
{
    /// <summary>Between two readings.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private TaskCompletionSource<StatusReading> _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _watchers;

    /// <summary>Told of each reading; must not block.</summary>
    public event Action<StatusReading>? Read;

    /// <summary>The newest; null before the first.</summary>
    public StatusReading? Latest { get; private set; }

    /// <summary>Reads until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        do
        {
            StatusReading reading = sample(Volatile.Read(ref _watchers) > 0);
            TaskCompletionSource<StatusReading> waiting;
            lock (_lock)
            {
                Latest = reading;
                (waiting, _next) = (_next, new(TaskCreationOptions.RunContinuationsAsynchronously));
            }
            waiting.SetResult(reading);
            Read?.Invoke(reading);
        }
        while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false));
    }

    /// <summary>Somebody watches until this is disposed: readings have the processes.</summary>
    public IDisposable Watch()
    {
        Interlocked.Increment(ref _watchers);
        return new Watcher(this);
    }

    /// <summary>The reading after the newest.</summary>
    public Task<StatusReading> NextAsync(CancellationToken cancellation)
    {
        lock (_lock)
        {
            return _next.Task.WaitAsync(cancellation);
        }
    }

    private sealed class Watcher(StatusFeed feed) : IDisposable
    {
        private int _isDisposed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
            {
                Interlocked.Decrement(ref feed._watchers);
            }
        }
    }
}
