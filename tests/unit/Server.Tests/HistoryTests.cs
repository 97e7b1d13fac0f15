using Bootstrap.Protocol.Status;
using Bootstrap.Server.Features.Monitoring.History;

namespace Bootstrap.Server.Tests;

/// <summary>What nodes measured comes out as it went in, wherever it is at the moment: in memory, in rows, in blocks.</summary>
public sealed class HistoryTests : HistoryTest
{
    private static readonly IReadOnlyList<Metric> s_kept = [.. Metrics.All.Where(metric => metric.IsKept)];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Whatever_comes_in_whatever_order_is_there_within_its_step_and_so_are_its_quarters(int seed)
    {
        var random = new Random(seed);
        var told = new Dictionary<long, IReadOnlyDictionary<string, Spread>>();
        for (int turn = 0; turn < 400; turn++)
        {
            for (int minutes = random.Next(1, 12); minutes > 0; minutes--)
            {
                // Mostly the newest, some late, some twice; for a while nothing at all.
                long minute = Minute - (random.Next(4) == 0 ? random.Next(0, 1440) : random.Next(0, 3));
                var summary = new MinuteSummary(minute, s_kept.Where(_ => random.Next(5) > 0).ToDictionary(m => m.Name, _ => Any(random)));
                Assert.Null(Store.Add(Node, summary));
                Assert.Null(Store.Add(Other, Of(minute, Metrics.Temperature, 1, 2, 3)));
                told[minute] = summary.Values;
            }
            switch (random.Next(5))
            {
                case 0: Store.Flush(); break;
                case 1: LookAfter(); break;
                case 2:
                    Store.Flush();
                    Reopen();
                    break;
            }
            Clock.Now += TimeSpan.FromMinutes(random.Next(20) == 0 ? 90 : random.Next(4));
        }
        CompareMinutes(told);
        CompareQuarters(told);
        LookAfter();
        CompareMinutes(told);
        CompareQuarters(told);
    }

    [Fact]
    public void Minutes_that_nobody_told_are_gaps_in_minutes_and_quarters_and_where_points_are_joined()
    {
        long first = Minute - 600;
        foreach (long minute in new[] { 0L, 1, 2, 30, 31, 90 })
        {
            Heat(first + minute, 40 + minute);
        }
        LookAfter();
        Assert.Equal([(first, 40), (first + 1, 41), (first + 2, 42), (first + 30, 70), (first + 31, 71), (first + 90, 130)], Means(Read()));
        Assert.Equal([(first, 41), (first + 30, 70.5), (first + 90, 130)], Means(Read(hours: 48)));
        IReadOnlyList<HistoryPoint> joined = Read(points: 24);
        Assert.InRange(joined.Count, 2, 4);
        Assert.Equal((39, 131), (joined[0].Spread.Min, joined[^1].Spread.Max));
    }

    [Fact]
    public void A_minute_that_comes_again_takes_the_place_of_the_first_and_a_late_one_finds_its_hour()
    {
        Heat(Minute - 120, 40);
        Heat(Minute - 118, 41);
        LookAfter();
        Heat(Minute - 120, 50);
        Heat(Minute - 119, 45);
        (long, double)[] wanted = [(Minute - 120, 50), (Minute - 119, 45), (Minute - 118, 41)];
        Assert.Equal(wanted, Means(Read()));
        Store.Flush();
        Assert.Equal(wanted, Means(Read()));
        LookAfter();
        Assert.Equal(wanted, Means(Read()));
        LookAfter();
        Assert.Equal(wanted, Means(Read()));
        Assert.Equal(45.3, Assert.Single(Read(hours: 30)).Spread.Mean, 0.11);
    }

