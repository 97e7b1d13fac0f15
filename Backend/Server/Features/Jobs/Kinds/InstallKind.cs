using System.Net;
using System.Text.Json.Serialization;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Images;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.NetInst;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.Profiles;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Jobs.Kinds;

/// <summary>How an image is installed.</summary>
/// <param name="GraceSeconds">As for <see cref="PowerParameters"/>, as <paramref name="Message"/>.</param>
/// <param name="Profile">Name of the customisation profile; null: none. What it says when a node gets its order counts.</param>
/// <param name="Update">It is an update: what people have on the node is kept.</param>
/// <param name="Keep">Of an update, the paths that are kept; null: those of the profile, or the usual ones. Empty: nothing.</param>
/// <param name="Whole">Of an update, the whole disk is written also where it has two slots.</param>
/// <param name="TestCard">All of the disk is written and read back before; one that does not give it back gets no system.</param>
internal sealed record InstallParameters(
    int GraceSeconds = 0, string Message = "", string? Profile = null, bool Update = false, IReadOnlyList<string>? Keep = null,
    bool Whole = false, bool TestCard = false)
{
    private const int MaximumPaths = 200;

    /// <summary>What is wrong with what is to be kept, in one sentence; null: nothing.</summary>
    public string? ValidateKeep() =>
        Keep is null ? null
        : !Update ? "'keep' is of an update alone: an installation erases the disk. Nothing was ordered."
        : Keep.Count > MaximumPaths ? $"{Keep.Count} paths are to be kept; {MaximumPaths} are possible. Nothing was ordered."
        : Keep.Select(path => path is null ? "A path to be kept is null" : ProfileRules.Path(path))
            .FirstOrDefault(fault => fault.Length > 0) is { } fault ? $"{fault}. Nothing was ordered."
        : null;

    /// <summary>What is wrong with the choice of the whole disk, in one sentence; null: nothing.</summary>
    public string? ValidateWhole() => Whole && !Update
        ? "'whole' is of an update alone: an installation writes the whole disk in any case. Nothing was ordered." : null;

    /// <summary>What is wrong with a test of the card, in one sentence; null: nothing.</summary>
    public string? ValidateTest() => TestCard && Update
        ? "'testCard' is of an installation alone: the test erases the disk, and an update keeps what is on it. Nothing was ordered."
        : null;

    /// <summary>Whether a running node is updated by writing the slot that it does not use.</summary>
    /// <param name="slot">The one that it runs from; null: its disk has one alone.</param>
    /// <param name="slots">Of the image.</param>
    public bool UsesSlot(string? slot, long slots) => Update && !Whole && slot is not null && slots == ImageView.TwoSlots;

    [JsonIgnore]
    public PowerParameters Power => new(GraceSeconds, Message);
}

/// <summary>
/// Write an image and start it; as an update, keep what people have on the node. A running Slave stages NetInst and restarts into it;
/// NetInst writes. Proof: the new system's Slave reports in with this task's id as the id of its installation. An update of a node whose
/// disk has two slots is done by its Slave alone, in the slot that is not in use: the new system is tried once, and confirmed when it
/// reports in. Where there is a profile, that Slave then does what is left of it; how that ends is noted, and makes no installed system a
/// failed installation.
/// </summary>
internal sealed partial class InstallKind : TaskKind<InstallParameters>
{
    public const string Name = "install";

    /// <summary>Kernel arguments of a staged NetInst: a panic restarts the board, which then starts its old system.</summary>
    private const string StagedCommandLine = "panic=10";

    /// <summary>A disk that failed in the middle is tried again this often: cables and cards have bad moments.</summary>
    private const int MaximumAttempts = 3;

    /// <summary>Nodes that a sentence names.</summary>
    private const int MostNamed = 5;

    private static readonly TimeSpan s_stagingLimit = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan s_startingLimit = TimeSpan.FromMinutes(15);

    /// <summary>For packages and script together. A node ends them by itself; a while after that nothing more is expected of it.</summary>
    private static readonly TimeSpan s_firstBootLimit = TimeSpan.FromHours(1), s_silenceLimit = TimeSpan.FromMinutes(10);

    /// <summary>Without a connection: whoever pulled the plug may take his time to put it back.</summary>
    private static readonly TimeSpan s_absenceLimit = TimeSpan.FromHours(2);

