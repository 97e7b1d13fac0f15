using System.CommandLine;
using System.Globalization;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Fleet;

/// <summary>How a command on a node ended.</summary>
/// <param name="Unreachable">Null: the command itself ended, with the exit code. Else why there is no exit code.</param>
/// <param name="LastOutput">Its last line of output; empty where there was none.</param>
/// <param name="LastError">Its last line of errors; empty where there was none.</param>
/// <param name="Log">What ssh told of the connection (its level DEBUG1).</param>
internal sealed record RemoteExit(int Code, string? Unreachable, string LastOutput, string LastError, IReadOnlyList<string> Log)
{
    /// <summary>A signal ended the command: there is no exit code.</summary>
    public bool EndedBySignal => Log.Any(line => line.Contains(" rtype exit-signal ", StringComparison.Ordinal));

    /// <summary>The node was there, and took none of the keys (and, where one was tried, not the password).</summary>
    public bool LoginRefused => Unreachable?.Contains(": Permission denied (", StringComparison.Ordinal) == true;

    /// <summary>The node's result, if this command was all there was to do.</summary>
    /// <param name="failure">What to tell where the command failed.</param>
    public NodeEnd ToEnd(string failure = "") =>
        Unreachable is { } cause ? new NodeEnd(Outcome.Unreachable, null, cause)
        : EndedBySignal ? new NodeEnd(Outcome.Failed, null, "a signal ended the command")
        : Code == 0 ? new NodeEnd(Outcome.Ok, 0) : new NodeEnd(Outcome.Failed, Code, failure);
}

/// <summary>The system's OpenSSH client, as the user's options and configuration have it.</summary>
internal sealed class Ssh : IDisposable
{
    private static readonly Option<string?> s_user = new("--user")
    {
        Description = "Sign in as this user. Default: as ssh would.",
        HelpName = "NAME"
    };
    private static readonly Option<FileInfo?> s_config =
        new("--ssh-config") { Description = "Use this file in place of ssh's configuration.", HelpName = "FILE" };
    private static readonly Option<string> s_hostKeys = new("--host-keys")
    {
        Description = "accept-new: believe a node that was never seen, and remember its key. ask-config: as ssh's configuration says; " +
            "what it would ask about is refused. A key that changed is always refused.",
        DefaultValueFactory = _ => "accept-new",
    };

    private static readonly Option<FileInfo?> s_identity = new("--identity")
    {
        Description = "Sign in with this private key.",
        HelpName = "FILE"
    };

    /// <summary>Where it is not <see cref="Askpass"/> that answers, no window opens to ask for a password.</summary>
    private static readonly Dictionary<string, string> s_askNothing = new() { ["SSH_ASKPASS_REQUIRE"] = "never" };

    /// <summary>ssh tells these of a connection that works.</summary>
    private static readonly string[] s_uneventful = ["debug1:", "Authenticated to ", "Transferred: ", "Bytes per second: ",
        "Warning: Permanently added ", "OpenSSH_"];

    private readonly string _logs;
    private readonly string[] _options;
    private readonly string[] _unattended;

    static Ssh() => s_hostKeys.AcceptOnlyFromAmong("accept-new", "ask-config");

    /// <param name="parsed">Of a command with the options of <see cref="AddTo"/>.</param>
    /// <param name="connectSeconds">Patience with one connection.</param>
    /// <exception cref="CliException">OpenSSH's client is not installed, or a file that the user named does not exist.</exception>
    public Ssh(ParseResult parsed, int connectSeconds)
    {
        Client.Require("ssh", "scp");
        FileInfo? config = parsed.GetValue(s_config), identity = parsed.GetValue(s_identity);
        if (new[] { config, identity }.FirstOrDefault(file => file is { Exists: false }) is { } missing)
        {
            throw new CliException($"there is no file {missing.FullName}") { ExitCode = 2 };
        }
        _logs = Directory.CreateTempSubdirectory("bootstrap-ssh-").FullName;
        _options =
        [
            .. config is null ? Array.Empty<string>() : ["-F", config.FullName],
            // Many clients at once must not rewrite the one file of known hosts, nor share connections that outlive them.
            "-o", "UpdateHostKeys=no", "-o", "ControlPath=none", "-o", "ClearAllForwardings=yes", "-o", "RemoteCommand=none",
            "-o", string.Create(CultureInfo.InvariantCulture, $"ConnectTimeout={connectSeconds}"), "-o", "ServerAliveInterval=5", "-o",
            "ServerAliveCountMax=3",
            .. parsed.GetRequiredValue(s_hostKeys) == "accept-new" ? ["-o", "StrictHostKeyChecking=accept-new"] : Array.Empty<string>(),
            .. parsed.GetValue(s_user) is { } user ? ["-o", $"User={user}"] : Array.Empty<string>(),
        ];
        _unattended = ["-o", "BatchMode=yes", .. identity is null ? Array.Empty<string>() : ["-i", identity.FullName]];
    }

