using System.Text.Json;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Server.Storage;
using Dapper;

namespace Bootstrap.Server.Features.Discovery;

/// <summary>Keeps who is there, and what happened, over the appliance's restarts.</summary>
internal sealed class PresenceStore(Database database)
{
    /// <summary>Events that are kept: some weeks of a rack, some days of a restless one.</summary>
    public const int Kept = 10_000;

    private sealed record Row(long Sequence, string Kind, string NodeId, long At, string Reason);

    /// <summary>What an earlier run knew. What another version wrote and this one cannot read is found anew on the wire.</summary>
    public IReadOnlyList<PresenceRecord> Load() =>
        database.Read(c => c.Query<string>("SELECT body FROM presence").SelectMany(Read).ToList());

    /// <summary>Number of the newest event; 0 before the first.</summary>
    public long LastSequence() => database.Read(c => c.ExecuteScalar<long?>("SELECT max(sequence) FROM presence_events")) ?? 0;

    /// <summary>Writes these nodes as they are now, and adds events, in one transaction.</summary>
    public void Save(IEnumerable<PresenceRecord> records, IReadOnlyCollection<PresenceEvent> events) => database.Write(c =>
    {
        c.Execute("INSERT INTO presence (id, body) VALUES (@id, @body) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            records.Select(r => new { id = r.Node.Id, body = JsonSerializer.Serialize(r, ApiJson.Options) }));
        c.Execute("INSERT OR REPLACE INTO presence_events (sequence, kind, node_id, at, reason) VALUES (@Sequence, @kind, @Id, @at, " +
            "@Reason)",
            events.Select(e => new { e.Sequence, kind = e.Kind.ToString(), e.Id, at = e.At.ToUnixTimeMilliseconds(), e.Reason }));
        c.Execute("DELETE FROM presence_events WHERE sequence <= (SELECT max(sequence) FROM presence_events) - @Kept", new { Kept });
    });

    /// <summary>Events with a number above this one, oldest first.</summary>
    public IReadOnlyList<PresenceEvent> EventsAfter(long sequence, int limit) => database.Read(c =>
        c.Query<Row>("SELECT sequence, kind, node_id AS NodeId, at, reason FROM presence_events WHERE sequence > @sequence ORDER BY " +
            "sequence LIMIT @limit", new { sequence, limit })
            .Select(r => new PresenceEvent(r.Sequence, Enum.Parse<PresenceKind>(r.Kind), r.NodeId,
                DateTimeOffset.FromUnixTimeMilliseconds(r.At), r.Reason)).ToList());

    private static IEnumerable<PresenceRecord> Read(string json)
    {
        try
        {
            return [JsonSerializer.Deserialize<PresenceRecord>(json, ApiJson.Options)!];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
