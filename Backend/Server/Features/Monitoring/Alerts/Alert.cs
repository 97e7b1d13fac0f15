using Bootstrap.Protocol.Status;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Monitoring.Alerts;

/// <summary>Something that is wrong with a node, or was.</summary>
/// <param name="Node">Its id.</param>
/// <param name="NodeName">What people call it.</param>
/// <param name="Rule">Name of the rule.</param>
/// <param name="Title">Of the rule.</param>
/// <param name="Text">What was measured, in words: "86.2 °C, cpu-thermal"; may be empty.</param>
/// <param name="StartedAt">Unix milliseconds, as all times.</param>
/// <param name="EndedAt">Null: it goes on.</param>
/// <param name="Times">How often it has come back within a short time.</param>
/// <param name="Muted">Why nobody is told; empty: they are.</param>
public sealed record Alert(string Node, string NodeName, string Rule, string Title, string Text, long StartedAt, long? EndedAt, long Times,
    string Muted);

/// <summary>An alert as the database has it: of a node and a rule there is the newest one.</summary>
internal sealed class AlertRow
{
    private const string Select = """
        SELECT a.node_id AS Node, n.name AS NodeName, a.rule AS Rule, a.value AS Value, a.part AS Part, a.started_at AS StartedAt,
            a.ended_at AS EndedAt, a.times AS Times, a.told AS Told, a.muted AS Muted
        FROM alerts a JOIN node_names n ON n.id = a.node_id
        """;

    public required string Node { get; init; }
    public required string NodeName { get; init; }
    public required string Rule { get; init; }
    public double Value { get; init; }
    public required string Part { get; init; }
    public long StartedAt { get; init; }
    public long? EndedAt { get; init; }
    public long Times { get; init; }
    /// <summary>1: people were told that it goes on.</summary>
    public long Told { get; init; }
    public required string Muted { get; init; }

    /// <summary>All: first those that go on, the newest first.</summary>
    public static List<AlertRow> All(SqliteConnection c) =>
        [.. c.Query<AlertRow>($"{Select} ORDER BY a.ended_at IS NOT NULL, coalesce(a.ended_at, a.started_at) DESC, n.name, a.rule")];

    /// <summary>Those that go on.</summary>
    public static List<AlertRow> Open(SqliteConnection c) => [.. c.Query<AlertRow>($"{Select} WHERE a.ended_at IS NULL ORDER BY n.name")];

    /// <summary>Those that have ended, and of which people have not been told so.</summary>
    public static List<AlertRow> EndedUntold(SqliteConnection c) =>
        [.. c.Query<AlertRow>($"{Select} WHERE a.ended_at IS NOT NULL AND a.told = 1 ORDER BY n.name")];

    public static AlertRow? Find(SqliteConnection c, string node, string rule) =>
        c.QuerySingleOrDefault<AlertRow>($"{Select} WHERE a.node_id = @node AND a.rule = @rule", new { node, rule });

    public static List<AlertRow> OfNode(SqliteConnection c, string node) =>
        [.. c.Query<AlertRow>($"{Select} WHERE a.node_id = @node", new { node })];

    /// <summary>As people see it.</summary>
    public Alert View(AlertRule? rule)
    {
        Metric? metric = rule is null ? null : ApplianceMetrics.Find(rule.Metric) ?? Metrics.Find(rule.Metric);
        string value = metric is null or { Unit: MetricUnit.Flag } ? "" : MetricText.Of(metric.Unit, Value);
        string text = string.Join(", ", new[] { value, Part }.Where(word => word.Length > 0));
        return new Alert(Node, NodeName, Rule, rule?.Title ?? Rule, text, StartedAt, EndedAt, Times, Muted);
    }
}
