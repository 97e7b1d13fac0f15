using System.CommandLine;
using System.Globalization;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary>Does the steps of a script, one after the other. Before the first one, the appliance is asked whether it would refuse
/// any.</summary>
internal sealed class BenchScriptRun(ApplianceClient client, BenchScript script, ParseResult parsed)
{
    private static readonly TimeSpan s_lookPeriod = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, List<Guid>> _jobs = [];
    private readonly HashSet<string> _succeeded = [];

    /// <returns>The exit code: 1 where a step failed or was left out.</returns>
    /// <exception cref="CliException">The appliance would refuse a step: nothing was done.</exception>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        // As orders for later: who is not connected yet may be by then.
        string later = TimeProvider.System.GetUtcNow().AddHours(1).ToString("O", CultureInfo.InvariantCulture);
        foreach (BenchScript.Step step in script.Steps.Where(step => step.Measure is not null))
        {
            await NameAsync(step, () => client.SendAsync(HttpMethod.Post, "jobs/check", Order(step.Measure!, later), cancellation));
        }
        foreach (BenchScript.Step step in script.Steps)
        {
            if (step.After.FirstOrDefault(name => !_succeeded.Contains(name)) is { } failed)
            {
                Tell($"{step.Name}: left out, since '{failed}' did not succeed");
                continue;
            }
            string fault = step.Connect is { } connect ? await ConnectAsync(connect, cancellation)
                : step.Measure is not null ? await MeasureAsync(step, cancellation)
                : await ReportAsync(step, cancellation);
            Tell(fault.Length > 0 ? $"{step.Name}: {fault}" : $"{step.Name}: done");
            if (fault.Length == 0)
            {
                _succeeded.Add(step.Name!);
            }
        }
        return _succeeded.Count == script.Steps.Count ? 0 : 1;
    }

    private static object Order(BenchScript.Measurement measure, string? notBefore) => new
    {
        kind = "benchmark",
        select = measure.Select,
        notBefore,
        parameters = WorkCommands.WithoutNulls(new()
        {
            ["benchmark"] = measure.Benchmark,
            ["parameters"] = measure.Parameters,
            ["allCores"] = measure.AllCores,
            ["soakSeconds"] = measure.SoakSeconds,
            ["limitSeconds"] = measure.LimitSeconds,
            ["quietSeconds"] = measure.QuietSeconds,
            ["patienceSeconds"] = measure.PatienceSeconds,
        }),
    };

    /// <summary>A refusal names the step.</summary>
    private static async Task NameAsync(BenchScript.Step step, Func<Task> ask)
    {
        try
        {
            await ask();
        }
        catch (CliException e)
        {
            throw new CliException($"step '{step.Name}': {e.Message}", e) { ExitCode = e.ExitCode };
        }
    }

    private async Task<string> ConnectAsync(BenchScript.Connecting connect, CancellationToken cancellation)
    {
        long began = TimeProvider.System.GetTimestamp();
        string path = $"nodes?select={Uri.EscapeDataString(connect.Select!)}";
        while (true)
        {
            int there = (await client.GetAsync<IReadOnlyList<Node>>(path, cancellation)).Count(node => node.Link == "slave");
            if (there >= connect.AtLeast)
            {
                return "";
            }
            if (TimeProvider.System.GetElapsedTime(began) > TimeSpan.FromMinutes(connect.Minutes))
            {
                return $"{there} of {connect.AtLeast} nodes were connected after {connect.Minutes} minutes";
            }
            await Task.Delay(s_lookPeriod, TimeProvider.System, cancellation);
        }
    }

    private async Task<string> MeasureAsync(BenchScript.Step step, CancellationToken cancellation)
    {
        List<Guid> jobs = _jobs[step.Name!] = [];
        bool quiet = parsed.GetValue(ClientCommand.Json);
        for (int i = 0; i < step.Times; i++)
        {
            JobDetail job;
            try
            {
                job = await client.PostAsync<JobDetail>("jobs", Order(step.Measure!, null), cancellation);
            }
            catch (CliException e)
            {
                return e.Message;
            }
            jobs.Add(job.Job.Id);
            Tell($"{step.Name}: job {job.Job.Id}{(step.Times > 1 ? $", {i + 1} of {step.Times}" : "")}");
            job = await JobProgress.FollowAsync(client, job, quiet, cancellation);
            if (job.Tasks.Where(task => task.State != "succeeded").ToArray() is { Length: > 0 } failed)
            {
                return $"{failed.Length} of {job.Tasks.Count} nodes failed: {string.Join(", ", failed.Take(5).Select(t => t.NodeName))}";
            }
        }
        return "";
    }

    private async Task<string> ReportAsync(BenchScript.Step step, CancellationToken cancellation)
    {
        var results = new List<BenchResult>();
        foreach (Guid job in step.Report!.Where(_jobs.ContainsKey).SelectMany(name => _jobs[name]))
        {
            results.AddRange(await client.GetAsync<IReadOnlyList<BenchResult>>($"benchmarks/results?job={job}", cancellation));
        }
        ClientCommand.Show(parsed, [.. results.OrderBy(r => r.NodeName, StringComparer.Ordinal).ThenBy(r => r.StartedAt)],
            BenchResult.Columns, r => r.Cells());
        return results.Count > 0 ? "" : "nothing was measured";
    }

    /// <summary>What is done, beside what programs read.</summary>
    private void Tell(string line)
    {
        if (!parsed.GetValue(ClientCommand.Json))
        {
            Console.WriteLine(line);
        }
    }
}
