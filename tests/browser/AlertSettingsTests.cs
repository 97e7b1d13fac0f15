using Bootstrap.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Bootstrap.Browser.Tests;

/// <summary>When an alert is raised is read and changed on the settings page.</summary>
public sealed class AlertSettingsTests(PageFixture browser) : PageTest
{
    [Theory]
    [InlineData(1360, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task A_rule_is_changed_put_back_made_and_removed(int width, ColorScheme colours)
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        IPage page = await browser.SignInAsync(appliance,
            new() { ViewportSize = new() { Width = width, Height = 850 }, ColorScheme = colours });
        await page.GotoAsync(new Uri(appliance.Url, "settings/alerts").ToString());
        ILocator rows = page.GetByRole(AriaRole.Row);
        ILocator heat = rows.Filter(new() { HasText = "Heat" });
        await Expect(heat).ToContainTextAsync("Temperature is above 80 °C for 30 s");
        await Expect(rows.Filter(new() { HasText = "Out-of-memory kill" })).ToContainTextAsync("Out-of-memory kills: more within 5 min");
        await PageFixture.KeepAsync(page, $"alert-rules-{colours}-{width}".ToLowerInvariant(), whole: true);

        await heat.GetByRole(AriaRole.Button, new() { Name = "Edit Heat" }).ClickAsync();
        ILocator dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog.GetByRole(AriaRole.Button, new() { Name = "Put back" })).ToHaveCountAsync(0);
        await dialog.GetByLabel("Threshold").FillAsync("75");
        await PageFixture.KeepAsync(page, $"alert-rule-{colours}-{width}".ToLowerInvariant());
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(heat).ToContainTextAsync("is above 75 °C");
        await heat.GetByRole(AriaRole.Checkbox, new() { Name = "Heat enabled" }).UncheckAsync();
        await page.ReloadAsync();
        await Expect(heat.GetByRole(AriaRole.Checkbox)).Not.ToBeCheckedAsync();
        await heat.GetByRole(AriaRole.Button, new() { Name = "Edit Heat" }).ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Put back" }).ClickAsync();
        await Expect(heat).ToContainTextAsync("is above 80 °C");
        await Expect(heat.GetByRole(AriaRole.Checkbox)).ToBeCheckedAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Add a rule" }).ClickAsync();
        await dialog.GetByLabel("Name").FillAsync("silent-cameras");
        await dialog.GetByLabel("Title").FillAsync("Camera silent");
        await dialog.GetByLabel("Metric").SelectOptionAsync("node.silence");
        await dialog.GetByLabel("Threshold").FillAsync("10");
        await dialog.GetByLabel("On nodes").FillAsync("tga:camera");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(dialog).ToContainTextAsync("Nodes have no field 'tga'");
        await dialog.GetByLabel("On nodes").FillAsync("tag:camera");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        ILocator camera = rows.Filter(new() { HasText = "Camera silent" });
        await Expect(camera).ToContainTextAsync("Silence is above 10.0 s for 30 s");
        await camera.GetByRole(AriaRole.Button).ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Remove" }).ClickAsync();
        await Expect(camera).ToHaveCountAsync(0);
    }
}
