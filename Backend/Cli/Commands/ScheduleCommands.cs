using System.CommandLine;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap schedules</c>: jobs that are made again and again.</summary>
internal static class ScheduleCommands
{
    private const int DefaultWindowMinutes = 240;

    private sealed record MaintenanceWindow(string Start, int Minutes);

    private sealed record Template(string Kind, IReadOnlyList<string>? Nodes, string? Select, string? Image, JsonElement? Parameters,
        PlanOptions.RolloutPolicy? Rollout, PlanOptions.RetryPolicy? Retry, IReadOnlyList<string>? Measure = null);

    private sealed record NewSchedule(string Name, string Cron, Template Job, string Zone, string Missed, MaintenanceWindow? Window,
        bool Enabled);

    private sealed record ScheduledJob(string Kind, IReadOnlyList<string>? Nodes, string? Select, string? Image);

    private sealed record Schedule(
        string Name, string Cron, string Zone, ScheduledJob Job, string Missed, MaintenanceWindow? Window, bool Enabled, long? Next,
        Guid? LastJob, long? LastAt);

    private static readonly Argument<string> s_name = new("name") { Description = "The schedule's name." };

    private static readonly Option<bool> s_yes = new("--yes") { Description = "Of installations: yes, erase disks unattended." };

    private sealed record MadeRun(Guid Job, long At);

    private sealed record CalendarEntry(string Day, string Schedule, IReadOnlyList<long> Runs, bool More, IReadOnlyList<MadeRun> Made);

    private sealed record Applied(string Name, string Result);

    public static Command Create()
    {
        var count = new Option<int>("--count") { Description = "How many.", DefaultValueFactory = _ => 5 };
        return new Command("schedules", "Jobs that are made again and again, by cron.")
        {
            new Command("list", "All schedules and when they run next.")
                .Lists<Schedule>(_ => "schedules",
                ["NAME", new("CRON", 2), new("ZONE", 3), new("NEXT", 1), new("LAST", 4), new("MISSED", 6), new("WINDOW", 5), "JOB"], Row),
            CreateCalendar(),
            CreateAdd(),
            new Command("remove", "Make no more jobs of a schedule, and forget it.") { s_name }.Does(async (client, parsed, cancellation) =>
            {
                await client.SendAsync(HttpMethod.Delete, Path(parsed), null, cancellation);
                return 0;
            }),
            new Command("enable", "Let a schedule make its jobs.") { s_name }
                .Does((client, parsed, cancellation) => SwitchAsync(client, true, parsed, cancellation)),
            new Command("disable", "Let a schedule make no jobs until it is enabled.") { s_name }
                .Does((client, parsed, cancellation) => SwitchAsync(client, false, parsed, cancellation)),
            new Command("run", "Make a schedule's job now, whatever its window says.") { s_name, JobCommands.Wait }
                .Does(async (client, parsed, cancellation) =>
                await JobCommands.ReportAsync(client, await client.PostAsync<JobDetail>($"{Path(parsed)}/run", null, cancellation), parsed,
                    cancellation)),
            new Command("next", "When a schedule runs next, by this machine's clock.") { s_name, count }.WithTable()
                .Does(async (client, parsed, cancellation) =>
                ClientCommand.Show(parsed,
                    await client.GetAsync<IReadOnlyList<long>>($"{Path(parsed)}/runs?count={parsed.GetValue(count)}", cancellation),
                    ["TIME"], at => [Output.ZonedTime(at, TimeZoneInfo.Local.Id)])),
        };
    }

