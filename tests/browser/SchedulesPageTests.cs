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
        IPage page = await browser.SignInAsync(appliance, new() { ViewportSize = new() { Width = 1360, Height = 850 }, TimezoneId = "Europe/Berlin" });
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
        await dialog.GetByLabel("Nodes, by words").FillAsync("node-000002");
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
}
