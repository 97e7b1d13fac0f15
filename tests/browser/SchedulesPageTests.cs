using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Bootstrap.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Bootstrap.Browser.Tests;

/// <summary>The schedules.</summary>
public sealed class SchedulesPageTests(PageFixture browser) : PageTest
{
    [Fact]
    public async Task A_schedule_is_added_with_a_look_at_its_runs_and_nodes_and_is_run_switched_off_and_deleted()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using Rack rack = await Rack.ConnectAsync(appliance, 3, Cancelled);
        IPage page = await browser.SignInAsync(appliance,
            new() { ViewportSize = new() { Width = 1360, Height = 850 }, TimezoneId = "Europe/Berlin" });
        await page.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Link, new() { Name = "Schedules" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No schedules yet" })).ToBeVisibleAsync();
        await PageFixture.KeepAsync(page, "no-schedules");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add a schedule" }).ClickAsync();
        ILocator dialog = page.GetByRole(AriaRole.Dialog);
        ILocator runs = dialog.GetByRole(AriaRole.List, new() { Name = "Next runs" }).GetByRole(AriaRole.Listitem);
        await Expect(runs).ToHaveCountAsync(5);
        ILocator line = dialog.GetByLabel("Cron line");
        await line.FillAsync("0 0 30 2 *");
        await Expect(dialog).ToContainTextAsync("The cron line '0 0 30 2 *' never comes");
        await line.FillAsync("30 2 * * SAT");
        await Expect(runs.First).ToContainTextAsync(new Regex("Sat.*02:30"));
        await dialog.GetByLabel("Name", new() { Exact = true }).FillAsync("weekly");
        await dialog.GetByLabel("Node selector").FillAsync("node-000002");
        await Expect(dialog).ToContainTextAsync("Now 1 node: node-000002");
        await dialog.GetByText("Roll-out, maintenance window").ClickAsync();
        await dialog.GetByLabel("Canary").FillAsync("1");
        await PageFixture.KeepAsync(page, "add-schedule");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();

        ILocator row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "weekly" });
        await Expect(row).ToContainTextAsync("Reboot on node-000002");
        await Expect(row).ToContainTextAsync(new Regex("in [0-9].*Sat.*02:30"));
        await PageFixture.KeepAsync(page, "schedules");
        await page.GetByRole(AriaRole.Button, new() { Name = "Disable weekly" }).ClickAsync();
        await Expect(row).ToContainTextAsync("switched off");
        await page.GetByRole(AriaRole.Button, new() { Name = "Run now: weekly" }).ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Run now" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex("/jobs/"));
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-000002" })).ToContainTextAsync("Sent");
        await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("by the schedule weekly");
        await page.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Link, new() { Name = "Schedules" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete weekly" }).ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No schedules yet" })).ToBeVisibleAsync();
    }

    [Theory]
    [InlineData(1440, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task The_calendar_begins_with_this_week_is_in_the_order_of_time_and_names_its_zones(int width, ColorScheme colours)
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        using HttpClient api = appliance.CreateClient();
        foreach ((string name, string cron, string zone) in new[]
        {
            ("alpha", "0 3 * * *", "Europe/Berlin"), ("beta", "30 2 * * *", "Europe/Berlin"), ("gamma", "15 1 * * *", "UTC"),
        })
        {
            (await api.PostAsJsonAsync("schedules", new { name, cron, zone, job = new { kind = "reboot", select = "all" } }, Cancelled))
                .EnsureSuccessStatusCode();
        }
        IPage page = await browser.SignInAsync(appliance,
            new() { ViewportSize = new() { Width = width, Height = 900 }, ColorScheme = colours, TimezoneId = "Europe/Berlin" });
        await page.GotoAsync(new Uri(appliance.Url, "schedules").ToString());
        ILocator calendar = page.GetByRole(AriaRole.Region, new() { Name = "Calendar" });
        await Expect(calendar.GetByRole(AriaRole.Heading)).ToHaveTextAsync("From this week on");
        await Expect(calendar).ToContainTextAsync("times in Europe/Berlin");
        DateTime today = TimeZoneInfo.ConvertTime(TimeProvider.System.GetUtcNow(),
            TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin")).DateTime;
        DateTime monday = today.AddDays(-(((int)today.DayOfWeek + 6) % 7));
        await Expect(calendar.Locator("time").First).ToHaveAttributeAsync("datetime", $"{monday:yyyy-MM-dd}");
        // Berlin is one hour or two before UTC: gamma is first in winter's half, and last in summer's.
        DateTime day = today.AddDays(2);
        int offset = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin").GetUtcOffset(day).Hours;
        string gamma = $"0{1 + offset}:15 gamma 01:15 UTC";
        string[] others = ["02:30 beta", "03:00 alpha"];
        await Expect(calendar.GetByRole(AriaRole.Listitem).Filter(new() { Has = page.Locator($"time[datetime='{day:yyyy-MM-dd}']") })
            .GetByRole(AriaRole.Button)).ToHaveTextAsync(offset == 1 ? [gamma, .. others] : [.. others, gamma]);
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "gamma" })).ToContainTextAsync(new Regex("01:15 UTC"));
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "alpha" }))
            .ToContainTextAsync(new Regex("03:00 Europe/Berlin"));
        await PageFixture.KeepAsync(page, $"calendar-zones-{width}", whole: true);
        Assert.Equal(width, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
    }

    [Theory]
    [InlineData(1360, ColorScheme.Light)]
    [InlineData(360, ColorScheme.Dark)]
    public async Task A_calendar_shows_what_the_schedules_did_and_will_do(int width, ColorScheme colours)
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        using HttpClient api = appliance.CreateClient();
        foreach ((string name, string cron) in new[] { ("weekly-reboot", "0 3 * * SUN"), ("check", "*/10 * * * *") })
        {
            (await api.PostAsJsonAsync("schedules",
                new { name, cron, zone = "Europe/Berlin", job = new { kind = "reboot", select = "all" } }, Cancelled))
                .EnsureSuccessStatusCode();
        }
        (await api.PostAsync("schedules/weekly-reboot/run", null, Cancelled)).EnsureSuccessStatusCode();
        IPage page = await browser.SignInAsync(appliance,
            new() { ViewportSize = new() { Width = width, Height = 850 }, ColorScheme = colours, TimezoneId = "Europe/Berlin" });
        await page.GotoAsync(new Uri(appliance.Url, "schedules").ToString());
        ILocator calendar = page.GetByRole(AriaRole.Region, new() { Name = "Calendar" });
        // The job that it made by hand is told on this day, and leads to it.
        await Expect(calendar.Locator("[aria-current=date]").GetByRole(AriaRole.Link, new() { NameRegex = new Regex("weekly-reboot") }))
            .ToBeVisibleAsync();
        await PageFixture.KeepAsync(page, $"calendar-{width}", whole: true);
        Assert.Equal(width, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));

        await calendar.GetByRole(AriaRole.Button, new() { Name = "The month after" }).PressAsync("Enter");
        DateTime today = TimeZoneInfo.ConvertTime(TimeProvider.System.GetUtcNow(),
            TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin")).DateTime, next = today.AddDays(1 - today.Day).AddMonths(1);
        await Expect(page).ToHaveURLAsync(new Regex($"month={next:yyyy-MM}$"));
        DateTime sunday = next.AddDays((7 - (int)next.DayOfWeek) % 7);
        ILocator day = calendar.GetByRole(AriaRole.Listitem).Filter(new() { Has = page.Locator($"time[datetime='{sunday:yyyy-MM-dd}']") });
        await Expect(day).ToContainTextAsync("03:00 weekly-reboot");
        await Expect(day).ToContainTextAsync("check over 24 times");
        await day.GetByRole(AriaRole.Button, new() { Name = "weekly-reboot" }).PressAsync("Enter");
        ILocator dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "weekly-reboot" });
        await Expect(dialog).ToContainTextAsync("Reboot on all nodes.");
        await Expect(dialog.GetByRole(AriaRole.List, new() { Name = "Next runs" }).GetByRole(AriaRole.Listitem)).ToHaveCountAsync(5);
    }
}
