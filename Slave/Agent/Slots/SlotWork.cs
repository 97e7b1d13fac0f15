using System.Globalization;
using System.Text;
using System.Text.Json;
using Bootstrap.Agent.Commands;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent.Slots;

/// <summary>What the daemon does with slots: it has <see cref="SlotProgram"/> do it, and tells the appliance how far that is.</summary>
/// <param name="config">Folder of <see cref="NodeFiles"/>.</param>
/// <param name="state">For the file that an update is given.</param>
/// <param name="system">The machine.</param>
/// <param name="log">The node's log.</param>
/// <param name="clock">Times commands.</param>
public sealed class SlotWork(string config, string state, NodeSystem system, Action<string> log, TimeProvider clock)
{
    /// <summary>Also for a slow card and a large image.</summary>
    public static readonly TimeSpan UpdateLimit = TimeSpan.FromHours(4);

    /// <summary>A commit or a word to the firmware writes a few files: a card takes seconds for that, and one that is worn out takes
    /// minutes.</summary>
    public static readonly TimeSpan CommitLimit = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan s_lookLimit = TimeSpan.FromSeconds(30);

    private bool _isOne;

    /// <summary>The running disk's slots; null where there is one, or it was not looked yet.</summary>
    public SlotStatus? Status { get; private set; }

    /// <summary>Whether the running disk has two slots; null: that could not be found out.</summary>
    public bool? HasSlots => Status is not null ? true : _isOne ? false : null;

    /// <summary>This system was started once, and is not committed yet.</summary>
    public bool IsOnTrial => SlotTrial.IsOn(config);

    private IEnumerable<string> Slave => system.Slave ?? [Environment.ProcessPath!];

    /// <summary>Looks at the disk, once after the start.</summary>
    public async Task LookAsync(CancellationToken cancellation)
    {
        var runner = new CommandRunner(Guid.NewGuid(), _ => { }, _ => { }, s_lookLimit, clock);
        try
        {
            if (!SlotReader.IsPossible(system.Root))
            {
                _isOne = true;
                return;
            }
            var end = new ProgramEnd();
            CommandEnd ended = await runner.RunAsync(Command.ByRoot([.. Slave, SlotProgram.Show]), cancellation, line => end.Take(line))
                .ConfigureAwait(false);
            Status = end.Status;
            _isOne = Status is null && ended is { ExitCode: 0, TimedOut: false };
            if (end.Cause.Length > 0)
            {
                log($"cannot tell whether this disk has two slots: {end.Cause}");
            }
            else if (Status is { } status)
            {
                log($"this system is in slot {status.Slot} of two{(IsOnTrial ? ", on trial" : "")}");
            }
        }
        catch (IOException e)
        {
            log($"cannot tell whether this disk has two slots: {e.Message}");
        }
    }

