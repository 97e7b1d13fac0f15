using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Bootstrap.Browser.Tests;

/// <summary>The list of nodes: what it shows, how it is filtered and selected from.</summary>
public sealed class NodesPageTests(PageFixture browser) : PageTest
{
    [Fact]
    public async Task A_board_appears_and_leaves_without_a_reload()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        IPage page = await browser.SignInAsync(appliance);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No boards yet" })).ToBeVisibleAsync();

        SimulatedNode node = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef01"), NodeRole.NetInst, "arm64", Cancelled);
        ILocator row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-cdef01" });
        await Expect(row).ToContainTextAsync("In NetInst");
        await Expect(row).ToContainTextAsync("New");
        await Expect(row).ToContainTextAsync("Pi 4 Model B");

        await node.DisposeAsync();
        await Expect(row).ToContainTextAsync("Offline");
    }

    [Fact]
    public async Task The_filter_is_in_the_address_and_selects_what_it_shows()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using Rack rack = await Rack.ConnectAsync(appliance, 4, Cancelled);
        IPage page = await browser.SignInAsync(appliance);
        await rack.Nodes[3].DisconnectAsync(Cancelled);
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "Offline" })).ToHaveCountAsync(1);

        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync("-state:offline");
        await Expect(page).ToHaveURLAsync(new Regex("/nodes\\?q=-state%3Aoffline$"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Select all 3 shown" }).ClickAsync();
        await Expect(page.GetByText("3 nodes selected")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Searchbox).FillAsync("state:offline");
        await Expect(page.GetByText("3 nodes selected (3 not shown by this filter)")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_thousand_boards_are_listed_and_filtered()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef01"), NodeRole.NetInst, "arm64", Cancelled);
        IPage page = await browser.OpenAsync();
        // The one board that there is, a thousand times under other names.
        using HttpClient client = appliance.CreateClient();
        string herd = Herd(JsonNode.Parse(await client.GetStringAsync("nodes", Cancelled))![0]!, 1000).ToJsonString();
        await page.RouteAsync("**/api/v1/nodes", route => route.FulfillAsync(new() { ContentType = "application/json", Body = herd }));
        await page.GotoAsync(appliance.SignInLink().ToString());

        await Expect(page.GetByText("1,000 nodes, 750 connected")).ToBeVisibleAsync();
        await PageFixture.KeepAsync(page, "thousand-nodes");
        await page.GetByRole(AriaRole.Searchbox).FillAsync("state:unbootable name:99");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Select all 2 shown" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Dark colours" }).ClickAsync();
        await page.GetByRole(AriaRole.Searchbox).FillAsync("rack-0");
        await PageFixture.KeepAsync(page, "thousand-nodes-dark");
    }
}
