using Bootstrap.Agent.Commands;
using Bootstrap.Board;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent.Firmware;

/// <summary>Brings the boot firmware up to date, with all that can be looked at before it is touched: the power, the boot partition, the
/// packages.</summary>
/// <param name="system">The machine.</param>
/// <param name="clock">Times the warning of users.</param>
internal sealed class FirmwareWork(NodeSystem system, TimeProvider clock)
{
    /// <summary>What became of what was staged or written, where it ended otherwise than by the restart; empty: there was nothing of it
    /// yet.</summary>
    public string Became { get; private set; } = "";

    /// <summary>A program that digests all images on a slow card needs a minute or two.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(20);

    private readonly PowerSafety _power = new(system);

    /// <summary>For all commands together but those that stage, write or take back.</summary>
    public static TimeSpan Limit(FirmwareOrder order) => s_limit + TimeSpan.FromSeconds(order.Warning?.GraceSeconds ?? 0);

    /// <summary>Checks and stages.</summary>
    /// <returns>How the task ends; null: the machine is to be restarted now, into firmware that was built at that time (Unix
    /// seconds).</returns>
    /// <exception cref="OperationCanceledException">It was cancelled; <see cref="Became"/> says what became of what was staged.</exception>
    /// <exception cref="IOException">A program cannot be started; the same.</exception>
    public async Task<(TaskEnded? Over, long Built)> DoAsync(FirmwareOrder order, WorkContext context)
    {
        context.Phase(TaskPhase.Checking);
        if (FindRefusal() is { Length: > 0 } refusal)
        {
            return (context.Refuse(refusal), 0);
        }
        if (system.Find(EepromTool.Name) is not { } program)
        {
            return (context.End($"this node has no {EepromTool.Name}: install its package rpi-eeprom, and order this again"), 0);
        }
        var tool = new EepromTool(program, system, context);
        (EepromStatus? status, TaskEnded? failure) = await tool.LookAsync().ConfigureAwait(false);
        if (status is null)
        {
            return (failure, 0);
        }
        if (status.Latest <= status.Current)
        {
            return (status.Latest > 0 ? UpToDate(status, context)
                : context.End("the node has no boot firmware for this board: " +
                    "bring its package rpi-eeprom up to date, and order this again"), 0);
        }
        if (await tool.FindFreezeAsync().ConfigureAwait(false) is { } frozen)
        {
            return (frozen, 0);
        }
        (string? folder, failure) = await tool.FindBootFolderAsync().ConfigureAwait(false);
        if (folder is null)
        {
            return (failure, 0);
        }
        var boot = new BootPartition(system, folder);
        if (!order.AllowDirectWrite && new EepromWay(system).FindFault(boot) is { Length: > 0 } way)
        {
            return (context.Refuse(way), 0);
        }
        string fault = await FindFaultAsync(order, boot, context).ConfigureAwait(false);
        if (fault.Length == 0 && order.Warning is not null)
        {
            await WarnUsers.DoAsync(order.Warning, "is restarted for new boot firmware", system, context, clock).ConfigureAwait(false);
            fault = await FindFaultAsync(order, boot, context).ConfigureAwait(false);
        }
        return fault.Length > 0 ? (context.End(fault), 0)
            : (await StageAsync(order, tool, boot, context).ConfigureAwait(false), status.Latest);
    }

    /// <summary>Whether the firmware that was staged is what runs after the restart.</summary>
    /// <param name="task">The task's id.</param>
    /// <param name="staged">When it was built, in Unix seconds.</param>
    /// <param name="runs">When what runs was built; null: the board does not tell.</param>
    public static TaskEnded Judge(Guid task, long staged, long? runs)
    {
        string cause = runs is null
            ? $"the board does not tell which boot firmware it runs, and so it is not proven that it is that of {Words(staged)}, which " +
            $"was staged: look with `vcgencmd bootloader_version`"
            : runs < staged
                ? $"the board still runs the boot firmware of {Words(runs.Value)}, and not that of {Words(staged)}, which was staged: " +
                    "its EEPROM may be write-protected, or it starts from a disk whose updates its ROM does not take"
            : "";
        string note = cause.Length > 0 ? "" : $"the board runs the boot firmware of {BoardReader.BootloaderDay(runs!.Value)}";
        return new TaskEnded(task, cause.Length == 0, false, cause, DiskState.Untouched, Final: runs < staged, Note: note);
    }

