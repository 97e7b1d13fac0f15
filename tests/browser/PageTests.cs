using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Boot.Dhcp;
using Bootstrap.Server.Features.Boot.Doctor;
using Bootstrap.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Bootstrap.Browser.Tests;

/// <summary>The page in a real browser, against a whole appliance with simulated boards.</summary>
public sealed class PageTests(PageFixture browser) : IClassFixture<PageFixture>
{
    private const long ImageBytes = 1_300_000_000;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

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
    public async Task An_installation_is_ordered_with_a_typed_confirmation_and_followed_to_its_end()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await ImportAsync(appliance, "debian-12-arm64");
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef01"), NodeRole.NetInst, "arm64", Cancelled);
        IPage page = await browser.SignInAsync(appliance);

        await page.GetByRole(AriaRole.Checkbox, new() { Name = "Select node-cdef01" }).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Install …" }).ClickAsync();
        ILocator dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog.GetByRole(AriaRole.List, new() { Name = "Disks that will be erased" })).ToContainTextAsync("mmcblk0, 31.9 GB SD32G");
        ILocator erase = dialog.GetByRole(AriaRole.Button, new() { Name = "Erase and install" });
        ILocator typed = dialog.GetByRole(AriaRole.Textbox);
        await typed.FillAsync("node-cdef02");
        await Expect(erase).ToBeDisabledAsync();
        await typed.FillAsync("node-cdef01");
        await PageFixture.KeepAsync(page, "install-dialog");
        await erase.ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex("/jobs/"));

        StartTask order = await node.AcceptTaskAsync(Cancelled);
        Assert.IsType<InstallOrder>(order.Order);
        ILocator row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-cdef01" });
        await node.ReportAsync(order.TaskId, "writing", ImageBytes / 10, ImageBytes, Cancelled);
        await Expect(row).ToContainTextAsync("writing 10 %");
        await node.ReportAsync(order.TaskId, "writing", ImageBytes / 2, ImageBytes, Cancelled);
        await Expect(row).ToContainTextAsync("writing 50 %");
        await Expect(page.GetByRole(AriaRole.Link, new() { NameRegex = new Regex("1 task under way") })).ToBeVisibleAsync();
        await PageFixture.KeepAsync(page, "job-running");

        await node.SendAsync(new TaskEnded(order.TaskId, true, false, "", DiskState.Installed), Cancelled);
        await Expect(row).ToContainTextAsync("starting the new system");
        await node.RestartAsync(NodeRole.Slave, order.TaskId, cancellation: Cancelled);
        await Expect(row).ToContainTextAsync("Succeeded");
        await page.GetByRole(AriaRole.Link, new() { Name = "Nodes", Exact = true }).First.ClickAsync();
        await Expect(row).ToContainTextAsync("Online");
        await Expect(row).ToContainTextAsync("debian-12-arm64");
    }

    [Fact]
    public async Task A_refused_image_says_why_and_is_not_listed()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        IPage page = await browser.SignInAsync(appliance);
        await page.GetByRole(AriaRole.Link, new() { Name = "Images" }).ClickAsync();

        // More than fits into a connection's window: the refusal comes while the rest is still being sent.
        await page.GetByLabel("Image file").SetInputFilesAsync(new FilePayload { Name = "holiday.jpg", MimeType = "image/jpeg", Buffer = new byte[2_000_000] });
        await page.GetByRole(AriaRole.Button, new() { Name = "Upload" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert).First).ToContainTextAsync("not an image that is known");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No images yet" })).ToBeVisibleAsync();
        await PageFixture.KeepAsync(page, "image-refused");

        await page.GetByLabel("Image file").SetInputFilesAsync(new FilePayload { Name = "tiny.img", MimeType = "application/octet-stream", Buffer = TinyImage.Create() });
        await page.GetByLabel("Architecture").SelectOptionAsync("arm64");
        await page.GetByRole(AriaRole.Button, new() { Name = "Upload" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Table, new() { Name = "Images" })).ToContainTextAsync("tiny");
        await PageFixture.KeepAsync(page, "images");
    }

    [Fact]
    public async Task Cancelling_says_what_becomes_of_the_disk_before_and_after()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await ImportAsync(appliance, "debian-12-arm64");
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef01"), NodeRole.NetInst, "arm64", Cancelled);
        IPage page = await browser.SignInAsync(appliance);
        await InstallAsync(page, "node-cdef01");
        StartTask order = await node.AcceptTaskAsync(Cancelled);
        await node.ReportAsync(order.TaskId, "writing", ImageBytes / 4, ImageBytes, Cancelled);
        await Expect(page.GetByRole(AriaRole.Table)).ToContainTextAsync("writing 25 %");

        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel node-cdef01" }).ClickAsync();
        ILocator dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog).ToContainTextAsync("partly written and will not start");
        await PageFixture.KeepAsync(page, "cancel-dialog");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Cancel the task" }).ClickAsync();
        CancelTask cancel = await node.ReceiveAsync<CancelTask>(Cancelled);
        Assert.Equal(order.TaskId, cancel.TaskId);
        await node.SendAsync(new TaskEnded(order.TaskId, false, true, "", DiskState.Unbootable), Cancelled);

        ILocator row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-cdef01" });
        await Expect(row).ToContainTextAsync("Cancelled");
        await Expect(row).ToContainTextAsync("Disk partly written");
    }

    [Fact]
    public async Task Everything_fits_a_telephone_in_the_dark()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await ImportAsync(appliance, "debian-12-arm64");
        await using Rack rack = await Rack.ConnectAsync(appliance, 3, Cancelled);
        using HttpClient api = appliance.CreateClient();
        (await api.PostAsJsonAsync("schedules", new { name = "weekly", cron = "0 3 * * SUN", job = new { kind = "reboot", select = "all" } }, Cancelled)).EnsureSuccessStatusCode();
        IPage page = await browser.SignInAsync(appliance, new() { ViewportSize = new() { Width = 360, Height = 740 }, ColorScheme = ColorScheme.Dark });
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "In NetInst" })).ToHaveCountAsync(3);

        foreach (string path in new[] { "nodes", "nodes/" + rack.Nodes[0].Id, "images", "jobs", "schedules", "settings" })
        {
            await page.GotoAsync(new Uri(appliance.Url, path).ToString());
            await Expect(page.GetByRole(AriaRole.Main)).Not.ToContainTextAsync("Reading");
            await PageFixture.KeepAsync(page, "telephone-" + path.Split('/')[0] + (path.Contains('/', StringComparison.Ordinal) ? "-one" : ""), whole: true);
            Assert.Equal(360, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        }
        Assert.Equal("rgb(21, 23, 26)", await page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor"));
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
    public async Task Failures_stand_together_by_cause_and_can_be_ordered_again()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await ImportAsync(appliance, "debian-12-arm64");
        await using Rack rack = await Rack.ConnectAsync(appliance, 4, Cancelled);
        IPage page = await browser.SignInAsync(appliance);
        await page.GetByRole(AriaRole.Checkbox, new() { Name = "Select all that are shown" }).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Install …" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Textbox).FillAsync("4");
        await page.GetByRole(AriaRole.Button, new() { Name = "Erase and install" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex("/jobs/"));

        foreach (SimulatedNode node in rack.Nodes.Take(2))
        {
            StartTask order = await node.AcceptTaskAsync(Cancelled);
            await node.SendAsync(new TaskEnded(order.TaskId, false, false, "disk mmcblk0 is read-only (a card's lock switch?)", DiskState.Untouched), Cancelled);
        }
        StartTask written = await rack.Nodes[2].AcceptTaskAsync(Cancelled);
        await rack.Nodes[2].ReportAsync(written.TaskId, "verifying", ImageBytes / 3, ImageBytes, Cancelled);
        await rack.Nodes[2].SendAsync(new LogLines(written.TaskId, ["verifying: read back what was written"]), Cancelled);

        ILocator alert = page.GetByRole(AriaRole.Alert);
        await Expect(alert).ToContainTextAsync("2 nodes: disk mmcblk0 is read-only");
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-000003" })).ToContainTextAsync("reading back 33 %");
        await PageFixture.KeepAsync(page, "job-partly-failed");
        await page.GetByRole(AriaRole.Button, new() { Name = "Log of node-000003" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Log)).ToContainTextAsync("read back what was written");
        await page.Keyboard.PressAsync("Escape");

        await page.GetByRole(AriaRole.Button, new() { Name = "Order again for the 2 that failed" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.List, new() { Name = "Disks that will be erased" }).GetByRole(AriaRole.Listitem)).ToHaveCountAsync(2);
        await page.Keyboard.PressAsync("Escape");
        await page.GotoAsync(new Uri(appliance.Url, "nodes/" + rack.Nodes[2].Id).ToString());
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Current task" })).ToContainTextAsync("reading back 33 %");
        await Expect(page.GetByRole(AriaRole.Log)).ToContainTextAsync("read back what was written");
        await PageFixture.KeepAsync(page, "node");
    }

    [Fact]
    public async Task A_job_is_paused_and_goes_on()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using Rack rack = await Rack.ConnectAsync(appliance, 2, Cancelled);
        using HttpClient api = appliance.CreateClient();
        JsonNode made = (await (await api.PostAsJsonAsync("jobs", new { kind = "reboot", nodes = new[] { "all" }, rollout = new { canary = 1 } }, Cancelled))
            .Content.ReadFromJsonAsync<JsonNode>(Cancelled))!;
        IPage page = await browser.SignInAsync(appliance);
        await page.GotoAsync(new Uri(appliance.Url, $"jobs/{made["job"]!["id"]}").ToString());
        await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("Batch 1 waits for the end of the canary.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Pause" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("Paused: nothing more begins.");
        ILocator second = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-000002" });
        await Expect(second).ToContainTextAsync("Held");
        await rack.Nodes[0].AcceptTaskAsync(Cancelled);
        await rack.Nodes[0].RestartAsync(NodeRole.NetInst, cancellation: Cancelled);
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-000001" })).ToContainTextAsync("Succeeded");
        await Expect(second).ToContainTextAsync("Held");
        await PageFixture.KeepAsync(page, "job-paused");
        await page.GetByRole(AriaRole.Button, new() { Name = "Resume" }).ClickAsync();
        await Expect(second).ToContainTextAsync("Sent");
    }

    [Fact]
    public async Task A_schedule_is_added_with_a_look_at_its_runs_and_nodes_and_is_run_switched_off_and_deleted()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using Rack rack = await Rack.ConnectAsync(appliance, 3, Cancelled);
        IPage page = await browser.SignInAsync(appliance, new() { ViewportSize = new() { Width = 1360, Height = 850 }, TimezoneId = "Europe/Berlin" });
        await page.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Link, new() { Name = "Schedules" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No schedules yet" })).ToBeVisibleAsync();
        await PageFixture.KeepAsync(page, "no-schedules");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add a schedule" }).ClickAsync();
        ILocator dialog = page.GetByRole(AriaRole.Dialog);
        ILocator runs = dialog.GetByRole(AriaRole.List, new() { Name = "Next runs" }).GetByRole(AriaRole.Listitem);
        await Expect(runs).ToHaveCountAsync(5);
        ILocator line = dialog.GetByLabel("Cron line");
        await line.FillAsync("0 0 30 2 *");
        await Expect(dialog).ToContainTextAsync("The cron line '0 0 30 2 *' never comes");
        await line.FillAsync("30 2 * * SAT");
        await Expect(runs.First).ToContainTextAsync(new Regex("Sat.*02:30"));
        await dialog.GetByLabel("Name", new() { Exact = true }).FillAsync("weekly");
        await dialog.GetByLabel("Nodes, by words").FillAsync("node-000002");
        await Expect(dialog).ToContainTextAsync("Now 1 node: node-000002");
        await dialog.GetByText("Roll-out, maintenance window").ClickAsync();
        await dialog.GetByLabel("Canary").FillAsync("1");
        await PageFixture.KeepAsync(page, "add-schedule");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();

        ILocator row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "weekly" });
        await Expect(row).ToContainTextAsync("Reboot on node-000002");
        await Expect(row).ToContainTextAsync(new Regex("in [0-9].*Sat.*02:30"));
        await PageFixture.KeepAsync(page, "schedules");
        await page.GetByRole(AriaRole.Button, new() { Name = "Disable weekly" }).ClickAsync();
        await Expect(row).ToContainTextAsync("switched off");
        await page.GetByRole(AriaRole.Button, new() { Name = "Run now: weekly" }).ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Run now" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex("/jobs/"));
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-000002" })).ToContainTextAsync("Sent");
        await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("by the schedule weekly");
        await page.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Link, new() { Name = "Schedules" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete weekly" }).ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No schedules yet" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_board_is_seen_on_the_wire_before_it_has_booted_and_its_fault_is_explained()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        IPage page = await browser.SignInAsync(appliance, new() { ViewportSize = new() { Width = 360, Height = 740 }, ColorScheme = ColorScheme.Dark });
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No boards yet" })).ToBeVisibleAsync();
        BootRecorder recorder = appliance.Services.GetRequiredService<BootRecorder>();
        var mac = new MacAddress(0xdca6320136c2);
        recorder.Asked(new DhcpSighting(mac, BootClientKind.RaspberryPi, new ClientMachineId(MachineIdForm.PiEeprom, 0x01eeffc0, 0xc03114),
            "eth0", DhcpMessageType.Discover, DhcpMessageType.Offer, null, null));
        ILocator wire = page.GetByRole(AriaRole.Region, new() { Name = "Seen on the wire" });
        await Expect(wire).ToContainTextAsync("Raspberry Pi 4 Model B Rev 1.4");
        await Expect(wire).ToContainTextAsync("serial 01eeffc0");

        recorder.Fetched(new TftpSighting(new BootClient(System.Net.IPAddress.Parse("10.0.0.7"), mac), "01eeffc0/start4.elf", TftpOutcome.Failed, 0, "reading start4.elf: broken disk"));
        await Expect(wire).ToContainTextAsync("could not be sent");
        ILocator link = wire.GetByRole(AriaRole.Link, new() { Name = "dc:a6:32:01:36:c2" });
        await link.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        ILocator boot = page.GetByRole(AriaRole.Region, new() { Name = "Boot" });
        await Expect(boot.GetByRole(AriaRole.List, new() { Name = "Findings" })).ToContainTextAsync("See that the file can be read");
        await Expect(boot.GetByRole(AriaRole.List, new() { Name = "Timeline" }).GetByRole(AriaRole.Listitem)).ToHaveCountAsync(2);
        Assert.Equal(360, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        await PageFixture.KeepAsync(page, "board-on-the-wire", whole: true);

        await using SimulatedNode node = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("1000000001eeffc0"), NodeRole.NetInst, "arm64", Cancelled);
        await Expect(page.GetByText("This board is the node")).ToBeVisibleAsync();
        await page.GotoAsync(new Uri(appliance.Url, "nodes").ToString());
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-eeffc0" })).ToContainTextAsync("In NetInst");
        await Expect(wire).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Dhcp_is_set_on_the_page_and_what_cannot_be_is_said_there()
    {
        await using TestAppliance appliance = await TestAppliance.StartWithDhcpAsync(new DhcpSettings(DhcpMode.Proxy), "absent0", PageFixture.BuiltPage);
        var mac = new MacAddress(0xdca6320136c2);
        appliance.Services.GetRequiredService<ILeaseStore>().Save(new Lease(mac, System.Net.IPAddress.Parse("10.9.0.51"), TimeProvider.System.GetUtcNow().AddHours(3)));
        IPage page = await browser.SignInAsync(appliance, new() { ViewportSize = new() { Width = 1200, Height = 900 } });
        await page.GotoAsync(new Uri(appliance.Url, "settings").ToString());
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

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task A_board_is_marked_labelled_found_and_its_changes_are_told(ColorScheme colours)
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef01"), NodeRole.NetInst, "arm64", Cancelled);
        await using SimulatedNode other = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef02"), NodeRole.NetInst, "arm64", Cancelled);
        IPage page = await browser.SignInAsync(appliance, new() { ViewportSize = new() { Width = 1360, Height = 900 }, ColorScheme = colours });
        ILocator row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-cdef01" });
        await Expect(row).ToContainTextAsync("Unseen");

        await page.GotoAsync(new Uri(appliance.Url, "nodes/" + node.Id).ToString());
        await page.GetByRole(AriaRole.Button, new() { Name = "Mark as seen" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Unseen" })).ToHaveCountAsync(0);
        DiskInfo card = node.Inventory.Disks[0] with { Model = "SN64G", Serial = "0x7e650771", SizeBytes = 63_864_569_856, Card = new CardInfo("SD", "SanDisk", "SN64G", "11/2022", "0x7e650771") };
        NetworkInterfaceInfo port = node.Inventory.Interfaces[0] with { SpeedMbit = 1000, Switch = new SwitchPort("00:11:22:33:44:55", "Gi1/0/7", "shelf 2", "rack-3", "10.0.0.2") };
        node.Inventory = node.Inventory with { Disks = [card], Interfaces = [port] };
        await node.RestartAsync(NodeRole.Slave, cancellation: Cancelled);
        ILocator changes = page.GetByRole(AriaRole.Region, new() { Name = "Changes" });
        await Expect(changes).ToContainTextAsync("SanDisk SN64G 63.9 GB 0x7e650771");
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Unseen" })).ToContainTextAsync("Changed");
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
        await page.GetByRole(AriaRole.Button, new() { Name = "Mark as seen" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Table)).Not.ToContainTextAsync("Unseen");
        await Expect(row).Not.ToContainTextAsync("Changed");

        IDownload download = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Link, new() { Name = "CSV" }).ClickAsync());
        Assert.Contains("camera rack-3,", await File.ReadAllTextAsync(await download.PathAsync(), Cancelled), StringComparison.Ordinal);
    }

    /// <summary>Copies of a node in all the states that there are.</summary>
    private static JsonArray Herd(JsonNode one, int count) => new([.. Enumerable.Range(0, count).Select(i =>
    {
        JsonNode copy = one.DeepClone();
        copy["id"] = $"herd-{i:0000}";
        copy["name"] = $"rack-{i:000}";
        copy["address"] = $"10.0.{i / 250}.{i % 250 + 2}";
        copy["link"] = (i % 4) switch { 0 => "offline", 1 => "net-inst", _ => "slave" };
        copy["lifecycle"] = (i % 4) switch { 0 => "unbootable", 1 => "installing", 2 => "installed", _ => "new" };
        if (i % 4 == 1)
        {
            copy["task"] = new JsonObject
            {
                ["id"] = Guid.NewGuid().ToString(),
                ["jobId"] = Guid.NewGuid().ToString(),
                ["kind"] = "install",
                ["state"] = "running",
                ["phase"] = "writing",
                ["done"] = i,
                ["total"] = count,
                ["unit"] = "bytes",
                ["rate"] = 31e6,
            };
        }
        return copy;
    })]);

    private static async Task ImportAsync(TestAppliance appliance, string name)
    {
        using HttpClient client = appliance.CreateClient();
        using var content = new ByteArrayContent(TinyImage.Create());
        using HttpResponseMessage response = await client.PostAsync($"images?name={name}&architecture=arm64", content, Cancelled);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Cancelled));
    }

    private static async Task InstallAsync(IPage page, string name)
    {
        await page.GetByRole(AriaRole.Checkbox, new() { Name = $"Select {name}" }).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Install …" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Textbox).FillAsync(name);
        await page.GetByRole(AriaRole.Button, new() { Name = "Erase and install" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex("/jobs/"));
    }
}
