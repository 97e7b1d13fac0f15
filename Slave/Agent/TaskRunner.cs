using Bootstrap.Agent.Commands;
using Bootstrap.Agent.Firmware;
using Bootstrap.Agent.Slots;
using Bootstrap.Board;
using Bootstrap.Link;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent;

/// <summary>What is to happen to the machine once a task was done.</summary>
/// <param name="Goodbye">The word that the appliance is told.</param>
/// <param name="Do">Does it.</param>
public sealed record Ending(string Goodbye, Action Do);

/// <summary>Does tasks, each once, as the journal knows them.</summary>
/// <param name="journal">The node's memory.</param>
/// <param name="bootId">Of the running kernel.</param>
/// <param name="staging">Stages NetInst.</param>
/// <param name="power">Restarts.</param>
/// <param name="outbox">Gets answers and progress.</param>
/// <param name="log">The node's log.</param>
/// <param name="clock">Times fetching and commands.</param>
/// <param name="system">The machine; null: this one.</param>
/// <param name="slots">Of its disk; null: it has none.</param>
public sealed class TaskRunner(
    TaskJournal journal, string bootId, NetInstStaging staging, ISystemPower power, Outbox outbox, Action<string> log, TimeProvider clock,
    NodeSystem? system = null, SlotWork? slots = null)
{
    /// <summary>Writing to terminals takes no longer, unless one hangs.</summary>
    private static readonly TimeSpan s_warningLimit = TimeSpan.FromSeconds(30);

    private readonly NodeSystem _system = system ?? NodeSystem.This;

    /// <summary>What an earlier Slave left running and must not be ended in the middle.</summary>
    private readonly List<CommandTrace> _leftovers = [];

    /// <summary>
    /// Ends what an earlier Slave of this machine left running when it was killed: nobody hears it any more. Before any task. What must not
    /// be ended in the middle (an EEPROM is being written) goes on, and every task waits for it.
    /// </summary>
    public async Task EndLeftoversAsync()
    {
        foreach (TaskRecord task in journal.Open())
        {
            if (task.BootId == bootId && task.Command is { IsWhole: true } whole)
            {
                _leftovers.Add(whole);
            }
            else if (task.BootId == bootId && task.Command is { } command)
            {
                await CommandProcess.EndAsync(command, clock).ConfigureAwait(false);
            }
            if (task.Once)
            {
                journal.Put(task with { Outcome = Interrupted(task) });
            }
        }
    }

    /// <summary>Answers an order from memory, where it was done or begun before a restart.</summary>
    /// <param name="id">The task's.</param>
    /// <param name="attempt">The one that is wanted; null: whichever was the last.</param>
    /// <returns>True if there is nothing more to do.</returns>
    public bool AnswerFromMemory(Guid id, int? attempt = null)
    {
        TaskRecord? known = journal.Find(id);
        if (known?.Attempt < attempt)
        {
            return false;
        }
        // An update of a slot that was not finished, or firmware of which nothing was staged, when the machine went: that is begun again.
        if (known is { Outcome: null, Slot: not SlotStep.Writing, Firmware: not 0 } && known.BootId != bootId)
        {
            // The machine has restarted since: that is what was asked for, or NetInst did not come up.
            TaskEnded outcome = known.Once ? Interrupted(known)
                : known.Slot is not null ? new TaskEnded(
                id, false, false, "the new system did not stay: the machine has gone back to the one before", DiskState.Installed)
                : known.Stages ? new TaskEnded(
                id, false, false, "the machine restarted into its old system instead of NetInst", DiskState.Untouched)
                : known.Firmware is { } staged ? FirmwareWork.Judge(id, staged, new BoardReader(_system.Root).ReadBootloaderTime())
                : new TaskEnded(id, true, false, "", DiskState.Untouched);
            known = known with { Outcome = outcome };
            journal.Put(known);
        }
        if (known?.Outcome is null)
        {
            return false;
        }
        outbox.Add(known.Outcome);
        return true;
    }

    /// <summary>Does a task.</summary>
    /// <param name="start">The order.</param>
    /// <param name="appliance">Where it comes from.</param>
    /// <param name="files">Where NetInst and public images are fetched.</param>
    /// <param name="cancellation">The appliance wants it to end.</param>
    /// <param name="leaving">The Slave itself ends: work is interrupted, anything else is done when it runs again.</param>
    /// <returns>What happens to the machine next; null where the task is over, and the appliance was told how it ended.</returns>
    public async Task<Ending?> RunAsync(
        StartTask start, ApplianceEndpoint appliance, Uri files, CancellationToken cancellation, CancellationToken leaving = default)
    {
        (Guid id, TaskOrder order) = (start.TaskId, start.Order);
        TaskRecord? known = journal.Find(id);
        // What still runs is not forgotten, should the Slave be killed once more.
        CommandTrace? left = known?.BootId == bootId ? known.Command : null;
        // The other slot is written, and the restart did not come: it failed, or the Slave was ended before it. That alone is done again.
        bool isWritten = order is UpdateSlotOrder && slots?.Status is not null && known is { Outcome: null, Slot: SlotStep.Trying } &&
            known.BootId == bootId && !(known.Attempt < start.Attempt);
        var record = new TaskRecord(
            id, order is StageInstallOrder, bootId, null, order is WorkOrder, left, start.Attempt, order is FirmwareOrder ? 0 : null,
            isWritten ? SlotStep.Trying : order is UpdateSlotOrder ? SlotStep.Writing : null);
        bool isForgotten = order is WorkOrder { Again: true } && known is null;
        Remember(record);
        outbox.Add(new TaskAccepted(id));
        log($"told to {order.Words()} (task {id})");
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, leaving);
        await WaitForLeftoversAsync(Line, either.Token).ConfigureAwait(false);
        if (either.IsCancellationRequested)
        {
            return Stopped();
        }
        using var store = new StoreClient(files, log, clock);
        TimeSpan limit = order switch
        {
            WorkOrder { TimeoutSeconds: var seconds } => TimeSpan.FromSeconds(seconds),
            UpdateSlotOrder => SlotWork.UpdateLimit,
            CommitSlotOrder => SlotWork.CommitLimit,
            FirmwareOrder firmware => FirmwareWork.Limit(firmware),
            _ => s_warningLimit,
        };
        CommandRunner runner = RunnerFor(Line);
        var firmwareWork = new FirmwareWork(_system, clock);
        var context = new WorkContext(id, runner, store, Phase, Line, either.Token);
        try
        {
            switch (order)
            {
                case RebootOrder reboot:
                    await WarnAsync(reboot.Warning, "is restarted").ConfigureAwait(false);
                    return new Ending("reboot", () => power.Restart(StagedStart.Restart));
                case ShutdownOrder shutdown:
                    await WarnAsync(shutdown.Warning, "is shut down").ConfigureAwait(false);
                    return new Ending("shutdown", power.PowerOff);
                case StageInstallOrder stage:
                    await WarnAsync(stage.Warning, "is installed anew, and all that is on its disk is lost,").ConfigureAwait(false);
                    Phase(TaskPhase.Staging);
                    StagedStart staged = await staging.StageAsync(stage, store, appliance, either.Token).ConfigureAwait(false);
                    Phase(TaskPhase.Rebooting);
                    return new Ending("reboot", () => power.Restart(staged));
                case UpdateSlotOrder update when slots is not null:
                    if (!isWritten && await slots.UpdateAsync(id, update, appliance, files, RunnerFor, outbox.Add, Line, either.Token)
                        .ConfigureAwait(false) is { Succeeded: false } failed)
                    {
                        return End(failed);
                    }
                    await WarnAsync(update.Warning, "starts its updated system").ConfigureAwait(false);
                    either.Token.ThrowIfCancellationRequested();
                    Phase(TaskPhase.Trying);
                    TaskEnded prepared = await slots.PrepareAsync(id, RunnerFor, Line).ConfigureAwait(false);
                    if (!prepared.Succeeded)
                    {
                        return End(prepared);
                    }
                    journal.Put(record with { Slot = SlotStep.Trying });
                    return new Ending("reboot", () =>
                        power.Restart(slots.Status!.Choice == SlotChoice.Autoboot ? StagedStart.TryBoot : StagedStart.Restart));
                case CommitSlotOrder when slots is not null:
                    Phase(TaskPhase.Confirming);
                    return End(await slots.CommitAsync(id, RunnerFor, Line).ConfigureAwait(false));
                case FirmwareOrder firmware:
                    (TaskEnded? over, long built) = await firmwareWork.DoAsync(firmware, context).ConfigureAwait(false);
                    if (over is not null)
                    {
                        return End(over);
                    }
                    journal.Put(record with { Firmware = built });
                    Phase(TaskPhase.Restarting);
                    return new Ending("reboot", () => power.Restart(StagedStart.Restart));
                case WorkOrder when isForgotten:
                    return End(context.End(
                        "the node does not remember that it took this order (was its disk changed?): it is not begun again"));
                case WorkOrder work:
                    return End(await DoAsync(work, appliance, files, context).ConfigureAwait(false));
                default:
                    return End(new TaskEnded(id, false, false, $"the Slave cannot {order.Words()}", DiskState.Untouched));
            }
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            staging.Undo();
            return Stopped(firmwareWork.Became);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return End(new TaskEnded(id, false, false, e.Message, DiskState.Untouched, Note: firmwareWork.Became));
        }

        Task WarnAsync(UserWarning? warning, string what) => WarnUsers.DoAsync(warning, what, _system, context, clock);

        CommandRunner RunnerFor(Action<string> line) => new(id, line, trace => Remember(record with { Command = trace }), limit, clock);

        // A commit is done as often as it is ordered: the task's other orders in the new system have the same id.
        void Remember(TaskRecord task)
        {
            if (order is not CommitSlotOrder)
            {
                journal.Put(task);
            }
        }

        void Line(string text) => outbox.AddLine(id, text);

        void Phase(string word) => outbox.Add(new TaskProgress(id, word, 0, 0, ""));

        Ending? Stopped(string note = "") =>
            cancellation.IsCancellationRequested ? End(new TaskEnded(id, false, true, "cancelled", DiskState.Untouched, Note: note))
            : order is WorkOrder ? End(Interrupted(record))
            : null;

        Ending? End(TaskEnded outcome)
        {
            log(outcome.Succeeded ? $"task {id} is done" : outcome.Cancelled ? $"task {id} was cancelled"
                : $"task {id} failed: {outcome.Cause}");
            Remember(record with { Outcome = outcome });
            outbox.Add(outcome);
            return null;
        }
    }

    /// <summary>Waits for the end of what an earlier Slave left running: nothing is done beside it, and no restart breaks it off. Returns
    /// early where it is cancelled.</summary>
    private async Task WaitForLeftoversAsync(Action<string> line, CancellationToken cancellation)
    {
        while (_leftovers.FirstOrDefault() is { } command && !cancellation.IsCancellationRequested)
        {
            if (await CommandProcess.IsRunningAsync(command).ConfigureAwait(false))
            {
                line("waiting for a program that may be writing the board's EEPROM, and that was begun before the Slave was restarted");
                await CommandProcess.WaitAsync(command, clock, cancellation).ConfigureAwait(false);
            }
            else
            {
                _leftovers.Remove(command);
            }
        }
    }

    private async Task<TaskEnded> DoAsync(WorkOrder order, ApplianceEndpoint appliance, Uri files, WorkContext context)
    {
        switch (order)
        {
            case RunOrder run:
                context.Phase("running");
                var command = new Command(run.Command, run.User, run.Folder, run.Environment);
                return context.End("the command", await context.Runner.RunAsync(command, context.Cancellation).ConfigureAwait(false));
            case UpdateOrder update:
                return await new UpdateWork(_system, clock).DoAsync(update, context).ConfigureAwait(false);
            case FirstBootOrder first:
                return await FirstBootWork.DoAsync(first, _system, clock, context).ConfigureAwait(false);
            case BenchmarkOrder benchmark:
                return await BenchmarkWork.DoAsync(benchmark, _system, files, context).ConfigureAwait(false);
            case DeployOrder deploy:
                return await DeployWork.DoAsync(deploy, _system, appliance, context).ConfigureAwait(false);
            default:
                return context.End($"the Slave cannot {order.Words()}");
        }
    }

    private TaskEnded Interrupted(TaskRecord task) => new(task.Id, false, false, task.BootId == bootId
        ? "the Slave was restarted or stopped in the middle: what it ran was ended, and is not begun again"
        : "the machine was restarted in the middle: it is not begun again", DiskState.Untouched);
}
