using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Bootstrap.Browser.Tests;

/// <summary>The images.</summary>
public sealed class ImagesPageTests(PageFixture browser) : PageTest
{
    [Fact]
    public async Task A_refused_image_says_why_and_is_not_listed()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        IPage page = await browser.SignInAsync(appliance);
        await page.GetByRole(AriaRole.Link, new() { Name = "Images" }).ClickAsync();

        // What is no image is told when it is chosen: it is not sent.
        foreach ((string name, byte[] content) in new (string, byte[])[] { ("notes.txt", "Buy milk."u8.ToArray()), ("empty.img", []),
            ("holiday.jpg", new byte[2_000_000]), ("raspios.zip", [0x50, 0x4b, 3, 4, .. new byte[600]]) })
        {
            await page.GetByLabel("Image file").SetInputFilesAsync(new FilePayload { Name = name, MimeType = "", Buffer = content });
            await Expect(page.GetByRole(AriaRole.Alert).First).ToContainTextAsync($"{name} is no disk image");
            await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Upload" })).ToHaveCountAsync(0);
        }
        // More than fits into a connection's window: the appliance's refusal comes while the rest is still being sent.
        byte[] damaged = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, .. new byte[2_000_000]];
        await page.GetByLabel("Image file")
            .SetInputFilesAsync(new FilePayload { Name = "damaged.img.xz", MimeType = "application/x-xz", Buffer = damaged });
        await page.GetByRole(AriaRole.Button, new() { Name = "Upload" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert).First).ToContainTextAsync(new Regex("damaged"));
        await Expect(page.GetByRole(AriaRole.Alert)).ToHaveCountAsync(1);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No images yet" })).ToBeVisibleAsync();
        await PageFixture.KeepAsync(page, "image-refused");

        await page.GetByLabel("Image file")
            .SetInputFilesAsync(new FilePayload { Name = "tiny.img", MimeType = "application/octet-stream", Buffer = TinyImage.Create() });
        await page.GetByLabel("Architecture").SelectOptionAsync("arm64");
        await page.GetByRole(AriaRole.Button, new() { Name = "Upload" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Table, new() { Name = "Images" })).ToContainTextAsync("tiny");
        await PageFixture.KeepAsync(page, "images");
    }

    [Theory]
    [InlineData(1440, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task An_upload_has_one_bar_and_while_it_goes_on_nobody_says_that_there_are_no_images(int width, ColorScheme colours)
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        IPage page = await browser.SignInAsync(appliance,
            new() { ViewportSize = new() { Width = width, Height = 850 }, ColorScheme = colours });
        await page.GotoAsync(new Uri(appliance.Url, "images").ToString());
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No images yet" })).ToBeVisibleAsync();
        // A slow network: what is seen meanwhile stays for a while.
        ICDPSession network = await page.Context.NewCDPSessionAsync(page);
        await network.SendAsync("Network.emulateNetworkConditions", new Dictionary<string, object>
        { ["offline"] = false, ["latency"] = 0, ["downloadThroughput"] = -1, ["uploadThroughput"] = 300_000 });
        await page.GetByLabel("Image file").SetInputFilesAsync(
            new FilePayload { Name = "tiny.img", MimeType = "", Buffer = TinyImage.Create(partitionBytes: 8 << 20) });
        await page.GetByLabel("Architecture").SelectOptionAsync("arm64");
        await page.GetByRole(AriaRole.Button, new() { Name = "Upload" }).ClickAsync();
        await Expect(page.GetByText(new Regex("sending · [0-9]+ %"))).ToBeVisibleAsync();
        await page.WaitForTimeoutAsync(1500);
        await Expect(page.GetByRole(AriaRole.Main).GetByRole(AriaRole.Progressbar)).ToHaveCountAsync(1);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No images yet" })).ToHaveCountAsync(0);
        await PageFixture.KeepAsync(page, $"upload-{width}");
        await network.SendAsync("Network.emulateNetworkConditions", new Dictionary<string, object>
        { ["offline"] = false, ["latency"] = 0, ["downloadThroughput"] = -1, ["uploadThroughput"] = -1 });
        await Expect(page.GetByRole(AriaRole.Table, new() { Name = "Images" })).ToContainTextAsync("tiny");
        await Expect(page.GetByRole(AriaRole.Main).GetByRole(AriaRole.Progressbar)).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task An_image_is_private_until_it_is_published_and_again_when_it_is_unpublished()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await ImportAsync(appliance, "debian-12");
        IPage page = await browser.SignInAsync(appliance);
        await page.GetByRole(AriaRole.Link, new() { Name = "Images" }).ClickAsync();
        ILocator row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "debian-12" }), dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(row.GetByRole(AriaRole.Cell, new() { Name = "private", Exact = true })).ToBeVisibleAsync();
        await row.GetByRole(AriaRole.Button, new() { Name = "Publish debian-12" }).ClickAsync();
        await Expect(dialog).ToContainTextAsync("over plain HTTP");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Publish" }).ClickAsync();
        await Expect(row.GetByRole(AriaRole.Cell, new() { Name = "public", Exact = true })).ToBeVisibleAsync();
        await row.GetByRole(AriaRole.Button, new() { Name = "Unpublish debian-12" }).ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Unpublish" }).ClickAsync();
        await Expect(row.GetByRole(AriaRole.Cell, new() { Name = "private", Exact = true })).ToBeVisibleAsync();
    }

    [Theory]
    [InlineData(1360, ColorScheme.Light)]
    [InlineData(360, ColorScheme.Dark)]
    public async Task Versions_stand_together_lead_to_their_nodes_and_what_is_needed_stays(int width, ColorScheme colours)
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await ImportAsync(appliance, "debian-12");
        await ImportAsync(appliance, "classroom");
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef01"),
            NodeRole.NetInst, "arm64", Cancelled);
        using HttpClient api = appliance.CreateClient();
        (await api.PostAsJsonAsync("jobs", new { kind = "install", nodes = new[] { "all" }, image = "debian-12" }, Cancelled))
            .EnsureSuccessStatusCode();
        (await api.PostAsJsonAsync("schedules",
            new { name = "monthly", cron = "0 3 1 * *", job = new { kind = "install", select = "all", image = "classroom" } }, Cancelled))
            .EnsureSuccessStatusCode();
        IPage page = await browser.SignInAsync(appliance,
            new() { ViewportSize = new() { Width = width, Height = 850 }, ColorScheme = colours });
        await page.GetByRole(AriaRole.Link, new() { Name = "Images" }).ClickAsync();
        ILocator dialog = page.GetByRole(AriaRole.Dialog);
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete classroom" }).ClickAsync();
        await Expect(dialog).ToContainTextAsync("the schedule monthly");
        await Expect(dialog.GetByRole(AriaRole.Button, new() { Name = "Delete" })).ToHaveCountAsync(0);
        await page.Keyboard.PressAsync("Escape");
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete debian-12" }).ClickAsync();
        await Expect(dialog).ToContainTextAsync("a job that has not ended");
        await page.Keyboard.PressAsync("Escape");

        StartTask order = await node.AcceptTaskAsync(Cancelled);
        await node.SendAsync(new TaskEnded(order.TaskId, true, false, "", DiskState.Installed), Cancelled);
        await node.RestartAsync(NodeRole.Slave, order.TaskId, cancellation: Cancelled);
        await ImportAsync(appliance, "debian-12", seed: 2);
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "newest of 2" })).ToContainTextAsync("no node");
        ILocator older = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-cdef01" });
        await PageFixture.KeepAsync(page, $"image-versions-{width}", whole: true);
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete debian-12, version 2 of 2" }).ClickAsync();
        await PageFixture.KeepAsync(page, $"image-delete-{width}");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Keep it" }).ClickAsync();
        await older.GetByRole(AriaRole.Link, new() { Name = "node-cdef01" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex("/nodes\\?q=image%3A"));
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-cdef01" })).ToBeVisibleAsync();

        await page.GoBackAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete debian-12, version 2 of 2" }).ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Delete, although 1 node runs it" }).ClickAsync();
        await Expect(older).ToHaveCountAsync(0);
        await Expect(page.GetByRole(AriaRole.Table)).Not.ToContainTextAsync("newest of");
    }
}