    private static Command CreateCalendar()
    {
        var from = new Option<string?>("--from") { Description = "The first day, such as 2027-01-31 (today).", HelpName = "DAY" };
        var days = new Option<int>("--days") { Description = "How many days (1 to 42).", DefaultValueFactory = _ => 7 };
        return new Command("calendar", "Day by day, what the schedules have done and will do, by this machine's clock.") { from, days }
            .Lists<CalendarEntry>(
            parsed =>
            {
                string first = parsed.GetValue(from)
                    ?? TimeProvider.System.GetLocalNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
                return string.Create(CultureInfo.InvariantCulture,
                    $"calendar?from={Uri.EscapeDataString(first)}&days={parsed.GetValue(days)}" +
                    $"&zone={Uri.EscapeDataString(TimeZoneInfo.Local.Id)}");
            },
            ["DAY", "SCHEDULE", "DONE", "TO COME"],
            e => [e.Day, e.Schedule, Times(e.Made.Select(m => m.At), false), Times(e.Runs, e.More)]);

        static string Times(IEnumerable<long> times, bool more) => !times.Any() ? ""
            : $"{string.Join(' ', times.Select(Output.DayTime))}{(more ? " and more" : "")} {TimeZoneInfo.Local.Id}";
    }

    private static Command CreateAdd()
    {
        var cron = new Option<string>("--cron")
        {
            Description = "Minute, hour, day of the month, month, day of the week, such as '0 3 * " +
            "* SUN'.",
            Required = true,
            HelpName = "LINE"
        };
        var zone = new Option<string>("--zone")
        {
            Description = "Time zone of the line, such as Europe/Berlin.",
            DefaultValueFactory = _ => "UTC"
        };
        var kind = new Option<string>(
            "--kind")
        { Description = "What is done: reboot, shutdown, install, update, firmware, run or deploy.", Required = true };
        var image = new Option<string?>("--image") { Description = "Of installations: a name, looked up at each run, or a digest." };
        var parameters = new Option<string?>("--parameters")
        {
            Description = "Those of the kind, as the API takes them, such as " +
            "'{\"shell\":\"df -h\"}'.",
            HelpName = "JSON"
        };
        var nodes = new Option<string[]?>(
            "--node")
        { Description = "A name or id; it stays this node. May be given several times, or 'all'." };
        var missed = new Option<string>("--missed")
        {
            Description = "Runs that were due while the appliance was off.",
            DefaultValueFactory = _ => "skip"
        };
        missed.AcceptOnlyFromAmong("skip", "run-once");
        var window = new Option<string?>("--window")
        {
            Description = "When jobs may begin on nodes, such as 22:00; what has not begun " +
            "when it closes is skipped.",
            HelpName = "HH:MM"
        };
        var minutes = new Option<int>("--window-minutes")
        {
            Description = "How long the window is open.",
            DefaultValueFactory = _ => DefaultWindowMinutes
        };
        var disabled = new Option<bool>("--disabled") { Description = "Make no jobs until it is enabled." };
        return new Command("add",
            "Make a job again and again.") { s_name, cron, zone, kind, NodeCommands.Select, nodes, image, parameters, missed, window,
            minutes, disabled, s_yes }.WithPlan()
            .Does(async (client, parsed, cancellation) =>
            {
                if (parsed.GetValue(image) is { } erasing && !parsed.GetValue(s_yes))
                {
                    throw Erases(erasing);
                }
                var job = new Template(parsed.GetRequiredValue(kind), parsed.GetValue(nodes) is { Length: > 0 } named ? named : null,
                    parsed.GetValue(NodeCommands.Select),
                    parsed.GetValue(image), parsed.GetValue(parameters) is { } json ? ReadJson(json) : null, PlanOptions.Rollout(parsed),
                    PlanOptions.Retry(parsed), PlanOptions.Measure(parsed));
                var wanted = new NewSchedule(parsed.GetRequiredValue(s_name), parsed.GetRequiredValue(cron), job, parsed.GetValue(zone)!,
                    parsed.GetValue(missed)!,
                    parsed.GetValue(window) is { } start ? new MaintenanceWindow(start, parsed.GetValue(minutes)) : null,
                    !parsed.GetValue(disabled));
                return Show(parsed, await client.PostAsync<Schedule>("schedules", wanted, cancellation));
            });
    }

