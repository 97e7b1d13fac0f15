using System.Globalization;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Schedules;

/// <summary>What a schedule does on a day.</summary>
/// <param name="Day">"2026-11-25", in the time zone that was asked for.</param>
/// <param name="Runs">Those to come, Unix milliseconds; at most <see cref="ScheduleCalendar.MostRuns"/>.</param>
/// <param name="More">There are more on this day.</param>
/// <param name="Made">The jobs that it has made, in their order.</param>
internal sealed record CalendarEntry(string Day, string Schedule, IReadOnlyList<long> Runs, bool More, IReadOnlyList<MadeRun> Made);

/// <summary>A run that was.</summary>
/// <param name="At">When the job was made, Unix milliseconds.</param>
internal sealed record MadeRun(Guid Job, long At);

/// <summary><c>/calendar</c>: day by day, what the schedules have done and will do, in the order of time.</summary>
internal static class ScheduleCalendar
{
    /// <summary>Six weeks: a month with the days around it.</summary>
    private const int MostDays = 42;

    /// <summary>Of one schedule on one day: one that runs every minute is told as such, not by 1,440 times.</summary>
    public const int MostRuns = 24;

    public static void Map(IEndpointRouteBuilder api) =>
        api.MapGet("/calendar", (string from, int days, string zone, ScheduleStore schedules, Database database, TimeProvider clock) =>
            !DateOnly.TryParseExact(from, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly first)
                || first.Year is < 2000 or > 2999 ? Problems.Bad($"'{from}' is no day: write it as 2026-11-25.")
            : days is < 1 or > MostDays ? Problems.Bad($"days is 1 to {MostDays}, not {days}.")
            : !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out TimeZoneInfo? found)
                ? Problems.Bad($"There is no time zone '{zone}': use a name such as Europe/Berlin, or UTC.")
            : Results.Ok(Days(first, days, found, schedules, database, clock.GetUtcNow()).ToList())).Compresses();

    private static IEnumerable<CalendarEntry> Days(DateOnly first, int days, TimeZoneInfo zone, ScheduleStore schedules, Database database,
        DateTimeOffset now)
    {
        (Schedule Schedule,
            CronLine? Line)[] all = [.. schedules.All().Select(s => (s.Schedule, s.Schedule.Enabled ? s.Schedule.Line(now) : null))];
        var made = database.Read(c => JobRow.Scheduled(c, Start(first, zone).ToUnixTimeMilliseconds(),
            Start(first.AddDays(days), zone).ToUnixTimeMilliseconds()).ToLookup(job => job.Schedule));
        for (DateOnly day = first; day < first.AddDays(days); day = day.AddDays(1))
        {
            DateTimeOffset start = Start(day, zone), end = Start(day.AddDays(1), zone);
            var entries = new List<CalendarEntry>();
            foreach ((Schedule schedule, CronLine? line) in all)
            {
                // A run at the very start of the day belongs to it.
                DateTimeOffset after = start.AddTicks(-1) > now ? start.AddTicks(-1) : now;
                long[] runs = [.. (line?.After(after) ?? []).TakeWhile(at => at < end).Take(MostRuns + 1)
                    .Select(at => at.ToUnixTimeMilliseconds())];
                MadeRun[] was = [.. made[schedule.Name]
                    .Where(m => m.At >= start.ToUnixTimeMilliseconds() && m.At < end.ToUnixTimeMilliseconds())
                    .Take(MostRuns).Select(m => new MadeRun(m.Job, m.At))];
                if (runs.Length + was.Length > 0)
                {
                    entries.Add(new CalendarEntry(day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), schedule.Name,
                        [.. runs.Take(MostRuns)], runs.Length > MostRuns, was));
                }
            }
            foreach (CalendarEntry entry in entries.OrderBy(e => e.Made.Select(m => m.At).Concat(e.Runs).First()))
            {
                yield return entry;
            }
        }
    }

    /// <summary>When a day begins; where the clocks change at midnight, with the hour that there is.</summary>
    private static DateTimeOffset Start(DateOnly day, TimeZoneInfo zone)
    {
        var midnight = day.ToDateTime(TimeOnly.MinValue);
        while (zone.IsInvalidTime(midnight))
        {
            midnight = midnight.AddMinutes(30);
        }
        return new DateTimeOffset(midnight, zone.GetUtcOffset(midnight));
    }
}