    /// <summary>Adds the options that say how to sign in.</summary>
    public static void AddTo(Command command)
    {
        foreach (Option option in new Option[] { s_user, s_identity, s_hostKeys, s_config })
        {
            command.Add(option);
        }
    }

    /// <summary>Runs a command by the user's login shell on a node, which reads it as it reads what follows <c>ssh HOST</c>.</summary>
    /// <param name="line">Gets the lines as they come.</param>
    /// <param name="cancellation">Ends the connection; what the command began may go on.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public Task<RemoteExit> RunAsync(Target target, string command, LineHandler line, CancellationToken cancellation) =>
        RunAsync(target, command, "", line, _unattended, s_askNothing, cancellation);

    /// <summary>Runs a POSIX shell script on a node, whatever the user's login shell is.</summary>
    /// <param name="script">Calls the functions that it defines with quoted arguments: see <see cref="Shell.Call"/>.</param>
    public Task<RemoteExit> ScriptAsync(Target target, string script, CancellationToken cancellation) =>
        ScriptAsync(target, script, _unattended, null, cancellation);

    /// <summary>Runs a script with a login of its own kind.</summary>
    /// <param name="login">ssh's options of this login.</param>
    /// <param name="askpass">Answers what ssh asks; null: it asks nothing.</param>
    public Task<RemoteExit> ScriptAsync(Target target, string script, string[] login, Askpass? askpass, CancellationToken cancellation) =>
        RunAsync(target, "exec sh -s", script, (_, _) => { }, login, askpass?.Environment ?? s_askNothing, cancellation);

    /// <summary>Copies files to a node by scp (SFTP inside, so that no shell reads the paths).</summary>
    /// <param name="files">Absolute paths on this machine.</param>
    /// <param name="folder">An existing folder on the node; relative paths begin at the user's home.</param>
    public Task<ClientExit> CopyAsync(Target target, IEnumerable<string> files, string folder, bool recursive, bool preserve,
        CancellationToken cancellation) =>
        Client.RunAsync(
        [
            "scp", "-s", .. _options, .. _unattended, "-o", "LogLevel=ERROR",
            .. target.Port is { } port ? ["-P", port.ToString(CultureInfo.InvariantCulture)] : Array.Empty<string>(),
            .. recursive ? ["-r"] : Array.Empty<string>(), .. preserve ? ["-p"] : Array.Empty<string>(),
            "--", .. files, $"{(target.Host.Contains(':', StringComparison.Ordinal) ? $"[{target.Host}]" : target.Host)}:{folder}/",
        ], "", (_, _) => { }, s_askNothing, cancellation);

    public void Dispose() => Directory.Delete(_logs, recursive: true);

    private async Task<RemoteExit> RunAsync(
        Target target, string command, string input, LineHandler line, string[] login, IReadOnlyDictionary<string, string> environment,
        CancellationToken cancellation)
    {
        // ssh's own words go to a file of their own: the node's errors are then the command's alone, and 255 can be told apart.
        string log = Path.Combine(_logs, Guid.NewGuid().ToString("n"));
        ClientExit exit = await Client.RunAsync(
        [
            "ssh", "-T", "-E", log, .. _options, .. login, "-o", "LogLevel=DEBUG1",
            .. target.Port is { } port ? ["-p", port.ToString(CultureInfo.InvariantCulture)] : Array.Empty<string>(),
            "--", target.Host, command,
        ], input, line, environment, cancellation);
        string[] told = File.Exists(log)
            ? [.. (await File.ReadAllLinesAsync(log, cancellation)).Select(l => l.TrimEnd()).Where(l => l.Length > 0)] : [];
        File.Delete(log);
        string lastError = exit.LastErrors.LastOrDefault("");
        // 255 is also what a command may end with, and what ssh says of one that a signal ended: then the node told so.
        bool ended = exit.Code != 255 || told.Any(l => l.Contains(" rtype exit-", StringComparison.Ordinal));
        return new RemoteExit(exit.Code, ended ? null : Cause(told, lastError), exit.LastOutput, lastError, told);
    }

    private static string Cause(string[] log, string lastError)
    {
        if (log.Any(l => l.Contains("HOST IDENTIFICATION HAS CHANGED", StringComparison.Ordinal)))
        {
            string key = log.SkipWhile(l => !l.StartsWith("The fingerprint for ", StringComparison.Ordinal)).Skip(1)
                .FirstOrDefault("unknown").TrimEnd('.');
            return $"Host key verification failed: its key is not the one that was seen before, but {key}; if the node was reinstalled, " +
                "forget the old one with ssh-keygen -R";
        }
        return log.LastOrDefault(l => !s_uneventful.Any(u => l.StartsWith(u, StringComparison.Ordinal))) ??
            (lastError.Length > 0 ? lastError : "the connection was lost");
    }
}
