using System.Globalization;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Cli.Top;

/// <summary>The nodes as a table that is written over itself.</summary>
internal static class Screen
{
    private static readonly (string Head, string Metric)[] s_metrics =
    [
        ("CPU", Metrics.Busy), ("LOAD", Metrics.Load1), ("MEM", Metrics.MemoryUsed), ("TEMP", Metrics.Temperature),
        ("DISK", Metrics.FileSystemUsed),
        ("IN", Metrics.Receive), ("OUT", Metrics.Transmit), ("CLOCK", Metrics.Clock),
    ];

    private static readonly (string Metric, string Word)[] s_flags =
    [
        (Metrics.UnderVoltage, "under-voltage"), (Metrics.Throttled, "throttled"), (Metrics.ReadOnly, "read-only"),
        (Metrics.SlowLink, "slow link"),
    ];

    /// <summary>The table's columns.</summary>
    public static IReadOnlyList<Column> Columns { get; } =
    [
        "NODE", .. s_metrics.Select((metric, i) => new Column(metric.Head, 1 + i)), new("WAY", s_metrics.Length + 1), "STATE",
    ];

    /// <summary>One node's cells.</summary>
    public static string[] Row(WatchedNode node) =>
    [
        node.Name, .. s_metrics.Select(metric => Cell(node, metric.Metric)),
        node.Way switch { Way.Direct => "direct", Way.Relayed => "relayed", _ => "" }, StateOf(node),
    ];

    /// <summary>Those with the greatest values first, and those that nobody hears last.</summary>
    public static IEnumerable<WatchedNode> Sort(IEnumerable<WatchedNode> nodes, string? by) => by is null
        ? nodes.OrderBy(node => node.Name, StringComparer.Ordinal)
        : nodes.OrderByDescending(node => node.ValueOf(by) ?? double.NegativeInfinity).ThenBy(node => node.Name, StringComparer.Ordinal);

    /// <summary>As many nodes as a terminal has lines for.</summary>
    /// <param name="sorted">All of them.</param>
    /// <param name="width">Cells of a line.</param>
    /// <param name="height">Lines.</param>
    public static string Page(IReadOnlyList<WatchedNode> sorted, int width, int height)
    {
        int lines = Math.Max(1, height - 3);
        var table = new TextTable(Columns, [.. sorted.Take(lines).Select(node => Row(node).Select(PlainText.Line).ToArray())]);
        int heard = sorted.Count(node => node.Way != Way.None && !node.IsSilent);
        string more = sorted.Count > lines ? $", {sorted.Count - lines} more than there are lines for" : "";
        string head = string.Create(CultureInfo.InvariantCulture, $"{heard} of {sorted.Count} nodes heard{more} (Ctrl+C ends)");
        return string.Join('\n', table.Lines(table.Fit(width), width).Prepend(head).Take(lines + 2));
    }

    private static string Cell(WatchedNode node, string metric) => node.Fault is null && !node.IsSilent && node.ValueOf(metric) is { } value
        ? MetricText.Of(Metrics.Find(metric)!.Unit, value) : "";

    private static string StateOf(WatchedNode node) =>
        node.Fault is { } fault ? $"malformed: {fault}"
        : node.Way == Way.None ? "not heard"
        : node.IsSilent ? "silent"
        : string.Join(", ", s_flags.Where(flag => node.ValueOf(flag.Metric) > 0).Select(flag => flag.Word));
}
