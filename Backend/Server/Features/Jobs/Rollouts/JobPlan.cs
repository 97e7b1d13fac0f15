using System.Globalization;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Jobs.Kinds;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Jobs.Rollouts;

/// <summary>When and in which order a job's tasks begin, and what becomes of those that fail. The default: all of them now, once.</summary>
/// <param name="NotBefore">Unix milliseconds.</param>
/// <param name="BeginBy">What has not begun by then is skipped: the maintenance window's end, Unix milliseconds.</param>
/// <param name="After">The job whose end it waits for; nodes that did not succeed in that one are skipped.</param>
/// <param name="AlsoFailed">But not those that failed in it, took too long, or were cancelled.</param>
/// <param name="NodeByNode">Each node begins when it has ended there, and does not wait for the others.</param>
/// <param name="Measures">The job before or after which it measures.</param>
/// <param name="Measure">Jobs of the kind benchmark that come before it, and after it again.</param>
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
    string? Selector = null, bool Frozen = false, bool AlsoFailed = false, bool NodeByNode = false,
    Guid? Measures = null, IReadOnlyList<JobSpec>? Measure = null)
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
    public string? Validate(TaskKind kind) =>
        Rollout?.Validate(kind) is { } rollout ? $"The roll-out's {rollout}"
        : Retry?.Validate() is { } retry ? $"The retry policy's {retry}"
        : null;

    /// <summary>The same, with what its kind usually does where nothing was said, if there are several nodes or may be.</summary>
    public JobPlan For(JobSpec spec, int nodes) =>
        TaskKind.Find(spec.Kind)!.UsualRollout(spec.Parameters) is { } usual && (nodes > 1 || !IsChosen)
            ? this with { Rollout = (Rollout ?? RolloutPolicy.AllAtOnce).FilledFrom(usual) } : this;

    /// <summary>
    /// What is made of an order: the job itself, and those that measure before it and after it. Each node goes from one to the next by
    /// itself, and a benchmark that fails holds nothing up; what was skipped stays so.
    /// </summary>
    /// <param name="spec">Of the job itself.</param>
    /// <returns>In their order; of one of them <c>Main</c> is true.</returns>
    public IReadOnlyList<(JobSpec Spec, JobPlan Plan, bool Main, Guid Id)> Chain(JobSpec spec)
    {
        IReadOnlyList<JobSpec> benchmarks = Measure ?? [];
        // Lists have the newest job first, by its id: of those that are made in one moment too.
        Guid[] ids = [.. Enumerable.Range(0, (2 * benchmarks.Count) + 1).Select(_ => Guid.CreateVersion7())
            .OrderBy(id => id.ToString(), StringComparer.Ordinal)];
        var chain = new List<(JobSpec Spec, JobPlan Plan, bool Main, Guid Id)>();
        bool frozen = Frozen || !BeginsLater;
        JobPlan next = this with { Measure = null };
        foreach (JobSpec one in (IEnumerable<JobSpec>)[.. benchmarks, spec, .. benchmarks])
        {
            int place = chain.Count;
            bool main = place == benchmarks.Count;
            chain.Add((one, main ? next : next.Measuring(ids[benchmarks.Count]), main, ids[place]));
            // After the job itself, only where it went well, and also when its window has closed.
            next = next with
            {
                NotBefore = null,
                After = ids[place],
                AlsoFailed = !main,
                NodeByNode = true,
                Frozen = frozen,
                BeginBy = place < benchmarks.Count ? BeginBy : null,
            };
        }
        return chain;
    }

    /// <summary>The same for a benchmark beside a job: as many nodes at once, and no batches.</summary>
    private JobPlan Measuring(Guid job) => this with
    {
        Rollout = Rollout is { MaximumAtOnce: null, MaximumWatts: null } or null ? null
            : new RolloutPolicy(MaximumAtOnce: Rollout.MaximumAtOnce, MaximumWatts: Rollout.MaximumWatts),
        Retry = null,
        Run = null,
        Note = "",
        Measures = job,
    };

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
/// <param name="Made">Notes that the run has its job, in the transaction that makes it.</param>
internal sealed record ScheduledRun(string Schedule, long? DueAt, Action<SqliteConnection> Made);
