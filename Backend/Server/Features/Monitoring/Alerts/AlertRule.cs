using System.Text.RegularExpressions;
using Bootstrap.Protocol.Status;
using Bootstrap.Server.Features.Nodes;

namespace Bootstrap.Server.Features.Monitoring.Alerts;

/// <summary>What people are told of.</summary>
/// <param name="Name">Of a-z, 0-9 and '-'.</param>
/// <param name="Title">For people: "Under-voltage".</param>
/// <param name="Metric">A key of a metric, or one that the appliance measures itself (<see cref="ApplianceMetrics"/>).</param>
/// <param name="Comparison">How its value is compared.</param>
/// <param name="Threshold">With what, in the metric's unit.</param>
/// <param name="ForSeconds">For how long; with <c>rises-by</c>, within how long.</param>
/// <param name="Select">On which nodes; null: on all.</param>
/// <param name="Enabled">It is looked at.</param>
public sealed partial record AlertRule(
    string Name, string Title, string Metric, AlertComparison Comparison, double Threshold, int ForSeconds, string? Select = null,
    bool Enabled = true)
{
    private const int LongestTitle = 60;

    /// <summary>What the nodes look at.</summary>
    internal AlertCondition Condition => new(Metric, Comparison, Threshold, ForSeconds);

    /// <summary>The appliance measures it itself.</summary>
    internal bool IsOfAppliance => ApplianceMetrics.Find(Metric) is not null;

    /// <summary>What is wrong with it, in one sentence; null: nothing.</summary>
    internal string? Validate() =>
        !ProperName().IsMatch(Name) ? $"'{Name}' cannot be a rule's name: use 1 to 40 of a-z, 0-9 and '-'."
        : Title.Length is 0 or > LongestTitle || Title.Any(char.IsControl)
            ? $"A rule's title is one line of 1 to {LongestTitle} characters."
        : Condition.FindFault(key => ApplianceMetrics.Find(key) ?? Metrics.Find(key)) is { } fault ? fault
        : IsOfAppliance && Comparison is not (AlertComparison.Above or AlertComparison.Below)
            ? $"'{Metric}' is compared with above or below."
        : Select is not null && NodeSelector.Parse(Select) is { Fault.Length: > 0 } selector ? selector.Fault
        : null;

    /// <summary>Those that an appliance comes with.</summary>
    internal static IReadOnlyList<AlertRule> BuiltIn { get; } =
    [
        new("under-voltage", "Under-voltage", Metrics.UnderVoltage, AlertComparison.Above, 0, 0),
        new("throttled", "Throttled", Metrics.Throttled, AlertComparison.Above, 0, 5),
        new("heat", "Heat", Metrics.Temperature, AlertComparison.Above, 80, 30),
        new("card-errors", "Card errors", Metrics.CardErrors, AlertComparison.RisesBy, 0, 300),
        new("disk-errors", "Disk errors", Metrics.DiskErrors, AlertComparison.RisesBy, 0, 300),
        new("file-system-errors", "File system errors", Metrics.FileSystemErrors, AlertComparison.RisesBy, 0, 300),
        new("read-only-root", "Root file system read-only", MetricKey.Of(Metrics.ReadOnly, "/"), AlertComparison.Above, 0, 5),
        new("disk-full", "Disk full", Metrics.FileSystemUsed, AlertComparison.Above, 90, 60),
        new("inodes-full", "Inodes used up", Metrics.Inodes, AlertComparison.Above, 90, 60),
        new("memory-full", "Memory full", Metrics.MemoryUsed, AlertComparison.Above, 95, 60),
        new("memory-pressure", "Memory pressure", Metrics.PressureMemory, AlertComparison.Above, 20, 30),
        new("oom-kill", "Out-of-memory kill", Metrics.OomKills, AlertComparison.RisesBy, 0, 300),
        new("clock-off", "Clock wrong", Metrics.ClockOffset, AlertComparison.OffBy, 2, 10),
        new("slow-link", "Slow network link", Metrics.SlowLink, AlertComparison.Above, 0, 30),
        new("silent", "Node silent", ApplianceMetrics.Silence, AlertComparison.Above, 35, 0),
        new("restarts", "Many restarts", ApplianceMetrics.Restarts, AlertComparison.Above, 3, 0),
    ];

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9-]{0,39}\z")]
    private static partial Regex ProperName();
}

/// <summary>What the appliance knows of a node, and the node cannot.</summary>
internal static class ApplianceMetrics
{
    /// <summary>Since an installed node was last connected; 0: it is. One that a job has shut down is not silent.</summary>
    public const string Silence = "node.silence";

    /// <summary>Of its system in the last hour, but for those during a job.</summary>
    public const string Restarts = "node.restarts";

    public static IReadOnlyList<Metric> All { get; } =
        [new(Silence, MetricUnit.Seconds, "Silence", 1), new(Restarts, MetricUnit.Count, "Restarts in an hour", 1)];

    /// <summary>The metric of a key; null: the appliance measures none of it.</summary>
    public static Metric? Find(string key) => All.FirstOrDefault(metric => metric.Name == key);
}
