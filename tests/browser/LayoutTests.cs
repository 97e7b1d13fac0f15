using System.Net.Http.Json;
using Bootstrap.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Bootstrap.Browser.Tests;

/// <summary>What holds for every page.</summary>
public sealed class LayoutTests(PageFixture browser) : PageTest
{
    [Fact]
    public async Task Everything_fits_a_telephone_in_the_dark()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await ImportAsync(appliance, "debian-12-arm64");
        await using Rack rack = await Rack.ConnectAsync(appliance, 3, Cancelled);
        using HttpClient api = appliance.CreateClient();
        (await api.PostAsJsonAsync("schedules",
            new { name = "weekly", cron = "0 3 * * SUN", job = new { kind = "reboot", select = "all" } }, Cancelled))
            .EnsureSuccessStatusCode();
        IPage page = await browser.SignInAsync(appliance,
            new() { ViewportSize = new() { Width = 360, Height = 740 }, ColorScheme = ColorScheme.Dark });
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "Installer ready" })).ToHaveCountAsync(3);

        foreach (string path in new[] { "nodes", "nodes/" + rack.Nodes[0].Id, "images", "jobs", "schedules", "settings", "install",
            "settings/tokens", "settings/values", "settings/boards", "settings/boot-sets", "settings/appliance" })
        {
            await page.GotoAsync(new Uri(appliance.Url, path).ToString());
            await Expect(page.GetByRole(AriaRole.Main)).Not.ToContainTextAsync("Reading");
            await PageFixture.KeepAsync(page, "telephone-" + (path.StartsWith("nodes/", StringComparison.Ordinal) ? "node"
                : path.Replace('/', '-')), whole: true);
            Assert.Equal(360, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        }
        Assert.Equal("rgb(21, 23, 26)", await page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor"));
    }
}
