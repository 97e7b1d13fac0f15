namespace Bootstrap.Agent.Commands;

/// <summary>How a command ended.</summary>
/// <param name="ExitCode">128 + n where signal n ended it.</param>
/// <param name="TimedOut">It was ended because its time was over.</param>
public readonly record struct CommandEnd(int ExitCode, bool TimedOut);

/// <summary>Runs commands, one after the other, for one task.</summary>
/// <param name="task">The task's id.</param>
/// <param name="line">Gets what they write, in bounds.</param>
/// <param name="started">Told of each command before its output is read: so that a Slave that is restarted finds it.</param>
/// <param name="taskLimit">For all of them together that have none of their own.</param>
/// <param name="clock">Measures that.</param>
public sealed class CommandRunner(Guid task, Action<string> line, Action<CommandTrace> started, TimeSpan taskLimit, TimeProvider clock)
{
    /// <summary>Who has ended may have left somebody behind who keeps its output open (a daemon): he is not listened to any more.</summary>
    private static readonly TimeSpan s_lastWords = TimeSpan.FromSeconds(2);

    /// <summary>Bytes that are read at once, and the pause after them of a command that says more than anybody hears: some 6 MB/s, so that
    /// it waits for us and not the node's other programs, and so that it can be stopped at once.</summary>
    private const int ReadBytes = 64 << 10;

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(10);

    /// <summary>Begins a line of standard error.</summary>
    public const string ErrorPrefix = "stderr: ";

    private readonly long _begin = clock.GetTimestamp();
    private int _count;

    /// <summary>What is left of the time.</summary>
    private TimeSpan Left => taskLimit - clock.GetElapsedTime(_begin) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    /// <summary>Runs a command to its end.</summary>
    /// <param name="hear">Told of every line, also of those that are left out of the log.</param>
    /// <param name="limit">For this one alone, and infinite for one that must not be ended in the middle; null: what is left of the
    /// task's.</param>
    /// <exception cref="IOException">It cannot be started.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled, and nothing of it runs any more.</exception>
    public async Task<CommandEnd> RunAsync(
        Command command, CancellationToken cancellation, Action<string>? hear = null, TimeSpan? limit = null)
    {
        cancellation.ThrowIfCancellationRequested();
        using var timeout = new CancellationTokenSource(limit ?? Left, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        using var process = CommandProcess.Start($"bootstrap-task-{task}-{++_count}", command);
        started(process.Trace with { IsWhole = limit == Timeout.InfiniteTimeSpan });
        using var deaf = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
        var rate = new OutputRate(line, clock);
        Action<string> take = hear is null ? rate.Add : hear + rate.Add;
        Task reading = Task.WhenAll(ReadAsync(process.Output, new OutputLines(take), rate, deaf.Token),
            ReadAsync(process.Errors, new OutputLines(take, ErrorPrefix), rate, deaf.Token));
        try
        {
            return new CommandEnd(await process.WaitAsync(either.Token).ConfigureAwait(false), TimedOut: false);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            await process.EndAsync(clock).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
            return new CommandEnd(await process.WaitAsync(CancellationToken.None).ConfigureAwait(false), TimedOut: true);
        }
        finally
        {
            deaf.CancelAfter(s_lastWords);
            await reading.ConfigureAwait(false);
            rate.End();
        }
    }

    private async Task ReadAsync(Stream stream, OutputLines lines, OutputRate rate, CancellationToken cancellation)
    {
        byte[] buffer = new byte[ReadBytes];
        try
        {
            while (await stream.ReadAsync(buffer, cancellation).ConfigureAwait(false) is > 0 and int read)
            {
                // A line that does not end is cut long before this.
                if ((!lines.Add(buffer.AsSpan(0, read)) && read > OutputLines.MaximumLength) || rate.IsOver)
                {
                    await Task.Delay(s_pause, clock, cancellation).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // What it has said until now counts.
        }
        lines.End();
    }
}
