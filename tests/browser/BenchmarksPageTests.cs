using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Bootstrap.Browser.Tests;

/// <summary>Benchmarks, from the order to the board that is slower than its equals.</summary>
public sealed class BenchmarksPageTests(PageFixture browser) : PageTest
{
    /// <summary>Of each node; the last one is throttled and does not count, the one before has been.</summary>
    private static readonly double[] s_speeds = [1.50e9, 1.52e9, 1.51e9, 1.49e9, 1.53e9, 1.05e9, 0.8e9];

    /// <summary>A board that grows hot, and is throttled in the end.</summary>
    private static readonly BenchmarkMoment[] s_moments =
        [.. Enumerable.Range(0, 12).Select(i => new BenchmarkMoment(i, i < 9 ? 1500 : 1000, 60 + (2 * i), 99, 0.3, i >= 9))];

    [Theory]
    [InlineData(1360, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task Nodes_are_measured_and_the_one_that_is_slower_than_its_equals_is_marked(int width, ColorScheme colours)
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using var nodes = new Crowd();
        for (int i = 0; i < s_speeds.Length; i++)
        {
            nodes.All.Add(await SimulatedNode.ConnectAsync(
                appliance.Info, NodeId.Parse($"10000000bbbb000{i}"), NodeRole.Slave, "arm64", Cancelled));
        }
        IPage page = await browser.SignInAsync(appliance,
            new() { ViewportSize = new() { Width = width, Height = 850 }, ColorScheme = colours });
        await page.GotoAsync(new Uri(appliance.Url, "benchmarks").ToString());
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Nothing was measured yet" })).ToBeVisibleAsync();
        await OrderAsync(page, $"{colours}-{width}");
        // The first time, the sixth was throttled.
        await AnswerAsync(nodes, i => i < 5 ? null : BenchmarkFault.Throttled);
        await page.GotoAsync(new Uri(appliance.Url, "benchmarks").ToString());
        await OrderAsync(page, null);
        await AnswerAsync(nodes, i => i < 6 ? null : BenchmarkFault.UnderVoltage);

        await page.GotoAsync(new Uri(appliance.Url, "benchmarks").ToString());
        ILocator table = page.GetByRole(AriaRole.Table, new() { Name = "Raspberry Pi 4: sha256, size 1,048,576, all cores" });
        ILocator rows = table.Locator("[data-key]"); // without the head, which a narrow window does not show
        await Expect(rows).ToHaveCountAsync(6);
        await Expect(rows.First).ToContainTextAsync("1.5 GB/s");
        ILocator slow = rows.Last;
        await Expect(slow).ToContainTextAsync("Slower than its equals: heat");
        await Expect(page.GetByText("Slower than its equals")).ToHaveCountAsync(1);
        ILocator dropped = page.GetByRole(AriaRole.Table, new() { Name = "Results that do not count" });
        await Expect(dropped.Locator("[data-key]").First).ToContainTextAsync("seen: under-voltage");
        await PageFixture.KeepAsync(page, $"benchmarks-{colours}-{width}".ToLowerInvariant(), whole: true);

        await LookAtResultAsync(page, rows.Last, $"{colours}-{width}".ToLowerInvariant());
        await page.GotoAsync(new Uri(appliance.Url, "benchmarks").ToString());
        await page.GetByLabel("Benchmark").SelectOptionAsync("crc32");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Nothing was measured yet" })).ToBeVisibleAsync();
    }

    /// <summary>From the slow one's row to its result, and from there to the node with its history.</summary>
    private static async Task LookAtResultAsync(IPage page, ILocator row, string name)
    {
        await row.GetByRole(AriaRole.Link).Nth(1).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "sha256 on" })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Img, new() { Name = "Temperature over time" })).ToBeVisibleAsync();
        await Expect(page.GetByText("the firmware began to throttle the processor, 1 time")).ToBeVisibleAsync();
        await PageFixture.KeepAsync(page, $"benchmark-result-{name}", whole: true);
        IDownload export = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Link, new() { Name = "JSON" }).ClickAsync());
        using var json = System.Text.Json.JsonDocument.Parse(await File.ReadAllTextAsync(await export.PathAsync()));
        Assert.Equal(10, json.RootElement.GetProperty("samples").GetArrayLength());

        await page.GetByRole(AriaRole.Heading, new() { Name = "sha256 on" }).GetByRole(AriaRole.Link).ClickAsync();
        ILocator part = page.GetByRole(AriaRole.Region, new() { Name = "Benchmarks" });
        await part.ScrollIntoViewIfNeededAsync(); // rows are drawn where they are near
        await Expect(part.Locator("[data-key]")).ToHaveCountAsync(2);
        await Expect(part.Locator("[data-key]").Last).ToContainTextAsync("Does not count");
        await PageFixture.KeepAsync(page, $"benchmark-history-{name}", whole: true);
    }

    private static async Task OrderAsync(IPage page, string? name)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "Measure all nodes …" }).ClickAsync();
        ILocator dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Benchmark").SelectOptionAsync("sha256");
        await dialog.GetByRole(AriaRole.Checkbox, new() { Name = "On all cores at once" }).CheckAsync();
        if (name is not null)
        {
            await PageFixture.KeepAsync(page, $"benchmark-order-{name}".ToLowerInvariant());
        }
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Measure", Exact = true }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Measure sha256" })).ToBeVisibleAsync();
    }

    private async Task AnswerAsync(Crowd nodes, Func<int, string?> reason)
    {
        for (int i = 0; i < s_speeds.Length; i++)
        {
            StartTask start = await nodes.All[i].AcceptTaskAsync(Cancelled);
            await nodes.All[i].SendAsync(Measured.End(start, s_speeds[i], reason(i), s_moments), Cancelled);
        }
    }

    private sealed class Crowd : IAsyncDisposable
    {
        public List<SimulatedNode> All { get; } = [];

        public async ValueTask DisposeAsync()
        {
            foreach (SimulatedNode node in All)
            {
                await node.DisposeAsync();
            }
        }
    }
}
