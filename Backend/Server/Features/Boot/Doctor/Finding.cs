namespace Bootstrap.Server.Features.Boot.Doctor;

/// <summary>How bad a finding is.</summary>
public enum FindingSeverity
{
    /// <summary>As it should be.</summary>
    Good,

    /// <summary>Nothing is wrong, but somebody may want to act.</summary>
    Notice,

    /// <summary>The board came through, later or worse than it should.</summary>
    Warning,

    /// <summary>The board does not boot.</summary>
    Fault,
}

/// <summary>What a conversation shows, in words.</summary>
/// <param name="Rule">Name of the rule, for programs.</param>
/// <param name="Cause">What is the matter, one sentence.</param>
/// <param name="Evidence">What was seen that says so.</param>
/// <param name="Change">What to do; null where there is nothing to do.</param>
public sealed record Finding(string Rule, FindingSeverity Severity, string Cause, string Evidence, string? Change = null);

/// <summary>Explains a conversation: every rule is asked, what is worst comes first.</summary>
public static class BootDoctor
{
    private static readonly Func<BootCourse, Finding?>[] s_faults =
    [
        AddressRules.RivalChosen, AddressRules.Unserved, AddressRules.NoAnswer, AddressRules.Pi3RomBehindRouter, AddressRules.NoAddress,
        AddressRules.NoFileRequest,
        FileRules.Unreadable, FileRules.TooLarge, FileRules.Missing, FileRules.Abandoned, FileRules.Stopped,
        SystemRules.NoIntroduction,
    ];

    private static readonly Func<BootCourse, Finding?>[] s_others =
    [
        AddressRules.LeftAlone, SystemRules.AgainAndAgain, SystemRules.Waits, AddressRules.SpanningTree, FileRules.Retried,
        FileRules.Refused, SystemRules.Booted,
    ];

    /// <summary>The findings, never none.</summary>
    public static IReadOnlyList<Finding> Explain(BootCourse course)
    {
        // A board that has introduced itself has come through whatever was in its way.
        IEnumerable<Func<BootCourse, Finding?>> rules = course.IsIntroduced ? s_others : [.. s_faults, .. s_others];
        Finding[] findings = [.. rules.Select(rule => rule(course)).OfType<Finding>().OrderByDescending(f => f.Severity)];
        return findings.Length > 0 ? findings : [SystemRules.UnderWay(course)];
    }
}
