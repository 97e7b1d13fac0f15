using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Storage;
using Bootstrap.Support;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Bootstrap.Browser.Tests;

/// <summary>Jobs, from the order to the end of each of their tasks.</summary>
public sealed class JobPageTests(PageFixture browser) : PageTest
{
    [Fact]
    public async Task Boot_firmware_is_updated_node_by_node_and_what_failed_is_ordered_again_after_a_question()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef01"), NodeRole.Slave,
            "arm64", Cancelled);
        await using SimulatedNode other = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef02"),
            NodeRole.Slave, "arm64", Cancelled);
        IPage page = await browser.SignInAsync(appliance);

        await page.GetByRole(AriaRole.Checkbox, new() { Name = "Select all that are shown" }).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Update firmware …" }).ClickAsync();
        ILocator dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog).ToContainTextAsync("Update the boot firmware of 2 nodes?");
        await dialog.GetByRole(AriaRole.Checkbox, new() { Name = "I have looked at their supply" }).CheckAsync();
        await PageFixture.KeepAsync(page, "firmware-order");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Update and restart" }).ClickAsync();

        StartTask order = await node.AcceptTaskAsync(Cancelled);
        Assert.Equal(new FirmwareOrder(null, PowerChecked: true), order.Order);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Update boot firmware" })).ToBeVisibleAsync();
        ILocator row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-cdef01" });
        await node.ReportAsync(order.TaskId, "staging", 0, 0, Cancelled);
        await Expect(row).ToContainTextAsync("preparing the next start");
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-cdef02" })).ToContainTextAsync("Queued");
        await node.SendAsync(new TaskEnded(order.TaskId, false, false, "the supply's voltage is too low now (throttled=0x50005)",
            DiskState.Untouched), Cancelled);
        await Expect(page.GetByText("1 of 2 nodes failed, and the roll-out stops after 1.", new() { Exact = true })).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Retry 1 failed" }).ClickAsync();
        await Expect(dialog).ToContainTextAsync("Update the boot firmware of node-cdef01?");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Update and restart" }).ClickAsync();
        Assert.NotEqual(order.TaskId, (await node.ReceiveAsync<StartTask>(Cancelled)).TaskId);
    }

    [Fact]
    public async Task What_all_nodes_say_of_a_command_is_shown_as_it_comes_and_the_command_is_ended()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef01"), NodeRole.Slave,
            "arm64", Cancelled);
        await using SimulatedNode other = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef02"),
            NodeRole.Slave, "arm64", Cancelled);
        using HttpClient api = appliance.CreateClient();
        using HttpResponseMessage made = await api.PostAsJsonAsync("jobs",
            new { kind = "run", nodes = new[] { "all" }, parameters = new { command = new[] { "yes" } } }, Cancelled);
        string job = (await made.Content.ReadFromJsonAsync<JsonNode>(Cancelled))!["job"]!["id"]!.ToString();
        (Guid one, Guid two) = ((await node.AcceptTaskAsync(Cancelled)).TaskId, (await other.AcceptTaskAsync(Cancelled)).TaskId);
        await node.SendAsync(new LogLines(one, ["said before"]), Cancelled);
        IPage page = await browser.SignInAsync(appliance);
        await page.GotoAsync(new Uri(appliance.Url, $"jobs/{job}").ToString());
        ILocator output = page.GetByRole(AriaRole.Region, new() { Name = "Output" }), lines = output.GetByRole(AriaRole.Log).Locator("div");
        await Expect(lines).ToContainTextAsync(["node-cdef01 said before"]);
        await other.SendAsync(new LogLines(two, ["<b>y</b>"]), Cancelled);
        await Expect(lines).ToContainTextAsync(["node-cdef01 said before", "node-cdef02 <b>y</b>"]);
        await PageFixture.KeepAsync(page, "job-output", whole: true);
        await output.GetByRole(AriaRole.Searchbox).FillAsync("CDEF02");
        await Expect(lines).ToHaveCountAsync(1);

        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel all 2 …" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Cancel the tasks" }).ClickAsync();
        await node.ReceiveAsync<CancelTask>(Cancelled);
        await other.ReceiveAsync<CancelTask>(Cancelled);
    }

    [Fact]
    public async Task An_installation_is_ordered_with_a_typed_confirmation_and_followed_to_its_end()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await ImportAsync(appliance, "debian-12-arm64");
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef01"),
            NodeRole.NetInst, "arm64", Cancelled);
        IPage page = await browser.SignInAsync(appliance);

        await page.GetByRole(AriaRole.Checkbox, new() { Name = "Select node-cdef01" }).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Install …" }).ClickAsync();
        foreach (string step in new[] { "Image", "Customisation", "Roll-out", "Confirmation" })
        {
            await NextAsync(page, step);
        }
        await Expect(page.GetByRole(AriaRole.List, new() { Name = "Disks that will be erased" }))
            .ToContainTextAsync("mmcblk0, 31.9 GB SD32G, loses whatever is on it");
        ILocator erase = page.GetByRole(AriaRole.Button, new() { Name = "Erase and install 1 node" });
        await page.GetByRole(AriaRole.Textbox, new() { Name = "Type 1 to confirm" }).FillAsync("2");
        await Expect(erase).ToBeDisabledAsync();
        await ConfirmAsync(page, 1);

        StartTask order = await node.AcceptTaskAsync(Cancelled);
        Assert.IsType<InstallOrder>(order.Order);
        ILocator row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-cdef01" });
        await node.ReportAsync(order.TaskId, "writing", ImageBytes / 10, ImageBytes, Cancelled);
        await Expect(row).ToContainTextAsync("writing · 13 %");
        await node.ReportAsync(order.TaskId, "writing", ImageBytes / 2, ImageBytes, Cancelled);
        await Expect(row).ToContainTextAsync("writing · 38 %");
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
    public async Task Cancelling_says_what_becomes_of_the_disk_before_and_after()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await ImportAsync(appliance, "debian-12-arm64");
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef01"),
            NodeRole.NetInst, "arm64", Cancelled);
        IPage page = await browser.SignInAsync(appliance);
        await InstallAsync(page, "node-cdef01");
        StartTask order = await node.AcceptTaskAsync(Cancelled);
        await node.ReportAsync(order.TaskId, "writing", ImageBytes / 4, ImageBytes, Cancelled);
        await Expect(page.GetByRole(AriaRole.Table)).ToContainTextAsync("writing · 22 %");

        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel node-cdef01" }).ClickAsync();
        ILocator dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog).ToContainTextAsync("partly written and will not start until an installation ends well");
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
    public async Task Failures_stand_together_by_cause_and_can_be_ordered_again()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await ImportAsync(appliance, "debian-12-arm64");
        await using Rack rack = await Rack.ConnectAsync(appliance, 4, Cancelled);
        IPage page = await browser.SignInAsync(appliance);
        await page.GetByRole(AriaRole.Checkbox, new() { Name = "Select all that are shown" }).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Install …" }).ClickAsync();
        foreach (string step in new[] { "Image", "Customisation", "Roll-out", "Confirmation" })
        {
            await NextAsync(page, step);
        }
        await ConfirmAsync(page, 4);

        foreach (SimulatedNode node in rack.Nodes.Take(2))
        {
            StartTask order = await node.AcceptTaskAsync(Cancelled);
            await node.SendAsync(new TaskEnded(order.TaskId, false, false, "disk mmcblk0 is read-only (a card's lock switch?)",
                DiskState.Untouched), Cancelled);
        }
        StartTask written = await rack.Nodes[2].AcceptTaskAsync(Cancelled);
        await rack.Nodes[2].ReportAsync(written.TaskId, "verifying", ImageBytes / 3, ImageBytes, Cancelled);
        await rack.Nodes[2].SendAsync(new LogLines(written.TaskId, ["verifying: read back what was written"]), Cancelled);

        ILocator alert = page.GetByRole(AriaRole.Alert);
        await Expect(alert).ToContainTextAsync("2 nodes: disk mmcblk0 is read-only");
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-000003" })).ToContainTextAsync("reading back · 76 %");
        await PageFixture.KeepAsync(page, "job-partly-failed");
        await page.GetByRole(AriaRole.Button, new() { Name = "Log of node-000003" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Log)).ToContainTextAsync("read back what was written");
        await page.Keyboard.PressAsync("Escape");

        await page.GetByRole(AriaRole.Button, new() { Name = "Retry 2 failed" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.List, new() { Name = "Disks that will be erased" }).GetByRole(AriaRole.Listitem))
            .ToHaveCountAsync(2);
        await page.Keyboard.PressAsync("Escape");
        await page.GotoAsync(new Uri(appliance.Url, "nodes/" + rack.Nodes[2].Id).ToString());
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Current task" })).ToContainTextAsync("reading back · 76 %");
        await Expect(page.GetByRole(AriaRole.Log)).ToContainTextAsync("read back what was written");
        await PageFixture.KeepAsync(page, "node");
    }

    [Theory]
    [InlineData(1440, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task Every_bar_of_a_job_shows_the_same_and_its_steps_are_those_that_it_has(int width, ColorScheme colours)
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await ImportAsync(appliance, "debian-12-arm64");
        await using Rack rack = await Rack.ConnectAsync(appliance, 4, Cancelled);
        using HttpClient api = appliance.CreateClient();
        using HttpResponseMessage ordered = await api.PostAsJsonAsync("jobs",
            new { kind = "install", nodes = new[] { "all" }, image = "debian-12-arm64" }, Cancelled);
        string job = (await ordered.Content.ReadFromJsonAsync<JsonNode>(Cancelled))!["job"]!["id"]!.ToString();
        StartTask[] orders = await Task.WhenAll(rack.Nodes.Select(n => n.AcceptTaskAsync(Cancelled)));
        for (int i = 0; i < 2; i++)
        {
            await rack.Nodes[i].SendAsync(new TaskEnded(orders[i].TaskId, false, false, "no card", DiskState.Untouched), Cancelled);
        }
        await rack.Nodes[2].ReportAsync(orders[2].TaskId, "verifying", 12, 100, Cancelled);
        IPage page = await browser.SignInAsync(appliance,
            new() { ViewportSize = new() { Width = width, Height = 900 }, ColorScheme = colours });

        // Two have ended, the third has 72.4 % behind it, the fourth has only taken its order: 68 % of all.
        await page.GotoAsync(new Uri(appliance.Url, $"jobs/{job}").ToString());
        await Expect(page.GetByRole(AriaRole.Progressbar, new() { Name = "Whole job" })).ToHaveAttributeAsync("aria-valuenow", "68");
        await Expect(page.GetByRole(AriaRole.Link, new() { NameRegex = new Regex("2 tasks under way") })).ToContainTextAsync("68 %");
        ILocator row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-000003" });
        await Expect(row).ToContainTextAsync("reading back · 72 %");
        await Expect(row.GetByRole(AriaRole.Progressbar)).ToHaveAttributeAsync("aria-valuenow", "72");
        await PageFixture.KeepAsync(page, $"job-bars-{width}", whole: true);

        await page.GotoAsync(new Uri(appliance.Url, $"nodes/{rack.Nodes[2].Id}").ToString());
        ILocator task = page.GetByRole(AriaRole.Region, new() { Name = "Current task" });
        await Expect(task).ToContainTextAsync("reading back · 72 %");
        await Expect(task.GetByRole(AriaRole.Progressbar)).ToHaveAttributeAsync("aria-valuenow", "72");
        await Expect(task.GetByRole(AriaRole.List, new() { Name = "Phases" }).GetByRole(AriaRole.Listitem))
            .ToHaveTextAsync(["checking", "writing", "reading back", "configuring", "starting the new system"]);
        await PageFixture.KeepAsync(page, $"node-bar-{width}", whole: true);
    }

    [Fact]
    public async Task An_order_is_undone_while_no_node_has_heard_of_it()
    {
        // The time in which an order can be undone passes when this says so.
        var clock = new SettableClock();
        await using TestAppliance appliance = await TestAppliance.StartAsync(PageFixture.BuiltPage, clock);
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef01"), NodeRole.Slave,
            "arm64", Cancelled);
        IPage page = await browser.SignInAsync(appliance);
        await page.GetByRole(AriaRole.Checkbox, new() { Name = "Select node-cdef01" }).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Reboot …" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Reboot now" }).ClickAsync();
        ILocator undo = page.GetByRole(AriaRole.Button, new() { Name = "Undo" });
        await Expect(undo).ToBeVisibleAsync();
        await PageFixture.KeepAsync(page, "job-undo");
        await undo.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-cdef01" })).ToContainTextAsync("undone before anything " +
            "was sent to the node");
        await Expect(undo).ToBeHiddenAsync();

        // What it hears first is the next order, after which there is nothing to undo.
        await page.GetByRole(AriaRole.Link, new() { Name = "Nodes", Exact = true }).First.ClickAsync();
        await page.GetByRole(AriaRole.Checkbox, new() { Name = "Select node-cdef01" }).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Shut down …" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Shut down now" }).ClickAsync();
        await Expect(undo).ToBeVisibleAsync();
        clock.Advance(TimeSpan.FromSeconds(11));
        Assert.IsType<ShutdownOrder>((await node.AcceptTaskAsync(Cancelled)).Order);
        await Expect(undo).ToBeHiddenAsync();
    }

    [Fact]
    public async Task A_job_is_paused_and_goes_on()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using Rack rack = await Rack.ConnectAsync(appliance, 2, Cancelled);
        using HttpClient api = appliance.CreateClient();
        JsonNode made = (await (await api.PostAsJsonAsync("jobs",
            new { kind = "reboot", nodes = new[] { "all" }, rollout = new { canary = 1 } }, Cancelled))
            .Content.ReadFromJsonAsync<JsonNode>(Cancelled))!;
        IPage page = await browser.SignInAsync(appliance);
        await page.GotoAsync(new Uri(appliance.Url, $"jobs/{made["job"]!["id"]}").ToString());
        await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("Batch 1 waits for the end of the canary.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Pause" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("Paused: nothing more begins.");
        ILocator second = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-000002" });
        await Expect(second).ToContainTextAsync("Queued");
        await rack.Nodes[0].AcceptTaskAsync(Cancelled);
        await rack.Nodes[0].RestartAsync(NodeRole.NetInst, cancellation: Cancelled);
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-000001" })).ToContainTextAsync("Succeeded");
        await Expect(second).ToContainTextAsync("Queued");
        await PageFixture.KeepAsync(page, "job-paused");
        await page.GetByRole(AriaRole.Button, new() { Name = "Resume" }).ClickAsync();
        await Expect(second).ToContainTextAsync("Sent");
    }

    [Theory]
    [InlineData(1360, ColorScheme.Light)]
    [InlineData(360, ColorScheme.Dark)]
    public async Task A_task_has_a_timeline_and_a_log_that_is_followed_filtered_and_saved(int width, ColorScheme colours)
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await ImportAsync(appliance, "debian-12-arm64");
        await using Rack rack = await Rack.ConnectAsync(appliance, 3, Cancelled);
        using HttpClient api = appliance.CreateClient();
        JsonNode made = (await (await api.PostAsJsonAsync("jobs",
            new { kind = "install", nodes = new[] { "all" }, image = "debian-12-arm64" }, Cancelled))
            .Content.ReadFromJsonAsync<JsonNode>(Cancelled))!;
        IPage page = await browser.SignInAsync(appliance,
            new() { ViewportSize = new() { Width = width, Height = 850 }, ColorScheme = colours });
        await page.GotoAsync(new Uri(appliance.Url, $"jobs/{made["job"]!["id"]}").ToString());
        ILocator first = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-000001" });
        StartTask order = await rack.Nodes[0].AcceptTaskAsync(Cancelled);
        await rack.Nodes[0].ReportAsync(order.TaskId, "checking", 0, 0, Cancelled);
        await Expect(first).ToContainTextAsync(new Regex("checking [0-9]+ s"));
        await rack.Nodes[0].ReportAsync(order.TaskId, "writing", ImageBytes / 3, ImageBytes, Cancelled);
        await Expect(first).ToContainTextAsync(new Regex("writing · 28 %.*writing [0-9]+ s"));

        // Blocks and digests differ from node to node; the cause is one.
        foreach ((SimulatedNode node, int block) in new[] { (rack.Nodes[1], 1412), (rack.Nodes[2], 99) })
        {
            StartTask other = await node.AcceptTaskAsync(Cancelled);
            await node.SendAsync(new TaskEnded(other.TaskId, false, false, $"writing block {block} to /dev/mmcblk0: Input/output error",
                DiskState.Untouched), Cancelled);
        }
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("2 nodes: writing block");
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("the same with other numbers");
        await PageFixture.KeepAsync(page, $"job-timeline-{width}", whole: true);
        await page.GetByRole(AriaRole.Link, new() { Name = "2 failed" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Table, new() { Name = "Tasks" })).Not.ToContainTextAsync("node-000001");
        await page.GetByRole(AriaRole.Button, new() { Name = "Show all" }).ClickAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Log of node-000001" }).ClickAsync();
        ILocator dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog.GetByRole(AriaRole.List, new() { Name = "Timeline" }))
            .ToContainTextAsync(new Regex("sent.*checking.*writing.*so far"));
        await rack.Nodes[0].SendAsync(new LogLines(order.TaskId, [.. Enumerable.Range(1, 200).Select(i => $"block {i} is written")]),
            Cancelled);
        ILocator log = dialog.GetByRole(AriaRole.Log);
        await Expect(log.GetByText("block 200 is written")).ToBeInViewportAsync();
        await PageFixture.KeepAsync(page, $"task-log-{width}");
        await log.FocusAsync();
        await page.Keyboard.PressAsync("Home");
        ILocator follow = dialog.GetByRole(AriaRole.Checkbox, new() { Name = "Follow" });
        await Expect(follow).Not.ToBeCheckedAsync();
        await rack.Nodes[0].SendAsync(new LogLines(order.TaskId, ["block 201 is written"]), Cancelled);
        await Expect(dialog).ToContainTextAsync("201 lines");
        await Expect(log.GetByText("block 1 is written")).ToBeInViewportAsync();
        await follow.CheckAsync();
        await Expect(log.GetByText("block 201 is written")).ToBeInViewportAsync();
        await dialog.GetByRole(AriaRole.Searchbox).FillAsync("block 20");
        await Expect(dialog).ToContainTextAsync("3 of 201 lines");
        IDownload download = await page.RunAndWaitForDownloadAsync(() => dialog.GetByRole(AriaRole.Button, new() { Name = "Download" })
            .ClickAsync());
        Assert.Equal("node-000001-install.log", download.SuggestedFilename);
        Assert.Equal(3, (await File.ReadAllLinesAsync(await download.PathAsync(), Cancelled)).Length);
    }

    [Fact]
    public async Task Jobs_are_listed_by_pages_and_filtered_in_the_address()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using Rack rack = await Rack.ConnectAsync(appliance, 1, Cancelled);
        string[] ids = [.. Enumerable.Range(1, 120).Select(i => Guid.CreateVersion7(DateTimeOffset.UnixEpoch.AddDays(i)).ToString())];
        appliance.Services.GetRequiredService<Database>().Write(c =>
        {
            c.Execute("INSERT INTO jobs (id, kind, parameters, created_at, created_by) VALUES (@id, @kind, @parameters, @at, 'api')",
                ids.Select((id, i) => new
                {
                    id,
                    kind = i % 2 == 0 ? "run" : "reboot",
                    parameters = i % 2 == 0 ? $$"""{"shell":"echo {{i}}."}""" : "{}",
                    at = i * 1000,
                }));
            c.Execute("INSERT INTO tasks (id, job_id, node_id, state, created_at, phase_at, ended_at) VALUES (@id, @job, @node, @state, " +
                "0, 0, 1)",
                ids.Select((job, i) => new
                {
                    id = Guid.NewGuid().ToString(),
                    job,
                    node = rack.Nodes[0].Id.ToString(),
                    state = i % 10 == 0
                    ? "Failed" : "Succeeded"
                }));
        });
        IPage page = await browser.SignInAsync(appliance);
        await page.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Link, new() { Name = "Jobs" }).ClickAsync();
        ILocator table = page.GetByRole(AriaRole.Table, new() { Name = "Jobs" });
        await Expect(table).ToHaveAttributeAsync("aria-rowcount", "51");
        await page.GetByRole(AriaRole.Combobox, new() { Name = "Kind" }).SelectOptionAsync("Run");
        await Expect(page).ToHaveURLAsync(new Regex("/jobs\\?kind=run$"));
        await Expect(table).ToContainTextAsync("Run echo 118.");
        await Expect(table).Not.ToContainTextAsync("Reboot");
        await PageFixture.KeepAsync(page, "jobs");
        await page.GetByRole(AriaRole.Link, new() { Name = "Older than these 50" }).ClickAsync();
        await Expect(table).ToHaveAttributeAsync("aria-rowcount", "11");
        await Expect(table).ToContainTextAsync("Run echo 0.");
        await page.GetByRole(AriaRole.Link, new() { Name = "Newest" }).ClickAsync();
        await Expect(table).ToContainTextAsync("Run echo 118.");
        await page.GoBackAsync();
        await Expect(table).ToContainTextAsync("Run echo 0.");

        // What is typed and chosen begins at the first page.
        await page.GetByRole(AriaRole.Combobox, new() { Name = "State" }).SelectOptionAsync("with failures");
        await page.GetByRole(AriaRole.Searchbox).FillAsync("echo 1");
        await Expect(page).ToHaveURLAsync(new Regex("/jobs\\?kind=run&state=failed&text=echo\\+1$"));
        await Expect(table).ToHaveAttributeAsync("aria-rowcount", "4");
        await Expect(table).ToContainTextAsync(new Regex("Run echo 110\\..*Run echo 100\\..*Run echo 10\\."));
        await page.GetByRole(AriaRole.Searchbox).FillAsync("nothing like it");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No job is like that" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Show all jobs" }).ClickAsync();
        await Expect(table).ToHaveAttributeAsync("aria-rowcount", "51");
        // Nothing of them is too old to be looked at.
        await page.GotoAsync(new Uri(appliance.Url, $"jobs/{ids[0]}").ToString());
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Run echo 0." })).ToBeVisibleAsync();
    }
}
