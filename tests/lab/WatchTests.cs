using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Bootstrap.Lab.Tests;

/// <summary>Status straight from the nodes: real Slaves, each on a machine of its own, and a real browser.</summary>
public sealed partial class WatchTests
{
    /// <summary>With <c>make soak</c> as many as a classroom has, for five minutes.</summary>
    private static readonly (int Nodes, TimeSpan Time, int Changes) s_size = Lab.IsSoak
        ? (50, TimeSpan.FromMinutes(5), 200) : (5, TimeSpan.FromSeconds(15), 10);

    /// <summary>Bytes of a node and second that the appliance may carry, both ways: a ping now and then, and once a minute what a minute
    /// was like. Its status alone would be several times as much.</summary>
    private const double MostBytes = 100;

    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(200);

    [Fact]
    public async Task A_browser_that_trusts_the_CA_hears_nodes_directly_and_the_appliance_carries_nothing()
    {
        await using Lab lab = await Lab.StartAsync(serve: ["--dhcp", "off"]);
        await using var slaves = new LabSlaves();
        await slaves.StartAsync(lab, s_size.Nodes, alone: true);
        await lab.WaitForAsync("their services", "status/members", members => members.AsArray().Count == s_size.Nodes);
        await using RackBrowser browser = await RackBrowser.StartAsync(lab);
        await WatchAsync(lab, browser.Page, slaves.All);
    }

    private static async Task WatchAsync(Lab lab, IPage page, IReadOnlyList<LabSlave> slaves)
    {
        var heard = new ConcurrentDictionary<string, int>();
        page.WebSocket += (_, socket) =>
            socket.FrameReceived += (_, _) => heard.AddOrUpdate(new Uri(socket.Url).Host, 1, (_, count) => count + 1);
        ConcurrentBag<string> relayed = [];
        page.Request += (_, request) =>
        {
            if (request.Url.Contains("/status/relay", StringComparison.Ordinal))
            {
                relayed.Add(request.Url);
            }
        };
        await page.GotoAsync($"https://{VirtualRack.Address}:8443/rack");
        ILocator tiles = page.Locator(".tile");
        await Expect(tiles.Filter(new() { HasText = "45 °C" })).ToHaveCountAsync(slaves.Count);
        // Until a node is connected to, the appliance tells how it is.
        while (!slaves.All(slave => heard.ContainsKey(slave.Address)))
        {
            await Task.Delay(s_look, TimeProvider.System, lab.Cancel);
        }
        relayed.Clear();
        ICDPSession session = await page.Context.NewCDPSessionAsync(page);
        await session.SendAsync("Performance.enable", new Dictionary<string, object> { ["timeDomain"] = "threadTicks" });
        long before = await CarriedAsync(lab), began = TimeProvider.System.GetTimestamp();
        double taken = await TakenAsync(session);
        int frames = heard.Values.Sum();
        double[] delays = await ChangeAsync(page, slaves);
        await Task.Delay(s_size.Time, TimeProvider.System, lab.Cancel);
        double seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        taken = await TakenAsync(session) - taken;
        double bytes = (await CarriedAsync(lab) - before) / seconds / slaves.Count;
        TestContext.Current.TestOutputHelper!.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{slaves.Count} nodes, {seconds:0} s: " +
            $"{(heard.Values.Sum() - frames) / seconds / slaves.Count:0.0} messages of each a second;\n" +
            $"the appliance carried {bytes:0.0} bytes a node and second; the page took {100 * taken / seconds:0.0} % of a core; " +
            $"a change was on the page after {delays[delays.Length / 2]:0} ms,\n" +
            $"{delays[delays.Length * 99 / 100]:0} ms at the 99th percentile, {delays[^1]:0} ms at most"));
        Assert.Empty(relayed);
        if (Lab.IsSoak)
        {
            // Of few nodes and seconds, what the page itself reads now and then would be most of it.
            Assert.InRange(bytes, 0, MostBytes);
        }

        // One that is gone without a word is shown as such.
        await slaves[0].KillAsync();
        await Expect(page.Locator(".tile.silent, .tile.unknown")).ToHaveCountAsync(1);
    }

    /// <summary>Seconds of a processor that the page's thread has taken so far.</summary>
    private static async Task<double> TakenAsync(ICDPSession session) =>
        (await session.SendAsync("Performance.getMetrics"))!.Value.GetProperty("metrics").EnumerateArray()
            .Single(metric => metric.GetProperty("name").GetString() == "TaskDuration").GetProperty("value").GetDouble();

    /// <summary>Changes a node's temperature, and waits until the page has it.</summary>
    /// <returns>How long it took each time, milliseconds, the shortest first.</returns>
    private static async Task<double[]> ChangeAsync(IPage page, IReadOnlyList<LabSlave> slaves)
    {
        var delays = new List<double>();
        for (int i = 0; i < s_size.Changes; i++)
        {
            LabSlave slave = slaves[i % slaves.Count];
            double temperature = 50 + (i % 25);
            long began = TimeProvider.System.GetTimestamp();
            slave.Temperature = temperature;
            await page.WaitForFunctionAsync("""
                ([node, words]) => document.querySelector(`.tile[href="/nodes/${node}"] .tile-value`)?.textContent === words
                """, new[] { slave.NodeId, string.Create(CultureInfo.InvariantCulture, $"{temperature:0} °C") });
            delays.Add(TimeProvider.System.GetElapsedTime(began).TotalMilliseconds);
        }
        return [.. delays.Order()];
    }

    /// <summary>Bytes that the appliance has sent and received over its connections so far.</summary>
    private static async Task<long> CarriedAsync(Lab lab)
    {
        string connections = await lab.Rack.RunAsync("ss", "-tinHO", "state", "established", "( sport = :8443 or sport = :8444 )");
        return Bytes().Matches(connections).Sum(match => long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex("bytes_(?:sent|received):([0-9]+)")]
    private static partial Regex Bytes();
}
