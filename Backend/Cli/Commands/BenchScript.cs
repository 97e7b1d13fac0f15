using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary>A script of measurements as a file has it (YAML): steps that are done one after the other.</summary>
internal sealed class BenchScript
{
    private const int MostTimes = 100, MostMinutes = 24 * 60;

    /// <summary>Which nodes a step means that does not say so itself: words as in the page's filter.</summary>
    public string? Select { get; init; }

    public List<Step> Steps { get; init; } = [];

    /// <summary>One step: a name, and exactly one of the three things that can be done.</summary>
    internal sealed class Step
    {
        public string? Name { get; init; }

        /// <summary>Waits until nodes are connected.</summary>
        public Connecting? Connect { get; init; }

        /// <summary>Measures nodes.</summary>
        public Measurement? Measure { get; init; }

        /// <summary>Shows what the steps of these names have measured, and how it compares with the times before.</summary>
        public List<string>? Report { get; init; }

        /// <summary>Steps without whose success this one is left out.</summary>
        public List<string> After { get; init; } = [];

        /// <summary>How often it is measured.</summary>
        public int Times { get; init; } = 1;
    }

    internal sealed class Connecting
    {
        public string? Select { get; set; }
        public int AtLeast { get; init; } = 1;
        public int Minutes { get; init; } = 10;
    }

    /// <summary>As the API takes it, but for <see cref="Select"/>.</summary>
    internal sealed class Measurement
    {
        public string? Select { get; set; }
        public string? Benchmark { get; init; }
        public Dictionary<string, string>? Parameters { get; init; }
        public bool? AllCores { get; init; }
        public int? SoakSeconds { get; init; }
        public int? LimitSeconds { get; init; }
        public int? QuietSeconds { get; init; }
        public int? PatienceSeconds { get; init; }
    }

    /// <summary>Reads a file whole, and checks all that can be checked without an appliance.</summary>
    /// <exception cref="CliException">It cannot be read, or something in it makes no sense; the place is named.</exception>
    public static BenchScript Read(string path)
    {
        BenchScript script = YamlFile.Read<BenchScript>(path);
        var before = new List<Step>();
        foreach (Step step in script.Steps)
        {
            if (FaultOf(step, before, script.Select) is { } fault)
            {
                string place = string.IsNullOrEmpty(step.Name) ? $"step {before.Count + 1}" : $"step '{step.Name}'";
                throw new CliException($"{path}: {place} {fault}") { ExitCode = 2 };
            }
            step.Connect?.Select ??= script.Select;
            step.Measure?.Select ??= script.Select;
            before.Add(step);
        }
        return before.Count > 0 ? script : throw new CliException($"{path}: there are no steps in it") { ExitCode = 2 };
    }

    private static string? FaultOf(Step step, List<Step> before, string? select)
    {
        bool IsBefore(string name) => before.Any(earlier => earlier.Name == name);
        return step switch
        {
            { Name: null or "" } => "has no name",
            _ when IsBefore(step.Name) => "is there twice",
            _ when new object?[] { step.Connect, step.Measure, step.Report }.Count(action => action is not null) != 1 =>
                "needs one of 'connect', 'measure' and 'report', and not more",
            _ when step.After.Concat(step.Report ?? []).FirstOrDefault(name => !IsBefore(name)) is { } missing =>
                $"names the step '{missing}', which does not stand before it",
            { Report: [] } => "reports nothing: name steps that measure",
            { Report: { } names } when before.FirstOrDefault(s => names.Contains(s.Name!) && s.Measure is null) is { } other =>
                $"reports the step '{other.Name}', which measures nothing",
            { Times: not 1, Measure: null } => "has 'times', which is for 'measure' alone",
            { Times: < 1 or > MostTimes } => $"is done 1 to {MostTimes} times, and not {step.Times}",
            { Connect.Minutes: < 0 or > MostMinutes } => $"waits 0 to {MostMinutes} minutes, and not {step.Connect.Minutes}",
            { Connect.AtLeast: < 1 } => $"waits for 1 node or more, and not for {step.Connect.AtLeast}",
            { Measure.Benchmark: null or "" } => "names no benchmark",
            { Report: null } when select is null && (step.Connect?.Select ?? step.Measure?.Select) is null =>
                "chooses no nodes: 'select' is missing, in it and for the whole script",
            _ => null,
        };
    }
}
