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
/// <param name="clock">Times fetching.</param>
public sealed class TaskRunner(
    TaskJournal journal, string bootId, NetInstStaging staging, ISystemPower power, Outbox outbox, Action<string> log, TimeProvider clock)
{
    /// <summary>Answers an order from memory, where it was done or begun before a restart.</summary>
    /// <returns>True if there is nothing more to do.</returns>
    public bool AnswerFromMemory(Guid id)
    {
        TaskRecord? known = journal.Find(id);
        if (known is { Outcome: null } && known.BootId != bootId)
        {
            // The machine has restarted since: that is what was asked for, or NetInst did not come up.
            TaskEnded outcome = known.Stages
                ? new TaskEnded(id, false, false, "the machine restarted into its old system instead of NetInst", DiskState.Untouched)
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
    /// <returns>What happens to the machine next; null where the task failed: the appliance is told why.</returns>
    public async Task<Ending?> RunAsync(Guid id, TaskOrder order, ApplianceEndpoint appliance, Uri files, CancellationToken cancellation)
    {
        journal.Put(new TaskRecord(id, order is StageInstallOrder, bootId, null));
        outbox.Add(new TaskAccepted(id));
        log($"task {id}: {order.GetType().Name}");
        try
        {
            switch (order)
            {
                case RebootOrder:
                    return new Ending("reboot", () => power.Restart(StagedStart.Restart));
                case ShutdownOrder:
                    return new Ending("shutdown", power.PowerOff);
                case StageInstallOrder stage:
                    outbox.Add(new TaskProgress(id, "staging", 0, 0, ""));
                    using (var store = new StoreClient(files, log, clock))
                    {
                        StagedStart start = await staging.StageAsync(stage, store, appliance, cancellation).ConfigureAwait(false);
                        outbox.Add(new TaskProgress(id, "rebooting", 0, 0, ""));
                        return new Ending("reboot", () => power.Restart(start));
                    }
                default:
                    End(new TaskEnded(id, false, false, $"the Slave cannot do this: {order.GetType().Name}", DiskState.Untouched));
                    return null;
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            staging.Undo();
            End(new TaskEnded(id, false, true, "cancelled", DiskState.Untouched));
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            End(new TaskEnded(id, false, false, e.Message, DiskState.Untouched));
            return null;
        }

        void End(TaskEnded outcome)
        {
            log(outcome.Cancelled ? $"task {id} was cancelled" : $"task {id} failed: {outcome.Cause}");
            journal.Put(new TaskRecord(id, order is StageInstallOrder, bootId, outcome));
            outbox.Add(outcome);
        }
    }
}
