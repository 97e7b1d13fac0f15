using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Threading.Channels;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server;
using Bootstrap.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
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
        await using TestAppliance appliance = await TestAppliance.StartWithDhcpAsync(new DhcpSettings(DhcpMode.Proxy), "absent0",
            PageFixture.BuiltPage);
        var mac = new MacAddress(0xdca6320136c2);
        appliance.Services.GetRequiredService<ILeaseStore>()
            .Save(new Lease(mac, System.Net.IPAddress.Parse("10.9.0.51"), TimeProvider.System.GetUtcNow().AddHours(3)));
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
    [Theory]
    [InlineData(1360, ColorScheme.Light)]
    [InlineData(360, ColorScheme.Dark)]
    public async Task People_are_added_by_a_link_that_is_shown_once_get_another_role_and_are_removed(int width, ColorScheme colours)
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        IPage page = await OpenAsync(appliance, "settings/users", width, colours);
        ILocator ada = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "ada" });
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("ada");
        await page.GetByLabel("Role", new() { Exact = true }).SelectOptionAsync("operator");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
        await Expect(ada).ToContainTextAsync("link");
        string link = await page.Locator("code.secret").InnerTextAsync();
        await PageFixture.KeepAsync(page, $"settings-people-{width}", whole: true);
        IPage hers = await browser.OpenAsync();
        await hers.GotoAsync(link);
        await Expect(hers.GetByRole(AriaRole.Link, new() { Name = "ada operator" })).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await Expect(page.Locator("code.secret")).ToHaveCountAsync(0);
        IResponse changed = await page.RunAndWaitForResponseAsync(() => page.GetByLabel("Role of ada").SelectOptionAsync("viewer"),
            response => response.Request.Method == "PATCH");
        Assert.True(changed.Ok);
        await hers.ReloadAsync();
        await Expect(hers.GetByRole(AriaRole.Link, new() { Name = "ada viewer" })).ToBeVisibleAsync();
        await page.GetByLabel("Role of admin").SelectOptionAsync("viewer");
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("admin");
        await Expect(page.GetByLabel("Role of admin")).ToHaveValueAsync("admin");
        await page.GetByRole(AriaRole.Button, new() { Name = "New link for ada" }).ClickAsync();
        Assert.NotEqual(link, await page.Locator("code.secret").InnerTextAsync());
        await page.GetByRole(AriaRole.Button, new() { Name = "Remove ada" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Remove" }).ClickAsync();
        await Expect(ada).ToHaveCountAsync(0);
        await hers.ReloadAsync();
        await Expect(hers.GetByRole(AriaRole.Button, new() { Name = "Sign in" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_token_is_shown_once_works_and_is_revoked()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        IPage page = await OpenAsync(appliance, "settings/tokens");
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("ci");
        await page.GetByLabel("Role", new() { Exact = true }).SelectOptionAsync("viewer");
        await page.GetByRole(AriaRole.Button, new() { Name = "Make token", Exact = true }).ClickAsync();
        using HttpClient api = appliance.CreateClient();
        api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await page.Locator("code.secret")
            .InnerTextAsync());
        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync("nodes", Cancelled)).StatusCode);
        ILocator row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "ci" });
        await Expect(row).ToContainTextAsync("viewer");
        await PageFixture.KeepAsync(page, "settings-tokens");
        await page.GetByRole(AriaRole.Button, new() { Name = "Revoke ci" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Revoke" }).ClickAsync();
        await Expect(row).ToHaveCountAsync(0);
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.GetAsync("nodes", Cancelled)).StatusCode);
    }

    [Theory]
    [InlineData(1360, ColorScheme.Light)]
    [InlineData(360, ColorScheme.Dark)]
    public async Task The_audit_log_is_filtered_by_its_address_and_goes_on_page_by_page(int width, ColorScheme colours)
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        using HttpClient api = appliance.CreateClient();
        for (int i = 0; i < 120; i++)
        {
            (await api.PutAsJsonAsync($"values/groups/group-{i}", new { seat = "x" }, Cancelled)).EnsureSuccessStatusCode();
        }
        using (HttpClient viewer = appliance.CreateClient(Role.Viewer))
        {
            Assert.Equal(HttpStatusCode.Forbidden,
                (await viewer.PutAsJsonAsync("values/groups/secret-group", new { }, Cancelled)).StatusCode);
        }
        IPage page = await OpenAsync(appliance, "settings/audit", width, colours);
        ILocator table = page.GetByRole(AriaRole.Table, new() { Name = "Audit log" });
        await Expect(table).ToHaveAttributeAsync("aria-rowcount", "101");
        await Expect(table).ToContainTextAsync("This takes the role 'operator'");
        await PageFixture.KeepAsync(page, $"settings-audit-{width}");
        await page.GetByRole(AriaRole.Link, new() { Name = "Older than these 100" }).ClickAsync();
        await Expect(table).ToContainTextAsync("group-15");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Older" })).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Link, new() { Name = "Newest" }).ClickAsync();
        await page.GetByRole(AriaRole.Searchbox).FillAsync("secret-group");
        await Expect(table).ToHaveAttributeAsync("aria-rowcount", "2");
        await page.ReloadAsync();
        await Expect(table).ToHaveAttributeAsync("aria-rowcount", "2");
    }

    [Theory]
    [InlineData(1360, ColorScheme.Light)]
    [InlineData(360, ColorScheme.Dark)]
    public async Task A_profile_is_made_with_its_faults_at_their_place_and_secrets_that_are_never_shown(int width, ColorScheme colours)
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using Rack rack = await Rack.ConnectAsync(appliance, 2, Cancelled);
        IPage page = await OpenAsync(appliance, "settings/profiles", width, colours);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No profiles yet" })).ToBeVisibleAsync();
        await PageFixture.KeepAsync(page, $"settings-no-profiles-{width}", whole: true);
        await page.GetByRole(AriaRole.Link, new() { Name = "Add a profile" }).ClickAsync();
        await page.GetByLabel("Name of the profile").FillAsync("lab");
        await page.GetByLabel("Host name of each node").FillAsync("lab-{{ node.number }}");
        await page.Locator("summary").Filter(new() { HasText = "Users" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Add a user" }).ClickAsync();
        ILocator user = page.GetByRole(AriaRole.Group, new() { Name = "user 1" });
        await user.GetByLabel("Name", new() { Exact = true }).FillAsync("Ada L");
        await user.GetByLabel("Groups besides").FillAsync("video gpio");
        await user.GetByLabel("Password hash").FillAsync("$6$saltsalt$0123456789abcdefABCDEF");
        await page.Locator("summary").Filter(new() { HasText = "Packages and files" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Add a file" }).ClickAsync();
        ILocator file = page.GetByRole(AriaRole.Group, new() { Name = "file 1" });
        await file.GetByLabel("Path").FillAsync("/etc/motd");
        await file.GetByLabel("Content", new() { Exact = true }).FillAsync("Seat {{ value.seat }}");
        ILocator save = page.GetByRole(AriaRole.Button, new() { Name = "Save" });
        await save.ClickAsync();
        await Expect(user).ToContainTextAsync("'Ada L' is no name of a user or group");
        await PageFixture.KeepAsync(page, $"settings-profile-fault-{width}", whole: true);
        Assert.Equal(width, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        await user.GetByLabel("Name", new() { Exact = true }).FillAsync("ada");
        await save.ClickAsync();
        await Expect(page).ToHaveURLAsync(new Uri(appliance.Url, "settings/profiles/lab").ToString());

        await Expect(user).ToContainTextAsync("Password hash is set.");
        await Expect(file.GetByLabel("Content", new() { Exact = true })).ToHaveValueAsync("Seat {{ value.seat }}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Preview" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("there is no value 'seat'");
        await page.GotoAsync(new Uri(appliance.Url, "settings/values").ToString());
        await page.GetByLabel("Values of").SelectOptionAsync("node-000001");
        await page.GetByLabel("Name of a new value").FillAsync("seat");
        await page.GetByLabel("Its value").FillAsync("window");
        await page.Keyboard.PressAsync("Enter");
        await save.ClickAsync();
        await Expect(page.GetByText("Saved.")).ToBeVisibleAsync();
        await PageFixture.KeepAsync(page, $"settings-values-{width}", whole: true);

        await page.GotoAsync(new Uri(appliance.Url, "settings/profiles/lab").ToString());
        await user.GetByRole(AriaRole.Button, new() { Name = "Forget: Password hash" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Preview" }).ClickAsync();
        ILocator preview = page.GetByRole(AriaRole.Region, new() { Name = "Preview" });
        await Expect(preview).ToContainTextAsync("lab-1");
        await Expect(preview).ToContainTextAsync("Seat window");
        await save.ClickAsync();
        await Expect(user.GetByLabel("Password hash", new() { Exact = true })).ToHaveValueAsync("");
        await PageFixture.KeepAsync(page, $"settings-profile-{width}", whole: true);
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete …" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No profiles yet" })).ToBeVisibleAsync();
    }

    [Theory]
    [InlineData(1360, ColorScheme.Light)]
    [InlineData(360, ColorScheme.Dark)]
    public async Task A_webhook_is_added_its_secret_is_shown_once_and_a_test_says_whether_it_arrives(int width, ColorScheme colours)
    {
        await using WebApplication receiver = WebApplication.CreateSlimBuilder().Build();
        receiver.Urls.Add("http://127.0.0.1:0");
        var told = Channel.CreateUnbounded<string>();
        int answer = StatusCodes.Status500InternalServerError;
        receiver.MapPost("/rack", (HttpRequest request) =>
        {
            told.Writer.TryWrite(request.Headers["webhook-signature"].ToString());
            return Results.StatusCode(answer);
        });
        await receiver.StartAsync(Cancelled);
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        IPage page = await OpenAsync(appliance, "settings/notifications", width, colours);
        await page.GetByRole(AriaRole.Button, new() { Name = "Add a webhook" }).ClickAsync();
        ILocator webhook = page.GetByRole(AriaRole.Group, new() { Name = "webhook 1" });
        await webhook.GetByLabel("Name").FillAsync("Chat");
        await webhook.GetByLabel("Address").FillAsync(receiver.Urls.Single() + "/rack");
        await webhook.GetByLabel("a new board has come").CheckAsync();
        ILocator save = page.GetByRole(AriaRole.Button, new() { Name = "Save" });
        await save.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("'Chat' cannot be a webhook's name");
        await webhook.GetByLabel("Name").FillAsync("chat");
        await save.ClickAsync();
        await Expect(page.Locator("code.secret")).ToContainTextAsync("whsec_");
        await PageFixture.KeepAsync(page, $"settings-notifications-{width}", whole: true);
        await page.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await Expect(webhook).ToContainTextAsync("Signing secret is set.");

        ILocator test = page.GetByRole(AriaRole.Button, new() { Name = "Send a test to chat" });
        await test.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("The test did not arrive");
        answer = StatusCodes.Status204NoContent;
        await test.ClickAsync();
        await Expect(page.GetByText("It arrived at chat.")).ToBeVisibleAsync();
        Assert.StartsWith("v1,", await told.Reader.ReadAsync(Cancelled), StringComparison.Ordinal);
        await page.GetByRole(AriaRole.Button, new() { Name = "Tell people by e-mail" }).ClickAsync();
        await page.GetByLabel("Mail server").FillAsync("localhost");
        await page.GetByLabel("Sender").FillAsync("rack@example.org");
        await page.GetByLabel("Receivers").FillAsync("ada@example.org bob@example.org");
        await save.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Send a test to e-mail" })).ToBeVisibleAsync();
        await page.ReloadAsync();
        await Expect(page.GetByLabel("Receivers")).ToHaveValueAsync("ada@example.org bob@example.org");
    }

    private async Task<IPage> OpenAsync(TestAppliance appliance, string path, int width = 1360, ColorScheme colours = ColorScheme.Light)
    {
        IPage page = await browser.SignInAsync(appliance,
            new() { ViewportSize = new() { Width = width, Height = 850 }, ColorScheme = colours });
        await page.GotoAsync(new Uri(appliance.Url, path).ToString());
        return page;
    }
}
