using System.Globalization;
using Bootstrap.Link;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent.Commands;

/// <summary>What work of one task has at hand.</summary>
/// <param name="Task">The task's id.</param>
/// <param name="Runner">Runs its commands.</param>
/// <param name="Store">Fetches what the appliance stores.</param>
/// <param name="Phase">Tells the appliance a phase, in one word.</param>
/// <param name="Line">Puts a line into the task's log.</param>
/// <param name="Cancellation">Ends the work.</param>
public sealed record WorkContext(
    Guid Task, CommandRunner Runner, StoreClient Store, Action<string> Phase, Action<string> Line, CancellationToken Cancellation)
{
    /// <summary>The end of the task by its last command.</summary>
    /// <param name="what">The command in words: "the command".</param>
    /// <param name="note">What people must know where it succeeded.</param>
    public TaskEnded End(string what, CommandEnd end, string note = "")
    {
        bool succeeded = end is { TimedOut: false, ExitCode: 0 };
        string cause = succeeded ? "" : end.TimedOut ? $"{what} took longer than its time-out and was ended"
            : $"{what} {ExitWords(end.ExitCode)}";
        return new TaskEnded(Task, succeeded, false, cause, DiskState.Untouched, TimedOut: end.TimedOut, ExitCode: end.ExitCode,
            Note: succeeded ? note : "");
    }

    /// <summary>The end of the task without any command.</summary>
    /// <param name="cause">Why it failed; empty: it succeeded.</param>
    public TaskEnded End(string cause, string note = "") => new(Task, cause.Length == 0, false, cause, DiskState.Untouched, Note: note);

    /// <summary>The end of the task for a reason that another attempt does not change.</summary>
    public TaskEnded Refuse(string cause) => End(cause) with { Final = true };

    private static string ExitWords(int code) => string.Create(CultureInfo.InvariantCulture, $"ended with exit code {code}{code switch
    {
        // What shells, setsid and systemd (EXIT_CHDIR, EXIT_EXEC, EXIT_USER of systemd.exec(5)) mean by these.
        126 => ": the program cannot be executed",
        127 or 203 => ": there is no such program on this node",
        200 => ": there is no such folder on this node",
        217 => ": there is no such user on this node",
        > 128 and < 128 + 65 => $": signal {code - 128} ended it",
        _ => "",
    }}");
}
