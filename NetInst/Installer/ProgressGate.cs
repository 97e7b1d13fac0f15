using Bootstrap.Protocol.Link;

namespace Bootstrap.Installer;

/// <summary>Lets progress through at most twice a second, and every change of phase. May be called by many at once.</summary>
public sealed class ProgressGate(Guid taskId, Action<TaskProgress> send, TimeProvider clock)
{
    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(500);

    private readonly Lock _lock = new();
    private string _phase = "";
    private long _total;
    private long _done;
    private long _sent;

    /// <summary>Begins a phase.</summary>
    /// <param name="total">Bytes to do; 0: it has no measure.</param>
    public void Begin(string phase, long total = 0)
    {
        lock (_lock)
        {
            if (phase == _phase && total == _total)
            {
                return;
            }
            (_phase, _total, _done) = (phase, total, 0);
            Send();
        }
    }

    /// <summary>Counts bytes of the phase that are done.</summary>
    public void Add(long bytes)
    {
        lock (_lock)
        {
            _done += bytes;
            if (clock.GetElapsedTime(_sent) >= s_period || _done == _total)
            {
                Send();
            }
        }
    }

    private void Send()
    {
        _sent = clock.GetTimestamp();
        send(new TaskProgress(taskId, _phase, _done, _total, _total > 0 ? "bytes" : ""));
    }
}
