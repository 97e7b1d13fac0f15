namespace Bootstrap.Server.Features.Jobs.Engine;

/// <summary>
/// One at a time. Those who can wait without a thread do: a thousand nodes that answer at once do not take a thousand threads.
/// </summary>
/// <param name="beforeRelease">Done by each holder at the end.</param>
internal sealed class EngineLock(Action beforeRelease)
{
    private readonly SemaphoreSlim _free = new(1, 1);

    /// <summary>Waits for the lock, which is released when the result is disposed. Whoever holds it must not acquire it again.</summary>
    public async Task<IDisposable> AcquireAsync()
    {
        await _free.WaitAsync();
        return new Holder(this);
    }

    /// <summary>The same for those who have a thread to wait with: what people order, and the clock.</summary>
    public IDisposable Acquire()
    {
        _free.Wait();
        return new Holder(this);
    }

    private void Release()
    {
        try
        {
            beforeRelease();
        }
        finally
        {
            _free.Release();
        }
    }

    private sealed class Holder(EngineLock held) : IDisposable
    {
        public void Dispose() => held.Release();
    }
}
