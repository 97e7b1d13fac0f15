using Bootstrap.Server.Storage;
using Dapper;

namespace Bootstrap.Server.Features.Access;

/// <summary>Something that somebody did, or tried.</summary>
/// <param name="At">Unix milliseconds.</param>
/// <param name="Who">Name of a person; empty for somebody who was not signed in.</param>
/// <param name="What">The action in words: that of the API's description.</param>
/// <param name="Subject">What it was done to.</param>
/// <param name="Refusal">Why it was not done; empty: it was.</param>
public sealed record AuditEntry(long Id, long At, string Who, string What, string Subject, string Refusal);

/// <summary>Who did what. Of what was sent nothing is kept but names, so that no secret can get in.</summary>
public sealed class AuditLog(Database database, TimeProvider clock)
{
    /// <summary>So many are listed at once.</summary>
    public const int MostListed = 1000;

    /// <summary>Older ones are forgotten. What strangers tried has a room of its own, so that it never takes the place of what was
    /// done.</summary>
    private const int Kept = 100_000, KeptOfStrangers = 10_000;

    /// <summary>Looking for what is too old costs more than a line: it is done once for so many.</summary>
    private const int TrimInterval = 100;

    /// <returns>Id of the entry.</returns>
    public long Add(string who, string what, string subject, string refusal) => database.Write(c =>
    {
        long id = c.ExecuteScalar<long>(
            "INSERT INTO audit (at, who, what, subject, refusal) VALUES (@at, @who, @what, @subject, @refusal) RETURNING id",
            new { at = clock.GetUtcNow().ToUnixTimeMilliseconds(), who, what, subject, refusal });
        if (id % TrimInterval == 0)
        {
            c.Execute("""
                DELETE FROM audit WHERE who = ''
                    AND id <= (SELECT id FROM audit WHERE who = '' ORDER BY id DESC LIMIT 1 OFFSET @KeptOfStrangers);
                DELETE FROM audit WHERE who <> '' AND id <= (SELECT id FROM audit WHERE who <> '' ORDER BY id DESC LIMIT 1 OFFSET @Kept);
                """, new { Kept, KeptOfStrangers });
        }
        return id;
    });

    /// <summary>Says more of an entry's refusal.</summary>
    public void Amend(long id, string refusal) =>
        database.Write(c => c.Execute("UPDATE audit SET refusal = @refusal WHERE id = @id", new { id, refusal }));

    /// <summary>The newest first.</summary>
    /// <param name="before">Those before this id.</param>
    /// <param name="text">Part of any column; null: all.</param>
    public IReadOnlyList<AuditEntry> List(long? before, string? text, int limit) => [.. database.Read(c => c.Query<AuditEntry>("""
        SELECT id AS Id, at AS At, who AS Who, what AS What, subject AS Subject, refusal AS Refusal FROM audit
        WHERE (@before IS NULL OR id < @before)
            AND (@text = '' OR instr(lower(who || char(10) || what || char(10) || subject || char(10) || refusal), @text) > 0)
        ORDER BY id DESC LIMIT @limit
        """, new { before, text = text?.Trim().ToLowerInvariant() ?? "", limit }))];
}
