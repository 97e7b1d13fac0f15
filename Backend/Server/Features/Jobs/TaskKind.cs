using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Nodes;

namespace Bootstrap.Server.Features.Jobs;

/// <summary>What a task does next.</summary>
internal abstract record Step
{
    private Step()
    {
    }

    /// <summary>Nothing changes.</summary>
    public sealed record Stay : Step;

    /// <summary>The node gets its order, or gets it again: nodes do a task id once, however often it comes.</summary>
    public sealed record Send : Step;

    /// <summary>The task moves on.</summary>
    /// <param name="Node">What the node's disk has become; null: as before.</param>
    public sealed record Move(TaskState State, string Phase, string Cause = "", DiskState? Disk = null, Lifecycle? Node = null) : Step;

    public static readonly Step Nothing = new Stay();
    public static readonly Step SendOrder = new Send();

    public static Step Fail(string cause, DiskState? disk = null, Lifecycle? node = null) =>
        new Move(TaskState.Failed, "", cause, disk, node);

    public static Step TimeOut(string cause, Lifecycle? node = null) => new Move(TaskState.TimedOut, "", cause, Node: node);
}

/// <summary>
/// What is particular to one kind of job. Each method is a pure decision about one open task that the node has had its order for;
/// the engine stores and does what was decided.
/// </summary>
internal abstract class TaskKind
{
    public abstract JobKind Kind { get; }

    /// <summary>The node (re)connected.</summary>
    public abstract Step OnConnected(TaskRow task, Hello hello);

    /// <summary>The node says that its part is over.</summary>
    public abstract Step OnEnded(TaskRow task, TaskEnded ended);

    /// <summary>The node's connection ended.</summary>
    /// <param name="goodbye">The reason that it gave, or null.</param>
    public virtual Step OnGone(TaskRow task, string? goodbye) => Step.Nothing;

    /// <summary>Asked every second.</summary>
    /// <param name="inPhase">Since the task came to its phase, and since the appliance runs.</param>
    /// <param name="connected">The node's link is up.</param>
    public abstract Step OnTime(TaskRow task, TimeSpan inPhase, bool connected);

    private protected static bool WorksOn(Hello hello, TaskRow task) => hello.ActiveTasks.Contains(task.TaskId);
}
