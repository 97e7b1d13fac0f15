using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Bootstrap.Browser.Tests;

/// <summary>The wizard that installs.</summary>
public sealed class InstallPageTests(PageFixture browser) : PageTest
{
    [Theory]
    [InlineData(1360, ColorScheme.Light)]
    [InlineData(360, ColorScheme.Dark)]
    public async Task Nodes_are_chosen_by_words_customised_rolled_out_in_parts_and_what_was_entered_stays(int width, ColorScheme colours)
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await ImportAsync(appliance, "debian-12-arm64");
        await ImportAsync(appliance, "debian-12-arm64", seed: 2);
        await using Rack rack = await Rack.ConnectAsync(appliance, 3, Cancelled);
        await using SimulatedNode pc = await SimulatedNode.ConnectAsync(appliance.Info,
            NodeId.Parse("2d5a1c1e-77aa-4bd1-9a36-5b6f3d0f1a01"), NodeRole.NetInst, "amd64", Cancelled);
        using HttpClient api = appliance.CreateClient();
        (await api.PutAsJsonAsync("profiles/lab", new
        {
            description = "Room 12",
            hostName = "lab-{{ node.number }}",
            files = new[] { new { path = "/etc/motd", content = "Seat {{ value.seat }}\n" } },
        }, Cancelled)).EnsureSuccessStatusCode();
        (await api.PutAsJsonAsync($"values/nodes/{rack.Nodes[0].Id}", new { seat = "window" }, Cancelled)).EnsureSuccessStatusCode();
        IPage page = await browser.SignInAsync(appliance,
            new() { ViewportSize = new() { Width = width, Height = 850 }, ColorScheme = colours });

