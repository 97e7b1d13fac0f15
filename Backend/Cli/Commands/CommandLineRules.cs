using System.CommandLine;

namespace Bootstrap.Cli.Commands;

/// <summary>How all commands are read.</summary>
internal static class CommandLineRules
{
    /// <summary>A word that begins with @ is a word ("@daily", "@jane"), not the name of a file with more arguments.</summary>
    public static ParserConfiguration Parser { get; } = new() { ResponseFileTokenReplacer = null };
}
