using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Images;
using Bootstrap.Server.Features.Jobs.Rollouts;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.Nodes;

namespace Bootstrap.Server.Features.Jobs.Kinds;

/// <summary>What a task does next.</summary>
internal abstract record Step
{
    private Step()
    {
    }

    /// <summary>Nothing changes.</summary>
    public sealed record Stay : Step;

    /// <summary>The node gets its order, or gets it again: nodes do a task id once, however often it comes.</summary>
    /// <param name="Phase">The task's from now on.</param>
    /// <param name="Installed">The node has shown that the task's image runs on it.</param>
    /// <param name="Order">Another order than the kind composes; null: that one.</param>
    public sealed record Send(string Phase = "", bool Installed = false, TaskOrder? Order = null) : Step;

    /// <summary>The task moves on.</summary>
    /// <param name="Node">What the node's disk has become; null: as before.</param>
    /// <param name="ExitCode">Of the command that was run.</param>
    /// <param name="Note">What people must know beside how it ended.</param>
    public sealed record Move(
        TaskState State, string Phase, string Cause = "", DiskState? Disk = null, Lifecycle? Node = null, int? ExitCode = null,
        string Note = "") : Step;

    public static readonly Step Nothing = new Stay();
    public static readonly Step SendOrder = new Send();

    public static Step Fail(string cause, DiskState? disk = null, Lifecycle? node = null) =>
        new Move(TaskState.Failed, "", cause, disk, node);

    public static Step TimeOut(string cause, Lifecycle? node = null) => new Move(TaskState.TimedOut, "", cause, Node: node);
}

/// <summary>What a node with an open task boots by the network.</summary>
/// <param name="FromNetwork">NetInst; false: its own disk.</param>
/// <param name="Reason">In words that follow the node's name.</param>
internal sealed record TaskBoot(bool FromNetwork, string Reason);

/// <summary>A job as somebody asks for it, before anything is made.</summary>
/// <param name="Image">Digest or name, as it was written.</param>
/// <param name="Parameters">As they came; each kind has its own.</param>
/// <param name="Nodes">Whom it is for; not empty.</param>
internal sealed record JobRequest(string? Image, JsonElement? Parameters, IReadOnlyList<NodeView> Nodes);

/// <summary>What a job is to do, as it is stored.</summary>
/// <param name="Kind">Word of its <see cref="TaskKind"/>.</param>
/// <param name="Image">Of installations.</param>
/// <param name="Parameters">JSON of the kind's own record.</param>
internal sealed record JobSpec(string Kind, Digest? Image = null, string Parameters = "{}");

/// <summary>
/// What is particular to one kind of job; a class of this kind is all that a new one takes. It has no state: each method is a pure
/// decision, and the engine stores and does what was decided.
/// </summary>
internal abstract class TaskKind
{
    private static readonly ConcurrentDictionary<string, TaskKind> s_kinds = new(typeof(TaskKind).Assembly.GetTypes()
        .Where(t => t.IsSubclassOf(typeof(TaskKind)) && !t.IsAbstract)
        .Select(t => (TaskKind)Activator.CreateInstance(t)!)
        .Select(kind => KeyValuePair.Create(kind.Word, kind)));

    private static readonly TimeSpan s_takingLimit = TimeSpan.FromMinutes(1);

    /// <summary>Its name in the API and in the database.</summary>
    public abstract string Word { get; }

    /// <summary>A node that has succeeded is connected again.</summary>
    public virtual bool EndsConnected => true;

    /// <summary>It can be measured how nodes do before it and after it.</summary>
    public virtual bool MayBeMeasured => EndsConnected;

    /// <summary>Where each phase begins and ends on a task's whole way, from 0 to 1; a phase that is not named is at the beginning. Null:
    /// its phases say nothing of the whole.</summary>
    public virtual IReadOnlyDictionary<string, (double From, double To)>? Way(TaskRow task) => null;

    /// <summary>The appliance stores the node's user data until the task has ended.</summary>
    public virtual bool Keeps(TaskRow task) => false;

    /// <summary>When the node has done what it was told last, its system is on trial no longer.</summary>
    public virtual bool EndsTrial(TaskRow task) => false;

    /// <summary>What a node with an open task of this kind boots, where it is started by the network; null: as without the task.</summary>
    /// <param name="hasNoSystem">It has found nothing on its disk that starts.</param>
    public virtual TaskBoot? Boot(TaskRow task, NodeRow node, ImageView? image, bool hasNoSystem) => null;

    /// <summary>How a job for several nodes goes in all that nobody has said of it; null: on all of them at once.</summary>
    /// <param name="parameters">As they are stored.</param>
    public virtual RolloutPolicy? UsualRollout(string parameters) => null;

    /// <summary>
    /// Whom a task's node works with: while it does, that one is nobody else's partner, and does nothing else. Null: tasks have no
    /// partners. Where they have, <see cref="UsualRollout"/> is not null.
    /// </summary>
    /// <param name="parameters">As they are stored.</param>
    /// <param name="tasks">All of the job's, in its order.</param>
    /// <returns>Gives a task's partner: a node, or null for the appliance.</returns>
    public virtual Func<TaskRow, NodeId?>? Partners(string parameters, IReadOnlyList<TaskRow> tasks) => null;

    /// <summary>Why it cannot be done on so few nodes, in one sentence; null: it can.</summary>
    /// <param name="parameters">As they are stored.</param>
    public virtual string? ValidateNumber(string parameters, int nodes) => null;

