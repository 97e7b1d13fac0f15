using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Status;
using Dapper;

namespace Bootstrap.Server.Features.Monitoring.History;

/// <summary>A metric's values from a time on, for as long as the step of its series.</summary>
/// <param name="At">Unix milliseconds of the beginning.</param>
public readonly record struct HistoryPoint(long At, Spread Spread);

/// <summary>What a node measured of a metric: points in the order of time. Where nothing is known, there is none.</summary>
public sealed record HistorySeries(Metric Metric, IReadOnlyList<HistoryPoint> Points);

/// <summary>What a node measured.</summary>
/// <param name="Step">How long each point lasts.</param>
/// <param name="Series">In the order in which they were asked for.</param>
public sealed record HistoryAnswer(TimeSpan Step, IReadOnlyList<HistorySeries> Series);

public sealed partial class HistoryStore
{
    /// <summary>What a node measured, as finely as it is kept: by the minute where all of the range is within the last 24 hours, else by
    /// the quarter of an hour; where that would be more points than are wanted, several of them are one.</summary>
    /// <param name="metrics">Those that are not kept have no points.</param>
    /// <param name="until">Not included.</param>
    /// <param name="maximumPoints">Of each metric; at least 1. Steps begin at multiples of themselves, so that a range that moves on shows
    /// the same points: there may be one more.</param>
    public HistoryAnswer Read(NodeId node, IReadOnlyList<Metric> metrics, DateTimeOffset from, DateTimeOffset until, int maximumPoints)
    {
        long now = NowMinute;
        long first = Math.Max(from.ToUnixTimeSeconds() / 60, now - (long)QuartersKept.TotalMinutes);
        long end = Math.Min((until.ToUnixTimeSeconds() + 59) / 60, now + Tolerance + 1);
        bool isFine = first >= now - (long)MinutesKept.TotalMinutes;
        int unit = isFine ? 1 : Quarter;
        first = first / unit * unit;
        long count = Math.Max(0, (end - first + unit - 1) / unit);
        long step = unit * Math.Max(1, (count + maximumPoints - 1) / maximumPoints);
        var columns = metrics.Select(_ => new Spread?[count]).ToList();
        if (count > 0 && _file is { } file)
        {
            var wanted = metrics.Select((metric, at) => (Metric: metric, Column: columns[at])).Where(want => want.Metric.IsKept)
                .Select(want => (file.NumberOf(want.Metric), want.Metric.Unit, want.Column)).ToList();
            Fill(file, node, first, end, isFine, wanted);
        }
        return new HistoryAnswer(TimeSpan.FromMinutes(step),
            [.. metrics.Select((metric, at) => new HistorySeries(metric, Join(columns[at], first, unit, step)))]);
    }

    /// <summary>Neighbours within a step are one point.</summary>
    private static List<HistoryPoint> Join(Spread?[] column, long first, int unit, long step) =>
        [.. column.Select((spread, at) => (Spread: spread, At: (first + (at * unit)) / step * step)).Where(one => one.Spread is not null)
            .GroupBy(one => one.At, one => one.Spread!.Value)
            .Select(group => new HistoryPoint(group.Key * 60_000, HistoryScale.Join([.. group])))];

    private void Fill(HistoryFile file, NodeId node, long first, long end, bool isFine,
        List<(long Number, MetricUnit Unit, Spread?[] Column)> wanted)
    {
        List<(long Minute, byte[] Body)> fresh;
        lock (_waiting)
        {
            // Before the file is read: what is written meanwhile is in both.
            fresh = [.. _pending.Where(one => one.Key.Node == node).Select(one => (one.Key.Minute, one.Value))];
        }
        List<long> numbers = [.. wanted.Select(want => want.Number)];
        using var codec = new HistoryCodec();
        file.Database.Read(c =>
        {
            long? number = c.ExecuteScalar<long?>("SELECT number FROM nodes WHERE id = @id", new { id = node.ToString() });
            if (number is not null)
            {
                long oldest = c.ExecuteScalar<long?>("SELECT min(minute) FROM minutes") ?? end;
                fresh.InsertRange(0, c.Query<(long, byte[])>(
                    MinutesOfNode + " SELECT minute, body FROM times JOIN minutes ON minute = at AND node = @number",
                    new { number, first = Math.Max(first, oldest), end }));
                if (!isFine)
                {
                    foreach ((long day, byte[] body) in c.Query<(long, byte[])>(
                        "SELECT day, body FROM days WHERE node = @number AND day BETWEEN @first AND @last",
                        new { number, first = first / MinutesOfDay, last = end / MinutesOfDay }))
                    {
                        Copy(codec.Decode(body, QuartersOfDay, numbers), (day * QuartersOfDay) - (first / Quarter));
                    }
                }
            }
            fresh.RemoveAll(one => one.Minute < first / MinutesOfHour * MinutesOfHour || one.Minute >= end);
            var hours = new Dictionary<long, HistoryBlock>();
            if (number is { } known)
            {
                // Of quarters, what is in no day's block yet, or has changed.
                foreach ((long hour, byte[] body) in c.Query<(long, byte[])>("""
                    SELECT hour, body FROM hours
                    WHERE node = @known AND hour BETWEEN @first AND @last AND (@isFine OR counted = 0 OR hour IN @changed)
                    """, new
                {
                    known,
                    first = first / MinutesOfHour,
                    last = end / MinutesOfHour,
                    isFine,
                    changed = fresh.Select(one => one.Minute / MinutesOfHour).Distinct(),
                }))
                {
                    hours[hour] = codec.Decode(body, MinutesOfHour, numbers) ?? new HistoryBlock(MinutesOfHour);
                }
            }
            foreach ((long minute, byte[] body) in fresh)
            {
                if (!hours.TryGetValue(minute / MinutesOfHour, out HistoryBlock? block))
                {
                    hours[minute / MinutesOfHour] = block = new HistoryBlock(MinutesOfHour);
                }
                block.Set((int)(minute % MinutesOfHour), HistoryCodec.DecodeMinute(body));
            }
            foreach ((long hour, HistoryBlock block) in hours)
            {
                if (isFine)
                {
                    Copy(block, (hour * MinutesOfHour) - first);
                    continue;
                }
                var quarters = new HistoryBlock(QuartersOfHour);
                Count(file, block, 0, quarters);
                Copy(quarters, (hour * QuartersOfHour) - (first / Quarter));
            }
            return true;
        });

        void Copy(HistoryBlock? block, long offset)
        {
            foreach ((long number, MetricUnit unit, Spread?[] column) in wanted)
            {
                if (block is null || !block.Columns.TryGetValue(number, out Cell?[]? cells))
                {
                    continue;
                }
                for (int at = 0; at < cells.Length; at++)
                {
                    if (cells[at] is { } cell && offset + at is >= 0 and var place && place < column.Length)
                    {
                        column[place] = HistoryScale.ToSpread(unit, cell);
                    }
                }
            }
        }
    }
}
