using System.Collections.Concurrent;
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

        SimulatedNode node = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef01"), NodeRole.NetInst, "arm64",
            Cancelled);
        ILocator row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-cdef01" });
        await Expect(row).ToContainTextAsync("Installer ready");
        await Expect(row).ToContainTextAsync("New");
        await Expect(row).ToContainTextAsync("Pi 4 Model B");

        await node.DisposeAsync();
        await Expect(row).ToContainTextAsync("Offline");
    }

    [Theory]
    [InlineData("nodes")]
    [InlineData("jobs")]
    [InlineData("images")]
    [InlineData("schedules")]
    public async Task Each_list_is_read_once_and_comes_compressed(string path)
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using Rack rack = await Rack.ConnectAsync(appliance, 3, Cancelled);
        IPage page = await browser.SignInAsync(appliance);
        // What the page before still reads is not counted.
        await page.GotoAsync("about:blank");
        var read = new ConcurrentQueue<IResponse>();
        page.Response += (_, response) => read.Enqueue(response);
        // Where the stream of events opens late, as on a busy machine, the page has read the lists before: it must read them again then.
        await page.AddInitScriptAsync("""
            window.EventSource = class extends EventSource {
                constructor(...of) { super(...of); this.addEventListener("open", () => performance.mark("open")); }
            };
            """);
        await page.GotoAsync(new Uri(appliance.Url, path).ToString());
        await Expect(page.GetByRole(AriaRole.Status).Filter(new() { HasText = "Live" })).ToBeVisibleAsync();
        await page.WaitForLoadStateAsync(LoadState.Load);
        // An event shows that whatever was to be read is there.
        await rack.Nodes[0].RestartAsync(NodeRole.Slave, cancellation: Cancelled);
        await page.WaitForTimeoutAsync(1000);
        string[] paths = await page.EvaluateAsync<string[]>("""
            () => performance.getEntriesByType("resource").filter((r) => r.startTime >= performance.getEntriesByName("open")[0].startTime)
                .map((r) => new URL(r.name).pathname)
            """);
        foreach (string list in new[] { "nodes", "boot/boards", "images", "schedules", "policy", "alerts" })
        {
            Assert.Single(paths, p => p == $"/api/v1/{list}");
        }
        // An event says that this list is another one: the boards of this test were on it for a moment.
        Assert.InRange(paths.Count(p => p == "/api/v1/unapproved"), 1, 2);
        // The page of jobs reads its own part of them.
        Assert.InRange(paths.Count(p => p == "/api/v1/jobs"), 1, path == "jobs" ? 2 : 1);
        foreach (IResponse response in read.Where(r =>
            Regex.IsMatch(r.Url, "/api/v1/(nodes|jobs|images)(\\?|$)|/assets/|/(nodes|jobs|images)$")))
        {
            string encoding = (await response.AllHeadersAsync()).GetValueOrDefault("content-encoding", $"none: {response.Url}");
            Assert.Matches("^(br|gzip)$", encoding);
        }
        Assert.Contains(read, r => r.Url.Contains("/assets/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_filter_with_a_field_that_there_is_not_says_which_there_are()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using Rack rack = await Rack.ConnectAsync(appliance, 2, Cancelled);
        IPage page = await browser.SignInAsync(appliance);
        await page.GetByRole(AriaRole.Searchbox).FillAsync("-tga:camera");
        await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("Nodes have no field 'tga': it is one of address, arch,");
        await page.GetByRole(AriaRole.Searchbox).FillAsync("dc:a6");
        await Expect(page.GetByRole(AriaRole.Row)).ToHaveCountAsync(3);
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
        await page.GetByRole(AriaRole.Button, new() { Name = "Select all 3 that match" }).ClickAsync();
        await Expect(page.GetByText("3 nodes selected")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Searchbox).FillAsync("state:offline");
        await Expect(page.GetByText("3 nodes selected (3 not shown by this filter)")).ToBeVisibleAsync();
    }

    [Theory]
    [InlineData(1360, ColorScheme.Light)]
    [InlineData(360, ColorScheme.Dark)]
    public async Task A_new_appliance_tells_the_first_steps_ticks_them_and_then_is_silent(int width, ColorScheme colours)
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        IPage page = await browser.SignInAsync(appliance,
            new() { ViewportSize = new() { Width = width, Height = 850 }, ColorScheme = colours });
        ILocator steps = page.GetByRole(AriaRole.Region, new() { Name = "First steps" });
        await Expect(steps.GetByRole(AriaRole.Listitem)).ToContainTextAsync(
            ["Add an image", "Let boards find this applianceDHCP is off here", "Plug a board in", "Set a password"]);
        await Expect(steps.GetByText("(done)")).ToHaveCountAsync(0);
        await PageFixture.KeepAsync(page, $"first-steps-{width}", whole: true);
        await steps.GetByRole(AriaRole.Link, new() { Name = "set a password" }).ClickAsync();
        await page.GetByLabel("New password").FillAsync("correct horse");
        await page.GetByLabel("Confirm password").FillAsync("correct horse");
        await page.GetByRole(AriaRole.Button, new() { Name = "Set password" }).ClickAsync();
        await Expect(page.GetByText("Saved.")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Nodes", Exact = true }).ClickAsync();
        await Expect(steps.GetByRole(AriaRole.Listitem).Last).ToContainTextAsync("(done)");

        await using SimulatedNode node = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef01"),
            NodeRole.NetInst, "arm64", Cancelled);
        await Expect(steps.GetByRole(AriaRole.Listitem).Nth(2)).ToContainTextAsync("(done)");
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-cdef01" })).ToBeVisibleAsync();
        await PageFixture.KeepAsync(page, $"first-steps-board-{width}", whole: true);
        await ImportAsync(appliance, "debian-12-arm64");
        await Expect(steps).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Columns_and_density_are_chosen_and_this_browser_keeps_them()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using Rack rack = await Rack.ConnectAsync(appliance, 2, Cancelled);
        IPage page = await browser.SignInAsync(appliance);
        ILocator heads = page.GetByRole(AriaRole.Columnheader);
        await Expect(heads.Filter(new() { HasText = "Model" })).ToBeVisibleAsync();
        int height = await RowHeightAsync(page);

        await page.GetByRole(AriaRole.Button, new() { Name = "View" }).ClickAsync();
        ILocator menu = page.GetByRole(AriaRole.Dialog, new() { Name = "View" });
        await menu.GetByRole(AriaRole.Checkbox, new() { Name = "Model" }).UncheckAsync();
        await menu.GetByRole(AriaRole.Checkbox, new() { Name = "MAC address" }).CheckAsync();
        await menu.GetByRole(AriaRole.Radio, new() { Name = "Compact" }).CheckAsync();
        await PageFixture.KeepAsync(page, "nodes-view-menu");
        await page.Keyboard.PressAsync("Escape");
        await Expect(menu).ToBeHiddenAsync();

        await page.ReloadAsync();
        await Expect(heads.Filter(new() { HasText = "MAC address" })).ToBeVisibleAsync();
        await Expect(heads.Filter(new() { HasText = "Model" })).ToHaveCountAsync(0);
        Assert.True(await RowHeightAsync(page) < height);
        await PageFixture.KeepAsync(page, "nodes-compact");
    }

    [Fact]
    public async Task Each_axis_of_the_state_is_counted_filters_and_is_exported_as_it_is_filtered()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using Rack rack = await Rack.ConnectAsync(appliance, 3, Cancelled);
        await rack.Nodes[2].DisconnectAsync(Cancelled);
        IPage page = await browser.SignInAsync(appliance);
        ILocator offline = page.GetByRole(AriaRole.Button, new() { Name = "Offline 1" });
        await offline.ClickAsync();
        await Expect(offline).ToHaveAttributeAsync("aria-pressed", "true");
        ILocator row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "node-000003" });
        await Expect(row).ToContainTextAsync("OfflineNew");
        await Expect(page.GetByRole(AriaRole.Row)).ToHaveCountAsync(2);
        // The one axis is swapped, the other one is added.
        await page.GetByRole(AriaRole.Button, new() { Name = "Installer ready 2" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "New 3" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Searchbox)).ToHaveValueAsync("state:netinst state:new");
        await Expect(page.GetByRole(AriaRole.Row)).ToHaveCountAsync(3);

        IDownload download = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Link, new() { Name = "CSV" })
            .ClickAsync());
        string csv = await File.ReadAllTextAsync(await download.PathAsync(), Cancelled);
        Assert.Contains("node-000002,", csv, StringComparison.Ordinal);
        Assert.DoesNotContain("node-000003,", csv, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_is_uploaded_and_deployed_and_is_there_for_the_next_time()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef01"), NodeRole.Slave,
            "arm64", Cancelled);
        IPage page = await browser.SignInAsync(appliance);
        await page.GetByRole(AriaRole.Checkbox, new() { Name = "Select node-cdef01" }).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Deploy files …" }).ClickAsync();
        ILocator dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("A new file")
            .SetInputFilesAsync(new FilePayload { Name = "site.tar.gz", MimeType = "application/gzip", Buffer = new byte[1000] });
        await Expect(dialog.GetByRole(AriaRole.Checkbox, new() { Name = "Unpack it" })).ToBeCheckedAsync();
        await dialog.GetByLabel("A new file")
            .SetInputFilesAsync(new FilePayload { Name = "motd", MimeType = "text/plain", Buffer = "Welcome\n"u8.ToArray() });
        await dialog.GetByLabel("Path on the nodes").FillAsync("etc/motd");
        await dialog.GetByLabel("Mode").FillAsync("0640");
        await dialog.GetByLabel("Shell command afterwards").FillAsync("systemctl reload motd");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Upload and deploy" }).ClickAsync();
        await Expect(dialog.GetByRole(AriaRole.Alert)).ToContainTextAsync("path");
        await PageFixture.KeepAsync(page, "deploy-dialog");
        await dialog.GetByLabel("Path on the nodes").FillAsync("/etc/motd");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Upload and deploy" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Deploy files to /etc/motd" })).ToBeVisibleAsync();

        DeployOrder order = Assert.IsType<DeployOrder>((await node.AcceptTaskAsync(Cancelled)).Order);
        Assert.Equal(("/etc/motd", "root", Convert.ToInt32("640", 8), false), (order.Path, order.Owner, order.Mode, order.Unpack));
        Assert.Contains("systemctl reload motd", order.Command);
        await page.GotoAsync(new Uri(appliance.Url, "nodes/" + node.Id).ToString());
        await page.GetByRole(AriaRole.Button, new() { Name = "Deploy files …" }).ClickAsync();
        await Expect(dialog.GetByLabel("or one that is here already")).ToContainTextAsync("motd, 8 B");
    }

    [Fact]
    public async Task A_thousand_boards_are_listed_and_filtered_and_cost_the_page_what_a_hundred_do()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef01"),
            NodeRole.NetInst, "arm64", Cancelled);
        // The one board that there is, many times under other names.
        using HttpClient client = appliance.CreateClient();
        JsonNode one = JsonNode.Parse(await client.GetStringAsync("nodes", Cancelled))![0]!;
        PageCost hundred = await CostAsync(await OpenHerdAsync(appliance, one, 100));
        IPage page = await OpenHerdAsync(appliance, one, 1000);
        PageCost thousand = await CostAsync(page);
        TestContext.Current.TestOutputHelper!.WriteLine($"100 nodes: {hundred}\n1,000 nodes: {thousand}\nfilter: " +
            $"{thousand.FilterMilliseconds / hundred.FilterMilliseconds:0.00} times, scroll: " +
                $"{thousand.ScrollMilliseconds / hundred.ScrollMilliseconds:0.00} times, processor: " +
                    $"{thousand.Processor / hundred.Processor:0.00} times");
        // What is in the document is what can be seen and a little around it, however many there are.
        Assert.True(thousand.Rows < 2.5 * hundred.Rows, $"{thousand.Rows} rows of 1,000, {hundred.Rows} of 100");

        await page.EvaluateAsync("scrollTo(0, 0)");
        await PageFixture.KeepAsync(page, "thousand-nodes");
        await page.EvaluateAsync("scrollTo(0, document.body.scrollHeight)");
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "rack-999" })).ToBeInViewportAsync();
        await Expect(page.GetByRole(AriaRole.Table, new() { Name = "Nodes" })).ToHaveAttributeAsync("aria-rowcount", "1001");
        await PageFixture.KeepAsync(page, "thousand-nodes-end");
        await page.GetByRole(AriaRole.Searchbox).FillAsync("state:unbootable name:99");
        await page.GetByRole(AriaRole.Button, new() { Name = "Select all 2 that match" }).ClickAsync();
        await Expect(page.GetByText("2 nodes selected")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Dark colours" }).ClickAsync();
        await page.GetByRole(AriaRole.Searchbox).FillAsync("rack-0");
        await PageFixture.KeepAsync(page, "thousand-nodes-dark");
    }

    /// <summary>What a list of nodes costs: rows in the document at its most, and the medians of what a letter in the filter and a step of
    /// the scroll take until they are painted.</summary>
    /// <param name="Processor">What each of these steps takes of a processor on average, in milliseconds: other work on the machine does
    /// not count.</param>
    private sealed record PageCost(
        int Rows, double FilterMilliseconds, double WorstFilterMilliseconds, double ScrollMilliseconds, double WorstScrollMilliseconds,
            double Processor);

    private async Task<IPage> OpenHerdAsync(TestAppliance appliance, JsonNode one, int count)
    {
        IPage page = await browser.OpenAsync();
        string herd = Herd(one, count).ToJsonString();
        await page.RouteAsync("**/api/v1/nodes", route => route.FulfillAsync(new() { ContentType = "application/json", Body = herd }));
        await page.GotoAsync(appliance.SignInLink().ToString());
        await Expect(page.GetByText($"{count:N0} nodes, {count * 3 / 4} connected")).ToBeVisibleAsync();
        return page;
    }

    private static async Task<PageCost> CostAsync(IPage page)
    {
        ICDPSession session = await page.Context.NewCDPSessionAsync(page);
        await session.SendAsync("Performance.enable", new Dictionary<string, object> { ["timeDomain"] = "threadTicks" });
        double before = await ProcessorSecondsAsync(session);
        JsonNode cost = JsonNode.Parse(await page.EvaluateAsync<string>("""
            async () => {
                const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
                const rows = () => document.querySelectorAll("[role=row]").length;
                const field = document.querySelector("input[type=search]");
                const median = (all) => [...all].sort((a, b) => a - b)[all.length >> 1];
                let most = rows();
                async function took(change) {
                    await painted();
                    const start = performance.now();
                    change();
                    await painted();
                    most = Math.max(most, rows());
                    return performance.now() - start;
                }
                const filter = [], scroll = [];
                for (const text of ["r", "ra", "rack-0", "", "state:online", "", "-state:offline", "rack", ""]) {
                    filter.push(await took(() => { field.value = text; field.dispatchEvent(new Event("input", { bubbles: true })); }));
                }
                // Most of a screen at a time, down to the end.
                for (let y = 600; y <= document.body.scrollHeight - innerHeight; y += 600) {
                    scroll.push(await took(() => scrollTo(0, y)));
                }
                return JSON.stringify({
                    steps: filter.length + scroll.length, rows: most, filter: median(filter), worstFilter: Math.max(...filter),
                    scroll: median(scroll), worstScroll: Math.max(...scroll),
                });
            }
            """))!;
        return new PageCost((int)cost["rows"]!, (double)cost["filter"]!, (double)cost["worstFilter"]!, (double)cost["scroll"]!,
            (double)cost["worstScroll"]!,
            (await ProcessorSecondsAsync(session) - before) * 1000 / (int)cost["steps"]!);
    }

    /// <summary>What the page's thread has taken so far.</summary>
    private static async Task<double> ProcessorSecondsAsync(ICDPSession session) =>
        (await session.SendAsync("Performance.getMetrics"))!.Value.GetProperty("metrics").EnumerateArray()
            .Single(metric => metric.GetProperty("name").GetString() == "TaskDuration").GetProperty("value").GetDouble();

    private static async Task<int> RowHeightAsync(IPage page) =>
        await page.GetByRole(AriaRole.Row).Nth(1).EvaluateAsync<int>("row => row.offsetHeight");
}
