using System.Text;
using System.Text.RegularExpressions;

namespace Bootstrap.Server.Features.Jobs.Kinds;

/// <summary>A command as people write it: words, or one line for the node's shell.</summary>
internal static partial class CommandWords
{
    /// <summary>Bytes of a command at most.</summary>
    private const int MaximumBytes = 16 << 10;

    private const int MaximumWords = 200;
    private const int MaximumPath = 4096;
    private const int MaximumVariables = 50;

    private static readonly string[] s_secretWords = ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "CREDENTIAL", "PRIVATE_KEY", "API_KEY"];

    /// <summary>What a node runs. One of the two is there (<see cref="Validate"/>).</summary>
    public static IReadOnlyList<string> Of(IReadOnlyList<string>? command, string? shell) => command ?? ["/bin/sh", "-c", shell!];

    /// <summary>What is wrong with a command in one sentence; null: nothing.</summary>
    public static string? Validate(IReadOnlyList<string>? command, string? shell)
    {
        if (command is null == shell is null)
        {
            return "Say what is to be run: either 'command', a list of the program and its arguments, or 'shell', one line for the " +
                "node's shell.";
        }
        IReadOnlyList<string> words = Of(command, shell);
        return words.Count == 0 || string.IsNullOrWhiteSpace(words[0]) || string.IsNullOrWhiteSpace(shell ?? words[0])
            ? "The command is empty: name a program."
            : words.Count > MaximumWords
                ? $"The command has {words.Count} words; {MaximumWords} are possible: put them into a script and deploy it."
            : words.Sum(Encoding.UTF8.GetByteCount) > MaximumBytes
                ? $"The command is longer than {MaximumBytes} bytes: put it into a script and deploy it."
            : words.Any(HasNul) ? "The command has a NUL character, which no program's argument can have."
            : null;
    }

    public static string? ValidateUser(string user) => UserName().IsMatch(user) ? null : $"'{user}' is no name of a user.";

    /// <param name="what">The parameter's name.</param>
    public static string? ValidatePath(string what, string path) =>
        path.Length is > 0 and <= MaximumPath && path[0] == '/' && !HasNul(path) ? null
            : $"'{what}' must be an absolute path, such as /srv/data; it is '{path}'.";

    public static string? ValidateEnvironment(IReadOnlyDictionary<string, string> environment) =>
        environment.Count > MaximumVariables ? $"The environment has {environment.Count} variables; {MaximumVariables} are possible."
        : environment.Keys.FirstOrDefault(name => !VariableName().IsMatch(name)) is { } wrong
            ? $"'{wrong}' is no name of an environment variable."
        : environment.FirstOrDefault(v => v.Value.Length > MaximumPath || HasNul(v.Value)) is { Key: { } tooLong }
            ? $"The environment variable '{tooLong}' is longer than {MaximumPath} characters, or has a NUL character."
        : environment.Keys.FirstOrDefault(IsSecret) is { } secret
            ? $"The environment variable '{secret}' seems to be a secret, and a job is stored and shown as it was ordered: keep secrets " +
                "in files on the nodes."
        : null;

    private static bool HasNul(string text) => text.Contains('\0', StringComparison.Ordinal);

    private static bool IsSecret(string name) => s_secretWords.Any(word => name.Contains(word, StringComparison.OrdinalIgnoreCase));

    // What passwd(5) has in practice: a $ at the end for Samba's machines, dots and capitals where a directory gives the names.
    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,30}\$?\z")]
    private static partial Regex UserName();

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_]{0,99}\z")]
    private static partial Regex VariableName();
}
