using System.Text.Json;
using System.Text.Json.Serialization;
using Bootstrap.Agent.Commands;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent.Firmware;

/// <summary>What rpi-eeprom-update writes with -j -m.</summary>
/// <param name="ExitCode">EXIT_SUCCESS or EXIT_UPDATE_REQUIRED.</param>
/// <param name="Current">When the bootloader that runs was built, in Unix seconds.</param>
/// <param name="Latest">When the newest was built that the node has for this board; 0: it has none.</param>
internal sealed record EepromStatus(
    [property: JsonPropertyName("EXITCODE")] string ExitCode, [property: JsonPropertyName("BOOTLOADER_CURRENT")] long Current,
    [property: JsonPropertyName("BOOTLOADER_LATEST")] long Latest);

/// <summary>
/// Raspberry Pi's own program that updates the EEPROM of a board (raspberrypi/rpi-eeprom, rpi-eeprom-update). It checks the images' digests
/// itself, takes the board's EEPROM settings over, and leaves pieeprom.upd and recovery.bin on the boot partition: from a card the ROM runs
/// that at the next start, and once more after a power cut. With flashrom it writes at once, and leaves those files only where that fails
/// (pull request 492). <see cref="EepromWay"/> tells the ways apart.
/// </summary>
/// <param name="program">Its path.</param>
/// <param name="system">The machine.</param>
/// <param name="context">Of the task.</param>
internal sealed class EepromTool(string program, NodeSystem system, WorkContext context)
{
    public const string Name = "rpi-eeprom-update";

    /// <summary>Exit codes of the program.</summary>
    private const int Done = 0, UpdateRequired = 1, Frozen = 3;

    /// <summary>The Slave's own folder for what is gone after a restart; its /tmp is not that of the commands it starts.</summary>
    private readonly string _statusFile = Path.Combine(system.Root, "run/bootstrap/firmware.json");

    private string _said = "", _complained = "";