    /// <summary><c>apply</c>: what a file says, and nothing twice.</summary>
    public static Command CreateApply()
    {
        var file = new Option<string>("--file",
            "-f")
        {
            Description = "YAML with 'schedules' and, for jobs that several share, 'templates'.",
            Required = true,
            HelpName = "FILE"
        };
        return new Command("apply", "Make the schedules of a file, or change those that differ; others stay as they are.") { file, s_yes }
            .Does(async (client, parsed, cancellation) =>
            {
                IReadOnlyList<ScheduleFile.Entry> wanted = ScheduleFile.Read(parsed.GetRequiredValue(file));
                if (wanted.Select(entry => entry.Job!.Image)
                    .FirstOrDefault(image => image is not null) is { } image && !parsed.GetValue(s_yes))
                {
                    throw Erases(image);
                }
                var before = (await client.GetAsync<IReadOnlyList<JsonElement>>("schedules", cancellation))
                    .ToDictionary(s => s.GetProperty("name").GetString()!);
                var results = new List<Applied>();
                foreach (ScheduleFile.Entry entry in wanted)
                {
                    JsonElement after = await PutAsync(client, entry, cancellation);
                    results.Add(new Applied(entry.Name!, !before.TryGetValue(entry.Name!, out JsonElement known) ? "added"
                        : IsSame(known, after) ? "unchanged" : "changed"));
                }
                return ClientCommand.Show(parsed, results, ["NAME", "RESULT"], r => [r.Name, r.Result]);
            });
    }

    private static JsonElement ReadJson(string text)
    {
        try
        {
            return JsonElement.Parse(text);
        }
        catch (JsonException e)
        {
            throw new CliException($"--parameters is no JSON: {e.Message}", e) { ExitCode = 2 };
        }
    }

    private static async Task<JsonElement> PutAsync(ApplianceClient client, ScheduleFile.Entry entry, CancellationToken cancellation)
    {
        try
        {
            return await client.SendAsync<JsonElement>(HttpMethod.Put, $"schedules/{Uri.EscapeDataString(entry.Name!)}",
                JsonContent.Create(entry), cancellation);
        }
        catch (CliException e)
        {
            throw new CliException($"schedule '{entry.Name}': {e.Message}", e);
        }
    }

    /// <summary>True if what people set is the same; when it runs next is not theirs.</summary>
    private static bool IsSame(JsonElement one, JsonElement other)
    {
        string[] theirs = ["cron", "zone", "job", "missed", "window", "enabled"];
        return theirs.All(key => one.TryGetProperty(key, out JsonElement a) == other.TryGetProperty(key, out JsonElement b) &&
            (a.ValueKind == JsonValueKind.Undefined || JsonElement.DeepEquals(a, b)));
    }

    private static CliException Erases(string image) =>
        new($"each run erases the disks of its nodes and installs '{image}' without a question: say --yes if that is meant")
        {
            ExitCode =
            2
        };

    private static async Task<int> SwitchAsync(ApplianceClient client, bool enabled, ParseResult parsed, CancellationToken cancellation) =>
        Show(parsed, await client.SendAsync<Schedule>(HttpMethod.Patch, Path(parsed), JsonContent.Create(new { enabled }), cancellation));

    private static int Show(ParseResult parsed, Schedule schedule)
    {
        if (parsed.GetValue(ClientCommand.Json))
        {
            Output.Json(schedule);
        }
        else
        {
            string runs = schedule.Next is { } next ? $"runs next {Output.ZonedTime(next, schedule.Zone)}" : "is disabled";
            Console.WriteLine($"{schedule.Name}: {runs}");
        }
        return 0;
    }

    private static string[] Row(Schedule s) =>
    [
        s.Name, s.Cron, s.Zone, s.Next is { } next ? Output.ZonedTime(next, s.Zone) : "disabled",
        s.LastAt is { } last ? Output.ZonedTime(last, s.Zone) : "", s.Missed,
        s.Window is { } window ? $"{window.Start} + {window.Minutes} min" : "",
        $"{s.Job.Kind}{(s.Job.Image is { } image ? $" of {image}" : "")}: {s.Job.Select ?? string.Join(' ', s.Job.Nodes ?? [])}",
    ];

    private static string Path(ParseResult parsed) => $"schedules/{Uri.EscapeDataString(parsed.GetRequiredValue(s_name))}";
}