    /// <summary>All kinds' words.</summary>
    public static IEnumerable<string> Words => s_kinds.Keys.Order(StringComparer.Ordinal);

    /// <summary>One of another assembly.</summary>
    public static void Add(TaskKind kind) => s_kinds[kind.Word] = kind;

    /// <summary>The kind of that word, or null.</summary>
    public static TaskKind? Find(string word) => s_kinds.GetValueOrDefault(word);

    /// <summary>The kind of a task that is stored.</summary>
    public static TaskKind Of(TaskRow task) => s_kinds[task.Kind];

    /// <summary>Looks at all that is asked for.</summary>
    /// <returns>What is stored; or null and the fault in one sentence.</returns>
    public abstract JobSpec? Accept(JobRequest request, JobSources sources, out string fault);

    /// <summary>Writes the order that a node gets for a task, from what is known at that moment.</summary>
    /// <returns>The order; or null and the reason why there can be none.</returns>
    public abstract TaskOrder? Compose(TaskRow task, LinkSession session, Hello hello, JobSources sources, out string fault);

    /// <summary>The phase that a task comes to when a node reports one.</summary>
    public virtual string PhaseOf(TaskRow task, LinkState state, string reported) => reported;

    /// <summary>What the node's disk is while it is in a phase; null: as before.</summary>
    public virtual DiskState? DiskIn(string phase, LinkState state) => null;

    /// <summary>The node (re)connected. The task is open, and its order was sent.</summary>
    public abstract Step OnConnected(TaskRow task, Hello hello);

    /// <summary>The node says that its part is over.</summary>
    public abstract Step OnEnded(TaskRow task, TaskEnded ended);

    /// <summary>The node's connection ended.</summary>
    /// <param name="goodbye">The reason that it gave, or null.</param>
    public virtual Step OnGone(TaskRow task, string? goodbye) => Step.Nothing;

    /// <summary>Asked every second.</summary>
    /// <param name="inPhase">Since the task came to its phase, and since the appliance runs.</param>
    /// <param name="away">How long of it the node's link has been down now; null: it is up.</param>
    public abstract Step OnTime(TaskRow task, TimeSpan inPhase, TimeSpan? away);

    private protected static bool WorksOn(Hello hello, TaskRow task) => hello.ActiveTasks.Contains(task.TaskId);

    /// <summary>Why a node cannot get an order for its running system; empty: it can.</summary>
    private protected static string RefuseNetInst(Hello hello) =>
        hello.Role == NodeRole.Slave ? "" : "the node runs NetInst and has no system to do this in: install one first";

    /// <summary>The task as its node says that it has ended.</summary>
    private protected static Step.Move EndAs(TaskEnded ended) => new(
        ended.Succeeded ? TaskState.Succeeded : ended.Cancelled ? TaskState.Cancelled : ended.TimedOut ? TaskState.TimedOut
            : TaskState.Failed,
        "", ended.Cancelled ? "" : ended.Cause, ExitCode: ended.ExitCode, Note: ended.Note);

    /// <summary>A Slave that does not know an order says nothing; null: it has taken it, or may yet.</summary>
    private protected static Step? FindNotTaken(TaskRow task, TimeSpan inPhase, bool connected) =>
        task.State == TaskState.Sent && connected && inPhase > s_takingLimit
            ? Step.Fail("the node did not take the order: its Slave is probably older than this appliance, reinstall the node")
            : null;
}

/// <summary>A kind with parameters.</summary>
/// <typeparam name="T">A record; what has no default must be given, and what it does not know is refused.</typeparam>
internal abstract class TaskKind<T> : TaskKind
    where T : class
{
    private static readonly JsonSerializerOptions s_strict =
        new(ApiJson.Options) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    public sealed override JobSpec? Accept(JobRequest request, JobSources sources, out string fault)
    {
        Digest? image = FindImage(request, sources, out fault);
        if (fault.Length > 0)
        {
            return null;
        }
        T parameters;
        try
        {
            parameters = JsonSerializer.Deserialize<T>(
                request.Parameters is { ValueKind: not JsonValueKind.Null } given ? given.GetRawText() : "{}", s_strict)!;
        }
        catch (JsonException e)
        {
            fault = $"The parameters of a job of kind '{Word}' cannot be read: {e.Message}";
            return null;
        }
        fault = Validate(parameters, request, sources) ?? "";
        return fault.Length > 0 ? null : new JobSpec(Word, image, Stored(Settle(parameters, sources)));
    }

    /// <summary>The image that is asked for; kinds without one refuse it.</summary>
    private protected virtual Digest? FindImage(JobRequest request, JobSources sources, out string fault)
    {
        fault = request.Image is null ? "" : $"A job of kind '{Word}' takes no image.";
        return null;
    }

    /// <summary>What is wrong with the parameters, in one sentence; null: nothing.</summary>
    private protected virtual string? Validate(T parameters, JobRequest request, JobSources sources) => null;

    /// <summary>What is stored: names may mean something else later, and are replaced by what they mean now.</summary>
    private protected virtual T Settle(T parameters, JobSources sources) => parameters;

    /// <summary>As it is stored with a job.</summary>
    private protected static string Stored(T parameters) => JsonSerializer.Serialize(parameters, ApiJson.Options);

    /// <summary>What was stored with the task's job.</summary>
    private protected static T ParametersOf(TaskRow task) => Parse(task.Parameters);

    /// <summary>Reads what <see cref="Stored"/> has written.</summary>
    private protected static T Parse(string stored) => JsonSerializer.Deserialize<T>(stored, ApiJson.Options)!;
}
