using System.Globalization;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Server.Features.Jobs;

/// <summary>When and in which order a job's tasks begin, and what becomes of those that fail. The default: all of them now, once.</summary>
/// <param name="NotBefore">Unix milliseconds.</param>
/// <param name="BeginBy">What has not begun by then is skipped: the maintenance window's end, Unix milliseconds.</param>
/// <param name="After">The job whose end it waits for; nodes that did not succeed in that one are skipped.</param>
/// <param name="RetryOf">The job whose failed nodes this one takes up again.</param>
/// <param name="Run">The schedule's run that this job is; null: a person or the policy ordered it.</param>
/// <param name="Unfit">Nodes that it cannot be done on, with the reason: their tasks are skipped.</param>
/// <param name="Note">What is to be said of it from the beginning.</param>
/// <param name="Selector">By which its nodes were chosen; null: they were named.</param>
/// <param name="Frozen">It stays with the nodes that the selector takes now; else the selector is asked again when the job begins.</param>
internal sealed record JobPlan(
    RolloutPolicy? Rollout = null, RetryPolicy? Retry = null, long? NotBefore = null, long? BeginBy = null, Guid? After = null,
    Guid? RetryOf = null,
    ScheduledRun? Run = null, IReadOnlyDictionary<NodeId, string>? Unfit = null, string Note = "",
    string? Selector = null, bool Frozen = false)
{
    public static readonly JobPlan AtOnce = new();

    /// <summary>Seconds.</summary>
    private const int MaximumHold = 300;

    private static readonly string[] s_times = ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'"];

    /// <summary>The tasks wait for their turn, not for their nodes alone.</summary>
    public bool HoldsBack => Rollout is not null || BeginsLater;

    /// <summary>Its nodes are known for good: no selector is asked again.</summary>
    public bool IsChosen => Selector is null || Frozen || !BeginsLater;

    private bool BeginsLater => NotBefore is not null || After is not null;

    /// <summary>What is wrong with it, in one sentence; null: nothing.</summary>
    public string? FindFault(TaskKind kind) =>
        Rollout?.FindFault(kind) is { } rollout ? $"The roll-out's {rollout}"
        : Retry?.FindFault() is { } retry ? $"The retry policy's {retry}"
        : null;

    /// <summary>The same, with what its kind usually does where nothing was said, if there are several nodes or may be.</summary>
    public JobPlan For(TaskKind kind, int nodes) =>
        kind.UsualRollout is { } usual && (nodes > 1 || !IsChosen)
            ? this with { Rollout = (Rollout ?? RolloutPolicy.AllAtOnce).FilledFrom(usual) } : this;

    /// <summary>The same for the same nodes, but nothing is sent for some seconds.</summary>
    public JobPlan Hold(int seconds, DateTimeOffset now) => seconds == 0 ? this : this with
    {
        NotBefore = Math.Max(NotBefore ?? 0, now.AddSeconds(seconds).ToUnixTimeMilliseconds()),
        Frozen = Frozen || !BeginsLater,
    };

    /// <summary>What is wrong with the seconds that an order is held, in one sentence; null: nothing.</summary>
    public static string? FindHoldFault(int seconds) =>
        seconds is >= 0 and <= MaximumHold ? null : $"holdSeconds is 0 to {MaximumHold}, not {seconds}: a job for later has a notBefore.";

    /// <summary>What is wrong with the time of a beginning, in one sentence; null: nothing.</summary>
    public static string? FindTimeFault(string? text, DateTimeOffset now) =>
        text is null ? null
        : ReadTime(text) is not { } at ? $"notBefore is a time such as 2027-01-31T22:00:00+01:00 (RFC 3339), not '{text}'."
        : at <= now.ToUnixTimeMilliseconds() ? $"notBefore lies in the past: {text}."
        : null;

    /// <summary>A time as RFC 3339 writes it, in Unix milliseconds; null where it is none.</summary>
    public static long? ReadTime(string? text) =>
        DateTimeOffset.TryParseExact(text, s_times, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset at)
            ? at.ToUnixTimeMilliseconds()
            : null;
}

/// <summary>One run of a schedule.</summary>
/// <param name="DueAt">Unix milliseconds; null: a person asked for it.</param>
internal sealed record ScheduledRun(string Schedule, long? DueAt);
