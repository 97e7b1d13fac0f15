using System.Text.Json.Nodes;

namespace Bootstrap.Lab.Tests;

public class CrashTests
{
    private const int Slaves = 4, JobsAtOnce = 3;

    private static readonly int s_kills = Lab.IsSoak ? 100 : 30;

    /// <summary>Kills fall into whatever happens at these times after the last one, in milliseconds.</summary>
    private const int MostBetweenKills = 400;

    [Fact]
    public async Task Each_task_of_bulk_jobs_ends_once_and_right_whoever_is_killed_when()
    {
        await using Lab lab = await Lab.StartAsync();
        // As many as are told: a failure can be repeated by its number.
        int seed = Random.Shared.Next();
        var random = new Random(seed);
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var ended = new Dictionary<string, string>();
        await using var slaves = new LabSlaves();
        await slaves.StartAsync(lab, Slaves);
        Task<int> ordering = OrderJobsAsync(lab, out CancellationTokenSource enough);
        int backends = 0;
        for (int kill = 0; kill < s_kills; kill++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(MostBetweenKills)), TimeProvider.System, lab.Cancel);
            int victim = random.Next(Slaves + 1);
            if (victim == Slaves)
            {
                backends++;
                await lab.KillApplianceAsync();
                await lab.StartApplianceAsync();
            }
            else
            {
                await slaves.All[victim].KillAsync();
                await slaves.All[victim].StartAsync();
            }
            await CheckEndedAsync(lab, ended);
        }
        await enough.CancelAsync();
        int ordered = await ordering;
        enough.Dispose();
        JsonArray jobs = (await lab.WaitForAsync(
            "the end of all jobs", "jobs", all => all.AsArray().All(j => j!["ended"]!.GetValue<bool>()))).AsArray();
        TestContext.Current.TestOutputHelper.WriteLine(
            $"{backends} kills of the appliance, {s_kills - backends} of Slaves, {ordered} of {jobs.Count} jobs were answered");
        Assert.True(ordered > 0 && jobs.Count >= ordered, "no job was answered, or one that was is lost");
        await CheckEndedAsync(lab, ended);
        Assert.Equal(jobs.Count * Slaves, ended.Count);
        // Kills that end everything would show little.
        Assert.Contains(ended.Values, end => end.StartsWith("succeeded ", StringComparison.Ordinal));
        await CheckMarksAsync(lab, slaves.All, jobs);
    }

    /// <summary>Keeps a few bulk jobs open. Each leaves two marks on each node: one when it begins and one when it is through.</summary>
    /// <returns>How many orders were answered; one that was not may have been taken nevertheless.</returns>
    private static Task<int> OrderJobsAsync(Lab lab, out CancellationTokenSource enough)
    {
        var stop = CancellationTokenSource.CreateLinkedTokenSource(lab.Cancel);
        enough = stop;
        return Task.Run(async () =>
        {
            int answered = 0;
            for (int number = 0; !stop.IsCancellationRequested; number++)
            {
                try
                {
                    JsonNode open = await lab.Appliance.GetAsync("jobs?state=open", stop.Token);
                    if (open.AsArray().Count < JobsAtOnce)
                    {
                        await lab.Appliance.OrderAsync("run", ["all"], null, stop.Token,
                            new
                            {
                                shell = $"echo begun-{number} >>{LabSlave.Mark}/marks; sleep 0.$(( ($$ % 3) * 15 )); echo " +
                            $"through-{number} >>{LabSlave.Mark}/marks"
                            });
                        answered++;
                    }
                    await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, stop.Token);
                }
                catch (Exception e) when (e is HttpRequestException or RackException or InvalidOperationException
                    or ObjectDisposedException or OperationCanceledException)
                {
                    // The appliance is off, or goes off.
                }
            }
            return answered;
        }, CancellationToken.None);
    }

    /// <summary>What has ended once stays as it ended.</summary>
    private static async Task CheckEndedAsync(Lab lab, Dictionary<string, string> ended)
    {
        foreach (JsonNode? job in (await lab.Appliance.GetAsync("jobs", lab.Cancel)).AsArray())
        {
            foreach (JsonNode? task in (await lab.Appliance.GetAsync($"jobs/{job.Text("id")}", lab.Cancel))["tasks"]!.AsArray()
                .Where(t => t!["endedAt"] is not null))
            {
                string end = $"{task.Text("state")} {task.Text("cause")} {task.Text("exitCode")} {task.Text("endedAt")}";
                Assert.Equal(ended.TryAdd(task.Text("id"), end) ? end : ended[task.Text("id")], end);
            }
        }
    }

    /// <summary>A task that succeeded was done once and wholly; one that failed was begun at most once, and says why.</summary>
    private static async Task CheckMarksAsync(Lab lab, IReadOnlyList<LabSlave> slaves, JsonArray jobs)
    {
        var marks = new Dictionary<string, ILookup<string, string>>();
        foreach (LabSlave slave in slaves)
        {
            string file = Path.Combine(slave.Marks, "marks");
            marks[slave.NodeId] = (File.Exists(file) ? await File.ReadAllLinesAsync(file, lab.Cancel) : []).ToLookup(line => line);
        }
        foreach (JsonNode? job in jobs)
        {
            string begun = job!["parameters"]!.Text("shell").Split(' ')[1],
                through = begun.Replace("begun", "through", StringComparison.Ordinal);
            foreach (JsonNode? task in (await lab.Appliance.GetAsync($"jobs/{job.Text("id")}", lab.Cancel))["tasks"]!.AsArray())
            {
                (int Begun, int Through) done = (marks[task.Text("node")][begun].Count(), marks[task.Text("node")][through].Count());
                if (task.Text("state") == "succeeded")
                {
                    Assert.Equal((1, 1), done);
                }
                else
                {
                    Assert.Equal("failed", task.Text("state"));
                    Assert.True(done is { Begun: <= 1, Through: <= 1 }, $"{done} of {task!.ToJsonString()}");
                    Assert.Contains("not begun again", task.Text("cause"), StringComparison.Ordinal);
                }
            }
        }
    }
}
