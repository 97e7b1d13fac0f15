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

    private static readonly TimeSpan s_lookLimit = TimeSpan.FromSeconds(30);

    /// <summary>The running disk's slots; null where there is one, or it was not looked yet.</summary>
    public SlotStatus? Status { get; private set; }

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
                return;
            }
            var end = new ProgramEnd();
            await runner.RunAsync(Command.ByRoot([.. Slave, SlotProgram.Show]), cancellation, line => end.Take(line)).ConfigureAwait(false);
            Status = end.Status;
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

    /// <summary>Writes the other slot and prepares its start.</summary>
    /// <param name="runner">Makes a runner that gives its lines to somebody.</param>
    /// <param name="progress">Told of progress.</param>
    /// <param name="line">The task's log.</param>
    /// <returns>How it ended: a success is one of the writing.</returns>
    public async Task<TaskEnded> UpdateAsync(Guid task, UpdateSlotOrder order, ApplianceEndpoint appliance, Uri files, Func<Action<string>, CommandRunner> runner,
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
            return await RunAsync(task, [SlotProgram.Update, config, file, appliance.ToString(), files.ToString()], runner, progress, line, cancellation).ConfigureAwait(false);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Makes the running system's slot the one that always starts.</summary>
    public async Task<TaskEnded> CommitAsync(Guid task, Func<Action<string>, CommandRunner> runner, Action<string> line, CancellationToken cancellation)
    {
        TaskEnded ended = await RunAsync(task, [SlotProgram.Commit], runner, _ => { }, line, cancellation).ConfigureAwait(false);
        if (ended.Succeeded && system.Find("systemctl") is { } systemctl)
        {
            // The service manager gives up the watchdog and forgets the timer; either does no harm until it has.
            await runner(line).RunAsync(Command.ByRoot(systemctl, "daemon-reload"), cancellation).ConfigureAwait(false);
        }
        return ended.Succeeded ? ended with { Disk = DiskState.Installed } : ended;
    }

    private async Task<TaskEnded> RunAsync(Guid task, string[] words, Func<Action<string>, CommandRunner> runner, Action<TaskProgress> progress, Action<string> line, CancellationToken cancellation)
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
        }).ConfigureAwait(false);
        return ended is { ExitCode: 0, TimedOut: false }
            ? new TaskEnded(task, true, false, "", DiskState.Untouched)
            : new TaskEnded(task, false, false,
                ended.TimedOut ? $"the update of the slot took longer than {UpdateLimit.TotalHours:0} hours and was ended"
                : end.Cause.Length > 0 ? end.Cause
                : string.Create(CultureInfo.InvariantCulture, $"the program that works on the slot ended with exit code {ended.ExitCode}: its log tells more"),
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

        /// <returns>A phase, if the line is one.</returns>
        public (string Phase, long Done, long Total)? Take(string line)
        {
            if (line.StartsWith(SlotProgram.CauseLine, StringComparison.Ordinal))
            {
                _cause.Append(line.AsSpan(SlotProgram.CauseLine.Length));
            }
            else if (line.StartsWith(SlotProgram.StatusLine, StringComparison.Ordinal))
            {
                Status = JsonSerializer.Deserialize(line[SlotProgram.StatusLine.Length..], AgentJson.Default.SlotStatus);
            }
            else if (line.StartsWith(SlotProgram.EndLine, StringComparison.Ordinal) && line[SlotProgram.EndLine.Length..].Split(' ') is [var disk, var final])
            {
                (Disk, IsFinal) = (Enum.Parse<DiskState>(disk), bool.Parse(final));
            }
            else if (line.StartsWith(SlotProgram.PhaseLine, StringComparison.Ordinal) && line[SlotProgram.PhaseLine.Length..].Split(' ') is [var phase, var done, var total])
            {
                return (phase, long.Parse(done, CultureInfo.InvariantCulture), long.Parse(total, CultureInfo.InvariantCulture));
            }
            return null;
        }
    }
}
