using System.CommandLine;
using System.Globalization;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap jobs</c>, and the commands that order something: install, reboot, shutdown.</summary>
internal static class JobCommands
{
    /// <summary>Characters of a job's id that tell it from all others that were not ordered in the same moment.</summary>
    private const int ShortId = 13;

    public static readonly Argument<string[]> Nodes =
        new Argument<string[]>("nodes") { Description = "Names or ids; 'all' for every node.", Arity = ArgumentArity.ZeroOrMore }
        .Suggests<Argument<string[]>, Node>("nodes", n => n.Name);

    public static readonly Option<bool> Yes = new("--yes") { Description = "Do not ask." };

    public static Option<bool> Wait { get; } =
        new("--wait") { Description = "Show the progress until the end; exit code 1 if any node failed." };

    public static Command Create()
    {
        Argument<string> id = new Argument<string>("job") { Description = "The job's id, or its beginning." }
            .Suggests<Argument<string>, Job>("jobs?limit=20", j => j.Id.ToString());
        var kind = new Option<string?>("--kind") { Description = "Only jobs of this kind." };
        var state = new Option<string?>("--state")
        {
            Description = "Only jobs that are open, paused or succeeded, or of which something " +
            "failed, was cancelled or skipped."
        };
        state.AcceptOnlyFromAmong("open", "paused", "succeeded", "failed", "cancelled", "skipped");
        var text = new Option<string?>("--text")
        {
            Description = "Only jobs that have this in the name of a node or of the image, in " +
            "their parameters, or in who ordered them."
        };
        var only = new Option<string?>("--node") { Description = "Only on this node, by its name." };
        var follow = new Option<bool>("--follow") { Description = "As it comes, until the job has ended." };
        var limit = new Option<int>("--limit") { Description = "At most so many (1 to 1000).", DefaultValueFactory = _ => 100 };
        return new Command("jobs", "Show, watch, halt, cancel and repeat jobs.")
        {
            new Command("list", "Jobs, the newest first.") { kind, state, text, limit }.Lists<Job>(
                parsed => string.Create(CultureInfo.InvariantCulture, $"jobs?limit={parsed.GetValue(limit)}")
                    + string.Concat(new[] { kind, state, text }
                    .Where(o => parsed.GetValue(o) is not null)
                    .Select(o => $"&{o.Name.TrimStart('-')}={Uri.EscapeDataString(parsed.GetValue(o)!)}")),
                    [new("ID", Brief: ShortId), "KIND", new("IMAGE", 2), new("ORDERED", 1), new("BY", 3), "TASKS"],
                j => [j.Id.ToString(), j.Kind, j.ImageName ?? "", Output.Time(j.CreatedAt), j.CreatedBy, Counts(j)]),
            new Command("show", "One job with each of its tasks.") { id, Wait }.WithTable().Does(async (client, parsed, cancellation) =>
                await ReportAsync(client, await GetAsync(client, parsed, cancellation), parsed, cancellation)),
            new Command("output", "What each node said in a job, line by line, after its name.") { id, follow }
                .Does(async (client, parsed, cancellation) =>
                await (parsed.GetValue(follow) ? JobOutput.FollowAsync(client, await GetAsync(client, parsed, cancellation), cancellation)
                    : JobOutput.PrintAsync(client, await GetAsync(client, parsed, cancellation), cancellation))),
            new Command("phases", "When each node came to which phase of a job.") { id }.WithTable()
                .Does(async (client, parsed, cancellation) =>
            {
                string job = await PathAsync(client, parsed, cancellation);
                var names = (await client.GetAsync<JobDetail>(job, cancellation)).Tasks.ToDictionary(t => t.Id, t => t.NodeName);
                return ClientCommand.Show(parsed, await client.GetAsync<IReadOnlyList<TaskPhase>>($"{job}/phases", cancellation),
                    ["NODE", "STATE", "PHASE", "SINCE"],
                    p => [names.GetValueOrDefault(p.Task, ""), p.State, p.Phase, Output.Time(p.At)]);
            }),
            WorkCommands.CreateRun(),
            new Command("pause", "Begin nothing more; what nodes work on goes on.") { id }
                .Does((client, parsed, cancellation) => ChangeAsync(client, "pause", parsed, cancellation)),
            new Command("resume", "Go on after a pause.") { id }
                .Does((client, parsed, cancellation) => ChangeAsync(client, "resume", parsed, cancellation)),
            new Command("retry", "Order the same again for the nodes that failed.") { id, Wait }
                .Does(async (client, parsed, cancellation) =>
                await ReportAsync(client, await PostAsync(client, "retry", parsed, cancellation), parsed, cancellation)),
            ScheduleCommands.CreateApply(),
            new Command("undo", "Take a job back of which no node has heard yet.") { id }
                .Does((client, parsed, cancellation) => ChangeAsync(client, "undo", parsed, cancellation)),
            new Command("cancel", "Cancel what has not ended.") { id, only }.Does(CancelAsync),
        };

        async Task<string> PathAsync(ApplianceClient client, ParseResult parsed, CancellationToken cancellation) =>
            $"jobs/{await ByWord.JobAsync(client, parsed.GetRequiredValue(id), cancellation)}";

        async Task<JobDetail> GetAsync(ApplianceClient client, ParseResult parsed, CancellationToken cancellation) =>
            await client.GetAsync<JobDetail>(await PathAsync(client, parsed, cancellation), cancellation);

        async Task<JobDetail> PostAsync(ApplianceClient client, string what, ParseResult parsed, CancellationToken cancellation) =>
            await client.PostAsync<JobDetail>($"{await PathAsync(client, parsed, cancellation)}/{what}", null, cancellation);

        async Task<int> CancelAsync(ApplianceClient client, ParseResult parsed, CancellationToken cancellation)
        {
            if (parsed.GetValue(only) is not { } name)
            {
                return Print(await PostAsync(client, "cancel", parsed, cancellation), parsed);
            }
            JobDetail job = await GetAsync(client, parsed, cancellation);
            JobTask task = job.Tasks.FirstOrDefault(t => t.NodeName == name)
                ?? throw new CliException($"job {job.Job.Id} has no node '{name}'");
            await client.SendAsync(HttpMethod.Post, $"tasks/{task.Id}/cancel", null, cancellation);
            return Print(await client.GetAsync<JobDetail>($"jobs/{job.Job.Id}", cancellation), parsed);
        }

        // What failed before is no failure of this command.
        async Task<int> ChangeAsync(ApplianceClient client, string what, ParseResult parsed, CancellationToken cancellation)
        {
            Print(await PostAsync(client, what, parsed, cancellation), parsed);
            return 0;
        }
    }

