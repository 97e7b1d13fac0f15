using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary>Schedules as a file has them (YAML): <c>schedules</c>, each with its <c>job</c> or the name of one of the
/// <c>templates</c>.</summary>
internal sealed class ScheduleFile
{
    public Dictionary<string, Job> Templates { get; init; } = [];

    public List<Entry> Schedules { get; init; } = [];

    /// <summary>One schedule, word for word as the API takes it, but for <see cref="Template"/>.</summary>
    internal sealed class Entry
    {
        public string? Name { get; init; }
        public string? Cron { get; init; }
        public string Zone { get; init; } = "UTC";
        public string? Template { get; init; }
        public Job? Job { get; init; }
        public string Missed { get; init; } = "skip";
        public Window? Window { get; init; }
        public bool Enabled { get; init; } = true;
    }

    internal sealed class Job
    {
        public string? Kind { get; init; }
        public string? Select { get; init; }
        public List<string>? Nodes { get; init; }
        public string? Image { get; init; }

        /// <summary>Those of the kind, which the appliance reads.</summary>
        public Dictionary<string, object>? Parameters { get; init; }
        public Rollout? Rollout { get; init; }
        public Retry? Retry { get; init; }
        public List<string>? Measure { get; init; }
    }

    internal sealed class Rollout
    {
        public int Canary { get; init; }
        public int? Batch { get; init; }
        public int? MaximumAtOnce { get; init; }
        public int? MaximumWatts { get; init; }
        public int PauseBetween { get; init; }
        public string? StopAfter { get; init; }
        public bool? RequireHealthy { get; init; }
    }

    internal sealed class Retry
    {
        public int Attempts { get; init; }
        public int Pause { get; init; } = PlanOptions.DefaultRetryPause;
    }

    internal sealed class Window
    {
        public string? Start { get; init; }
        public int Minutes { get; init; }
    }

    /// <summary>Reads a file whole.</summary>
    /// <returns>The schedules, with their jobs put in for the templates.</returns>
    /// <exception cref="CliException">It cannot be read, or something in it is not understood; line and column are named.</exception>
    public static IReadOnlyList<Entry> Read(string path)
    {
        ScheduleFile file = YamlFile.Read<ScheduleFile>(path);
        if (file.Schedules.GroupBy(s => s.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new CliException($"{path}: there are {twice.Count()} schedules called '{twice.Key}'") { ExitCode = 2 };
        }
        return [.. file.Schedules.Select((entry, i) => Resolve(path, file, entry, i + 1))];
    }

    private static Entry Resolve(string path, ScheduleFile file, Entry entry, int number)
    {
        string fault = entry switch
        {
            { Name: null or "" } => $"schedule {number} has no name",
            { Cron: null } => $"schedule '{entry.Name}' has no cron line",
            { Template: null, Job: null } or { Template: not null, Job: not null } =>
                $"schedule '{entry.Name}' needs a job or a template, and not both",
            { Template: { } name } when !file.Templates.ContainsKey(name) =>
                $"schedule '{entry.Name}' names the template '{name}', which is not in this file",
            _ => "",
        };
        if (fault.Length > 0)
        {
            throw new CliException($"{path}: {fault}") { ExitCode = 2 };
        }
        return new Entry
        {
            Name = entry.Name,
            Cron = entry.Cron,
            Zone = entry.Zone,
            Job = entry.Job ?? file.Templates[entry.Template!],
            Missed = entry.Missed,
            Window = entry.Window,
            Enabled = entry.Enabled,
        };
    }
}
