using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.Nodes;

namespace Bootstrap.Server.Features.Jobs.Kinds;

/// <summary>Work that the running system of a node does in place, once. Proof: the node's own word on how it ended.</summary>
internal abstract class WorkKind<T> : TaskKind<T>
    where T : class
{
    /// <summary>Seconds of a time-out at most: a day.</summary>
    private protected const int MaximumTimeout = 24 * 60 * 60;

    /// <summary>A node ends its work by itself; this long after that time nothing more is expected of it.</summary>
    private static readonly TimeSpan s_silenceLimit = TimeSpan.FromMinutes(10);

    public sealed override TaskOrder? Compose(TaskRow task, LinkSession session, Hello hello, JobSources sources, out string fault)
    {
        fault = RefuseNetInst(hello);
        return fault.Length > 0 ? null : Compose(task, ParametersOf(task), again: task.State == TaskState.Running, sources, out fault);
    }

    public sealed override Step OnConnected(TaskRow task, Hello hello) => WorksOn(hello, task) ? Step.Nothing : Step.SendOrder;

    public override Step OnEnded(TaskRow task, TaskEnded ended) => EndAs(ended);

    public sealed override Step OnTime(TaskRow task, TimeSpan inPhase, TimeSpan? away) =>
        FindNotTaken(task, inPhase, away is null) ??
        (inPhase > TimeSpan.FromSeconds(TimeoutSeconds(ParametersOf(task))) + s_silenceLimit
            ? Step.TimeOut("the node has not told how it ended, long after its time-out: it may be off, or have lost its network")
            : Step.Nothing);

    /// <summary>Writes the order.</summary>
    /// <param name="again">The node has taken it before.</param>
    private protected abstract WorkOrder? Compose(TaskRow task, T parameters, bool again, JobSources sources, out string fault);

    /// <summary>When the node gives it up.</summary>
    private protected abstract int TimeoutSeconds(T parameters);

    private protected static string? ValidateTimeout(int seconds) =>
        seconds is >= 1 and <= MaximumTimeout ? null : $"A time-out of {seconds} seconds is not possible: 1 to {MaximumTimeout}.";
}