    /// <summary>Writes the other slot.</summary>
    /// <param name="runner">Makes a runner that gives its lines to somebody.</param>
    /// <param name="progress">Told of progress.</param>
    /// <param name="line">The task's log.</param>
    /// <returns>How it ended: a success is one of the writing.</returns>
    public async Task<TaskEnded> UpdateAsync(
        Guid task, UpdateSlotOrder order, ApplianceEndpoint appliance, Uri files, Func<Action<string>, CommandRunner> runner,
        Action<TaskProgress> progress, Action<string> line, CancellationToken cancellation)
    {
        if (Status is null)
        {
            return new TaskEnded(task, false, false, "this node's disk has no second slot that could be tried", DiskState.Untouched);
        }
        string file = Path.Combine(state, "slot-update.json");
        WriteForOwner(file, JsonSerializer.SerializeToUtf8Bytes(new StartTask(task, order), ProtocolJson.Default.LinkMessage));
        try
        {
            return await RunAsync(task, [SlotProgram.Update, config, file, appliance.ToString(), files.ToString()], UpdateLimit, runner,
                progress, line, cancellation).ConfigureAwait(false);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Makes the next start the other slot's, as far as that is not said with the restart itself: the last thing before it, so
    /// that nothing has to be taken back.</summary>
    public async Task<TaskEnded> PrepareAsync(Guid task, Func<Action<string>, CommandRunner> runner, Action<string> line)
    {
        if (Status is not { Choice: SlotChoice.Efi })
        {
            return new TaskEnded(task, true, false, "", DiskState.Installed);
        }
        TaskEnded ended = await RunAsync(task, [SlotProgram.Try], CommitLimit, runner, _ => { }, line, CancellationToken.None)
            .ConfigureAwait(false);
        return ended with { Disk = DiskState.Installed };
    }

    /// <summary>Makes the running system's slot the one that always starts. That is not broken off: half of it is neither the one system
    /// nor the other.</summary>
    public async Task<TaskEnded> CommitAsync(Guid task, Func<Action<string>, CommandRunner> runner, Action<string> line)
    {
        TaskEnded ended = await RunAsync(task, [SlotProgram.Commit], CommitLimit, runner, _ => { }, line, CancellationToken.None)
            .ConfigureAwait(false);
        if (!ended.Succeeded)
        {
            return ended;
        }
        await ReloadAsync(runner(line), line).ConfigureAwait(false);
        return ended with { Disk = DiskState.Installed };
    }

    /// <summary>Ends a commit that was broken off when the firmware had been told and the marks of the trial were still there. Once after
    /// the start.</summary>
    public async Task FinishCommitAsync()
    {
        if (!IsOnTrial)
        {
            return;
        }
        CommandRunner Runner(Action<string> line) => new(Guid.NewGuid(), line, _ => { }, s_lookLimit, clock);
        try
        {
            TaskEnded ended = await RunAsync(Guid.Empty, [SlotProgram.Finish], s_lookLimit, Runner, _ => { }, log, CancellationToken.None)
                .ConfigureAwait(false);
            if (!ended.Succeeded)
            {
                log($"cannot tell whether this system's trial is over: {ended.Cause}");
            }
            else if (!IsOnTrial)
            {
                log("this system was committed before, and its trial is over now");
                await ReloadAsync(Runner(log), log).ConfigureAwait(false);
            }
        }
        catch (IOException e)
        {
            log($"cannot tell whether this system's trial is over: {e.Message}");
        }
    }

    /// <summary>The service manager gives up the watchdog and forgets the timer; either does no harm until it has.</summary>
    private async Task ReloadAsync(CommandRunner runner, Action<string> line)
    {
        if (system.Find("systemctl") is not { } systemctl)
        {
            return;
        }
        try
        {
            await runner.RunAsync(Command.ByRoot(systemctl, "daemon-reload"), CancellationToken.None, limit: s_lookLimit)
                .ConfigureAwait(false);
        }
        catch (IOException e)
        {
            line($"the slot is committed, and systemd was not told of it: {e.Message}");
        }
    }

    private async Task<TaskEnded> RunAsync(Guid task, string[] words, TimeSpan limit, Func<Action<string>, CommandRunner> runner,
        Action<TaskProgress> progress, Action<string> line,
        CancellationToken cancellation)
    {
        var end = new ProgramEnd();
        // Lines that are for this program are heard all, and are no part of the log.
        CommandEnd ended = await runner(text =>
        {
            if (!text.StartsWith('@'))
            {
                line(text);
            }
        }).RunAsync(Command.ByRoot([.. Slave, .. words]), cancellation, text =>
        {
            if (end.Take(text) is var (phase, done, total))
            {
                progress(new TaskProgress(task, phase, done, total, total > 0 ? "bytes" : ""));
            }
        }, limit).ConfigureAwait(false);
        return ended is { ExitCode: 0, TimedOut: false }
            ? new TaskEnded(task, true, false, "", DiskState.Untouched)
            : new TaskEnded(task, false, false,
                ended.TimedOut ? string.Create(CultureInfo.InvariantCulture,
                $"the program that works on the slot took longer than {limit.TotalMinutes:0} minutes and was ended")
                : end.Cause.Length > 0 ? end.Cause
                : string.Create(CultureInfo.InvariantCulture,
                $"the program that works on the slot ended with exit code {ended.ExitCode}: its log tells more"),
                end.Disk, end.IsFinal, ended.TimedOut);
    }

    private static void WriteForOwner(string file, byte[] content)
    {
        File.Delete(file);
        using var stream = new FileStream(file, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        stream.Write(content);
    }

    /// <summary>What the program has said that is not for the log.</summary>
    private sealed class ProgramEnd
    {
        private readonly StringBuilder _cause = new();

        public string Cause => _cause.ToString();

        public DiskState Disk { get; private set; }

        public bool IsFinal { get; private set; }

        public SlotStatus? Status { get; private set; }

        /// <summary>Takes a line; one that only looks like one of these is passed over.</summary>
        /// <returns>A phase, if the line is one.</returns>
        public (string Phase, long Done, long Total)? Take(string line)
        {
            if (line.StartsWith(SlotProgram.CauseLine, StringComparison.Ordinal))
            {
                _cause.Append(line.AsSpan(SlotProgram.CauseLine.Length));
            }
            else if (line.StartsWith(SlotProgram.StatusLine, StringComparison.Ordinal))
            {
                Status = ReadStatus(line[SlotProgram.StatusLine.Length..]) ?? Status;
            }
            else if (line.StartsWith(SlotProgram.EndLine, StringComparison.Ordinal) &&
                line[SlotProgram.EndLine.Length..].Split(' ') is [var disk, var final] &&
                Enum.TryParse(disk, out DiskState state) && Enum.IsDefined(state) && bool.TryParse(final, out bool isFinal))
            {
                (Disk, IsFinal) = (state, isFinal);
            }
            else if (line.StartsWith(SlotProgram.PhaseLine, StringComparison.Ordinal) &&
                line[SlotProgram.PhaseLine.Length..].Split(' ') is [var phase, var done, var total] &&
                TryCount(done, out long doneCount) && TryCount(total, out long totalCount))
            {
                return (phase, doneCount, totalCount);
            }
            return null;
        }

        private static bool TryCount(string text, out long count) =>
            long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count);

        private static SlotStatus? ReadStatus(string json)
        {
            try
            {
                return JsonSerializer.Deserialize(json, AgentJson.Default.SlotStatus);
            }
            catch (JsonException)
            {
                return null;
            }
        }
    }
}
