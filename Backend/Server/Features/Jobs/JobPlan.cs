namespace Bootstrap.Server.Features.Jobs;

/// <summary>When and in which order a job's tasks begin, and what becomes of those that fail. The default: all of them now, once.</summary>
/// <param name="RetryOf">The job whose failed nodes this one takes up again.</param>
internal sealed record JobPlan(RolloutPolicy? Rollout = null, RetryPolicy? Retry = null, Guid? RetryOf = null)
{
    public static readonly JobPlan AtOnce = new();

    /// <summary>The tasks wait for their turn, not for their nodes alone.</summary>
    public bool HoldsBack => Rollout is not null;

    /// <summary>What is wrong with it, in one sentence; null: nothing.</summary>
    public string? FindFault(JobKind kind) =>
        Rollout?.FindFault(kind) is { } rollout ? $"The roll-out's {rollout}"
        : Retry?.FindFault() is { } retry ? $"The retry policy's {retry}"
        : null;
}
