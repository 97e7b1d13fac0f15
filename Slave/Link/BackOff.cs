namespace Bootstrap.Link;

/// <summary>
/// How long to wait before trying again: exponential with full jitter, so that a thousand nodes whose appliance came back
/// do not all come at once.
/// </summary>
public static class BackOff
{
    /// <summary>Bound of the first wait.</summary>
    public static readonly TimeSpan First = TimeSpan.FromSeconds(1);

    /// <summary>Bound of every wait.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    /// <summary>The wait before the next attempt, at least half a second: Uniform(0, min(60 s, 1 s × 2^failures)).</summary>
    /// <param name="failures">Failed attempts in a row, from 0.</param>
    /// <param name="random">From 0 up to 1.</param>
    public static TimeSpan Delay(int failures, double random)
    {
        TimeSpan bound = failures >= 6 ? Longest : First * (1 << Math.Max(0, failures));
        TimeSpan delay = bound * random;
        return delay < First / 2 ? First / 2 : delay;
    }
}
