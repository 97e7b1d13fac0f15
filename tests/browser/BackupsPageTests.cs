using Bootstrap.Server.Features.Backups;
using Bootstrap.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Bootstrap.Browser.Tests;

/// <summary>Backups on the page.</summary>
public sealed class BackupsPageTests(PageFixture browser) : PageTest
{
    private const string Passphrase = "correct horse battery staple";

    [Theory]
    [InlineData(1360, ColorScheme.Light)]
    [InlineData(360, ColorScheme.Dark)]
    public async Task A_backup_is_made_downloaded_as_one_that_its_passphrase_opens_and_removed(int width, ColorScheme colours)
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        IPage page = await browser.SignInAsync(appliance,
            new() { ViewportSize = new() { Width = width, Height = 850 }, ColorScheme = colours });
        await page.GotoAsync(new Uri(appliance.Url, "settings/backups").ToString());
        ILocator make = page.GetByRole(AriaRole.Button, new() { Name = "Back up now" });
        await Expect(make).ToBeDisabledAsync();
        await page.GetByLabel("Schedule (cron; empty: only by hand)").FillAsync("0 3 * *");
        await page.GetByLabel("Passphrase").FillAsync(Passphrase);
        ILocator save = page.GetByRole(AriaRole.Button, new() { Name = "Save" });
        await save.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("has 4 fields, not 5");
        await page.GetByLabel("Schedule (cron; empty: only by hand)").FillAsync("0 3 * * *");
        await save.ClickAsync();
        await Expect(page.GetByText("Next backup")).ToBeVisibleAsync();
        await Expect(page.GetByLabel("Passphrase")).ToHaveValueAsync("");

        await make.ClickAsync();
        ILocator download = page.GetByRole(AriaRole.Link, new() { Name = "Download" });
        await Expect(download).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await PageFixture.KeepAsync(page, $"settings-backups-{width}", whole: true);
        IDownload file = await page.RunAndWaitForDownloadAsync(() => download.ClickAsync());
        await using (FileStream backup = File.OpenRead(await file.PathAsync()))
        {
            Assert.False((await BackupReader.VerifyAsync(backup, Passphrase, TestContext.Current.CancellationToken)).Images);
        }
        await page.GetByRole(AriaRole.Button, new() { Name = $"Remove {file.SuggestedFilename}" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Remove", Exact = true }).ClickAsync();
        await Expect(page.GetByText("There are none yet.")).ToBeVisibleAsync();
    }
}