    [Fact]
    public void A_late_minute_of_yesterday_is_in_its_quarter_after_the_day_was_folded()
    {
        long yesterday = Minute - (11 * 60);
        Heat(yesterday, 40);
        LookAfter();
        Heat(yesterday + 1, 50);
        Assert.Equal(45, Assert.Single(Read(hours: 30)).Spread.Mean);
        LookAfter();
        Assert.Equal(45, Assert.Single(Read(hours: 30)).Spread.Mean);
    }

    [Fact]
    public void Minutes_of_the_future_and_of_more_than_a_day_ago_are_refused_with_a_sentence()
    {
        Heat(Minute + 1, 40);
        Heat(Minute - 1440, 40);
        Assert.Equal("The minute is yet to come: the node's clock is ahead of the appliance's.",
            Store.Add(Node, Of(Minute + 2, Metrics.Temperature, 1, 2, 3)));
        Assert.Equal("The minute is more than 24 hours ago.", Store.Add(Node, Of(Minute - 1441, Metrics.Temperature, 1, 2, 3)));
        Assert.Equal("The minute is more than 24 hours ago.", Store.Add(Node, Of(long.MinValue / 2, Metrics.Temperature, 1, 2, 3)));
        Assert.Equal("temperature of a minute is malformed: it is not a number.",
            Store.Add(Node, Of(Minute, Metrics.Temperature, 1, double.NaN, 3)));
    }

    [Fact]
    public void More_than_the_disk_takes_is_lost_with_a_sentence_and_each_minute_has_one_place()
    {
        for (int again = 0; again < HistoryStore.MostPending + 10; again++)
        {
            Heat(Minute - (again % 1441), 40);
        }
        int nodes = 0;
        string? refusal = null;
        while (refusal is null)
        {
            Protocol.Ids.NodeId node = Protocol.Ids.NodeId.Parse($"20000000{nodes++:x8}");
            for (int age = 0; age <= 1440 && refusal is null; age++)
            {
                refusal = Store.Add(node, Of(Minute - age, Metrics.Temperature, 1, 2, 3));
            }
        }
        Assert.Equal("More history comes than the appliance's disk takes: this minute is lost.", refusal);
        Assert.Equal(45, nodes); // 65,536 are 45 and a half times the 1,441 minutes that a node may tell; the first one is another
        Store.Flush();
        Heat(Minute, 41);
        Assert.Equal(1441, Read().Count);
    }

