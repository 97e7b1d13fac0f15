using System.Net;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Boot;
using Bootstrap.Server.Features.Nodes;

namespace Bootstrap.Server.Features.Jobs;

/// <summary>
/// Write an image and start it. A running Slave stages NetInst and restarts into it; NetInst writes. Proof: the new system's Slave
/// reports in with this task's id as the id of its installation.
/// </summary>
internal sealed class InstallKind : TaskKind<PowerParameters>
{
    public const string Name = "install";

    /// <summary>The Slave fetches NetInst and restarts into it.</summary>
    public const string Staging = "staging";

    /// <summary>Written and verified; the new system starts.</summary>
    public const string Starting = "starting";

    /// <summary>Kernel arguments of a staged NetInst: a panic restarts the board, which then starts its old system.</summary>
    private const string StagedCommandLine = "panic=10";

    /// <summary>A disk that failed in the middle is tried again this often: cables and cards have bad moments.</summary>
    private const int MaximumAttempts = 3;

    private static readonly TimeSpan s_stagingLimit = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan s_startingLimit = TimeSpan.FromMinutes(15);

    /// <summary>Without a connection: whoever pulled the plug may take his time to put it back.</summary>
    private static readonly TimeSpan s_absenceLimit = TimeSpan.FromHours(2);

    public override string Word => Name;

    private protected override Digest? FindImage(JobWish wish, JobSources sources, out string fault)
    {
        if (wish.Image is not { } wanted || sources.Images.Find(wanted) is not { } image)
        {
            fault = wish.Image is null
                ? "An installation needs an image: name one."
                : $"There is no image '{wish.Image}': see the list of images for names and digests.";
            return null;
        }
        NodeView[] others = [.. wish.Nodes.Where(n => n.Inventory.Architecture != image.Architecture)];
        fault = others.Length == 0
            ? ""
            : $"Image '{image.Name}' is for {image.Architecture}; {string.Join(", ", others.Select(o => $"{o.Name} is {o.Inventory.Architecture}"))}. Nothing was ordered.";
        return image.Digest;
    }

    private protected override string Refuse(PowerParameters parameters, JobWish wish, JobSources sources) => parameters.Refuse();

    public override TaskOrder? Compose(TaskRow task, LinkSession session, Hello hello, JobSources sources, out string fault)
    {
        string architecture = hello.Inventory.Architecture;
        if (!sources.NetInst.TryGetValue(architecture, out NetInstFiles? files) || files.Slave is not { } slave)
        {
            fault = $"this appliance has no NetInst for {architecture}: build it with `make netinst` and start the appliance again";
            return null;
        }
        fault = "";
        NodeRow node = sources.Database.Read(c => NodeRow.Find(c, session.Node))!;
        if (hello.Role == NodeRole.Slave)
        {
            (RemoteFile kernel, RemoteFile initramfs) =
                (node.Revision is { } revision ? sources.Sets.Staged(revision) : null) ?? (files.Kernel.Remote, files.Initramfs.Remote);
            return new StageInstallOrder(kernel, initramfs, StagedCommandLine, ParametersOf(task).Warning);
        }
        bool mayHoldSomeOfIt = task.Attempts > 0 || node.Lifecycle != Lifecycle.New;
        IPAddress appliance = session.LocalAddress;
        var configuration = new NodeConfiguration(node.Name, sources.Policy.Get().AuthorizedKeys, slave.Remote,
            [new IPEndPoint(appliance, sources.Options.Link.Port).ToString()], sources.Options.Mesh);
        return new InstallOrder(Digest.Parse(task.Image!), null, mayHoldSomeOfIt, configuration);
    }

    /// <summary>Whatever a Slave does for an installation, it stages NetInst; what NetInst then does has phases of its own.</summary>
    public override string PhaseOf(TaskRow task, LinkState state, string reported) =>
        task.Phase == Starting ? Starting
        : state == LinkState.Slave && reported != PowerParameters.WarningUsers ? Staging
        : reported;

    public override Step OnConnected(TaskRow task, Hello hello)
    {
        if (hello.Role == NodeRole.NetInst)
        {
            return WorksOn(hello, task) ? Step.Nothing : Step.SendOrder;
        }
        if (hello.InstallId == task.TaskId)
        {
            return new Step.Move(TaskState.Succeeded, "", Disk: DiskState.Installed, Node: Lifecycle.Installed);
        }
        bool restarted = task.BootIdBefore is not null && hello.BootId != task.BootIdBefore;
        return task.Phase switch
        {
            Starting => Step.Fail(
                "the node started another system than the one that was just written to its disk: does it boot from another disk?", node: Lifecycle.Unbootable),
            Staging when restarted => Step.Fail(
                "the node restarted into its old system instead of NetInst: its log tells what the staged NetInst met", DiskState.Untouched, Lifecycle.Installed),
            _ when WorksOn(hello, task) => Step.Nothing,
            _ => Step.SendOrder,
        };
    }

    public override Step OnEnded(TaskRow task, TaskEnded ended)
    {
        if (ended.Succeeded)
        {
            return ended.Disk == DiskState.Installed ? new Step.Move(TaskState.Running, Starting, Disk: ended.Disk) : Step.Nothing;
        }
        Lifecycle? node = ended.Disk == DiskState.Unbootable ? Lifecycle.Unbootable : null;
        if (ended.Cancelled)
        {
            return new Step.Move(TaskState.Cancelled, "", "", ended.Disk, node);
        }
        return ended.Disk == DiskState.Unbootable && !ended.Final && task.Attempts < MaximumAttempts
            ? new Step.Move(TaskState.Waiting, "retrying", ended.Cause, ended.Disk)
            : Step.Fail(ended.Cause, ended.Disk, node);
    }

    public override Step OnTime(TaskRow task, TimeSpan inPhase, bool connected) => task.Phase switch
    {
        Staging when inPhase > s_stagingLimit =>
            Step.TimeOut($"NetInst did not report in within {s_stagingLimit.TotalMinutes:0} minutes after the node restarted into it"),
        Starting when inPhase > s_startingLimit =>
            Step.TimeOut($"the installed system did not report in within {s_startingLimit.TotalMinutes:0} minutes", Lifecycle.Unbootable),
        _ when !connected && inPhase > s_absenceLimit =>
            Step.TimeOut($"the node was away for {s_absenceLimit.TotalHours:0} hours in the middle of its installation", Lifecycle.Unbootable),
        _ => Step.Nothing,
    };
}
