using System.CommandLine;

namespace Bootstrap.Cli.Commands;

/// <summary>The options of orders by which a node's system goes: whoever is logged in on it is warned.</summary>
internal static class Grace
{
    private static readonly Option<int> s_grace = new("--grace")
    {
        Description = "Seconds that users who are logged in on a node are given, after they were warned; where nobody is, nothing is " +
            "waited for.",
        HelpName = "seconds",
    };

    private static readonly Option<string> s_message = new("--message")
    {
        Description = "What they are told beside what happens and when.",
        HelpName = "text"
    };

    public static IReadOnlyList<Option> Options { get; } = [s_grace, s_message];

    public static Command WithGrace(this Command command)
    {
        command.Add(s_grace);
        command.Add(s_message);
        return command;
    }

    /// <summary>What the API takes; null where nothing was given.</summary>
    /// <param name="profile">Of an installation.</param>
    /// <param name="testCard">Of an installation.</param>
    public static Dictionary<string, object>? Parameters(ParseResult parsed, string? profile = null, bool testCard = false)
    {
        Dictionary<string, object> given = WorkCommands.WithoutNulls(new()
        {
            ["graceSeconds"] = parsed.GetValue(s_grace) is not 0 and var seconds ? seconds : null,
            ["message"] = parsed.GetValue(s_message),
            ["profile"] = profile,
            ["testCard"] = testCard ? true : null,
        });
        return given.Count > 0 ? given : null;
    }
}
