namespace Bootstrap.Support;

/// <summary>Waits for what comes by itself, and has no event of its own.</summary>
public static class Poll
{
    /// <summary>Reads a value again and again until it is good.</summary>
    public static async Task<T> UntilAsync<T>(Func<Task<T>> read, Func<T, bool> good, CancellationToken cancellation)
    {
        while (true)
        {
            T value = await read();
            if (good(value))
            {
                return value;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellation);
        }
    }
}