        await page.GotoAsync(new Uri(appliance.Url, "install?select=node").ToString());
        ILocator left = page.GetByRole(AriaRole.List, new() { Name = "Nodes that are left out" });
        await Expect(left).ToContainTextAsync("is amd64, and an image is for one architecture");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "3 nodes to install" })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Radio, new() { Name = "arm64: 3 nodes" })).ToBeCheckedAsync();
        await PageFixture.KeepAsync(page, $"install-nodes-{width}", whole: true);
        await NextAsync(page, "Image");
        await Expect(page.GetByRole(AriaRole.Radio)).ToHaveCountAsync(2);
        await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("fits all 3 disks");
        await PageFixture.KeepAsync(page, $"install-image-{width}", whole: true);
        await NextAsync(page, "Customisation");

        await page.GetByRole(AriaRole.Radio, new() { Name = "lab Room 12" }).CheckAsync();
        ILocator next = page.GetByRole(AriaRole.Button, new() { Name = "Next" });
        await Expect(page.GetByRole(AriaRole.Alert).First).ToContainTextAsync("It does not fit 2 of 3 nodes");
        await Expect(page.GetByRole(AriaRole.Alert).First).ToContainTextAsync(new Regex("files\\[0\\].content: .*seat.*: node-000002, " +
            "node-000003"));
        await Expect(next).ToBeDisabledAsync();
        await Expect(page.GetByLabel("Preview", new() { Exact = true })).ToContainTextAsync("Seat window");
        await PageFixture.KeepAsync(page, $"install-customise-{width}", whole: true);
        foreach (SimulatedNode node in rack.Nodes.Skip(1))
        {
            (await api.PutAsJsonAsync($"values/nodes/{node.Id}", new { seat = "door" }, Cancelled)).EnsureSuccessStatusCode();
        }
        await page.ReloadAsync();
        await Expect(page.GetByText("It fits all 3 nodes.")).ToBeVisibleAsync();
        await NextAsync(page, "Roll-out");

        await page.GetByRole(AriaRole.Radio, new() { Name = "Canary" }).CheckAsync();
        await page.GetByLabel("Then at a time").FillAsync("2");
        await page.GetByLabel("Stop after N failures").FillAsync("50%");
        await page.GetByLabel("Warn logged-in users").SelectOptionAsync("300");
        await page.GetByLabel("Message to them (optional)").FillAsync("Save your work");
        await PageFixture.KeepAsync(page, $"install-rollout-{width}", whole: true);
        await NextAsync(page, "Confirmation");
        await page.GetByRole(AriaRole.Button, new() { Name = "Back" }).ClickAsync();
        await Expect(page.GetByLabel("Stop after N failures")).ToHaveValueAsync("50%");
        await page.GoBackAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Confirmation" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Customisation" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Radio, new() { Name = "lab Room 12" })).ToBeCheckedAsync();
        await NextAsync(page, "Roll-out");
        await NextAsync(page, "Confirmation");

        ILocator main = page.GetByRole(AriaRole.Main);
        await Expect(main).ToContainTextAsync("1 node first, then 2 at a time; stops after 50% failed");
        await Expect(page.GetByRole(AriaRole.List, new() { Name = "Disks that will be erased" }).GetByRole(AriaRole.Listitem))
            .ToHaveCountAsync(3);
        await Expect(left).ToContainTextAsync("amd64");
        await PageFixture.KeepAsync(page, $"install-confirm-{width}", whole: true);
        Assert.Equal(width, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        await ConfirmAsync(page, 3);
        InstallOrder order = Assert.IsType<InstallOrder>((await rack.Nodes[0].AcceptTaskAsync(Cancelled)).Order);
        Assert.Equal("lab-1", order.Configuration.HostName);
        await Expect(main).ToContainTextAsync("Batch 1 waits for the end of the canary.");
    }

    [Fact]
    public async Task An_update_keeps_what_people_have_and_leaves_out_who_has_nothing()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await ImportAsync(appliance, "debian-12-arm64");
        await using Rack rack = await Rack.ConnectAsync(appliance, 2, Cancelled);
        IPage page = await browser.SignInAsync(appliance);
        await page.GotoAsync(new Uri(appliance.Url, "install?select=node-000001").ToString());
        await NextAsync(page, "Image");
        await NextAsync(page, "Customisation");
        await NextAsync(page, "Roll-out");
        await NextAsync(page, "Confirmation");
        await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("erased");
        await ConfirmAsync(page, 1);
        StartTask order = await rack.Nodes[0].AcceptTaskAsync(Cancelled);
        Assert.Null(Assert.IsType<InstallOrder>(order.Order).Keep);
        await rack.Nodes[0].SendAsync(new TaskEnded(order.TaskId, true, false, "", DiskState.Installed), Cancelled);
        await rack.Nodes[0].RestartAsync(NodeRole.Slave, order.TaskId, cancellation: Cancelled);

        await page.GotoAsync(new Uri(appliance.Url, "install?select=node").ToString());
        await NextAsync(page, "Image");
        await NextAsync(page, "Customisation");
        await page.GetByRole(AriaRole.Radio, new() { Name = "Keep user data" }).CheckAsync();
        await Expect(page.GetByRole(AriaRole.List, new() { Name = "Nodes that are left out" }))
            .ToContainTextAsync("has no system of which something could be kept");
        await PageFixture.KeepAsync(page, "install-update", whole: true);
        await NextAsync(page, "Roll-out");
        await NextAsync(page, "Confirmation");
        await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("kept: home folders");
        await ConfirmAsync(page, 1);
        await rack.Nodes[0].AcceptTaskAsync(Cancelled);
        await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("node-000001");
    }

    [Fact]
    public async Task From_signing_in_over_a_board_that_appears_to_a_job_that_is_done()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await ImportAsync(appliance, "debian-12-arm64");
        using HttpClient api = appliance.CreateClient();
        (await api.PutAsJsonAsync("profiles/lab", new { packages = new[] { "git" } }, Cancelled)).EnsureSuccessStatusCode();
        IPage page = await browser.SignInAsync(appliance);
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef01"),
            NodeRole.NetInst, "arm64", Cancelled);
        ILocator row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-cdef01" });
        await Expect(row).ToContainTextAsync("Installer ready");

        await page.GetByRole(AriaRole.Checkbox, new() { Name = "Select node-cdef01" }).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Install …" }).ClickAsync();
        await NextAsync(page, "Image");
        await NextAsync(page, "Customisation");
        await page.GetByRole(AriaRole.Radio, new() { Name = "lab" }).CheckAsync();
        await NextAsync(page, "Roll-out");
        await NextAsync(page, "Confirmation");
        await ConfirmAsync(page, 1);

        StartTask order = await node.AcceptTaskAsync(Cancelled);
        await node.ReportAsync(order.TaskId, "writing", ImageBytes / 4, ImageBytes, Cancelled);
        await Expect(row).ToContainTextAsync("writing · 22 %");
        ILocator bar = page.GetByRole(AriaRole.Progressbar, new() { Name = "Whole job" });
        string? before = await bar.GetAttributeAsync("aria-valuenow");
        await node.ReportAsync(order.TaskId, "verifying", ImageBytes / 2, ImageBytes, Cancelled);
        await Expect(row).ToContainTextAsync("reading back · 80 %");
        Assert.NotEqual(before, await bar.GetAttributeAsync("aria-valuenow"));
        await node.SendAsync(new TaskEnded(order.TaskId, true, false, "", DiskState.Installed), Cancelled);
        await Expect(row).ToContainTextAsync("starting the new system");
        await node.RestartAsync(NodeRole.Slave, order.TaskId, cancellation: Cancelled);
        Assert.IsType<FirstBootOrder>((await node.AcceptTaskAsync(Cancelled)).Order);
        await Expect(row).ToContainTextAsync("first start: packages and script");
        await node.SendAsync(new TaskEnded(order.TaskId, true, false, "", DiskState.Untouched), Cancelled);
        await Expect(row).ToContainTextAsync("Succeeded");
        await PageFixture.KeepAsync(page, "job-done");
        await page.GetByRole(AriaRole.Navigation, new() { Name = "Pages" }).GetByRole(AriaRole.Link, new() { Name = "Nodes" }).ClickAsync();
        await Expect(row).ToContainTextAsync("Online");
        await Expect(row).ToContainTextAsync("debian-12-arm64");
    }
}
