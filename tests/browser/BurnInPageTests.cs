using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Bootstrap.Browser.Tests;

/// <summary>Whether a board is fit.</summary>
public sealed class BurnInPageTests(PageFixture browser) : PageTest
{
    private const int Benchmarks = 4;

    [Theory]
    [InlineData(1360, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task A_board_is_tried_from_its_page_which_says_what_was_wrong(int width, ColorScheme colours)
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(
            appliance.Info, NodeId.Parse("10000000bbbb0001"), NodeRole.Slave, "arm64", Cancelled);
        IPage page = await browser.SignInAsync(appliance,
            new() { ViewportSize = new() { Width = width, Height = 850 }, ColorScheme = colours });
        await page.GotoAsync(new Uri(appliance.Url, $"nodes/{node.Id}").ToString());
        ILocator part = page.GetByRole(AriaRole.Region, new() { Name = "Burn-in" });
        await Expect(part).ToContainTextAsync("This board was never put through card, memory and processor benchmarks.");
        await part.GetByRole(AriaRole.Button, new() { Name = "Begin a short burn-in" }).ClickAsync();
        await Expect(part).ToContainTextAsync("Being tried");
        await Expect(part.GetByRole(AriaRole.Button)).ToHaveCountAsync(0);
        for (int i = 0; i < Benchmarks; i++)
        {
            StartTask start = await node.AcceptTaskAsync(Cancelled);
            await node.SendAsync(new TaskEnded(start.TaskId, false, false, "the card does not answer", DiskState.Installed), Cancelled);
        }
        await Expect(part).ToContainTextAsync("Not fit");
        await Expect(part.GetByRole(AriaRole.Listitem)).ToHaveCountAsync(Benchmarks);
        await Expect(part).ToContainTextAsync("card-write: the card does not answer");
        await part.ScrollIntoViewIfNeededAsync();
        await PageFixture.KeepAsync(page, $"burn-in-{colours}-{width}".ToLowerInvariant(), whole: true);
        await page.GotoAsync(new Uri(appliance.Url, "settings/boards").ToString());
        ILocator choice = page.GetByLabel("Burn-in once installed");
        await choice.SelectOptionAsync("short");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save, and approve new boards" }).ClickAsync();
        await Expect(page.GetByText("Saved. It holds for boards that come from now on.")).ToBeVisibleAsync();
        await page.ReloadAsync();
        await Expect(choice).ToHaveValueAsync("short");
    }
}
