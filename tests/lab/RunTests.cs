using System.Globalization;
using System.Text.Json.Nodes;

namespace Bootstrap.Lab.Tests;

/// <summary>Commands on nodes that say more than anybody reads: real Slaves, and real processes of theirs.</summary>
public sealed class RunTests
{
    private const int Nodes = 20;

    /// <summary>A hundredth of it would be enough for people.</summary>
    private const long OutputBytes = 100_000_000;

    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(10), s_moment = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task What_never_ends_is_stopped_on_twenty_nodes_with_all_that_it_has_started()
    {
        await using Lab lab = await Lab.StartAsync(serve: ["--dhcp", "off"]);
        await using var slaves = new LabSlaves();
        await slaves.StartAsync(lab, Nodes);
        string mark = $"lab-{Guid.NewGuid():n}";
        // Each has children, one that says much and one that says nothing.
        Guid job = await OrderAsync(lab, slaves, $"sh -c 'sleep 3600; : {mark}' & yes {mark}");
        while (Running(mark).Count(words => words.StartsWith("yes\0", StringComparison.Ordinal)) < Nodes)
        {
            await Task.Delay(s_look, TimeProvider.System, lab.Cancel);
        }
        // Somebody has looked at it for a moment.
        await Task.Delay(s_moment, TimeProvider.System, lab.Cancel);
        long began = TimeProvider.System.GetTimestamp();
        await lab.Appliance.CancelAsync(job, lab.Cancel);
        TimeSpan answered = TimeProvider.System.GetElapsedTime(began);
        while (Running(mark).Any())
        {
            await Task.Delay(s_look, TimeProvider.System, lab.Cancel);
        }
        TestContext.Current.TestOutputHelper!.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"stopped on {Nodes} nodes after {TimeProvider.System.GetElapsedTime(began).TotalSeconds:0.00} s, " +
            $"answered after {answered.TotalSeconds:0.00} s"));
        Assert.All(await lab.WaitForEndAsync(job), task => Assert.Equal("cancelled", task.Text("state")));
    }

    [Fact]
    public async Task Of_100_MB_of_output_the_end_is_kept_in_little_memory_with_the_commands_exit_code()
    {
        await using Lab lab = await Lab.StartAsync(serve: ["--dhcp", "off"]);
        await using var slaves = new LabSlaves();
        await slaves.StartAsync(lab, 1);
        Guid job = await OrderAsync(lab, slaves, $"yes 0123456789 0123456789 | head -c {OutputBytes}; echo; echo the end; exit 7");
        JsonNode task = (await lab.WaitForEndAsync(job))[0];
        Assert.Equal(("failed", 7), (task.Text("state"), task["exitCode"]!.GetValue<int>()));
        string log = (await lab.Appliance.GetAsync($"tasks/{task.Text("id")}/log", lab.Cancel)).ToJsonString();
        Assert.Contains("the end", log, StringComparison.Ordinal);
        Assert.InRange(log.Length, 1000, OutputBytes / 10);
        TestContext.Current.TestOutputHelper!.WriteLine($"{slaves.All[0].PeakMegabytes} MB of the Slave's memory at most");
        Assert.InRange(slaves.All[0].PeakMegabytes, 1, 60);
    }

    private static Task<Guid> OrderAsync(Lab lab, LabSlaves slaves, string shell) =>
        lab.Appliance.OrderAsync("run", slaves.All.Select(slave => slave.NodeId), null, lab.Cancel, new { shell });

    /// <summary>Command lines of processes that have the word in them.</summary>
    private static IEnumerable<string> Running(string word)
    {
        foreach (string process in Directory.EnumerateDirectories("/proc").Where(path => char.IsAsciiDigit(Path.GetFileName(path)[0])))
        {
            string words;
            try
            {
                words = File.ReadAllText(Path.Combine(process, "cmdline"));
            }
            catch (IOException)
            {
                continue; // it has ended
            }
            if (words.Contains(word, StringComparison.Ordinal))
            {
                yield return words;
            }
        }
    }
}