    /// <summary>What cannot be updated here by its kind, with what is possible instead; empty: it may be.</summary>
    private string FindRefusal()
    {
        var board = new BoardReader(system.Root);
        return board.ReadRevision() is { } pi
            ? pi.Processor is "BCM2835" or "BCM2836" or "BCM2837"
                ? $"a {(pi.Model.Length > 0 ? pi.Model : $"board with {pi.Processor}")} has no EEPROM: its boot firmware is files on " +
                $"its boot partition, which an update of its packages brings"
                : ""
            : Directory.Exists(Path.Combine(system.Root, "sys/firmware/efi"))
                ? "this machine's boot firmware is UEFI, which is not updated from here: fwupd can do it where its maker publishes " +
                "firmware (`fwupdmgr get-updates`, `fwupdmgr update`)"
                : $"no way is known here to update the boot firmware of this machine ({board.ReadModel()}): that of a Raspberry Pi 4, " +
                $"400, 5, 500 or Compute Module 4 or 5 can be updated";
    }

    private async Task<string> FindFaultAsync(FirmwareOrder order, BootPartition boot, WorkContext context) =>
        boot.FindFault() is { Length: > 0 } folder ? folder
        : PackagesAtWork.FindFault(system) is { Length: > 0 } packages ? packages
        : UpdaterAtWork.FindFault(system) is { Length: > 0 } updater ? updater
        : await _power.FindFaultAsync(order.PowerChecked, context).ConfigureAwait(false);

    private async Task<TaskEnded?> StageAsync(FirmwareOrder order, EepromTool tool, BootPartition boot, WorkContext context)
    {
        context.Cancellation.ThrowIfCancellationRequested();
        context.Phase(TaskPhase.Staging);
        if (await tool.StageAsync(order.AllowDirectWrite).ConfigureAwait(false) is { } failure)
        {
            return failure;
        }
        string fault;
        try
        {
            fault = await _power.FindFaultAsync(order.PowerChecked, context).ConfigureAwait(false);
            context.Cancellation.ThrowIfCancellationRequested();
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            await UndoAsync().ConfigureAwait(false);
            throw;
        }
        return fault.Length > 0 ? context.End($"{fault} ({await UndoAsync().ConfigureAwait(false)})") : null;

        async Task<string> UndoAsync()
        {
            // Where it was written at once there is nothing to take back.
            string became = !boot.IsPending ? "the new firmware is written already, and runs after the next restart"
                : await IsUndoneAsync(tool, boot).ConfigureAwait(false) ? "what was staged is taken back"
                : $"what was staged could not be taken back: run `{EepromTool.Name} -r` on the node before any restart";
            context.Line(became);
            return Became = became;
        }
    }

    private static async Task<bool> IsUndoneAsync(EepromTool tool, BootPartition boot)
    {
        try
        {
            return await tool.UndoAsync().ConfigureAwait(false) && !boot.IsPending;
        }
        catch (IOException)
        {
            // It could not be started.
            return false;
        }
    }

    private static TaskEnded UpToDate(EepromStatus status, WorkContext context) => context.End("",
        $"the boot firmware is the newest that the node has: {BoardReader.BootloaderDay(status.Current)}" +
        (status.ExitCode == "EXIT_UPDATE_REQUIRED" ? "; its USB controller's is not, which `rpi-eeprom-update -a` writes" : ""));

    private static string Words(long built) => $"{BoardReader.BootloaderDay(built)} ({built})";
}
