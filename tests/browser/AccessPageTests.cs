using Bootstrap.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Bootstrap.Browser.Tests;

/// <summary>Signing in.</summary>
public sealed class AccessPageTests(PageFixture browser) : PageTest
{
    [Fact]
    public async Task A_sign_in_link_works_once_and_leaves_the_address_bar()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        string link = appliance.SignInLink().ToString();

        IPage page = await browser.OpenAsync();
        await page.GotoAsync(new Uri(appliance.Url, "images").ToString());
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Where to get a link" })).ToBeVisibleAsync();
        await PageFixture.KeepAsync(page, "sign-in");
        await page.GotoAsync(link);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No boards yet" })).ToBeVisibleAsync();
        Assert.Equal(new Uri(appliance.Url, "nodes").ToString(), page.Url);
        await PageFixture.KeepAsync(page, "no-nodes");

        IPage stranger = await browser.OpenAsync();
        await stranger.GotoAsync(link);
        await Expect(stranger.GetByRole(AriaRole.Alert)).ToContainTextAsync("was used before or is too old");
        Assert.DoesNotContain('#', stranger.Url);
    }
}