    /// <summary>What Pis with usual cards need, roughly.</summary>
    private static readonly Dictionary<string, (double From, double To)> s_way = new()
    {
        [TaskPhase.Staging] = (0, 0.03),
        [TaskPhase.Checking] = (0.05, 0.06),
        [TaskPhase.Keeping] = (0.06, 0.07),
        [TaskPhase.Writing] = (0.07, 0.7),
        [TaskPhase.Verifying] = (0.7, 0.9),
        [TaskPhase.Configuring] = (0.9, 0.93),
        [TaskPhase.Rebooting] = (0.93, 0.93),
        [TaskPhase.Starting] = (0.93, 0.97),
        [TaskPhase.Trying] = (0.93, 0.96),
        [TaskPhase.Confirming] = (0.96, 0.97),
        [TaskPhase.FirstBoot] = (0.97, 1),
    };

    /// <summary>A test of the card writes and reads everything, and the installation behind it a small part: what follows the test shares
    /// the rest of the way.</summary>
    private const double TestFrom = 0.06, TestTo = 0.7;

    private static readonly Dictionary<string, (double From, double To)> s_wayWithTest =
        s_way.Select(phase => KeyValuePair.Create(phase.Key, (BehindTest(phase.Value.From), BehindTest(phase.Value.To))))
            .Append(KeyValuePair.Create(TaskPhase.Testing, (TestFrom, TestTo))).ToDictionary();

    public override string Word => Name;

    public override IReadOnlyDictionary<string, (double From, double To)> Way(TaskRow task) => TestsCard(task) ? s_wayWithTest : s_way;

    private static double BehindTest(double fraction) =>
        fraction <= TestFrom ? fraction : TestTo + ((fraction - TestFrom) / (1 - TestFrom) * (1 - TestTo));

    public override TaskBoot Boot(TaskRow task, NodeRow node, ImageView? image, bool hasNoSystem)
    {
        string name = image?.Name ?? "an image that was removed";
        return !hasNoSystem && ParametersOf(task).UsesSlot(node.Inventory.Slot, image?.Slots ?? 0)
                ? new TaskBoot(false, $"boots its own disk: {name} goes to the slot there that is not in use")
            : task.Phase is TaskPhase.Starting or TaskPhase.FirstBoot
                ? new TaskBoot(false, $"boots its own disk: {name} was just written to it")
            : new TaskBoot(true, $"installs {name} because job {task.JobId} ordered it");
    }

    private protected override Digest? FindImage(JobRequest request, JobSources sources, out string fault)
    {
        if (request.Image is not { } wanted || sources.Images.Find(wanted) is not { } image)
        {
            fault = request.Image is null
                ? "An installation needs an image: name one."
                : $"There is no image '{request.Image}': see the list of images for names and digests.";
            return null;
        }
        if (image.Fault is { } why)
        {
            fault = $"Image '{image.Name}' cannot be installed on nodes: {why}. Nothing was ordered.";
            return null;
        }
        NodeView[] others = [.. request.Nodes.Where(n => n.Inventory.Architecture != image.Architecture)];
        fault = others.Length == 0
            ? ""
            : $"Image '{image.Name}' is for {image.Architecture}; " +
                string.Join(", ", others.Take(MostNamed).Select(o => $"{o.Name} is {o.Inventory.Architecture}")) +
                $"{(others.Length > MostNamed ? $" and {others.Length - MostNamed} more are not" : "")}. Nothing was ordered.";
        return image.Digest;
    }

    private protected override string? Validate(InstallParameters parameters, JobRequest request, JobSources sources) =>
        parameters.Power.Validate() is { } fault ? fault
        : parameters.ValidateKeep() is { } path ? path
        : parameters.ValidateWhole() is { } whole ? whole
        : parameters.ValidateTest() is { } test ? test
        : parameters.Profile is { } profile ? ValidateProfile(profile, request.Nodes, sources.Profiles)
        : null;

    /// <summary>Makes of the profile what each node would get.</summary>
    private static string? ValidateProfile(string profile, IReadOnlyList<NodeView> nodes, ProfileStore profiles)
    {
        if (profiles.Find(profile) is null)
        {
            return $"There is no profile '{profile}': see the list of profiles. Nothing was ordered.";
        }
        var names = new Dictionary<string, string>();
        foreach (NodeView node in nodes)
        {
            if (profiles.Render(profile, node.Id, out string fault) is not { } rendered)
            {
                return $"The profile '{profile}' does not fit {node.Name}: {fault} Nothing was ordered.";
            }
            if (!names.TryAdd(rendered.HostName, node.Name))
            {
                return $"By the profile '{profile}', {names[rendered.HostName]} and {node.Name} would both have the host name " +
                    $"'{rendered.HostName}'. Nothing was ordered.";
            }
        }
        return null;
    }

    /// <summary>People see in the job what is kept, and no later change of a profile lets anything go.</summary>
    private protected override InstallParameters Settle(InstallParameters parameters, JobSources sources) => parameters with
    {
        Keep = !parameters.Update ? null
            : parameters.Keep ?? (parameters.Profile is { } name ? sources.Profiles.Find(name)?.KeptPaths : null) ?? Profile.UsuallyKept,
    };