    /// <summary>install, update, deploy, reboot and shutdown.</summary>
    public static IEnumerable<Command> CreateOrders()
    {
        Option<string> image = new Option<string>("--image") { Description = "Name or digest.", Required = true }
            .Suggests<Option<string>, Image>("images", i => i.Name);
        Option<string?> profile = WorkCommands.Profile;
        var testCard = new Option<bool>("--test-card")
        {
            Description = "Write all of the disk and read it back before: a card that lies about its size, or loses data, gets no system.",
        };
        yield return new Command("install",
            "Erase the disks of nodes and install an image on them.") { Nodes, NodeCommands.Select, image, profile, testCard, Yes, Wait }
            .WithGrace().WithBeginning().WithPlan()
            .Does((client, parsed, cancellation) => OrderAsync(client, "install", parsed.GetRequiredValue(image),
                Grace.Parameters(parsed, parsed.GetValue(profile), parsed.GetValue(testCard)), parsed, cancellation));
        yield return WorkCommands.CreateUpdate();
        yield return FileCommands.CreateDeploy();
        yield return new Command("reboot", "Restart nodes.") { Nodes, NodeCommands.Select, Yes, Wait }.WithGrace().WithBeginning()
            .WithPlan()
            .Does((client, parsed, cancellation) => OrderAsync(client, "reboot", null, Grace.Parameters(parsed), parsed, cancellation));
        yield return new Command("shutdown", "Power nodes off.") { Nodes, NodeCommands.Select, Yes, Wait }.WithGrace().WithBeginning()
            .WithPlan()
            .Does((client, parsed, cancellation) => OrderAsync(client, "shutdown", null, Grace.Parameters(parsed), parsed, cancellation));
    }

