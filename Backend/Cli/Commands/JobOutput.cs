using Bootstrap.Cli.Api;
using Bootstrap.Protocol;

namespace Bootstrap.Cli.Commands;

/// <summary>What nodes say in a job, each line after its node's name.</summary>
internal static class JobOutput
{
    private static readonly TimeSpan s_lookPeriod = TimeSpan.FromMilliseconds(300);

    /// <summary>Prints what was said, one node after the other.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> PrintAsync(ApplianceClient client, JobDetail job, CancellationToken cancellation)
    {
        foreach (JobTask task in job.Tasks)
        {
            foreach (LogLine line in await client.GetAsync<IReadOnlyList<LogLine>>($"tasks/{task.Id}/log", cancellation))
            {
                Print(task.NodeName, line);
            }
        }
        return 0;
    }

    /// <summary>Prints what was said and what is said, as it comes, until the job has ended.</summary>
    /// <returns>The exit code: 1 where any node failed.</returns>
    public static async Task<int> FollowAsync(ApplianceClient client, JobDetail job, CancellationToken cancellation)
    {
        long last = 0;
        while (true)
        {
            // A job that chooses its nodes when it begins has none before.
            var names = job.Tasks.ToDictionary(task => task.Id, task => task.NodeName);
            foreach (LogLine line in await client.GetAsync<IReadOnlyList<LogLine>>($"jobs/{job.Job.Id}/log?after={last}", cancellation))
            {
                Print(line.Task is { } task && names.TryGetValue(task, out string? name) ? name : "", line);
                last = line.Id;
            }
            // What was said before the end was read after it.
            if (job.Job.Ended)
            {
                return job.Tasks.All(task => task.State == "succeeded") ? 0 : 1;
            }
            await Task.Delay(s_lookPeriod, TimeProvider.System, cancellation);
            job = await client.GetAsync<JobDetail>($"jobs/{job.Job.Id}", cancellation);
        }
    }

    private static void Print(string node, LogLine line) => Console.WriteLine(PlainText.Line($"{node}: {line.Line}"));
}