    /// <summary>Looks at what runs and what there is.</summary>
    /// <returns>That; or null and how the task ends.</returns>
    public async Task<(EepromStatus? Status, TaskEnded? Failure)> LookAsync()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_statusFile)!);
        File.Delete(_statusFile);
        CommandEnd end = await AskAsync(_ => { }, program, "-j", "-m", _statusFile).ConfigureAwait(false);
        if (end is not { TimedOut: false, ExitCode: Done or UpdateRequired })
        {
            return (null, Fail(end));
        }
        if (!File.Exists(_statusFile))
        {
            // A Compute Module 4 that was not set up for it, and whatever has no EEPROM: it says so, and ends well.
            return (null, context.Refuse($"{Name} does not update this board: {_said}"));
        }
        try
        {
            return (JsonSerializer.Deserialize(await File.ReadAllBytesAsync(_statusFile, context.Cancellation).ConfigureAwait(false),
                AgentJson.Default.EepromStatus), null);
        }
        catch (JsonException e)
        {
            return (null, context.End($"{Name} -j wrote a status that cannot be read ({e.Message}): is its package of 2020 or older?"));
        }
    }

    /// <summary>
    /// Whether the EEPROM's settings hold its version fast, by the program that comes with this one and prints them; where it is not there
    /// or cannot, -a finds it out.
    /// </summary>
    /// <returns>How the task ends; null: it goes on.</returns>
    public async Task<TaskEnded?> FindFreezeAsync()
    {
        if (system.Find("rpi-eeprom-config") is not { } config)
        {
            return null;
        }
        bool isFrozen = false;
        // As -a looks for it.
        await AskAsync(line => isFrozen |= line.Contains("FREEZE_VERSION=1", StringComparison.Ordinal), config).ConfigureAwait(false);
        return isFrozen ? RefuseFrozen() : null;
    }

    /// <summary>Where it puts its files: the boot partition.</summary>
    /// <returns>Its path; or null and how the task ends.</returns>
    public async Task<(string? Folder, TaskEnded? Failure)> FindBootFolderAsync()
    {
        string? folder = null;
        // Warnings may come before it.
        CommandEnd end = await AskAsync(line => folder = line.StartsWith('/') ? line : folder, program, "-b").ConfigureAwait(false);
        return end is not { TimedOut: false, ExitCode: Done } ? (null, Fail(end))
            : folder is null ? (null, context.End($"{Name} -b names no boot folder: {_said}"))
            : (folder, null);
    }

    /// <summary>Stages or writes the newest. No cancellation and no time limit ends it in the middle: an EEPROM may be half written
    /// then.</summary>
    /// <param name="mayWriteDirectly">It writes in the way that it likes best, and else by recovery.bin.</param>
    /// <returns>How the task ends; null: it has done it.</returns>
    public async Task<TaskEnded?> StageAsync(bool mayWriteDirectly)
    {
        Command command = Command.ByRoot([.. await FindGuardAsync().ConfigureAwait(false), program, "-a"]);
        CommandEnd end = await RunWholeAsync(mayWriteDirectly ? command : command with { Environment = EepromWay.Staged })
            .ConfigureAwait(false);
        return end switch
        {
            { TimedOut: false, ExitCode: Done } => null,
            { TimedOut: false, ExitCode: Frozen } => RefuseFrozen(),
            // What it has left is not taken back: after a write that failed, the board starts by these files.
            _ => Fail(end),
        };
    }

    /// <summary>Takes back what is staged.</summary>
    /// <returns>The program says that it has.</returns>
    public async Task<bool> UndoAsync() =>
        await RunWholeAsync(Command.ByRoot(program, "-r")).ConfigureAwait(false) is { TimedOut: false, ExitCode: Done };

    /// <summary>
    /// What holds back restarts that others ask for meanwhile (systemd-inhibit(1)): logind refuses those of users, and from systemd 257 on
    /// those of root as well (systemd/systemd, pull request 30307). Empty where there is no systemd-inhibit, or no logind that it could
    /// ask.
    /// </summary>
    private async Task<string[]> FindGuardAsync()
    {
        if (system.Find("systemd-inhibit") is not { } inhibit)
        {
            return [];
        }
        string[] guard = [inhibit, "--what=shutdown", "--mode=block", "--who=Bootstrap",
            "--why=The boot firmware of this board is being updated"];
        CommandEnd end = await AskAsync(_ => { }, [.. guard, "true"]).ConfigureAwait(false);
        if (end is { TimedOut: false, ExitCode: 0 })
        {
            return guard;
        }
        context.Line("restarts that others ask for are not held back meanwhile: systemd-inhibit cannot do it here");
        return [];
    }

    private TaskEnded RefuseFrozen() => context.Refuse(
        "the board's EEPROM settings hold its version fast (FREEZE_VERSION=1): " +
        "take that out with rpi-eeprom-config --edit, and order this again");

    private TaskEnded Fail(CommandEnd end)
    {
        TaskEnded ended = context.End(Name, end);
        string last = _complained.Length > 0 ? _complained : _said;
        return last.Length > 0 ? ended with { Cause = $"{ended.Cause}: {last}" } : ended;
    }

    private Task<CommandEnd> AskAsync(Action<string> hear, params string[] words) =>
        RunAsync(Command.ByRoot(words), hear, context.Cancellation, null);

    private Task<CommandEnd> RunWholeAsync(Command command) =>
        RunAsync(command, _ => { }, CancellationToken.None, Timeout.InfiniteTimeSpan);

    private Task<CommandEnd> RunAsync(Command command, Action<string> hear, CancellationToken cancellation, TimeSpan? limit)
    {
        _said = _complained = "";
        return context.Runner.RunAsync(command, cancellation, line =>
        {
            // The two streams come in no order.
            if (line.StartsWith(CommandRunner.ErrorPrefix, StringComparison.Ordinal))
            {
                _complained = line[CommandRunner.ErrorPrefix.Length..].Trim() is { Length: > 0 } complaint ? complaint : _complained;
            }
            else
            {
                _said = line.Trim() is { Length: > 0 } said ? said : _said;
                hear(line);
            }
        }, limit);
    }
}