    /// <summary>
    /// Orders it. Whatever erases disks, and whatever was not named one by one, is shown first and asked for; whatever would be refused is
    /// refused before.
    /// </summary>
    /// <param name="parameters">Those of the kind.</param>
    /// <param name="prepare">What is done once there is no question left, and gives the parameters in the place of those; null:
    /// nothing.</param>
    public static async Task<int> OrderAsync(
        ApplianceClient client, string kind, string? image, object? parameters, ParseResult parsed, CancellationToken cancellation,
        Func<Task<object>>? prepare = null)
    {
        string[] names = NamesOf(parsed);
        string? select = parsed.GetValue(NodeCommands.Select);
        bool choosesLater = PlanOptions.ChoosesLater(parsed);
        Image? chosen = image is null ? null : await ByWord.ImageAsync(client, image, cancellation);
        Guid? after = parsed.GetValue(PlanOptions.After) is { } earlier ? await ByWord.JobAsync(client, earlier, cancellation) : null;
        Node[] nodes = select is not null || image is not null || prepare is not null ? await ChosenAsync(client, parsed, cancellation)
            : [];
        // Those that were shown, and no others that may be there by now.
        names = nodes.Length > 0 ? [.. nodes.Select(n => n.Id)] : names;
        object Order(object? parameters) => new
        {
            kind,
            nodes = choosesLater ? null : names,
            select = choosesLater ? select : null,
            image = chosen?.Digest,
            parameters,
            rollout = PlanOptions.Rollout(parsed),
            retry = PlanOptions.Retry(parsed),
            notBefore = parsed.GetValue(PlanOptions.At),
            after,
            holdSeconds = parsed.GetValue(PlanOptions.Hold),
            measure = PlanOptions.Measure(parsed),
        };
        if ((select is not null || image is not null) && !parsed.GetValue(Yes))
        {
            if (prepare is null)
            {
                await client.SendAsync(HttpMethod.Post, "jobs/check", Order(parameters), cancellation);
            }
            if (!Confirm(nodes, kind, chosen?.Name, WorkCommands.WhatGoes(parsed),
                chosen is { Slots: > 1 } && WorkCommands.SparesSlots(parsed), choosesLater))
            {
                throw new CliException("nothing was ordered");
            }
        }
        object order = Order(prepare is null ? parameters : await prepare());
        return await ReportAsync(client, await client.PostAsync<JobDetail>("jobs", order, cancellation), parsed, cancellation);
    }

    /// <summary>Those nodes that were named one by one; none where a selector chooses them.</summary>
    private static string[] NamesOf(ParseResult parsed)
    {
        string[] names = [.. parsed.GetValue(Nodes) ?? [], .. parsed.GetValue(WorkCommands.Node) ?? []];
        return names.Length > 0 != parsed.GetValue(NodeCommands.Select) is not null ? names
            : throw new CliException("name the nodes, or choose them by --select WORDS; 'all' is every node") { ExitCode = 2 };
    }

