using Bootstrap.Protocol.Status;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Monitoring.History;

// What becomes of minutes: blocks of an hour, then quarters of a day, then nothing. A few nodes at a time, each time in one transaction:
// broken off anywhere, it is done again from what is there.
public sealed partial class HistoryStore
{
    /// <summary>Nodes that are folded, or swept, in one transaction: some milliseconds.</summary>
    private const int FoldedAtOnce = 16, SweptAtOnce = 4;

    /// <summary>The last minute of an hour has come when the next hour is so many minutes old; what is later than that is folded into its
    /// block when it comes.</summary>
    private const int Grace = 2;

    /// <summary>Blocks of hours are kept for longer than minutes are taken: a late minute finds its hour whole.</summary>
    private static readonly TimeSpan s_hoursKept = MinutesKept + TimeSpan.FromHours(1);

    /// <summary>Minutes of one node: the table is in the order of time.</summary>
    private const string MinutesOfNode = """
        WITH RECURSIVE times (at) AS (SELECT @first UNION ALL SELECT at + 1 FROM times WHERE at + 1 < @end)
        """;

    /// <summary>Folds minutes of hours that have ended into their blocks, for some nodes.</summary>
    /// <returns>Whether there are more.</returns>
    public bool Fold()
    {
        bool more = false;
        Keep(file => more = file.Database.Write(c =>
        {
            if (c.ExecuteScalar<long?>("SELECT min(minute) FROM minutes") is not { } first
                || first / MinutesOfHour >= (NowMinute - Grace) / MinutesOfHour)
            {
                return false;
            }
            foreach (long node in c.Query<long>("SELECT node FROM minutes WHERE minute = @first LIMIT @FoldedAtOnce",
                new { first, FoldedAtOnce }).AsList())
            {
                Fold(c, node, first / MinutesOfHour);
            }
            return true;
        }));
        return more;
    }

    /// <summary>For the next few nodes: days that have ended become quarters, and what is too old goes. Only when nothing is left to fold:
    /// a minute must not find its hour gone.</summary>
    /// <returns>Whether that were the last nodes; the first ones come again next.</returns>
    public bool Sweep()
    {
        bool isLast = false;
        Keep(file =>
        {
            (long last, isLast) = file.Database.Write(c =>
            {
                List<long> nodes = c.Query<long>("SELECT number FROM nodes WHERE number > @_swept ORDER BY number LIMIT @SweptAtOnce",
                    new { _swept, SweptAtOnce }).AsList();
                nodes.ForEach(node => Sweep(file, c, node));
                return nodes.Count < SweptAtOnce ? (0, true) : (nodes[^1], false);
            });
            _swept = last;
        });
        return isLast;
    }

    private void Fold(SqliteConnection c, long node, long hour)
    {
        var times = new { node, hour, first = hour * MinutesOfHour, end = (hour + 1) * MinutesOfHour };
        if (c.ExecuteScalar<bool>("SELECT EXISTS (SELECT 1 FROM nodes WHERE number = @node)", times))
        {
            HistoryBlock block = c.ExecuteScalar<byte[]?>("SELECT body FROM hours WHERE node = @node AND hour = @hour", times) is { } there
                && _codec.Decode(there, MinutesOfHour) is { } known ? known : new HistoryBlock(MinutesOfHour);
            foreach ((long minute, byte[] body) in c.Query<(long, byte[])>(
                MinutesOfNode + " SELECT minute, body FROM times JOIN minutes ON minute = at AND node = @node", times))
            {
                block.Set((int)(minute % MinutesOfHour), HistoryCodec.DecodeMinute(body));
            }
            c.Execute("""
                INSERT INTO hours (node, hour, counted, body) VALUES (@node, @hour, 0, @body)
                ON CONFLICT (node, hour) DO UPDATE SET counted = 0, body = excluded.body
                """, new { node, hour, body = _codec.Encode(block) });
        }
        c.Execute(MinutesOfNode + " DELETE FROM minutes WHERE minute IN (SELECT at FROM times) AND node = @node", times);
    }

    private void Sweep(HistoryFile file, SqliteConnection c, long node)
    {
        long now = NowMinute, today = now / MinutesOfDay * HoursOfDay;
        foreach (IGrouping<long, (long Hour, byte[] Body)> day in c.Query<(long Hour, byte[] Body)>(
            "SELECT hour, body FROM hours WHERE node = @node AND counted = 0 AND hour < @today", new { node, today }).AsList()
            .GroupBy(row => row.Hour / HoursOfDay))
        {
            byte[]? there = c.ExecuteScalar<byte[]?>("SELECT body FROM days WHERE node = @node AND day = @Key", new { node, day.Key });
            HistoryBlock quarters = (there is null ? null : _codec.Decode(there, QuartersOfDay)) ?? new HistoryBlock(QuartersOfDay);
            foreach ((long hour, byte[] body) in day)
            {
                if (_codec.Decode(body, MinutesOfHour) is { } minutes)
                {
                    Count(file, minutes, (int)(hour % HoursOfDay) * QuartersOfHour, quarters);
                }
            }
            c.Execute("""
                INSERT INTO days (node, day, body) VALUES (@node, @Key, @body) ON CONFLICT (node, day) DO UPDATE SET body = excluded.body
                """, new { node, day.Key, body = _codec.Encode(quarters) });
        }
        c.Execute("""
            UPDATE hours SET counted = 1 WHERE node = @node AND counted = 0 AND hour < @today;
            DELETE FROM hours WHERE node = @node AND counted = 1 AND hour < @oldestHour;
            DELETE FROM days WHERE node = @node AND day < @oldestDay
            """, new
        {
            node,
            today,
            oldestHour = (now - (long)s_hoursKept.TotalMinutes) / MinutesOfHour,
            oldestDay = (now - (long)QuartersKept.TotalMinutes) / MinutesOfDay,
        });
    }

    /// <summary>Makes quarters of an hour's minutes.</summary>
    /// <param name="first">The hour's first place in the columns of quarters.</param>
    private static void Count(HistoryFile file, HistoryBlock minutes, int first, HistoryBlock quarters)
    {
        foreach ((long metric, Cell?[] column) in minutes.Columns)
        {
            if (file.FindUnit(metric) is not { } unit)
            {
                continue;
            }
            Cell?[] counted = quarters.Column(metric);
            for (int quarter = 0; quarter < QuartersOfHour; quarter++)
            {
                var known = new List<Spread>(Quarter);
                foreach (Cell? minute in column.AsSpan(quarter * Quarter, Quarter))
                {
                    if (minute is { } cell)
                    {
                        known.Add(HistoryScale.ToSpread(unit, cell));
                    }
                }
                counted[first + quarter] = known.Count == 0 ? null : HistoryScale.ToCell(unit, HistoryScale.Join(known));
            }
        }
    }
}
