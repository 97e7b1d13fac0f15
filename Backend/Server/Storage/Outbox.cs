using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Storage;

/// <summary>What can be told.</summary>
public enum NoticeKind
{
    /// <summary>A job has ended.</summary>
    JobEnded,

    /// <summary>The first node of a job has failed.</summary>
    JobFailing,

    /// <summary>A board has come that was never seen before.</summary>
    NewBoard,

    /// <summary>A backup could not be made; told once, until one is made again.</summary>
    BackupFailed,

    /// <summary>Something is wrong with nodes.</summary>
    AlertStarted,

    /// <summary>It is over.</summary>
    AlertEnded,
}

/// <summary>Something that people may want to be told of.</summary>
/// <param name="Subject">Id of the job or node, or a rule's name.</param>
/// <param name="At">Unix milliseconds.</param>
/// <param name="Text">What is told, where the database has nothing of it; empty: it has.</param>
/// <param name="Data">What programs are told with it: JSON; empty: the database has it.</param>
internal sealed record OutboxEvent(long Id, NoticeKind Kind, string Subject, long At, string Text, string Data);

/// <summary>
/// Events that are yet to be told. They are added in the transaction that changes the state, so that neither is there without the other,
/// whenever the power goes.
/// </summary>
internal static class Outbox
{
    private sealed record Row(long Id, string Kind, string Subject, long At, string Text, string Data);

    /// <inheritdoc cref="OutboxEvent"/>
    public static void Add(SqliteConnection c, NoticeKind kind, string subject, long at, string text = "", string data = "") => c.Execute(
        "INSERT INTO notices (kind, subject, at, text, data) VALUES (@kind, @subject, @at, @text, @data)",
        new { kind = kind.ToString(), subject, at, text, data });

    public static bool HasAny(SqliteConnection c) => c.ExecuteScalar<bool>("SELECT EXISTS (SELECT 1 FROM notices)");

    /// <summary>All, in the order in which they happened.</summary>
    public static IReadOnlyList<OutboxEvent> All(SqliteConnection c) =>
        [.. c.Query<Row>("SELECT id AS Id, kind AS Kind, subject AS Subject, at AS At, text AS Text, data AS Data FROM notices ORDER BY id")
            .Select(row => new OutboxEvent(row.Id, Enum.Parse<NoticeKind>(row.Kind), row.Subject, row.At, row.Text, row.Data))];

    /// <summary>It is being told.</summary>
    public static void Remove(SqliteConnection c, OutboxEvent told) => c.Execute("DELETE FROM notices WHERE id = @Id", new { told.Id });

    /// <summary>Nobody is told any of them.</summary>
    public static void Clear(SqliteConnection c) => c.Execute("DELETE FROM notices");
}