    /// <summary>The nodes that are meant, by their names or by a selector; at least one.</summary>
    public static async Task<Node[]> ChosenAsync(ApplianceClient client, ParseResult parsed, CancellationToken cancellation)
    {
        string[] names = NamesOf(parsed);
        IReadOnlyList<Node> nodes = await NodeCommands.GetAsync(client, parsed, cancellation);
        bool IsNamed(Node node, string name) =>
            name == "all" || name == node.Name || name.Equals(node.Id, StringComparison.OrdinalIgnoreCase);
        if (names.FirstOrDefault(name => !nodes.Any(node => IsNamed(node, name))) is { } missing)
        {
            throw new CliException($"there is no node {missing}");
        }
        Node[] chosen = [.. nodes.Where(node => names.Length == 0 || names.Any(name => IsNamed(node, name)))];
        return chosen.Length > 0 ? chosen
            : throw new CliException($"no node is taken by '{parsed.GetValue(NodeCommands.Select)}'") { ExitCode = 2 };
    }

    /// <summary>Shows which nodes are meant, and which disks lose what, and asks for their number.</summary>
    /// <param name="goes">What is lost on them.</param>
    /// <param name="sparesSlots">Nodes with two slots write the one that is not in use.</param>
    /// <param name="choosesLater">Others may be meant when it begins.</param>
    private static bool Confirm(Node[] nodes, string kind, string? image, string goes, bool sparesSlots, bool choosesLater)
    {
        if (image is null)
        {
            Console.WriteLine($"To {(kind == "firmware" ? "update the boot firmware of, and restart" : kind)}: " +
                $"{string.Join(", ", nodes.Select(n => n.Name))}");
        }
        else
        {
            Console.WriteLine($"Image '{image}' will be installed; {goes} on these disks is lost:");
            Output.Table(["NODE", new("IMAGE NOW", 1), "DISKS"],
                nodes.Select(n => new[]
                {
                    n.Name,
                    n.ImageName ?? "",
                    (sparesSlots && n.Inventory.Slot is not null ? "the slot that is not in use: " : "") + string.Join(", ",
                        n.Inventory.Disks.Select(d => $"{d.Name} ({Output.Bytes(d.SizeBytes)})")),
                }));
        }
        if (choosesLater)
        {
            Console.WriteLine(
                "These are the nodes that the selector takes now. It is asked again when the job begins; --frozen keeps these.");
        }
        Console.Write($"Type the number of nodes ({nodes.Length}) to go on: ");
        return Console.ReadLine()?.Trim() == nodes.Length.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Shows a job, at its end where that is to be waited for.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> ReportAsync(ApplianceClient client, JobDetail job, ParseResult parsed, CancellationToken cancellation)
    {
        if (parsed.GetValue(Wait))
        {
            job = await JobProgress.FollowAsync(client, job, parsed.GetValue(ClientCommand.Json), cancellation);
            if (job.Job.Kind == "run" && !parsed.GetValue(ClientCommand.Json))
            {
                await JobOutput.PrintAsync(client, job, cancellation);
            }
        }
        return Print(job, parsed);
    }

    private static int Print(JobDetail job, ParseResult parsed)
    {
        if (parsed.GetValue(ClientCommand.Json))
        {
            Output.Json(job);
        }
        else
        {
            Console.WriteLine(
                $"job {job.Job.Id}: {job.Job.Kind}{(job.Job.ImageName is { } image ? $" of {image}" : "")}, {Counts(job.Job)}");
            if (job.Job.Note.Length > 0)
            {
                Console.WriteLine(job.Job.Note);
            }
            ClientCommand.Print(parsed, ["NODE", "STATE", new("PHASE", 1), new("DISK", 3), new("EXIT", 2), "CAUSE"],
                job.Tasks.Select(t => new[] { t.NodeName, t.State, t.Phase, t.Disk ?? "", $"{t.ExitCode}", t.Cause.Length > 0 ? t.Cause
                    : t.Note.Length > 0 ? t.Note : t.Stall }));
        }
        return job.Tasks.Any(t => t.State is "failed" or "timed-out" or "cancelled" or "skipped") ? 1 : 0;
    }

    private static string Counts(Job job) => string.Join(", ", job.Counts.Select(c => $"{c.Value} {c.Key}"));
}
