using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Bootstrap.Board;

namespace Bootstrap.Agent.Commands;

/// <summary>What is to be run.</summary>
/// <param name="Words">The program, by path or by name, and its arguments.</param>
/// <param name="User">Name of a user of this machine.</param>
/// <param name="Folder">Absolute path of the folder that it works in.</param>
/// <param name="Environment">Beside the usual.</param>
public sealed record Command(IReadOnlyList<string> Words, string User, string Folder, IReadOnlyDictionary<string, string> Environment)
{
    /// <summary>By root, in the root folder, with nothing beside the usual environment.</summary>
    public static Command ByRoot(params IReadOnlyList<string> words) => new(words, Account.Root, "/", new Dictionary<string, string>());
}

/// <summary>By what a command is found again that was begun before the Slave was restarted.</summary>
/// <param name="Unit">Its systemd unit; null where it is a process of ours.</param>
/// <param name="Process">Its process, which leads a session of its own; 0 where it has a unit.</param>
/// <param name="StartTicks">When that process was started (/proc/PID/stat): another one of that number has another.</param>
/// <param name="IsWhole">It must not be ended in the middle.</param>
public sealed record CommandTrace(string? Unit, int Process, long StartTicks, bool IsWhole = false);

/// <summary>
/// A command that runs. Where systemd does, it is a transient unit, free of what confines the Slave's own (read-only /usr, few
/// capabilities, little memory); elsewhere a process with a session of its own.
/// </summary>
public sealed class CommandProcess : IDisposable
{
    /// <summary>Between SIGTERM and SIGKILL.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    /// <summary>Where commands' programs are.</summary>
    public const string Path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50), s_lookAtUnit = TimeSpan.FromSeconds(1);

    private readonly Process _process;

    private CommandProcess(Process process, string? unit)
    {
        _process = process;
        Trace = new CommandTrace(unit, unit is null ? process.Id : 0, unit is null ? StartTicks(process.Id) ?? 0 : 0);
    }

    public CommandTrace Trace { get; }

    public Stream Output => _process.StandardOutput.BaseStream;

    public Stream Errors => _process.StandardError.BaseStream;

    /// <summary>Starts it, with no standard input.</summary>
    /// <param name="name">A name that no other has, for its unit.</param>
    /// <exception cref="IOException">It cannot be started; the message says why.</exception>
    public static CommandProcess Start(string name, Command command)
    {
        if (!Directory.Exists(command.Folder))
        {
            throw new IOException($"there is no folder {command.Folder} on this node");
        }
        // The test of sd_booted(3).
        bool hasSystemd = Directory.Exists("/run/systemd/system");
        ProcessStartInfo start = hasSystemd ? AsUnit(name, command) : AsProcess(command);
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        try
        {
            Process process = Process.Start(start)!;
            process.StandardInput.Close();
            return new CommandProcess(process, hasSystemd ? name : null);
        }
        catch (Win32Exception e)
        {
            throw new IOException($"{command.Words[0]} cannot be started in {command.Folder}: {e.Message}", e);
        }
    }

    /// <summary>Waits for its end.</summary>
    /// <returns>Its exit code; 128 + n where signal n ended it.</returns>
    public async Task<int> WaitAsync(CancellationToken cancellation)
    {
        await _process.WaitForExitAsync(cancellation).ConfigureAwait(false);
        return _process.ExitCode;
    }

    /// <summary>Ends it with all that it started: SIGTERM, and SIGKILL after <see cref="Grace"/>.</summary>
    public async Task EndAsync(TimeProvider clock)
    {
        await EndAsync(Trace, clock).ConfigureAwait(false);
        // systemd-run itself, should it not have heard of its unit's end.
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Ends what is left of a command that an earlier Slave started.</summary>
    public static async Task EndAsync(CommandTrace trace, TimeProvider clock)
    {
        if (trace.Unit is { } unit)
        {
            // Waits; the unit has its own grace. That there is no such unit any more is just as good.
            using Process stop = Process.Start(
                new ProcessStartInfo("systemctl", ["stop", $"{unit}.service"]) { RedirectStandardError = true })!;
            await stop.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            return;
        }
        if (!MayHaveSession(trace))
        {
            return;
        }
        long begin = clock.GetTimestamp();
        for (int signal = Linux.SIGTERM; Linux.Kill(-trace.Process, signal) == 0; signal = 0)
        {
            if (clock.GetElapsedTime(begin) >= Grace)
            {
                _ = Linux.Kill(-trace.Process, Linux.SIGKILL);
                return;
            }
            await Task.Delay(s_look, clock, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Waits for the end of a command that an earlier Slave started, with all that it started. Returns early where the wait is
    /// cancelled.</summary>
    public static async Task WaitAsync(CommandTrace trace, TimeProvider clock, CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested && await IsRunningAsync(trace).ConfigureAwait(false))
        {
            await Task.Delay(trace.Unit is null ? s_look : s_lookAtUnit, clock, cancellation)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>A command that an earlier Slave started still runs, or something that it has started.</summary>
    public static async Task<bool> IsRunningAsync(CommandTrace trace)
    {
        if (trace.Unit is not { } unit)
        {
            return MayHaveSession(trace) && Linux.Kill(-trace.Process, 0) == 0;
        }
        using Process show = Process.Start(new ProcessStartInfo(
            "systemctl", ["show", "--property=ActiveState", "--value", $"{unit}.service"])
        { RedirectStandardOutput = true })!;
        string state = await show.StandardOutput.ReadToEndAsync(CancellationToken.None).ConfigureAwait(false);
        await show.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        // A unit that is not there any more is "inactive". Where systemd does not answer, nobody knows that it has ended.
        return state.Trim() is not ("inactive" or "failed");
    }

    public void Dispose() => _process.Dispose();

    private static ProcessStartInfo AsUnit(string name, Command command) => new("systemd-run",
    [
        "--quiet", "--pipe", "--wait", "--collect", $"--unit={name}", $"--description=Ordered by the Bootstrap appliance",
        $"--property=TimeoutStopSec={Grace.TotalSeconds:0}", $"--uid={command.User}", $"--working-directory={command.Folder}",
        .. UsualEnvironment().Concat(command.Environment).Select(variable => $"--setenv={variable.Key}={variable.Value}"),
        // systemd puts the environment's values in the place of $NAME in arguments; $$ is a dollar sign.
        "--", command.Words[0], .. command.Words.Skip(1).Select(word => word.Replace("$", "$$", StringComparison.Ordinal)),
    ]);

    private static ProcessStartInfo AsProcess(Command command)
    {
        Account account = Account.Find(command.User);
        IEnumerable<string> words = account.Name == Environment.UserName
            ? command.Words
            : ["setpriv", $"--reuid={account.User}", $"--regid={account.Group}", "--init-groups", "--", .. command.Words];
        var start = new ProcessStartInfo("setsid", words) { WorkingDirectory = command.Folder };
        start.Environment.Clear();
        IEnumerable<KeyValuePair<string, string>> login =
            [new("HOME", account.Home), new("USER", account.Name), new("LOGNAME", account.Name), new("SHELL", account.Shell)];
        foreach ((string variable, string value) in UsualEnvironment().Concat(login).Concat(command.Environment))
        {
            start.Environment[variable] = value;
        }
        return start;
    }

    /// <summary>False where a stranger has the process's number: nobody of the command's session is left then.</summary>
    private static bool MayHaveSession(CommandTrace trace) =>
        trace.Process > 1 && !(StartTicks(trace.Process) is { } ticks && ticks != trace.StartTicks);

    /// <summary>Nothing of the Slave's own environment.</summary>
    private static Dictionary<string, string> UsualEnvironment() => new() { ["PATH"] = Path, ["LANG"] = "C.UTF-8" };

    /// <summary>Field 22 of /proc/PID/stat; null where there is no such process.</summary>
    private static long? StartTicks(int process)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{process}/stat");
            // The name in parentheses may have spaces and parentheses of its own; the next field after it is the third.
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return long.Parse(fields[22 - 3], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
