namespace Bootstrap.Cli.Fleet;

/// <summary>Writes words so that a POSIX shell reads them as they are.</summary>
internal static class Shell
{
    /// <summary>One word, whatever is in it.</summary>
    public static string Quote(string word) => $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    /// <summary>A call of a function or program with these arguments; it reads nothing of the script that follows.</summary>
    public static string Call(string function, params IEnumerable<string> arguments) =>
        $"{function} {string.Join(' ', arguments.Select(Quote))} </dev/null\n";
}
