using Cronos;

namespace Bootstrap.Server.Features.Schedules;

/// <summary>
/// A cron line of five fields in a time zone, as POSIX has it (crontab(1)): where both the day of the month and the day of the week are
/// chosen, either of them will do. Where the clocks change, a time that there is not runs when the gap ends, and one that there is twice
/// runs once; lines with a step or a range of minutes or hours run in both.
/// </summary>
public sealed class CronLine
{
    private const int Fields = 5, DayOfMonth = 2, DayOfWeek = 4;

    /// <summary>What cron(8) calls by a name.</summary>
    private static readonly Dictionary<string, string> s_names = new()
    {
        ["@yearly"] = "0 0 1 1 *",
        ["@annually"] = "0 0 1 1 *",
        ["@monthly"] = "0 0 1 * *",
        ["@weekly"] = "0 0 * * 0",
        ["@daily"] = "0 0 * * *",
        ["@midnight"] = "0 0 * * *",
        ["@hourly"] = "0 * * * *",
    };

    /// <summary>One; or one for each kind of day, of which either will do.</summary>
    private readonly CronExpression[] _expressions;
    private readonly TimeZoneInfo _zone;

    private CronLine(CronExpression[] expressions, TimeZoneInfo zone) => (_expressions, _zone) = (expressions, zone);

    /// <summary>Reads one.</summary>
    /// <param name="line">Minute, hour, day of the month, month, day of the week; or @daily and the like.</param>
    /// <param name="zone">Name in the IANA database, such as Europe/Berlin or UTC.</param>
    /// <param name="now">A line that does not run after this is refused.</param>
    /// <param name="fault">What is wrong and where, in one sentence, where null is returned.</param>
    public static CronLine? Read(string line, string zone, DateTimeOffset now, out string fault)
    {
        fault = "";
        string[] fields = s_names.GetValueOrDefault(line.Trim(), line).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (fields is [['@', ..]])
        {
            fault = $"There is no '{line.Trim()}': there are {string.Join(", ", s_names.Keys.Order(StringComparer.Ordinal))}.";
        }
        else if (fields.Length != Fields)
        {
            fault = $"The cron line '{line}' has {fields.Length} fields, not {Fields}: minute, hour, day of the month, month, day of the " +
                "week.";
        }
        // Cronos reads an H as a place for chance, which other schedulers have.
        else if (fields.FirstOrDefault(field => field.StartsWith('H')) is { } chance)
        {
            fault = $"The cron line '{line}' is not understood: '{chance}' is no number; name the minute and the hour.";
        }
        else if (!TimeZoneInfo.TryFindSystemTimeZoneById(zone, out TimeZoneInfo? found))
        {
            fault = $"There is no time zone '{zone}': use a name such as Europe/Berlin, or UTC.";
        }
        else
        {
            try
            {
                var read = new CronLine([.. Lines(fields).Select(text => CronExpression.Parse(text))], found);
                fault = read.Next(now) is null ? $"The cron line '{line}' never comes: there is no such day." : "";
                return fault.Length == 0 ? read : null;
            }
            catch (CronFormatException e)
            {
                fault = $"The cron line '{line}' is not understood: {e.Message.TrimEnd('.')}.";
            }
        }
        return null;
    }

    /// <summary>The first time after this one; null: never.</summary>
    public DateTimeOffset? Next(DateTimeOffset after) => _expressions.Min(expression => expression.GetNextOccurrence(after, _zone));

    /// <summary>The times after this one.</summary>
    public IEnumerable<DateTimeOffset> After(DateTimeOffset start)
    {
        for (DateTimeOffset? next = Next(start); next is { } at; next = Next(at))
        {
            yield return at;
        }
    }

    /// <summary>Cronos wants both kinds of day at once. A field that begins with * chooses nothing, as in cron(8).</summary>
    private static IEnumerable<string> Lines(string[] fields)
    {
        bool isEither = fields[DayOfMonth][0] is not ('*' or '?') && fields[DayOfWeek][0] is not ('*' or '?');
        return isEither ? [Without(DayOfWeek), Without(DayOfMonth)] : [string.Join(' ', fields)];

        string Without(int field) => string.Join(' ', fields.Select((text, i) => i == field ? "*" : text));
    }
}
