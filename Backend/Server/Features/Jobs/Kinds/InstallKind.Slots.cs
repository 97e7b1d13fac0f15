using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Tasks;

namespace Bootstrap.Server.Features.Jobs.Kinds;

/// <content>Updates in the slot that a node does not use.</content>
internal sealed partial class InstallKind
{
    /// <summary>What a Slave reports of such an update.</summary>
    private static readonly string[] s_slotPhases =
        [TaskPhase.Checking, TaskPhase.Writing, TaskPhase.Verifying, TaskPhase.Configuring, TaskPhase.Trying];

    /// <summary>A node goes back by itself after 15 minutes at most, and its start takes some of its own.</summary>
    private static readonly TimeSpan s_tryingLimit = TimeSpan.FromMinutes(30), s_confirmingLimit = TimeSpan.FromMinutes(10);

    public override bool EndsTrial(TaskRow task) => task.Phase == TaskPhase.Confirming;

    /// <summary>What follows from a connection in the middle of a trial; null: there is none.</summary>
    private static Step? OnTrialConnected(TaskRow task, Hello hello)
    {
        if (hello is { Role: NodeRole.Slave, OnTrial: true } && hello.InstallId == task.TaskId)
        {
            // Who does not want it any more gets it not confirmed: the node goes back by itself.
            return task.CancelRequested != 0 ? new Step.Move(TaskState.Cancelled, "", Disk: DiskState.Installed)
                : task.Phase == TaskPhase.Confirming && WorksOn(hello, task) ? Step.Nothing
                : new Step.Send(TaskPhase.Confirming, Order: new CommitSlotOrder());
        }
        if (task.Phase is not (TaskPhase.Trying or TaskPhase.Confirming) || hello.InstallId == task.TaskId)
        {
            return null;
        }
        return hello.Role == NodeRole.NetInst
            ? Step.Fail("the node started NetInst instead of the new system or the one before: its disk stays as it is",
                DiskState.Installed)
            : hello.BootId != task.BootIdBefore
                ? Step.Fail("the new system did not report in, or could not be confirmed: the node has gone back by itself to the one " +
                    "that it had", DiskState.Installed)
                : Step.Nothing;
    }

    /// <summary>What follows from the end of a confirmation; null: this is the end of something else.</summary>
    private static Step? OnTrialEnded(TaskRow task, TaskEnded ended)
    {
        if (task.Phase == TaskPhase.FirstBoot && ended is { Succeeded: true, Disk: DiskState.Installed })
        {
            // The word on the confirmation comes late: the connection was lost, and the new one has shown already that it was done.
            return Step.Nothing;
        }
        if (task.Phase != TaskPhase.Confirming)
        {
            return null;
        }
        return ended.Cancelled ? new Step.Move(TaskState.Cancelled, "", Disk: DiskState.Installed)
            : !ended.Succeeded
                ? Step.Fail($"the new system runs, but its slot could not be made the one that always starts: " +
                    $"{ended.Cause.TrimEnd('.')}. The node goes back by itself to the one that it had", DiskState.Installed)
            : ParametersOf(task).Profile is null ? Succeeded("")
            : new Step.Send(TaskPhase.FirstBoot, Installed: true);
    }
}
