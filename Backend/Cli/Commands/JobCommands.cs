using System.CommandLine;
using Bootstrap.Cli.Api;
using Spectre.Console;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap jobs</c>, and the commands that order something: install, reboot, shutdown.</summary>
internal static class JobCommands
{
    private static readonly TimeSpan s_lookPeriod = TimeSpan.FromMilliseconds(500);

    private static readonly Option<bool> s_wait = new("--wait") { Description = "Show the progress until the end; exit code 1 if any node failed." };

    private static readonly Argument<string[]> s_nodes = new("nodes") { Description = "Names or ids; 'all' for every node.", Arity = ArgumentArity.OneOrMore };

    public static Command Create()
    {
        var id = new Argument<Guid>("job") { Description = "The job's id." };
        return new Command("jobs", "Show, watch and cancel jobs.")
        {
            new Command("list", "All jobs, the newest first.").Does(async (client, parsed, cancellation) =>
                ClientCommand.Show(parsed, await client.GetAsync<IReadOnlyList<Job>>("jobs", cancellation), ["ID", "KIND", "IMAGE", "ORDERED", "BY", "TASKS"],
                    j => [j.Id.ToString(), j.Kind, j.ImageName ?? "", Output.Time(j.CreatedAt), j.CreatedBy, Counts(j)])),
            new Command("show", "One job with each of its tasks.") { id, s_wait }.Does(async (client, parsed, cancellation) =>
                await ReportAsync(client, await client.GetAsync<JobDetail>($"jobs/{parsed.GetRequiredValue(id)}", cancellation), parsed, cancellation)),
            new Command("cancel", "Cancel what has not ended.") { id }.Does(async (client, parsed, cancellation) =>
                Print(await client.PostAsync<JobDetail>($"jobs/{parsed.GetRequiredValue(id)}/cancel", null, cancellation), parsed)),
        };
    }

    /// <summary>install, reboot and shutdown.</summary>
    public static IEnumerable<Command> CreateOrders()
    {
        var image = new Option<string>("--image") { Description = "Name or digest.", Required = true };
        var yes = new Option<bool>("--yes") { Description = "Do not ask; the disks are erased." };
        yield return new Command("install", "Erase the disks of nodes and install an image on them.") { s_nodes, image, yes, s_wait }
            .Does(async (client, parsed, cancellation) =>
            {
                string[] nodes = parsed.GetRequiredValue(s_nodes);
                if (!parsed.GetValue(yes) && !await ConfirmAsync(client, nodes, parsed.GetRequiredValue(image), cancellation))
                {
                    throw new CliException("nothing was ordered");
                }
                return await OrderAsync(client, new { kind = "install", nodes, image = parsed.GetRequiredValue(image) }, parsed, cancellation);
            });
        yield return new Command("reboot", "Restart nodes.") { s_nodes, s_wait }.Does((client, parsed, cancellation) =>
            OrderAsync(client, new { kind = "reboot", nodes = parsed.GetRequiredValue(s_nodes) }, parsed, cancellation));
        yield return new Command("shutdown", "Power nodes off.") { s_nodes, s_wait }.Does((client, parsed, cancellation) =>
            OrderAsync(client, new { kind = "shutdown", nodes = parsed.GetRequiredValue(s_nodes) }, parsed, cancellation));
    }

    /// <summary>Shows which disks lose what, and asks for the number of nodes.</summary>
    private static async Task<bool> ConfirmAsync(ApplianceClient client, string[] wanted, string image, CancellationToken cancellation)
    {
        IReadOnlyList<Node> all = await client.GetAsync<IReadOnlyList<Node>>("nodes", cancellation);
        Node[] nodes = [.. all.Where(n => wanted.Contains("all") || wanted.Contains(n.Name) || wanted.Contains(n.Id, StringComparer.OrdinalIgnoreCase))];
        if (nodes.Length == 0)
        {
            throw new CliException($"there is no node {string.Join(", ", wanted)}");
        }
        Console.WriteLine($"Image '{image}' will be installed; everything on these disks is lost:");
        Output.Table(["NODE", "DISKS", "IMAGE NOW"],
            nodes.Select(n => new[] { n.Name, string.Join(", ", n.Inventory.Disks.Select(d => $"{d.Name} ({Output.Bytes(d.SizeBytes)})")), n.ImageName ?? "" }));
        Console.Write($"Type the number of nodes ({nodes.Length}) to go on: ");
        return Console.ReadLine()?.Trim() == nodes.Length.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    private static async Task<int> OrderAsync(ApplianceClient client, object order, ParseResult parsed, CancellationToken cancellation) =>
        await ReportAsync(client, await client.PostAsync<JobDetail>("jobs", order, cancellation), parsed, cancellation);

    private static async Task<int> ReportAsync(ApplianceClient client, JobDetail job, ParseResult parsed, CancellationToken cancellation)
    {
        if (parsed.GetValue(s_wait))
        {
            job = await FollowAsync(client, job, cancellation);
        }
        return Print(job, parsed);
    }

    private static async Task<JobDetail> FollowAsync(ApplianceClient client, JobDetail job, CancellationToken cancellation) =>
        await AnsiConsole.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn()).StartAsync(async progress =>
        {
            Dictionary<Guid, ProgressTask> bars = job.Tasks.ToDictionary(t => t.Id, t => progress.AddTask(t.NodeName, maxValue: 1));
            while (true)
            {
                foreach (JobTask task in job.Tasks)
                {
                    string rate = task.Rate > 0 && task.Unit == "bytes" ? $" {Output.Bytes(task.Rate)}/s" : "";
                    bars[task.Id].Description = Markup.Escape($"{task.NodeName} {(task.Phase.Length > 0 ? task.Phase : task.State)}{rate}");
                    bars[task.Id].Value = task.EndedAt is not null ? 1 : task.Total > 0 ? (double)task.Done / task.Total : 0;
                }
                if (job.Job.Ended)
                {
                    return job;
                }
                await Task.Delay(s_lookPeriod, TimeProvider.System, cancellation);
                job = await client.GetAsync<JobDetail>($"jobs/{job.Job.Id}", cancellation);
            }
        });

    private static int Print(JobDetail job, ParseResult parsed)
    {
        if (parsed.GetValue(ClientCommand.Json))
        {
            Output.Json(job);
        }
        else
        {
            Console.WriteLine($"job {job.Job.Id}: {job.Job.Kind}{(job.Job.ImageName is { } image ? $" of {image}" : "")}, {Counts(job.Job)}");
            Output.Table(["NODE", "STATE", "PHASE", "DISK", "CAUSE"],
                job.Tasks.Select(t => new[] { t.NodeName, t.State, t.Phase, t.Disk ?? "", t.Cause }));
        }
        return job.Tasks.Any(t => t.State is "failed" or "timed-out" or "cancelled") ? 1 : 0;
    }

    private static string Counts(Job job) => string.Join(", ", job.Counts.Select(c => $"{c.Value} {c.Key}"));
}