    /// <summary>An installation as the policy orders it; the profile fits the node.</summary>
    /// <param name="testCard">All of the disk is tested before.</param>
    public static JobSpec Plain(Digest image, string? profile, bool testCard) =>
        new(Name, image, Stored(new InstallParameters(Profile: profile, TestCard: testCard)));

    public override bool Keeps(TaskRow task) => ParametersOf(task).Keep is { Count: > 0 };

    /// <summary>Installations that test the card before, the oldest first.</summary>
    /// <param name="node">Of this node alone.</param>
    public static IEnumerable<TaskRow> CardTests(SqliteConnection c, NodeId? node) => TaskRow.With(c, Name, "testCard", node);

    /// <summary>The task is an installation that tests the card before.</summary>
    public static bool TestsCard(TaskRow task) => task.Kind == Name && ParametersOf(task).TestCard;

    public override TaskOrder? Compose(TaskRow task, LinkSession session, Hello hello, JobSources sources, out string fault)
    {
        InstallParameters parameters = ParametersOf(task);
        RenderedProfile? profile = null;
        fault = "";
        if (parameters.Profile is { } name && (profile = sources.Profiles.Render(name, session.Node, out fault)) is null)
        {
            fault = $"the profile '{name}' does not fit the node any more: {fault.TrimEnd('.')}";
            return null;
        }
        if (profile is not null && hello.InstallId == task.TaskId && task.State != TaskState.Waiting)
        {
            return new FirstBootOrder(profile.System.Locale.Length > 0, profile.Packages, (int)s_firstBootLimit.TotalSeconds,
                Again: task is { Phase: TaskPhase.FirstBoot, State: TaskState.Running });
        }
        string architecture = hello.Inventory.Architecture;
        if (!sources.NetInst.TryGetValue(architecture, out NetInstFiles? files) || files.Slave is not { } slave)
        {
            fault = $"this appliance has no NetInst for {architecture}: build it with `make netinst` and start the appliance again";
            return null;
        }
        if (hello.OnTrial)
        {
            fault = "the node runs a system on trial: wait until it has gone back to the one before, or restart it";
            return null;
        }
        NodeRow node = sources.Database.Read(c => NodeRow.Find(c, session.Node))!;
        IPAddress appliance = session.LocalAddress;
        var configuration = new NodeConfiguration(profile?.HostName ?? node.Name, sources.Policy.Get().AuthorizedKeys, slave.Remote,
            [new IPEndPoint(appliance, sources.Options.Link.Port).ToString()], sources.Options.Mesh, profile?.System);
        ImageView? image = sources.Images.Find(task.Image!);
        bool isPublic = image is { Public: true };
        if (hello.Role == NodeRole.Slave && parameters.UsesSlot(hello.Inventory.Slot, image?.Slots ?? 1))
        {
            return new UpdateSlotOrder(Digest.Parse(task.Image!), configuration, parameters.Keep, parameters.Power.Warning, isPublic);
        }
        if (hello.Role == NodeRole.Slave)
        {
            (RemoteFile kernel, RemoteFile initramfs) =
                (node.Revision is { } revision ? sources.Sets.Staged(revision) : null) ?? (files.Kernel.Remote, files.Initramfs.Remote);
            return new StageInstallOrder(kernel, initramfs, StagedCommandLine, parameters.Power.Warning);
        }
        bool mayHoldSomeOfIt = task.Attempts > 0 || node.Lifecycle != Lifecycle.New;
        return new InstallOrder(Digest.Parse(task.Image!), null, mayHoldSomeOfIt, configuration, parameters.Keep, isPublic,
            parameters.TestCard);
    }

    /// <summary>What a Slave does for an installation of the whole disk is to stage NetInst; what NetInst then does has phases of its own,
    /// as has an update of a slot.</summary>
    public override string PhaseOf(TaskRow task, LinkState state, string reported) =>
        task.Phase is TaskPhase.Starting or TaskPhase.FirstBoot or TaskPhase.Confirming
            || reported == TaskPhase.Accepted && state == LinkState.Slave ? task.Phase
        : state == LinkState.Slave && reported != TaskPhase.WarningUsers && !s_slotPhases.Contains(reported) ? TaskPhase.Staging
        : reported;

    /// <summary>From its first write on NetInst leaves a disk that does not start; a Slave writes the slot that is not in use.</summary>
    public override DiskState? DiskIn(string phase, LinkState state) =>
        state == LinkState.NetInst && phase is TaskPhase.Testing or TaskPhase.Writing or TaskPhase.Verifying or TaskPhase.Configuring
            ? DiskState.Unbootable : null;

