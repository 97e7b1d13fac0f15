using System.Text.Json.Serialization;

namespace Bootstrap.Cli.Fleet;

/// <summary>How a node's part ended.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Outcome>))]
internal enum Outcome
{
    [JsonStringEnumMemberName("ok")]
    Ok,

    /// <summary>The node was reached, and said no.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,

    /// <summary>No connection, no login, or the connection was lost.</summary>
    [JsonStringEnumMemberName("unreachable")]
    Unreachable,

    /// <summary>It took longer than <c>--timeout</c>; what was begun may go on there.</summary>
    [JsonStringEnumMemberName("timed-out")]
    TimedOut,

    /// <summary>The user interrupted it.</summary>
    [JsonStringEnumMemberName("not-finished")]
    NotFinished,
}

/// <summary>What one node's work came to.</summary>
/// <param name="ExitCode">Of the command, where it ended.</param>
/// <param name="Detail">One sentence for people; empty where there is nothing to tell.</param>
internal sealed record NodeEnd(Outcome Outcome, int? ExitCode = null, string Detail = "");

/// <summary>A line of the summary.</summary>
/// <param name="Node">The target's name.</param>
/// <param name="Seconds">From its start to its end.</param>
internal sealed record NodeResult(string Node, string Address, Outcome Outcome, int? ExitCode, double Seconds, string Detail);
