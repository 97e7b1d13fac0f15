using System.Globalization;
using Bootstrap.Server.Features.Schedules;

namespace Bootstrap.Server.Tests;

/// <summary>When a line runs, and what is said of one that never does.</summary>
public sealed class CronLineTests
{
    private static readonly DateTimeOffset s_now = At("2027-01-01T00:00:00Z");

    [Theory]
    // 02:30 is not there: 03:00
    [InlineData("30 2 * * *", "Europe/Berlin", "2027-03-27T12:00:00Z", "2027-03-28T01:00:00Z", "2027-03-29T00:30:00Z")]
    // 02:30 is there twice: once
    [InlineData("30 2 * * *", "Europe/Berlin", "2027-10-30T12:00:00Z", "2027-10-31T00:30:00Z", "2027-11-01T01:30:00Z")]
    // every hour that passes
    [InlineData("0 * * * *", "Europe/Berlin", "2027-10-31T00:00:00Z", "2027-10-31T01:00:00Z", "2027-10-31T02:00:00Z")]
    [InlineData("0 3 * * SUN", "UTC", "2027-01-01T00:00:00Z", "2027-01-03T03:00:00Z", "2027-01-10T03:00:00Z")]
    [InlineData("15 22 L * *", "Asia/Kolkata", "2027-01-31T17:00:00Z", "2027-02-28T16:45:00Z", "2027-03-31T16:45:00Z")]
    [InlineData("@weekly", "UTC", "2027-01-01T00:00:00Z", "2027-01-03T00:00:00Z", "2027-01-10T00:00:00Z")]
    [InlineData("@daily", "Europe/Berlin", "2027-07-01T12:00:00Z", "2027-07-01T22:00:00Z", "2027-07-02T22:00:00Z")]
    // either of the two days (POSIX, crontab): the first of the month, or a Monday
    [InlineData("0 3 1 * MON", "UTC", "2026-12-31T00:00:00Z", "2027-01-01T03:00:00Z", "2027-01-04T03:00:00Z")]
    [InlineData("30 12 13 * 5", "UTC", "2027-08-07T00:00:00Z", "2027-08-13T12:30:00Z", "2027-08-20T12:30:00Z")]
    // what begins with * chooses nothing: a Monday that is odd
    [InlineData("0 3 */2 * MON", "UTC", "2027-01-01T00:00:00Z", "2027-01-11T03:00:00Z", "2027-01-25T03:00:00Z")]
    public void A_line_runs_by_the_clock_of_its_zone(string line, string zone, string after, string first, string second)
    {
        CronLine read = CronLine.Read(line, zone, s_now, out string fault)!;
        Assert.Equal("", fault);
        Assert.Equal([At(first), At(second)], read.After(At(after)).Take(2));
    }

    [Theory]
    [InlineData("0 3 * *", "UTC", "The cron line '0 3 * *' has 4 fields, not 5: minute, hour, day of the month, month, day of the week.")]
    [InlineData("@reboot", "UTC",
        "There is no '@reboot': there are @annually, @daily, @hourly, @midnight, @monthly, @weekly, @yearly.")]
    [InlineData("H 3 * * *", "UTC", "The cron line 'H 3 * * *' is not understood: 'H' is no number; name the minute and the hour.")]
    [InlineData("0 H(2-4) * * *", "UTC",
        "The cron line '0 H(2-4) * * *' is not understood: 'H(2-4)' is no number; name the minute and the hour.")]
    [InlineData("0 0 30 2 *", "UTC", "The cron line '0 0 30 2 *' never comes: there is no such day.")]
    [InlineData("0 3 * * *", "Europe/Atlantis", "There is no time zone 'Europe/Atlantis': use a name such as Europe/Berlin, or UTC.")]
    [InlineData("0 3 * * *", "", "There is no time zone '': use a name such as Europe/Berlin, or UTC.")]
    public void A_line_that_never_runs_is_refused_with_the_reason(string line, string zone, string sentence)
    {
        Assert.Null(CronLine.Read(line, zone, s_now, out string fault));
        Assert.Equal(sentence, fault);
    }

    [Theory]
    [InlineData("61 3 * * *", "Minutes")]
    [InlineData("0 25 * * *", "Hours")]
    [InlineData("0 3 * 13 *", "Months")]
    [InlineData("0 3 * * FOO", "Days of week")]
    public void A_field_that_is_wrong_is_named(string line, string field)
    {
        Assert.Null(CronLine.Read(line, "UTC", s_now, out string fault));
        Assert.StartsWith($"The cron line '{line}' is not understood: ", fault, StringComparison.Ordinal);
        Assert.Contains(field, fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2027-01-10T12:00:00Z", "2027-01-10T21:00:00Z", "2027-01-11T01:00:00Z")] // closed: the next evening
    [InlineData("2027-01-10T21:00:00Z", "2027-01-10T21:00:00Z", "2027-01-11T01:00:00Z")] // as it opens
    [InlineData("2027-01-11T00:59:59Z", "2027-01-10T21:00:00Z", "2027-01-11T01:00:00Z")] // past midnight
    [InlineData("2027-01-11T01:00:00Z", "2027-01-11T21:00:00Z", "2027-01-12T01:00:00Z")] // as it closes
    public void A_window_is_open_or_opens_next(string run, string opens, string closes) =>
        Assert.Equal((At(opens), At(closes)), new MaintenanceWindow("22:00", 240).For(At(run), "Europe/Berlin"));

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
