using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Boot.Dhcp;
using Bootstrap.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Bootstrap.Browser.Tests;

/// <summary>The settings.</summary>
public sealed class SettingsPageTests(PageFixture browser) : PageTest
{
    [Fact]
    public async Task Dhcp_is_set_on_the_page_and_what_cannot_be_is_said_there()
    {
        await using TestAppliance appliance = await TestAppliance.StartWithDhcpAsync(new DhcpSettings(DhcpMode.Proxy), "absent0", PageFixture.BuiltPage);
        var mac = new MacAddress(0xdca6320136c2);
        appliance.Services.GetRequiredService<ILeaseStore>().Save(new Lease(mac, System.Net.IPAddress.Parse("10.9.0.51"), TimeProvider.System.GetUtcNow().AddHours(3)));
        IPage page = await browser.SignInAsync(appliance, new() { ViewportSize = new() { Width = 1200, Height = 900 } });
        await page.GotoAsync(new Uri(appliance.Url, "settings/network").ToString());
        ILocator card = page.Locator("form").Filter(new() { HasText = "Network boot (DHCP)" });
        await Expect(card).ToContainTextAsync("It does not run: DHCP cannot listen on 'absent0'");

        await card.GetByRole(AriaRole.Radio, new() { Name = "The only DHCP server" }).CheckAsync();
        await card.GetByLabel("Pools").FillAsync("10.9.0.0/33");
        await card.GetByRole(AriaRole.Button, new() { Name = "Reserve 10.9.0.51" }).ClickAsync();
        await Expect(card.GetByLabel("Reservations")).ToHaveValueAsync("10.9.0.51=dc:a6:32:01:36:c2");
        await card.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(card).ToContainTextAsync("'10.9.0.0/33' is not SUBNET");
        await PageFixture.KeepAsync(page, "dhcp", whole: true);

        await card.GetByRole(AriaRole.Radio, new() { Name = "Off" }).CheckAsync();
        await card.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(card).ToContainTextAsync("'10.9.0.0/33' is not SUBNET");
        await card.GetByRole(AriaRole.Radio, new() { Name = "The only DHCP server" }).CheckAsync();
        await card.GetByLabel("Pools").FillAsync("10.9.0.0/24");
        await card.GetByRole(AriaRole.Radio, new() { Name = "Off" }).CheckAsync();
        await card.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(card).ToContainTextAsync("Saved.");
        await page.ReloadAsync();
        await Expect(card.GetByRole(AriaRole.Radio, new() { Name = "Off" })).ToBeCheckedAsync();
        await card.GetByRole(AriaRole.Radio, new() { Name = "The only DHCP server" }).CheckAsync();
        await Expect(card.GetByLabel("Pools")).ToHaveValueAsync("10.9.0.0/24");
    }
}
