using System.Text.Json;
using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Schedules;

/// <summary>Keeps the schedules, and up to when their runs have been dealt with.</summary>
internal sealed class ScheduleStore(Database database, EventHub events, TimeProvider clock)
{
    private sealed record Row(string Name, string Body, long SeenUntil);

    /// <summary>All, by name, with the time (Unix milliseconds) up to which their runs have been dealt with.</summary>
    public IReadOnlyList<(Schedule Schedule, long SeenUntil)> All() => database.Read(c =>
        Rows(c).Select(row => (Read(row), row.SeenUntil)).ToList());

    /// <summary>All of a database's, by name.</summary>
    public static IReadOnlyList<Schedule> AllIn(SqliteConnection c) => [.. Rows(c).Select(Read)];

    public Schedule? Find(string name) => database.Read(c =>
        c.QuerySingleOrDefault<Row>("SELECT name, body, seen_until AS SeenUntil FROM schedules WHERE name = @name",
            new { name })) is { } row ? Read(row) : null;

    /// <summary>Stores one in the place of one of its name. Its runs begin now: those before are not missed. One that is there already
    /// stays as it is.</summary>
    public void Put(Schedule schedule)
    {
        database.Write(c => c.Execute("""
            INSERT INTO schedules (name, body, seen_until) VALUES (@Name, @body, @now)
            ON CONFLICT (name) DO UPDATE SET body = excluded.body, seen_until = excluded.seen_until WHERE body <> excluded.body
            """, new
        {
            schedule.Name,
            body = JsonSerializer.Serialize(schedule, ApiJson.Options),
            now = clock.GetUtcNow()
                .ToUnixTimeMilliseconds()
        }));
        Publish(schedule);
    }

    /// <returns>False where there is none of this name.</returns>
    public bool Remove(string name)
    {
        bool removed = database.Write(c => c.Execute("DELETE FROM schedules WHERE name = @name", new { name })) > 0;
        if (removed)
        {
            events.Publish("schedule-removed", new { name });
        }
        return removed;
    }

    /// <summary>Runs up to this time (Unix milliseconds) have been dealt with.</summary>
    public void See(Schedule schedule, long until)
    {
        database.Write(c => See(c, schedule.Name, until));
        Publish(schedule);
    }

    /// <summary>The same in a transaction of the caller's.</summary>
    public static void See(SqliteConnection c, string name, long until) =>
        c.Execute("UPDATE schedules SET seen_until = @until WHERE name = @name", new { name, until });

    /// <summary>Runs of all schedules up to this time (Unix milliseconds) have been dealt with, for a database that was restored.</summary>
    public static void SeeAll(SqliteConnection c, long until) => c.Execute("UPDATE schedules SET seen_until = @until", new { until });

    /// <summary>Whether there is a job for the run that was due then (Unix milliseconds).</summary>
    public bool HasRun(string name, long due) => database.Read(c => JobRow.HasRun(c, name, due));

    public ScheduleView View(Schedule schedule)
    {
        DateTimeOffset now = clock.GetUtcNow();
        (Guid Job, long At)? last = database.Read(c => JobRow.LastOf(c, schedule.Name));
        return new ScheduleView(schedule.Name, schedule.Cron, schedule.Zone, schedule.Job, schedule.Missed, schedule.Window,
            schedule.Enabled,
            schedule.Enabled ? schedule.Line(now)?.Next(now)?.ToUnixTimeMilliseconds() : null, last?.Job, last?.At);
    }

    /// <summary>Tells those who watch how a schedule is now.</summary>
    public void Publish(Schedule schedule) => events.Publish("schedule", View(schedule));

    private static IEnumerable<Row> Rows(SqliteConnection c) =>
        c.Query<Row>("SELECT name, body, seen_until AS SeenUntil FROM schedules ORDER BY name");

    private static Schedule Read(Row row) => JsonSerializer.Deserialize<Schedule>(row.Body, ApiJson.Options)!;
}
