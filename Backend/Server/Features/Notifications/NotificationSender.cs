using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bootstrap.Server.Features.Notifications;

/// <summary>How it goes with one target.</summary>
/// <param name="Waiting">Notices that have not arrived yet.</param>
/// <param name="Error">Why the last attempt of the oldest of them failed; empty: nothing is known against it.</param>
public sealed record TargetState(string Target, int Waiting, string Error);

/// <summary>
/// Tells what has happened. The database notes it in the transaction in which it happens (Schema.cs, triggers), and keeps what has not
/// arrived: nothing is lost when the appliance is killed, and a receiver that is away is tried again for a day.
/// </summary>
internal sealed partial class NotificationSender(
    Database database, NotificationStore store, NotificationChannel channel, DataDisk disk, TimeProvider clock,
    ILogger<NotificationSender> logger) : BackgroundService
{
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);

    /// <summary>Before each further attempt.</summary>
    private static readonly TimeSpan[] s_pauses =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10), TimeSpan.FromHours(1),
        TimeSpan.FromHours(4), TimeSpan.FromHours(8),
        TimeSpan.FromHours(12),
    ];

    private sealed record Delivery(string Id, string Target, string Headline, string Text, string Body, long Attempts);

    /// <summary>Targets for which something waits.</summary>
    public IReadOnlyList<TargetState> States() => [.. database.Read(c => c.Query<(string Target, long Waiting, string Error)>("""
        SELECT target, count(*), (SELECT error FROM deliveries o WHERE o.target = d.target ORDER BY o.rowid LIMIT 1)
        FROM deliveries d GROUP BY target ORDER BY target
        """)).Select(s => new TargetState(s.Target, (int)s.Waiting, s.Error))];

    /// <summary>Nothing waits any more, for a database that was restored: it has been told since, or is old news.</summary>
    internal static void ForgetAll(SqliteConnection c)
    {
        Outbox.Clear(c);
        c.Execute("DELETE FROM deliveries");
    }

    /// <summary>Sends a test at once.</summary>
    /// <returns>Why it did not arrive, in one sentence; empty: it did.</returns>
    public Task<string> TestAsync(string target, CancellationToken cancellation)
    {
        var test = Notice.Test(clock.GetUtcNow().ToUnixTimeMilliseconds());
        return channel.SendAsync(store.Get(), target, NewId(), test.Headline, test.Text, test.Body, cancellation);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            using var timer = new PeriodicTimer(s_look, clock);
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                if (disk.Condition != DiskCondition.Good)
                {
                    continue; // that something has arrived could not be noted, and it would be sent again and again
                }
                try
                {
                    TakeNotices();
                    await SendDueAsync(stoppingToken);
                }
                catch (Exception e) when (disk.Note(e))
                {
                    // When there is room again.
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The appliance stops; what has not arrived is sent when it runs again.
        }
    }

    /// <summary>Makes a delivery for each target of what was noted.</summary>
    private void TakeNotices()
    {
        if (!database.Read(Outbox.HasAny))
        {
            return;
        }
        NotificationSettings settings = store.View();
        database.Write(c =>
        {
            foreach (OutboxEvent happened in Outbox.All(c))
            {
                string[] targets = [.. settings.TargetsOf(happened.Kind)];
                if (targets.Length > 0 && Notice.Of(c, happened) is { } notice)
                {
                    // Whom something waits for already gets this after it.
                    c.Execute("""
                        INSERT INTO deliveries (id, target, headline, body, text, next_at)
                        VALUES (@id, @target, @Headline, @Body, @Text,
                            (SELECT coalesce(max(next_at), 0) FROM deliveries WHERE target = @target))
                        """, targets.Select(target => new { id = NewId(), target, notice.Headline, notice.Body, notice.Text }));
                }
                Outbox.Remove(c, happened);
            }
        });
    }

    /// <summary>Sends what is due: to each target one after the other, to all of them at the same time.</summary>
    private async Task SendDueAsync(CancellationToken cancellation)
    {
        List<Delivery> due = database.Read(c => c.Query<Delivery>("""
            SELECT id AS Id, target AS Target, headline AS Headline, text AS Text, body AS Body, attempts AS Attempts
            FROM deliveries WHERE next_at <= @now ORDER BY rowid LIMIT 1000
            """, new { now = clock.GetUtcNow().ToUnixTimeMilliseconds() }).ToList());
        if (due.Count > 0)
        {
            NotificationSettings settings = store.Get();
            await Task.WhenAll(due.GroupBy(d => d.Target).Select(target => SendAsync(settings, target, cancellation)));
        }
    }

    private async Task SendAsync(NotificationSettings settings, IEnumerable<Delivery> deliveries, CancellationToken cancellation)
    {
        foreach (Delivery delivery in deliveries)
        {
            string error = await channel.SendAsync(settings, delivery.Target, delivery.Id, delivery.Headline, delivery.Text, delivery.Body,
                cancellation);
            if (error.Length == 0 || delivery.Attempts >= s_pauses.Length)
            {
                database.Write(c => c.Execute("DELETE FROM deliveries WHERE id = @Id", delivery));
                if (error.Length > 0)
                {
                    LogGivenUp(delivery.Target, delivery.Headline, error);
                }
                continue;
            }
            // Who does not hear one does not hear the next: all that waits for him waits.
            long next = (clock.GetUtcNow() + s_pauses[delivery.Attempts]).ToUnixTimeMilliseconds();
            database.Write(c =>
            {
                c.Execute("UPDATE deliveries SET attempts = attempts + 1, error = @error WHERE id = @Id", new { delivery.Id, error });
                c.Execute("UPDATE deliveries SET next_at = @next WHERE target = @Target AND next_at < @next",
                    new { delivery.Target, next });
            });
            LogFailed(delivery.Target, delivery.Headline, error);
            return;
        }
    }

    private static string NewId() => Guid.CreateVersion7().ToString();

    [LoggerMessage(LogLevel.Warning, "{Target} was not told '{Headline}' and is told again later: {Error}")]
    private partial void LogFailed(string target, string headline, string error);

    [LoggerMessage(LogLevel.Error, "{Target} was never told '{Headline}': {Error}")]
    private partial void LogGivenUp(string target, string headline, string error);
}
