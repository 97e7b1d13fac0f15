using System.Text.Json;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Status;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Monitoring.Alerts;

/// <summary>Keeps what is wrong with nodes, and notes in the same transaction what people are to be told of it.</summary>
internal sealed class AlertStore(Database database, AlertRules rules, TimeProvider clock)
{
    /// <summary>What comes back within this time after its end is the same alert, and of its end people are told after it.</summary>
    public static readonly TimeSpan Settling = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan s_kept = TimeSpan.FromDays(7);

    private const int MostNames = 20;

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>All that are known: first those that go on.</summary>
    public IReadOnlyList<Alert> All() => View(database.Read(AlertRow.All));

    /// <summary>These of some conditions are met on nodes now, and the others of them are not.</summary>
    /// <param name="met">By node: what is met.</param>
    /// <param name="about">Whether a rule is one of those that were looked at.</param>
    /// <returns>The alerts that have changed by it.</returns>
    public IReadOnlyList<Alert> Set(IReadOnlyDictionary<NodeId, IReadOnlyList<MetCondition>> met, Func<string, bool> about) =>
        View(database.Write(c => met.SelectMany(node => Set(c, node.Key.ToString(), node.Value, about)).ToList()));

    /// <summary>Notes for those who want to know what has begun, but on nodes with which something is done on purpose, and what is
    /// over.</summary>
    /// <param name="quiet">Those nodes, with the reason.</param>
    /// <returns>The alerts that are muted now and were not, or the other way round.</returns>
    public IReadOnlyList<Alert> Tell(Func<IReadOnlyDictionary<NodeId, string>> quiet)
    {
        (List<AlertRow> open, List<AlertRow> over) = database.Read(c => (AlertRow.Open(c), AlertRow.EndedUntold(c)));
        over.RemoveAll(row => Now - row.EndedAt < (long)Settling.TotalMilliseconds);
        if (open.Count + over.Count == 0)
        {
            return [];
        }
        IReadOnlyDictionary<NodeId, string> reasons = quiet();
        string Reason(AlertRow row) => reasons.GetValueOrDefault(NodeId.Parse(row.Node), "");
        List<AlertRow> changed = [.. open.Where(row => row.Muted != Reason(row))];
        List<AlertRow> begun = [.. open.Where(row => row.Told == 0 && Reason(row).Length == 0)];
        if (changed.Count + begun.Count + over.Count == 0)
        {
            return [];
        }
        return View(database.Write(c =>
        {
            c.Execute("UPDATE alerts SET muted = @reason WHERE node_id = @Node AND rule = @Rule",
                changed.Select(row => new { row.Node, row.Rule, reason = Reason(row) }));
            c.Execute("UPDATE alerts SET told = 1 WHERE node_id = @Node AND rule = @Rule", begun.Select(row => new { row.Node, row.Rule }));
            c.Execute("UPDATE alerts SET told = 0 WHERE node_id = @Node AND rule = @Rule", over.Select(row => new { row.Node, row.Rule }));
            Note(c, NoticeKind.AlertStarted, "", begun);
            Note(c, NoticeKind.AlertEnded, "over: ", over);
            return changed.Select(row => AlertRow.Find(c, row.Node, row.Rule)).OfType<AlertRow>().ToList();
        }));
    }

    /// <summary>Forgets alerts whose rule is no longer looked at, and those that ended long ago.</summary>
    /// <returns>True: some.</returns>
    public bool Tidy() => database.Write(c => c.Execute("DELETE FROM alerts WHERE rule NOT IN @names OR ended_at < @old", new
    {
        names = rules.All().Where(rule => rule.Enabled).Select(rule => rule.Name).ToList(),
        old = Now - (long)s_kept.TotalMilliseconds,
    })) > 0;

    private List<AlertRow> Set(SqliteConnection c, string node, IReadOnlyList<MetCondition> met, Func<string, bool> about)
    {
        var changed = new List<AlertRow>();
        Dictionary<string, AlertRow> known = AlertRow.OfNode(c, node).ToDictionary(row => row.Rule);
        foreach (MetCondition condition in met)
        {
            if (known.TryGetValue(condition.Rule, out AlertRow? row) && row.EndedAt is null)
            {
                continue;
            }
            long started = Now - 1000 * condition.HeldSeconds;
            bool isSame = row is not null && Now - row.EndedAt < (long)Settling.TotalMilliseconds;
            if (!NodeRow.Exists(c, node))
            {
                continue; // it was forgotten meanwhile
            }
            c.Execute("""
                INSERT INTO alerts (node_id, rule, value, part, started_at) VALUES (@node, @Rule, @Value, @part, @started)
                ON CONFLICT (node_id, rule) DO UPDATE SET value = excluded.value, part = excluded.part, ended_at = NULL, muted = '',
                    started_at = iif(@isSame, started_at, excluded.started_at), times = iif(@isSame, times + 1, 1),
                    told = iif(@isSame, told, 0)
                """, new { node, condition.Rule, condition.Value, part = condition.Part ?? "", started, isSame });
            if (AlertRow.Find(c, node, condition.Rule) is { } now)
            {
                changed.Add(now);
            }
        }
        foreach (AlertRow row in known.Values.Where(r => r.EndedAt is null && about(r.Rule) && met.All(m => m.Rule != r.Rule)))
        {
            c.Execute("UPDATE alerts SET ended_at = @Now, muted = '' WHERE node_id = @node AND rule = @Rule", new { Now, node, row.Rule });
            changed.Add(AlertRow.Find(c, node, row.Rule)!);
        }
        return changed;
    }

    /// <summary>One notice for all nodes with which the same is wrong: a switch without power is one event, not fifty.</summary>
    private void Note(SqliteConnection c, NoticeKind kind, string prefix, List<AlertRow> rows)
    {
        foreach (IGrouping<string, Alert> rule in View(rows).GroupBy(alert => alert.Rule))
        {
            List<Alert> alerts = [.. rule];
            string names = string.Join(", ", alerts.Take(MostNames).Select(alert => alert.NodeName));
            string more = alerts.Count > MostNames ? $" and {alerts.Count - MostNames} more" : "";
            string value = alerts.Count == 1 && alerts[0].Text.Length > 0 ? $" ({alerts[0].Text})" : "";
            Outbox.Add(c, kind, rule.Key, Now, $"{prefix}{alerts[0].Title}{value} on {names}{more}",
                JsonSerializer.Serialize(new { rule = rule.Key, alerts }, ApiJson.Options));
        }
    }

    private List<Alert> View(IEnumerable<AlertRow> rows)
    {
        var byName = rules.All().ToDictionary(rule => rule.Name);
        return [.. rows.Select(row => row.View(byName.GetValueOrDefault(row.Rule)))];
    }
}
