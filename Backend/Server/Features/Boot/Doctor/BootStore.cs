using System.Text.Json;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Storage;
using Dapper;

namespace Bootstrap.Server.Features.Boot.Doctor;

/// <summary>
/// Keeps boards and conversations in the appliance's database. What another version has written and this one cannot read is left out:
/// no note on a boot of last week may keep the appliance from starting.
/// </summary>
internal sealed class BootStore(Database database)
{
    /// <summary>Nulls are left out, so nothing is required.</summary>
    private static readonly JsonSerializerOptions s_json = new(ApiJson.Options) { RespectRequiredConstructorParameters = false };

    /// <summary>Conversations of one board.</summary>
    public const int Kept = 24;

    /// <summary>All boards, each with its last <see cref="BootTimeline.Recent"/> conversations.</summary>
    public IReadOnlyList<(WireBoard Board, IReadOnlyList<Conversation> Recent)> Load() => database.Read(c =>
    {
        ILookup<string, Conversation> recent = c.Query<(string Mac, string Body)>("""
            SELECT mac, body FROM (
                SELECT mac, body, started_at, row_number() OVER (PARTITION BY mac ORDER BY started_at DESC) AS place
                FROM boot_conversations)
            WHERE place <= @Recent ORDER BY mac, started_at DESC
            """, new { BootTimeline.Recent }).SelectMany(r => Read<Conversation>(r.Body).Select(conversation => (r.Mac, conversation)))
                .ToLookup(r => r.Mac, r => r.conversation);
        return c.Query<(string Mac, string Body)>("SELECT mac, body FROM boot_boards").Where(r => recent.Contains(r.Mac))
            .SelectMany(r => Read<WireBoard>(r.Body).Select(board => (board, (IReadOnlyList<Conversation>)[.. recent[r.Mac]]))).ToList();
    });

    /// <summary>A board's conversations, the newest first.</summary>
    public IReadOnlyList<Conversation> Conversations(MacAddress mac) => database.Read(c =>
        c.Query<string>("SELECT body FROM boot_conversations WHERE mac = @mac ORDER BY started_at DESC LIMIT @Kept",
            new { mac = mac.ToString(), Kept })
            .SelectMany(Read<Conversation>).ToList());

    /// <summary>Writes what has changed, in one transaction, and forgets what is too old.</summary>
    public void Save(IReadOnlyCollection<WireBoard> boards, IReadOnlyCollection<Conversation> conversations,
        IReadOnlyCollection<MacAddress> removed) =>
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

    private static string Write<T>(T value) => JsonSerializer.Serialize(value, s_json);

    private static IEnumerable<T> Read<T>(string json)
    {
        try
        {
            return [JsonSerializer.Deserialize<T>(json, s_json)!];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
