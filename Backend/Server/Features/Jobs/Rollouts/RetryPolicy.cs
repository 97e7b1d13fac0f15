using Bootstrap.Server.Features.Jobs.Tasks;

namespace Bootstrap.Server.Features.Jobs.Rollouts;

/// <summary>Tries again what failed, unless the node said that it will always fail.</summary>
/// <param name="Attempts">How often at most, the first time included.</param>
/// <param name="Pause">Seconds before each new attempt.</param>
public sealed record RetryPolicy(int Attempts, int Pause = 30)
{
    private const int MostAttempts = 10;
    private const int LongestPause = 24 * 3600;

    /// <summary>What is wrong with it, in one sentence; null: nothing.</summary>
    internal string? Validate() => this switch
    {
        { Attempts: < 1 or > MostAttempts } => $"attempts is 1 to {MostAttempts}, not {Attempts}.",
        { Pause: < 0 or > LongestPause } => $"pause is 0 to {LongestPause} seconds, not {Pause}.",
        _ => null,
    };

    /// <summary>Whether a task that failed now gets another attempt.</summary>
    internal bool Grants(TaskRow task) => task.CancelRequested == 0 && task.Retries + 1 < Attempts;
}
