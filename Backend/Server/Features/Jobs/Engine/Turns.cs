namespace Bootstrap.Server.Features.Jobs.Engine;

/// <summary>
/// Lets in one after the other. Those who can wait without a thread do: a thousand nodes that answer at once do not take a thousand
/// threads.
/// </summary>
/// <param name="atEnd">Done at the end of each turn, before the next one.</param>
internal sealed class Turns(Action atEnd)
{
    private readonly SemaphoreSlim _free = new(1, 1);

    /// <summary>Waits for a turn, which ends when it is disposed. Whoever has one must not take another.</summary>
    public async Task<IDisposable> TakeAsync()
    {
        await _free.WaitAsync();
        return new Turn(this);
    }

    /// <summary>The same for those who have a thread to wait with: what people order, and the clock.</summary>
    public IDisposable Take()
    {
        _free.Wait();
        return new Turn(this);
    }

    private void End()
    {
        try
        {
            atEnd();
        }
        finally
        {
            _free.Release();
        }
    }

    private sealed class Turn(Turns turns) : IDisposable
    {
        public void Dispose() => turns.End();
    }
}
