using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Bootstrap.Browser.Tests;

/// <summary>Boards ask to be admitted, and a person decides with the keys before him.</summary>
public sealed class ApprovalPageTests(PageFixture browser) : PageTest
{
    [Theory]
    [InlineData(1360, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task Two_new_boards_are_approved_and_installed_in_as_many_clicks_as_without_approval(int width, ColorScheme colours)
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync(PageFixture.BuiltPage, approve: false);
        await ImportAsync(appliance, "debian-12-arm64");
        using ECDsa first = NodeIdentity.CreateKey(), second = NodeIdentity.CreateKey();
        IPage page = await browser.SignInAsync(appliance,
            new() { ViewportSize = new() { Width = width, Height = 850 }, ColorScheme = colours });
        await AskAsync(appliance, first, "10000000abcdef01");
        await AskAsync(appliance, second, "10000000abcdef02");
        ILocator waiting = page.GetByRole(AriaRole.Region, new() { Name = "Unapproved boards" });
        await Expect(waiting.GetByRole(AriaRole.Row)).ToHaveCountAsync(3);
        await Expect(waiting).ToContainTextAsync(Spaced(first)); // as the board's console shows it, in groups
        await PageFixture.KeepAsync(page, $"unapproved-{width}", whole: true);

        await waiting.GetByRole(AriaRole.Checkbox, new() { Name = "Select all that are shown" }).CheckAsync();
        await waiting.GetByRole(AriaRole.Button, new() { Name = "Approve and install …" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex("/install"));
        await Expect(page.GetByText("2 nodes")).Not.ToHaveCountAsync(0);
        Assert.NotEmpty((await AskAsync(appliance, first, "10000000abcdef01")).Certificate);
        Assert.NotEmpty((await AskAsync(appliance, second, "10000000abcdef02")).Certificate);
    }

    [Fact]
    public async Task A_board_with_another_key_is_seen_beside_the_node_that_it_claims_to_be_and_can_be_rejected()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef01"), NodeRole.Slave,
            "arm64", Cancelled);
        using ECDsa impostor = NodeIdentity.CreateKey(), swapped = NodeIdentity.CreateKey();
        Assert.Empty((await AskAsync(appliance, impostor, "10000000abcdef01")).Certificate);
        IPage page = await browser.SignInAsync(appliance);
        ILocator listed = page.GetByRole(AriaRole.List, new() { Name = "Boards that claim to be nodes" });
        await Expect(listed).ToContainTextAsync("A board with another key says that it is node-cdef01, at 127.0.0.1.");
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-cdef01" })).ToContainTextAsync("New key");
        await listed.GetByRole(AriaRole.Link, new() { Name = "node-cdef01" }).ClickAsync();
        ILocator claim = page.GetByRole(AriaRole.Status)
            .Filter(new() { HasText = "A board with another key says that it is node-cdef01." });
        await Expect(claim).ToContainTextAsync(Spaced(impostor));
        await Expect(claim).ToContainTextAsync("connected now");
        await PageFixture.KeepAsync(page, "node-claimed", whole: true);
        await claim.GetByRole(AriaRole.Button, new() { Name = "Reject" }).ClickAsync();
        await Expect(claim).ToHaveCountAsync(0);

        // A card that was swapped: the person knows why.
        await AskAsync(appliance, swapped, "10000000abcdef01");
        await claim.GetByRole(AriaRole.Button, new() { Name = $"Approve the key {Spaced(swapped)}" }).ClickAsync();
        await Expect(claim).ToHaveCountAsync(0);
        Assert.NotEmpty((await AskAsync(appliance, swapped, "10000000abcdef01")).Certificate);
        await Assert.ThrowsAnyAsync<Exception>(() => node.ReceiveAsync<StartTask>(Cancelled));
    }

    [Fact]
    public async Task Settings_say_what_approving_every_board_gives_away()
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync(PageFixture.BuiltPage, approve: false);
        IPage page = await browser.SignInAsync(appliance);
        await page.GotoAsync(new Uri(appliance.Url, "settings/boards").ToString());
        ILocator form = page.GetByRole(AriaRole.Combobox, new() { Name = "Approval" });
        await form.SelectOptionAsync("approve all (isolated network)");
        await Expect(page.GetByText("Every machine that reaches this network becomes a node, without a question.")).ToBeVisibleAsync();
        await PageFixture.KeepAsync(page, "settings-approval", whole: true);
        await page.GetByRole(AriaRole.Button, new() { Name = "Save, and approve new boards" }).ClickAsync();
        await Expect(page.GetByText("Saved. It holds for boards that come from now on.")).ToBeVisibleAsync();
        using ECDsa key = NodeIdentity.CreateKey();
        Assert.NotEmpty((await AskAsync(appliance, key, "10000000abcdef03")).Certificate);
    }

    private static Task<EnrolResponse> AskAsync(TestAppliance appliance, ECDsa key, string id) =>
        SimulatedNode.EnrolAsync(appliance.Info, key, SimulatedNode.InventoryOf(NodeId.Parse(id), "arm64"), Cancelled);

    private static string Spaced(ECDsa key)
    {
        string digits = Trust.FingerprintOf(new PublicKey(key)).ToString()[..16];
        return string.Join(' ', Enumerable.Range(0, 4).Select(i => digits.Substring(4 * i, 4)));
    }
}
