using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Protocol.Status;
using Bootstrap.Server.Features.Monitoring.History;
using Bootstrap.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Bootstrap.Browser.Tests;

/// <summary>The rack at a glance, and a board's charts.</summary>
public sealed class RackPageTests(PageFixture browser) : PageTest
{
    [Fact]
    public async Task From_a_hot_tile_one_gets_to_its_charts_measures_its_model_and_finds_it_marked_as_slow()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using var boards = new TellingBoards(appliance);
        for (int i = 0; i < 6; i++)
        {
            await boards.AddAsync(i, "front", i == 4 ? 83 : 45, []);
        }
        boards.Ordered = (number, node, start) =>
            node.SendAsync(Measured.End(start, number == 4 ? 1.05e9 : 1.5e9 + (number * 1e7), null, []), Cancelled);
        IPage page = await browser.SignInAsync(appliance);
        await page.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Link, new() { Name = "Rack" }).ClickAsync();
        await page.Locator(".tile").Filter(new() { HasText = "83 °C" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Status" })).ToContainTextAsync("83.0 °C");
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Charts" }).Locator("canvas").First).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Measure all 6 of its model …" }).ClickAsync();
        ILocator dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Benchmark").SelectOptionAsync("sha256");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Measure", Exact = true }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Measure sha256" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Link, new() { Name = "Benchmarks" }).ClickAsync();
        ILocator rows = page.GetByRole(AriaRole.Table, new() { Name = "Raspberry Pi 4: sha256" }).Locator("[data-key]");
        await Expect(rows).ToHaveCountAsync(6);
        await Expect(rows.Last).ToContainTextAsync("rack-04");
        await Expect(rows.Last).ToContainTextAsync("Slower than its equals");
        await Expect(page.GetByText("Slower than its equals")).ToHaveCountAsync(1);
        await PageFixture.KeepAsync(page, "rack-walk-outlier");
    }

    [Fact]
    public async Task A_thousand_tiles_are_shown_and_go_on_being_told_of_while_they_are_scrolled()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(appliance.Info, NodeId.Parse("10000000abcdef01"),
            NodeRole.Slave, "arm64", Cancelled);
        using HttpClient client = appliance.CreateClient();
        JsonArray herd = Herd(JsonNode.Parse(await client.GetStringAsync("nodes", Cancelled))![0]!, 1000);
        int told = 0;
        IPage page = await browser.OpenAsync();
        await page.RouteAsync("**/api/v1/nodes", route => route.FulfillAsync(new()
        {
            ContentType = "application/json",
            Body = herd.ToJsonString(),
        }));
        // Each answer is the next state of all; the page asks for another one when it has ended.
        await page.RouteAsync("**/api/v1/status/relay", route =>
        {
            int temperature = 40 + Interlocked.Increment(ref told);
            var updates = new JsonArray([.. herd.Select(one => new JsonObject
            {
                ["node"] = one!["id"]!.DeepClone(),
                ["status"] = new JsonObject
                {
                    ["sequence"] = 0,
                    ["at"] = 0,
                    ["whole"] = true,
                    ["values"] = new JsonObject { [Metrics.Temperature] = temperature },
                },
            })]);
            return route.FulfillAsync(new() { ContentType = "text/event-stream", Body = $"data: {updates.ToJsonString()}\n\n" });
        });
        await page.GotoAsync(appliance.SignInLink().ToString());
        await page.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Link, new() { Name = "Rack" }).ClickAsync();
        ILocator tiles = page.Locator(".tile");
        await Expect(tiles).ToHaveCountAsync(1000);
        await Expect(tiles.Nth(999)).ToContainTextAsync(" °C");
        int before = Volatile.Read(ref told);
        double frames = await page.EvaluateAsync<double>("""
            async () => {
                const frame = () => new Promise(requestAnimationFrame);
                const start = performance.now();
                let frames = 0;
                for (let now = start; now - start < 6000; now = performance.now()) {
                    // Down and up again, all of it in three seconds.
                    const part = ((now - start) % 3000) / 1500;
                    scrollTo(0, (part < 1 ? part : 2 - part) * (document.body.scrollHeight - innerHeight));
                    await frame();
                    frames++;
                }
                return frames / (performance.now() - start) * 1000;
            }
            """);
        TestContext.Current.TestOutputHelper!.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"1,000 tiles: {frames:0.0} frames a second"));
        Assert.True(Volatile.Read(ref told) > before);
        await tiles.Nth(999).ScrollIntoViewIfNeededAsync();
        await PageFixture.KeepAsync(page, "rack-thousand");
    }

    [Theory]
    [InlineData(ColorScheme.Light, 1360)]
    [InlineData(ColorScheme.Dark, 1360)]
    [InlineData(ColorScheme.Light, 390)]
    public async Task A_tile_shows_what_its_board_tells_and_what_is_wrong_with_it(ColorScheme colours, int width)
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using var boards = new TellingBoards(appliance);
        for (int i = 0; i < 24; i++)
        {
            SimulatedNode board = await boards.AddAsync(i, i < 12 ? "front" : "back", 35 + (2 * i), i == 3 ? [Metrics.Throttled] : []);
            if (i is 3 or 23)
            {
                MetCondition met = i == 3 ? new("throttled", 1, null, 5) : new("heat", 81, "cpu-thermal", 30);
                await board.SendAsync(new MetConditions([met]), Cancelled);
            }
        }
        IPage page = await browser.SignInAsync(appliance,
            new() { ViewportSize = new() { Width = width, Height = 900 }, ColorScheme = colours });
        await page.GotoAsync(new Uri(appliance.Url, "rack").ToString());
        ILocator front = page.GetByRole(AriaRole.Region, new() { Name = "front" });
        ILocator back = page.GetByRole(AriaRole.Region, new() { Name = "back" });
        await Expect(front.GetByRole(AriaRole.Listitem)).ToHaveCountAsync(12);
        await Expect(front.GetByRole(AriaRole.Link).Filter(new() { HasText = "rack-03" })).ToContainTextAsync("41 °C");
        await Expect(front.GetByRole(AriaRole.Link).Filter(new() { HasText = "rack-03" })).ToContainTextAsync("Throttled");
        ILocator alerts = page.GetByRole(AriaRole.Region, new() { Name = "Alerts" });
        await Expect(alerts.GetByRole(AriaRole.Listitem).Filter(new() { HasText = "rack-23" }))
            .ToContainTextAsync("Heat 81 °C, cpu-thermal");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Rack 2 alerts" })).ToBeVisibleAsync();
        await Expect(back.GetByRole(AriaRole.Link).Filter(new() { HasText = "rack-23" })).ToContainTextAsync("81 °C");
        await PageFixture.KeepAsync(page, $"rack-{colours}-{width}".ToLowerInvariant(), whole: true);
        await page.EmulateMediaAsync(new() { Media = Media.Print });
        await PageFixture.KeepAsync(page, $"rack-{colours}-{width}-print".ToLowerInvariant(), whole: true);
        await page.EmulateMediaAsync(new() { Media = Media.Screen });

        // A change is seen without anything being done.
        boards.Set(5, Metrics.Temperature, 84);
        await Expect(front.GetByRole(AriaRole.Link).Filter(new() { HasText = "rack-05" })).ToContainTextAsync("84 °C");
        await page.GetByLabel("Colour by").SelectOptionAsync(new SelectOptionValue { Label = "CPU busy" });
        await Expect(front.GetByRole(AriaRole.Link).Filter(new() { HasText = "rack-05" })).ToContainTextAsync("5 %");
        await page.GetByLabel("Group by").SelectOptionAsync(new SelectOptionValue { Label = "Nothing" });
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "All nodes" }).GetByRole(AriaRole.Listitem)).ToHaveCountAsync(24);

        // What is over is no longer counted, and can still be read.
        await boards.Nodes[3].SendAsync(new MetConditions([]), Cancelled);
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Rack 1 alert" })).ToBeVisibleAsync();
        await alerts.GetByText("1 alert over").ClickAsync();
        await Expect(alerts.GetByRole(AriaRole.Listitem).Filter(new() { HasText = "rack-03" })).ToContainTextAsync("Throttled");
    }

    [Theory]
    [InlineData(ColorScheme.Light, 1360)]
    [InlineData(ColorScheme.Dark, 390)]
    public async Task A_board_s_page_has_its_status_and_charts_of_what_it_measured(ColorScheme colours, int width)
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using var boards = new TellingBoards(appliance);
        SimulatedNode node = await boards.AddAsync(0, "front", 61, [Metrics.UnderVoltage]);
        SimulatedNode other = await boards.AddAsync(1, "front", 45, []);
        HistoryStore history = appliance.Services.GetRequiredService<HistoryStore>();
        long minute = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / 60;
        for (long i = minute - 600; i < minute; i++)
        {
            double wave = Math.Sin((i - minute) / 40.0); // ends in the middle, whatever time it is
            Assert.Null(history.Add(node.Id, new MinuteSummary(i, new Dictionary<string, Spread>
            {
                [Metrics.Busy] = new(30 + (20 * wave), 40 + (25 * wave), 55 + (40 * wave)),
                [Metrics.Temperature] = new(55 + (5 * wave), 56 + (6 * wave), 58 + (7 * wave)),
                [Metrics.Clock] = new(1400, 1450, 1500),
                [Metrics.MemoryUsed] = new(40, 41, 42),
                [Metrics.Transmit] = new(0, 2e5 + (1e5 * wave), 1e6),
            })));
            Assert.Null(history.Add(other.Id, new MinuteSummary(i, new Dictionary<string, Spread>
            {
                [Metrics.Busy] = new(5, 12 + (5 * wave), 20),
                [Metrics.Temperature] = new(41, 43 - wave, 45),
            })));
        }
        IPage page = await browser.SignInAsync(appliance,
            new() { ViewportSize = new() { Width = width, Height = 900 }, ColorScheme = colours });
        await page.GotoAsync(new Uri(appliance.Url, "nodes/" + node.Id).ToString());
        ILocator status = page.GetByRole(AriaRole.Region, new() { Name = "Status" });
        await Expect(status).ToContainTextAsync("By way of the appliance");
        await Expect(status).ToContainTextAsync("61.0 °C");
        await Expect(status).ToContainTextAsync("under-voltage");
        await Expect(status).ToContainTextAsync("Core 3: 3 %");
        await status.GetByText("Processes that use most").ClickAsync();
        await Expect(status.GetByRole(AriaRole.Row).Filter(new() { HasText = "stress" })).ToContainTextAsync("97.0 %");
        ILocator charts = page.GetByRole(AriaRole.Region, new() { Name = "Charts" });
        // The disk's is not there: nothing was measured of it.
        await Expect(charts.Locator("canvas")).ToHaveCountAsync(5);
        await charts.GetByRole(AriaRole.Button, new() { Name = "24 h" }).ClickAsync();
        await Expect(charts.GetByText(new Regex("1450 MHz"))).ToBeVisibleAsync();
        await PageFixture.KeepAsync(page, $"node-status-{colours}-{width}".ToLowerInvariant(), whole: true);

        await charts.GetByRole(AriaRole.Link, new() { Name = "Compare with others" }).ClickAsync();
        await page.GetByLabel("Add a node").SelectOptionAsync("rack-01");
        await page.GetByRole(AriaRole.Button, new() { Name = "24 h" }).ClickAsync();
        ILocator busy = charts.GetByRole(AriaRole.Figure)
            .Filter(new() { Has = page.GetByRole(AriaRole.Heading, new() { Name = "CPU", Exact = true }) });
        await Expect(busy).ToContainTextAsync(new Regex("rack-00 [0-9.]+ %.*rack-01 1[0-9.]* %"));
        await Expect(charts.Locator("canvas")).ToHaveCountAsync(5);
        await PageFixture.KeepAsync(page, $"compare-{colours}-{width}".ToLowerInvariant(), whole: true);
        await page.GetByRole(AriaRole.Button, new() { Name = "Leave out rack-00" }).ClickAsync();
        await Expect(charts.Locator("canvas")).ToHaveCountAsync(2);
    }
}