    [Fact]
    public void Minutes_are_kept_for_a_day_and_quarters_for_thirty()
    {
        DateTimeOffset end = Clock.Now.AddDays(33);
        for (; Clock.Now < end; Clock.Now += TimeSpan.FromMinutes(15))
        {
            Heat(Minute, 40);
            LookAfter();
        }
        Assert.Equal(96, Read().Count);
        IReadOnlyList<HistoryPoint> quarters = Read(hours: 24 * 40);
        Assert.InRange(quarters.Count, 30 * 96, (30 * 96) + 1);
        Assert.Equal(0, quarters.Count(point => point.At < Clock.Now.AddDays(-30).AddMinutes(-15).ToUnixTimeMilliseconds()));
        // Nothing more is left of it in the file.
        using var file = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path};Pooling=False");
        Assert.InRange(Dapper.SqlMapper.ExecuteScalar<long>(file, "SELECT count(*) FROM days"), 30, 31);
        Assert.InRange(Dapper.SqlMapper.ExecuteScalar<long>(file, "SELECT count(*) FROM hours"), 24, 26);
        Assert.InRange(Dapper.SqlMapper.ExecuteScalar<long>(file, "SELECT count(*) FROM minutes"), 0, 5);
    }

    [Fact]
    public void A_forgotten_node_takes_its_history_with_it_and_no_other()
    {
        Heat(Minute - 200, 40);
        Heat(Minute - 200, 50, Other);
        LookAfter();
        Heat(Minute - 1, 41);
        Store.Flush();
        Heat(Minute, 42);
        Store.Forget(Node);
        Assert.Empty(Read());
        Heat(Minute, 60);
        Assert.Equal([(Minute, 60)], Means(Read()));
        Store.Flush();
        Clock.Now += TimeSpan.FromHours(2);
        LookAfter();
        Assert.Equal([(Minute - 120, 60)], Means(Read()));
        Assert.Equal([(Minute - 320, 50)], Means(Read(node: Other)));
        Store.ForgetOthers(() => new HashSet<Protocol.Ids.NodeId> { Other });
        Assert.Empty(Read());
        Assert.Single(Read(node: Other));
    }

    [Fact]
    public void A_file_that_is_damaged_or_of_a_newer_program_is_thrown_away_and_history_goes_on()
    {
        Heat(Minute, 40);
        Store.Flush();
        Reopen(() => File.WriteAllText(Path, "this was a database before"));
        Assert.Empty(Read());
        Heat(Minute, 40);
        Store.Flush();
        Reopen(() =>
        {
            using var newer = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path};Pooling=False");
            Dapper.SqlMapper.Execute(newer, "PRAGMA user_version = 99");
        });
        Assert.Empty(Read());
        Heat(Minute, 41);
        Store.Flush();
        Assert.Equal([(Minute, 41)], Means(Read()));
    }

    /// <summary>Any three numbers in order; of any size, and many of them 0.</summary>
    private static Spread Any(Random random)
    {
        double scale = random.Next(8) switch { 0 => 0, 1 => 1e15, 2 => 1e9, 3 => -50, _ => 100 };
        double[] three = [.. Enumerable.Range(0, 3).Select(_ => scale * random.NextDouble()).Order()];
        return new Spread(three[0], three[1], three[2]);
    }

    private void CompareMinutes(Dictionary<long, IReadOnlyDictionary<string, Spread>> told)
    {
        foreach (HistorySeries series in Store.Read(Node, s_kept, Clock.Now.AddHours(-24), Clock.Now.AddMinutes(1), int.MaxValue).Series)
        {
            Compare(series, told.Where(one => one.Key >= Minute - 1440 && one.Value.ContainsKey(series.Metric.Name))
                .ToDictionary(one => one.Key, one => one.Value[series.Metric.Name]), steps: 0.51);
        }
    }

    private void CompareQuarters(Dictionary<long, IReadOnlyDictionary<string, Spread>> told)
    {
        foreach (HistorySeries series in Store.Read(Node, s_kept, Clock.Now.AddDays(-29), Clock.Now.AddMinutes(1), int.MaxValue).Series)
        {
            Compare(series, told.Where(one => one.Value.ContainsKey(series.Metric.Name))
                .GroupBy(one => one.Key / 15 * 15, one => one.Value[series.Metric.Name])
                .ToDictionary(group => group.Key, group => HistoryScale.Join([.. group])), steps: 1.1);
        }
    }

    private static void Compare(HistorySeries series, Dictionary<long, Spread> wanted, double steps)
    {
        Assert.Equal(wanted.Keys.Order(), series.Points.Select(point => point.At / 60_000));
        foreach (HistoryPoint point in series.Points)
        {
            Spread want = wanted[point.At / 60_000], got = point.Spread;
            foreach ((double a, double b) in new[] { (want.Min, got.Min), (want.Mean, got.Mean), (want.Max, got.Max) })
            {
                Assert.True(Math.Abs(a - b) <= steps * StepAt(series.Metric.Unit, a), $"{series.Metric.Name}: {b} and not {a}");
            }
            Assert.True(got.Min <= got.Mean && got.Mean <= got.Max);
        }
    }

    /// <summary>As documented.</summary>
    private static double StepAt(MetricUnit unit, double value) => unit switch
    {
        MetricUnit.Percent or MetricUnit.Celsius => 0.1,
        MetricUnit.Count or MetricUnit.Flag => 0.01,
        MetricUnit.Megahertz => 1,
        _ => 21 + (0.0202 * Math.Abs(value)),
    } + (1e-14 * Math.Abs(value));
}
