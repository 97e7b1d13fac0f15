using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
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
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Without a password, by a link" })).ToBeVisibleAsync();
        string fingerprint = Bootstrap.Protocol.Fingerprint.Of(appliance.Info.Authority);
        await Expect(page.GetByText(fingerprint)).ToBeVisibleAsync();
        await page.GotoAsync(link);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No boards yet" })).ToBeVisibleAsync();
        Assert.Equal(new Uri(appliance.Url, "nodes").ToString(), page.Url);
        await PageFixture.KeepAsync(page, "no-nodes");
        await page.GotoAsync(new Uri(appliance.Url, "settings/appliance").ToString());
        await Expect(page.GetByText(fingerprint)).ToBeVisibleAsync();

        IPage stranger = await browser.OpenAsync();
        await stranger.GotoAsync(link);
        await Expect(stranger.GetByRole(AriaRole.Alert)).ToContainTextAsync("was used before or has expired");
        Assert.DoesNotContain('#', stranger.Url);
    }
    [Theory]
    [InlineData(1360, ColorScheme.Light)]
    [InlineData(360, ColorScheme.Dark)]
    public async Task Whoever_chose_a_password_signs_in_by_name_and_password(int width, ColorScheme colours)
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        var window = new BrowserNewContextOptions { ViewportSize = new() { Width = width, Height = 800 }, ColorScheme = colours };
        IPage page = await browser.SignInAsync(appliance, window);
        await page.GotoAsync(new Uri(appliance.Url, "settings/you").ToString());
        await page.GetByLabel("New password").FillAsync("correct horse");
        await page.GetByLabel("Confirm password").FillAsync("correct house");
        ILocator choose = page.GetByRole(AriaRole.Button, new() { Name = "Set password" });
        await Expect(choose).ToBeDisabledAsync();
        await page.GetByLabel("Confirm password").FillAsync("correct horse");
        await choose.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Change your password" })).ToBeVisibleAsync();
        await Expect(page.GetByText("Saved.")).ToBeVisibleAsync();
        await PageFixture.KeepAsync(page, $"settings-you-{width}", whole: true);
        await page.GetByLabel("Current password").FillAsync("something else");
        await page.GetByLabel("New password").FillAsync("another battery");
        await page.GetByLabel("Confirm password").FillAsync("another battery");
        await page.GetByRole(AriaRole.Button, new() { Name = "Change password" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("The current password is another one");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out here" }).ClickAsync();

        await page.GetByLabel("Name").FillAsync("admin");
        await page.GetByLabel("Password").FillAsync("wrong password");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Wrong user name or password");
        await PageFixture.KeepAsync(page, $"sign-in-{width}", whole: true);
        await page.GetByLabel("Password").FillAsync("correct horse");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        // Where he was when he signed out.
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Change your password" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_viewer_sees_everything_and_is_offered_nothing_that_he_may_not_do()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await ImportAsync(appliance, "debian-12-arm64");
        await using Rack rack = await Rack.ConnectAsync(appliance, 2, Cancelled);
        IPage page = await SignInAsAsync(appliance, "vera", "viewer");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "vera viewer" })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Row)).ToHaveCountAsync(3);
        await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("Working with nodes takes the role operator; you have the role " +
            "viewer.");
        await Expect(page.GetByRole(AriaRole.Checkbox)).ToHaveCountAsync(0);
        await PageFixture.KeepAsync(page, "viewer-nodes");
        Regex changes = new("Install …|Reboot|Forget|Rename|Edit|Acknowledge|Delete|Upload|Add a schedule|Save");
        foreach (string path in new[] { "nodes", "nodes/" + rack.Nodes[0].Id, "images", "schedules" })
        {
            await page.GotoAsync(new Uri(appliance.Url, path).ToString());
            await Expect(page.GetByRole(AriaRole.Link, new() { Name = "vera viewer" })).ToBeVisibleAsync();
            await Expect(page.GetByRole(AriaRole.Main)).Not.ToContainTextAsync("Reading");
            await Expect(page.GetByRole(AriaRole.Button, new() { NameRegex = changes })).ToHaveCountAsync(0);
        }
        await page.GotoAsync(new Uri(appliance.Url, "settings/network").ToString());
        await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("Changing this takes the role admin; you have the role viewer.");
        await Expect(page.GetByRole(AriaRole.Radio, new() { Name = "The only DHCP server" })).ToBeDisabledAsync();
    }

    [Fact]
    public async Task What_the_appliance_refuses_to_a_role_is_told_in_its_sentence()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using Rack rack = await Rack.ConnectAsync(appliance, 1, Cancelled);
        IPage page = await SignInAsAsync(appliance, "otto", "operator");
        await page.GetByRole(AriaRole.Checkbox, new() { Name = "Select node-000001" }).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Reboot …" }).ClickAsync();
        // The role is taken away while the dialog is open: the page does not know yet.
        using HttpClient api = appliance.SignIn();
        (await api.PatchAsJsonAsync("users/otto", new { role = "viewer" }, Cancelled)).EnsureSuccessStatusCode();
        await page.GetByRole(AriaRole.Button, new() { Name = "Reboot now" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("This takes the role 'operator'; otto has the role 'viewer'.");
    }

    /// <summary>A browser window of a person who was just added.</summary>
    private async Task<IPage> SignInAsAsync(TestAppliance appliance, string name, string role)
    {
        using HttpClient api = appliance.SignIn();
        JsonNode invitation = (await (await api.PostAsJsonAsync("users", new { name, role },
            Cancelled)).Content.ReadFromJsonAsync<JsonNode>(Cancelled))!;
        IPage page = await browser.OpenAsync();
        await page.GotoAsync(new Uri(appliance.Url, "sign-in#" + invitation["token"]).ToString());
        await Expect(page.GetByRole(AriaRole.Navigation, new() { Name = "Pages" })).ToBeVisibleAsync();
        return page;
    }
}
