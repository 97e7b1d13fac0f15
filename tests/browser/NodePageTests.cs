using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Boot.Doctor;
using Bootstrap.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Bootstrap.Browser.Tests;

/// <summary>One board: what it is, where it is, what became of it, how it boots.</summary>
public sealed class NodePageTests(PageFixture browser) : PageTest
{
    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task A_board_is_marked_labelled_found_and_its_changes_are_told(ColorScheme colours)
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef01"),
            NodeRole.NetInst, "arm64", Cancelled);
        await using SimulatedNode other = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef02"),
            NodeRole.NetInst, "arm64", Cancelled);
        IPage page = await browser.SignInAsync(appliance,
            new() { ViewportSize = new() { Width = 1360, Height = 900 }, ColorScheme = colours });
        ILocator row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-cdef01" });
        await Expect(row).ToContainTextAsync("Unreviewed");

        await page.GotoAsync(new Uri(appliance.Url, "nodes/" + node.Id).ToString());
        await page.GetByRole(AriaRole.Button, new() { Name = "Acknowledge" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Unreviewed" })).ToHaveCountAsync(0);
        DiskInfo card = node.Inventory.Disks[0] with
        {
            Model = "SN64G",
            Serial = "0x7e650771",
            SizeBytes = 63_864_569_856,
            Card = new CardInfo("SD", "SanDisk", "SN64G", "11/2022", "0x7e650771")
        };
        NetworkInterfaceInfo port = node.Inventory.Interfaces[0] with
        {
            SpeedMbit = 1000,
            Switch = new SwitchPort("00:11:22:33:44:55", "Gi1/0/7", "shelf 2", "rack-3", "10.0.0.2")
        };
        node.Inventory = node.Inventory with { Disks = [card], Interfaces = [port] };
        await node.RestartAsync(NodeRole.Slave, cancellation: Cancelled);
        ILocator changes = page.GetByRole(AriaRole.Region, new() { Name = "Changes" });
        await Expect(changes).ToContainTextAsync("SanDisk SN64G 63.9 GB 0x7e650771");
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Unreviewed" })).ToContainTextAsync("Changed");
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Inventory" })).ToContainTextAsync("rack-3, 10.0.0.2");

        ILocator labels = page.GetByRole(AriaRole.Region, new() { Name = "Labels" });
        await labels.GetByRole(AriaRole.Button, new() { Name = "Edit" }).ClickAsync();
        await labels.GetByLabel("Tags").FillAsync("camera Rack");
        await labels.GetByLabel("Location").FillAsync("Room 12, shelf 2");
        await labels.GetByLabel("Note").FillAsync("Its fan is loud.\nA new one is ordered.");
        await labels.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(labels.GetByRole(AriaRole.Alert)).ToContainTextAsync("'Rack' is not a tag");
        await labels.GetByLabel("Tags").FillAsync("camera, rack-3");
        await labels.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(labels).ToContainTextAsync("A new one is ordered.");

        await page.GetByRole(AriaRole.Button, new() { Name = "Locate" }).ClickAsync();
        Assert.Equal(60, (await node.AnswerLocateAsync("ACT", cancellation: Cancelled)).Seconds);
        await Expect(page.GetByText("ACT blinks for")).ToBeVisibleAsync();
        await PageFixture.KeepAsync(page, $"inventory-{colours}".ToLowerInvariant(), whole: true);
        await page.GetByRole(AriaRole.Button, new() { Name = "Stop blinking" }).ClickAsync();
        await node.AnswerLocateAsync("", "the LED ACT cannot be switched", Cancelled);
        await Expect(page.GetByText("node-cdef01 cannot blink: the LED ACT cannot be switched.")).ToBeVisibleAsync();

        await labels.GetByRole(AriaRole.Link, new() { Name = "rack-3" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex("/nodes\\?q=tag:rack-3$"));
        await Expect(row).ToContainTextAsync("Changed");
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-cdef02" })).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Searchbox).FillAsync("");
        await page.GetByRole(AriaRole.Checkbox, new() { Name = "Select all that are shown" }).CheckAsync();
        await PageFixture.KeepAsync(page, $"marks-{colours}".ToLowerInvariant());
        await page.GetByRole(AriaRole.Button, new() { Name = "Acknowledge" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Table)).Not.ToContainTextAsync("Unreviewed");
        await Expect(row).Not.ToContainTextAsync("Changed");

        IDownload download = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Link, new() { Name = "CSV" })
            .ClickAsync());
        Assert.Contains("camera rack-3,", await File.ReadAllTextAsync(await download.PathAsync(), Cancelled), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1440, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task What_went_wrong_last_is_told_with_its_cause_its_job_and_a_way_on(int width, ColorScheme colours)
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await ImportAsync(appliance, "debian-12-arm64");
        await using Rack rack = await Rack.ConnectAsync(appliance, 2, Cancelled);
        SimulatedNode node = rack.Nodes[0];
        using HttpClient api = appliance.CreateClient();
        foreach (string kind in new[] { "reboot", "install" })
        {
            (await api.PostAsJsonAsync("jobs", new { kind, nodes = new[] { "all" }, image = kind == "install" ? "debian-12-arm64" : null },
                Cancelled)).EnsureSuccessStatusCode();
        }
        foreach (SimulatedNode one in rack.Nodes)
        {
            await one.AcceptTaskAsync(Cancelled);
            await one.RestartAsync(NodeRole.NetInst, cancellation: Cancelled);
            StartTask order = await one.AcceptTaskAsync(Cancelled);
            await one.SendAsync(new TaskEnded(order.TaskId, false, false, "disk mmcblk0 is read-only (a card's lock switch?)",
                DiskState.Untouched), Cancelled);
        }
        IPage page = await browser.SignInAsync(appliance,
            new() { ViewportSize = new() { Width = width, Height = 900 }, ColorScheme = colours });
        await page.GotoAsync(new Uri(appliance.Url, $"nodes/{node.Id}").ToString());
        ILocator banner = page.GetByRole(AriaRole.Alert);
        await Expect(banner).ToContainTextAsync("Install debian-12-arm64 failed");
        await Expect(banner).ToContainTextAsync("disk mmcblk0 is read-only (a card's lock switch?)");
        // Nothing was written: it is what it was.
        await Expect(page.Locator(".page-head")).ToContainTextAsync("New");
        ILocator jobs = page.GetByRole(AriaRole.Region, new() { Name = "Jobs" }).GetByRole(AriaRole.Listitem);
        await Expect(jobs).ToContainTextAsync([new Regex("Failed.*Install debian-12-arm64"), new Regex("Succeeded.*Reboot")]);
        await PageFixture.KeepAsync(page, $"node-failed-{width}", whole: true);
        Assert.Equal(width, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));

        await banner.GetByRole(AriaRole.Button, new() { Name = "Retry" }).ClickAsync();
        ILocator dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog).ToContainTextAsync("Install debian-12-arm64 again on 1 node");
        await dialog.GetByRole(AriaRole.Textbox, new() { Name = "Type 1 to confirm" }).FillAsync("1");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Erase and install" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex("/jobs/"));
        await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("1 node, ordered");
        await node.AcceptTaskAsync(Cancelled);
        await page.GoBackAsync();
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Current task" })).ToBeVisibleAsync();
        await Expect(banner).ToHaveCountAsync(0);
        await Expect(jobs).ToHaveCountAsync(3);
    }

    [Fact]
    public async Task A_board_that_falls_silent_is_not_good_any_more_and_a_Pi_5_is_offered_a_boot_set()
    {
        var clock = new SettableClock();
        await using TestAppliance appliance = await TestAppliance.StartAsync(PageFixture.BuiltPage, clock);
        await ImportAsync(appliance, "Raspberry Pi OS (64-bit)");
        IPage page = await browser.SignInAsync(appliance, new() { ViewportSize = new() { Width = 390, Height = 800 } });
        BootRecorder recorder = appliance.Services.GetRequiredService<BootRecorder>();
        var mac = new MacAddress(0xdca6320136c2);
        var client = new BootClient(System.Net.IPAddress.Parse("10.0.0.7"), mac);
        recorder.Asked(new DhcpSighting(mac, BootClientKind.RaspberryPi, new ClientMachineId(MachineIdForm.PiEeprom, 0x01eeffc0, 0xc04170),
            "eth0", DhcpMessageType.Discover, DhcpMessageType.Offer, null, null));
        recorder.Fetched(new TftpSighting(client, "01eeffc0/config.txt", TftpOutcome.Completed, 100, ""));
        recorder.Fetched(new TftpSighting(client, "01eeffc0/bcm2712-rpi-5-b.dtb", TftpOutcome.NotFound, 0, ""));
        ILocator wire = page.GetByRole(AriaRole.Region, new() { Name = "Booting, not enrolled" });
        await Expect(wire).ToContainTextAsync("Good");
        // Nothing more comes from it, and no event tells of that.
        clock.Advance(TimeSpan.FromMinutes(2));
        await Expect(wire).ToContainTextAsync("Fault");
        await Expect(wire).ToContainTextAsync("The board needs a boot set");
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "First steps" })).ToContainTextAsync("1 board is here, below:");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No boards yet" })).ToHaveCountAsync(0);
        await PageFixture.KeepAsync(page, "board-silent", whole: true);

        await wire.GetByRole(AriaRole.Link, new() { Name = "dc:a6:32:01:36:c2" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Create boot set from image …" }).ClickAsync();
        ILocator dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog.GetByLabel("Image")).ToHaveValueAsync(new Regex("^[0-9a-f]{64}$"));
        await PageFixture.KeepAsync(page, "boot-set-offer");
        // This image is no system of a Raspberry Pi: the appliance says so, in place.
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Create", Exact = true }).ClickAsync();
        await Expect(dialog.GetByRole(AriaRole.Alert)).ToContainTextAsync("as Raspberry Pi OS has them");
    }

    [Fact]
    public async Task A_board_is_seen_on_the_wire_before_it_has_booted_and_its_fault_is_explained()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        IPage page = await browser.SignInAsync(appliance,
            new() { ViewportSize = new() { Width = 360, Height = 740 }, ColorScheme = ColorScheme.Dark });
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No boards yet" })).ToBeVisibleAsync();
        BootRecorder recorder = appliance.Services.GetRequiredService<BootRecorder>();
        var mac = new MacAddress(0xdca6320136c2);
        recorder.Asked(new DhcpSighting(mac, BootClientKind.RaspberryPi, new ClientMachineId(MachineIdForm.PiEeprom, 0x01eeffc0, 0xc03114),
            "eth0", DhcpMessageType.Discover, DhcpMessageType.Offer, null, null));
        ILocator wire = page.GetByRole(AriaRole.Region, new() { Name = "Booting, not enrolled" });
        await Expect(wire).ToContainTextAsync("Raspberry Pi 4 Model B Rev 1.4");
        await Expect(wire).ToContainTextAsync("serial 01eeffc0");

        recorder.Fetched(new TftpSighting(new BootClient(System.Net.IPAddress.Parse("10.0.0.7"), mac), "01eeffc0/start4.elf",
            TftpOutcome.Failed, 0, "reading start4.elf: broken disk"));
        await Expect(wire).ToContainTextAsync("could not be sent");
        ILocator link = wire.GetByRole(AriaRole.Link, new() { Name = "dc:a6:32:01:36:c2" });
        await link.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        ILocator boot = page.GetByRole(AriaRole.Region, new() { Name = "Boot" });
        await Expect(boot.GetByRole(AriaRole.List, new() { Name = "Findings" })).ToContainTextAsync("See that the file can be read");
        await Expect(boot.GetByRole(AriaRole.List, new() { Name = "Timeline" }).GetByRole(AriaRole.Listitem)).ToHaveCountAsync(2);
        Assert.Equal(360, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        await PageFixture.KeepAsync(page, "board-on-the-wire", whole: true);

        await using SimulatedNode node = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("1000000001eeffc0"),
            NodeRole.NetInst, "arm64", Cancelled);
        await Expect(page.GetByText("This board is the node")).ToBeVisibleAsync();
        await page.GotoAsync(new Uri(appliance.Url, "nodes").ToString());
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-eeffc0" })).ToContainTextAsync("Installer ready");
        await Expect(wire).ToHaveCountAsync(0);
    }
}
