using System.Globalization;
using System.Net;

namespace Bootstrap.Cli.Doctor;

/// <summary>Numbers and lists as findings write them.</summary>
internal static class Words
{
    private const int Shown = 5;

    /// <summary>"1 node", "9 nodes".</summary>
    public static string Count(long number, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{number} {noun}{(number == 1 ? "" : "s")}");

    /// <summary>"10.0.0.7, 10.0.0.8 and 4 more".</summary>
    public static string List(IEnumerable<IPAddress> addresses)
    {
        IPAddress[] all = [.. addresses.Distinct()];
        return string.Join(", ", all.Take(Shown)) + (all.Length > Shown ? $" and {all.Length - Shown} more" : "");
    }

    /// <summary>What comes from the network, without what a terminal might obey.</summary>
    public static string Plain(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));

    /// <summary>"2.5 minutes", "3 hours", "400 days".</summary>
    public static string Span(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time switch
    {
        { TotalHours: < 2 } => $"{time.TotalMinutes:0.#} minutes",
        { TotalDays: < 2 } => $"{time.TotalHours:0} hours",
        _ => $"{time.TotalDays:0} days",
    }}");
}