    public override Step OnConnected(TaskRow task, Hello hello)
    {
        if (OnTrialConnected(task, hello) is { } step)
        {
            return step;
        }
        if (hello.Role == NodeRole.NetInst)
        {
            return task.Phase == TaskPhase.FirstBoot
                ? Succeeded("the system is installed and has run, but the node started NetInst before its first start was done")
                : WorksOn(hello, task) ? Step.Nothing
                // It has installed, and lost its connection before it restarted: it is not to install again.
                : task.Phase == TaskPhase.Starting && hello.BootId == task.BootIdBefore ? Step.Nothing
                : Step.SendOrder;
        }
        if (hello.InstallId == task.TaskId)
        {
            return ParametersOf(task).Profile is null ? Succeeded(hello.Doubt)
                : task.Phase == TaskPhase.FirstBoot && WorksOn(hello, task) ? Step.Nothing
                : new Step.Send(TaskPhase.FirstBoot, Installed: true);
        }
        bool restarted = task.BootIdBefore is not null && hello.BootId != task.BootIdBefore;
        return task.Phase switch
        {
            TaskPhase.Starting => Step.Fail(
                "the node started another system than the one that was just written to its disk: does it boot from another disk?",
                node: Lifecycle.Unbootable),
            TaskPhase.Staging when restarted => Step.Fail(
                "the node restarted into its old system instead of NetInst: its log tells what the staged NetInst met",
                DiskState.Untouched),
            _ when WorksOn(hello, task) => Step.Nothing,
            _ => Step.SendOrder,
        };
    }

    public override Step OnEnded(TaskRow task, TaskEnded ended)
    {
        if (OnTrialEnded(task, ended) is { } step)
        {
            return step;
        }
        if (task.Phase == TaskPhase.FirstBoot)
        {
            return Succeeded(ended.Succeeded ? ""
                : $"the system is installed and runs, but not all of its first start was done: " +
                    $"{(ended.Cancelled ? "it was cancelled" : ended.Cause)}");
        }
        if (ended.Succeeded)
        {
            return ended.Disk == DiskState.Installed ? new Step.Move(TaskState.Running, TaskPhase.Starting, Disk: ended.Disk)
                : Step.Nothing;
        }
        Lifecycle? node = ended.Disk == DiskState.Unbootable ? Lifecycle.Unbootable : null;
        if (ended.Cancelled)
        {
            return new Step.Move(TaskState.Cancelled, "", "", ended.Disk, node);
        }
        return ended.Disk == DiskState.Unbootable && !ended.Final && task.Attempts < MaximumAttempts
            ? new Step.Move(TaskState.Waiting, TaskPhase.Retrying, ended.Cause, ended.Disk)
            : Step.Fail(ended.Cause, ended.Disk, node);
    }

    public override Step OnTime(TaskRow task, TimeSpan inPhase, TimeSpan? away) => task.Phase switch
    {
        TaskPhase.Staging when inPhase > s_stagingLimit =>
            Step.TimeOut($"NetInst did not report in within {s_stagingLimit.TotalMinutes:0} minutes after the node restarted into it"),
        TaskPhase.Starting when inPhase > s_startingLimit =>
            Step.TimeOut($"the installed system did not report in within {s_startingLimit.TotalMinutes:0} minutes", Lifecycle.Unbootable),
        TaskPhase.FirstBoot when inPhase > s_firstBootLimit + s_silenceLimit =>
            Succeeded("the system is installed and has run, but has not told how its first start ended, long after its time-out"),
        TaskPhase.Trying when inPhase > s_tryingLimit => Step.TimeOut(
            $"neither the new system nor the one before reported in within {s_tryingLimit.TotalMinutes:0} minutes after the restart into " +
                "the other slot"),
        TaskPhase.Confirming when inPhase > s_confirmingLimit => Step.TimeOut(
            $"the new system did not confirm its slot within {s_confirmingLimit.TotalMinutes:0} minutes: the node goes back to the one " +
                "before by itself"),
        // Nothing but a slot was written: the system that the node had is as it was.
        _ when away > s_absenceLimit && task.Attempts == 0 =>
            Step.TimeOut($"the node was away for {s_absenceLimit.TotalHours:0} hours in the middle of it"),
        _ when away > s_absenceLimit =>
            Step.TimeOut($"the node was away for {s_absenceLimit.TotalHours:0} hours in the middle of its installation",
                Lifecycle.Unbootable),
        _ => Step.Nothing,
    };

    private static Step.Move Succeeded(string note) =>
        new(TaskState.Succeeded, "", Disk: DiskState.Installed, Node: Lifecycle.Installed, Note: note);
}
