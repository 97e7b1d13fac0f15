using System.CommandLine;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary>How an order goes from node to node, and what is tried again: the same words for all commands that order something.</summary>
internal static class PlanOptions
{
    /// <param name="RequireHealthy">Null: as the appliance does by itself.</param>
    internal sealed record RolloutPolicy(int Canary, int? Batch, int? MaximumAtOnce, int PauseBetween, string? StopAfter,
        bool? RequireHealthy, int? MaximumWatts);

    internal sealed record RetryPolicy(int Attempts, int Pause);

    public const int DefaultRetryPause = 30;

    /// <summary>When an order begins.</summary>
    public static Option<string?> At { get; } = new("--at")
    {
        Description = "Begin then, such as 2027-01-31T22:00:00+01:00.",
        HelpName = "TIME"
    };

    /// <summary>What an order comes after.</summary>
    public static Option<string?> After { get; } =
        new("--after") { Description = "Begin when that job has ended; nodes that did not succeed in it are skipped.", HelpName = "JOB" };

    /// <summary>Whom an order for later is for.</summary>
    private static readonly Option<bool> s_frozen =
        new("--frozen") { Description = "Of an order for later: for the nodes that --select takes now, whatever it takes then." };

    /// <summary>How long an order can be undone.</summary>
    public static Option<int> Hold { get; } = new("--hold")
    {
        Description = "Send nothing for so long, so that `bootstrap jobs undo` " +
        "takes it back (0 to 300).",
        HelpName = "SECONDS"
    };

    private static readonly Option<string[]?> s_measure = new("--measure")
    {
        Description = "Measure by this benchmark before, and again after it. May be given several times.",
        HelpName = "BENCHMARK"
    };

    private static readonly Option<int> s_canary =
        new("--canary") { Description = "So many nodes first; the others only if these succeed.", HelpName = "NODES" };
    private static readonly Option<int?> s_batch = new("--batch") { Description = "Nodes in each batch after that.", HelpName = "NODES" };
    private static readonly Option<int?> s_atOnce = new("--at-once")
    {
        Description = "Most nodes at the same time.",
        HelpName = "NODES"
    };
    private static readonly Option<int?> s_watts = new("--watts")
    {
        Description = "Most that the nodes at work may draw together, full load.",
        HelpName = "WATTS"
    };
    private static readonly Option<int> s_pause = new("--pause") { Description = "Between two batches.", HelpName = "SECONDS" };
    private static readonly Option<string?> s_stopAfter =
        new("--stop-after") { Description = "Begin nothing more after so many failures, such as 3 or 10%.", HelpName = "FAILURES" };
    private static readonly Option<bool> s_ignoreHealth =
        new("--ignore-health") { Description = "Do not wait until a batch is connected again before the next." };
    private static readonly Option<int?> s_attempts = new("--attempts")
    {
        Description = "Try what failed again, so often in all.",
        HelpName = "TIMES"
    };
    private static readonly Option<int?> s_retryPause =
        new("--retry-pause") { Description = $"Before each new attempt ({DefaultRetryPause}).", HelpName = "SECONDS" };

    /// <summary>Gives a command the options that say when it begins; what a schedule makes has none.</summary>
    public static Command WithBeginning(this Command command)
    {
        command.Add(At);
        command.Add(After);
        command.Add(s_frozen);
        command.Add(Hold);
        return command;
    }

    /// <summary>Gives a command those that say how it goes on.</summary>
    public static Command WithPlan(this Command command)
    {
        foreach (Option option in new Option[] { s_canary, s_batch, s_atOnce, s_watts, s_pause, s_stopAfter, s_ignoreHealth, s_attempts,
            s_retryPause, s_measure })
        {
            command.Add(option);
        }
        return command;
    }

    /// <summary>The order is for the nodes that its selector takes when it begins.</summary>
    public static bool ChoosesLater(ParseResult parsed)
    {
        bool later = parsed.GetValue(NodeCommands.Select) is not null
            && (parsed.GetValue(At) is not null || parsed.GetValue(After) is not null);
        return parsed.GetValue(s_frozen) && !later
            ? throw new CliException("--frozen is of an order for later (--at, --after) by --select") { ExitCode = 2 }
            : later && !parsed.GetValue(s_frozen);
    }

    /// <summary>Benchmarks by which is measured before and after; null: none.</summary>
    public static string[]? Measure(ParseResult parsed) => parsed.GetValue(s_measure) is { Length: > 0 } named ? named : null;

    /// <summary>The roll-out as it was asked for; null: all nodes at once.</summary>
    public static RolloutPolicy? Rollout(ParseResult parsed)
    {
        var asked = new RolloutPolicy(parsed.GetValue(s_canary), parsed.GetValue(s_batch), parsed.GetValue(s_atOnce),
            parsed.GetValue(s_pause),
            parsed.GetValue(s_stopAfter), parsed.GetValue(s_ignoreHealth) ? false : null, parsed.GetValue(s_watts));
        return asked == new RolloutPolicy(0, null, null, 0, null, null, null) ? null : asked;
    }

    /// <summary>The retry policy as it was asked for; null: nothing is tried again.</summary>
    public static RetryPolicy? Retry(ParseResult parsed) => parsed.GetValue(s_attempts) is { } attempts
        ? new RetryPolicy(attempts, parsed.GetValue(s_retryPause) ?? DefaultRetryPause)
        : parsed.GetValue(s_retryPause) is null ? null : throw new CliException("--retry-pause needs --attempts") { ExitCode = 2 };
}
