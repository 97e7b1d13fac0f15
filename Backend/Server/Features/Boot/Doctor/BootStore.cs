using System.Text.Json;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Storage;
using Dapper;

namespace Bootstrap.Server.Features.Boot.Doctor;

/// <summary>Keeps boards and conversations in the appliance's database.</summary>
internal sealed class BootStore(Database database)
{
    /// <summary>Conversations of one board.</summary>
    public const int Kept = 24;

    /// <summary>All boards, each with its last <see cref="BootTimeline.Recent"/> conversations.</summary>
    public IReadOnlyList<(WireBoard Board, IReadOnlyList<Conversation> Recent)> Load() => database.Read(c =>
    {
        ILookup<string, Conversation> recent = c.Query<(string Mac, string Body)>("""
            SELECT mac, body FROM (
                SELECT mac, body, started_at, row_number() OVER (PARTITION BY mac ORDER BY started_at DESC) AS place FROM boot_conversations)
            WHERE place <= @Recent ORDER BY mac, started_at DESC
            """, new { BootTimeline.Recent }).ToLookup(r => r.Mac, r => Read<Conversation>(r.Body));
        return c.Query<(string Mac, string Body)>("SELECT mac, body FROM boot_boards")
            .Select(r => (Read<WireBoard>(r.Body), (IReadOnlyList<Conversation>)[.. recent[r.Mac]])).ToList();
    });

    /// <summary>A board's conversations, the newest first.</summary>
    public IReadOnlyList<Conversation> Conversations(MacAddress mac) => database.Read(c =>
        c.Query<string>("SELECT body FROM boot_conversations WHERE mac = @mac ORDER BY started_at DESC LIMIT @Kept", new { mac = mac.ToString(), Kept })
            .Select(Read<Conversation>).ToList());

    /// <summary>Writes what has changed, in one transaction, and forgets what is too old.</summary>
    public void Save(IReadOnlyCollection<WireBoard> boards, IReadOnlyCollection<Conversation> conversations, IReadOnlyCollection<MacAddress> removed) =>
        database.Write(c =>
        {
            c.Execute("DELETE FROM boot_boards WHERE mac = @mac", removed.Select(mac => new { mac = mac.ToString() }));
            c.Execute("""
                INSERT INTO boot_boards (mac, body) VALUES (@mac, @body) ON CONFLICT (mac) DO UPDATE SET body = excluded.body
                """, boards.Select(b => new { mac = b.Mac.ToString(), body = Write(b) }));
            c.Execute("""
                INSERT INTO boot_conversations (mac, started_at, body) VALUES (@mac, @StartedAt, @body)
                ON CONFLICT (mac, started_at) DO UPDATE SET body = excluded.body
                """, conversations.Select(v => new { mac = v.Mac.ToString(), v.StartedAt, body = Write(v) }));
            c.Execute("""
                DELETE FROM boot_conversations WHERE mac = @mac AND started_at <=
                    (SELECT started_at FROM boot_conversations WHERE mac = @mac ORDER BY started_at DESC LIMIT 1 OFFSET @Kept)
                """, conversations.Select(v => v.Mac.ToString()).Distinct().Select(mac => new { mac, Kept }));
        });

    private static string Write<T>(T value) => JsonSerializer.Serialize(value, ApiJson.Options);

    private static T Read<T>(string json) => JsonSerializer.Deserialize<T>(json, ApiJson.Options)!;
}
