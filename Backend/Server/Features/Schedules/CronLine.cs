using Cronos;

namespace Bootstrap.Server.Features.Schedules;

/// <summary>
/// A cron line of five fields in a time zone. Where the clocks change, a time that there is not runs when the gap ends, and one that there
/// is twice runs once; lines with a step or a range of minutes or hours run in both.
/// </summary>
public sealed class CronLine
{
    private const int Fields = 5;

    private readonly CronExpression _expression;
    private readonly TimeZoneInfo _zone;

    private CronLine(CronExpression expression, TimeZoneInfo zone) => (_expression, _zone) = (expression, zone);

    /// <summary>Reads one.</summary>
    /// <param name="line">Minute, hour, day of the month, month, day of the week.</param>
    /// <param name="zone">Name in the IANA database, such as Europe/Berlin or UTC.</param>
    /// <param name="now">A line that does not run after this is refused.</param>
    /// <param name="fault">What is wrong and where, in one sentence, where null is returned.</param>
    public static CronLine? Read(string line, string zone, DateTimeOffset now, out string fault)
    {
        fault = "";
        int fields = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries).Length;
        if (fields != Fields)
        {
            fault = $"The cron line '{line}' has {fields} fields, not {Fields}: minute, hour, day of the month, month, day of the week.";
        }
        else if (!TimeZoneInfo.TryFindSystemTimeZoneById(zone, out TimeZoneInfo? found))
        {
            fault = $"There is no time zone '{zone}': use a name such as Europe/Berlin, or UTC.";
        }
        else
        {
            try
            {
                var read = new CronLine(CronExpression.Parse(line), found);
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
    public DateTimeOffset? Next(DateTimeOffset after) => _expression.GetNextOccurrence(after, _zone);

    /// <summary>The times after this one.</summary>
    public IEnumerable<DateTimeOffset> After(DateTimeOffset start)
    {
        for (DateTimeOffset? next = Next(start); next is { } at; next = Next(at))
        {
            yield return at;
        }
    }
}
