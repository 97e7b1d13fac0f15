using Bootstrap.Agent.Status;
using Bootstrap.Board.Tests.Sampling;
using Bootstrap.Protocol.Link;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Board.Tests;

/// <summary>A node tells at once what the appliance wants to be told, and nothing while all is well.</summary>
public sealed class AlertWatchTests
{
    private readonly StepClock _clock = new();
    private readonly List<MetConditions> _told = [];
    private readonly AlertWatch _watch;

    public AlertWatchTests() => _watch = new AlertWatch(message => _told.Add((MetConditions)message), _clock);

    [Fact]
    public void A_flag_is_told_with_the_very_reading_and_ends_once_it_has_been_down_for_a_while()
    {
        Hear(("under-voltage", new AlertCondition(Metrics.UnderVoltage, AlertComparison.Above, 0, 0)));
        Assert.Empty(Assert.Single(_told).Conditions);
        Read(Metrics.UnderVoltage, 0, 0, 0);
        Assert.Single(_told);
        Read(Metrics.UnderVoltage, 1);
        MetCondition met = Assert.Single(_told[^1].Conditions);
        Assert.Equal(("under-voltage", 1, 0L), (met.Rule, met.Value, met.HeldSeconds));
        // It comes and goes: that is one alert.
        for (int i = 0; i < 20; i++)
        {
            Read(Metrics.UnderVoltage, 0, 1);
        }
        Assert.Equal(2, _told.Count);
        Read(Metrics.UnderVoltage, [.. Enumerable.Repeat(0.0, 30)]);
        Assert.Equal(2, _told.Count);
        Read(Metrics.UnderVoltage, 0);
        Assert.Empty(_told[^1].Conditions);
        Assert.Equal(3, _told.Count);
    }

    [Fact]
    public void What_must_last_is_told_when_it_has_and_begins_anew_where_it_breaks_off_or_is_unknown()
    {
        Hear(("heat", new AlertCondition(Metrics.Temperature, AlertComparison.Above, 80, 30)));
        Read(Metrics.Temperature, [.. Enumerable.Repeat(81.0, 30)]);
        Read(Metrics.Temperature, 80);
        Read(Metrics.Temperature, [.. Enumerable.Repeat(85.0, 30)]);
        Read("temperature.of-nothing", 99);
        Read(Metrics.Temperature, [.. Enumerable.Repeat(90.0, 30)]);
        Assert.Single(_told);
        Read(Metrics.Temperature, 90.5);
        MetCondition met = Assert.Single(_told[^1].Conditions);
        Assert.Equal((90.5, 30L), (met.Value, met.HeldSeconds));
    }

    [Theory]
    [InlineData(AlertComparison.Below, 100, 99, 100)]
    [InlineData(AlertComparison.OffBy, 2, -2.1, 2)]
    [InlineData(AlertComparison.OffBy, 2, 2.1, -2)]
    [InlineData(AlertComparison.Above, 2, 2.1, double.NaN)]
    public void Each_comparison_has_two_sides(AlertComparison comparison, double threshold, double bad, double good)
    {
        Hear(("rule", new AlertCondition(Metrics.ClockOffset, comparison, threshold, 0)));
        Read(Metrics.ClockOffset, good);
        Assert.Single(_told);
        Read(Metrics.ClockOffset, bad);
        Assert.Equal(bad, Assert.Single(_told[^1].Conditions).Value);
    }

    [Fact]
    public void A_counter_is_told_by_how_much_it_has_risen_and_is_forgotten_when_that_is_long_ago()
    {
        Hear(("oom-kill", new AlertCondition(Metrics.OomKills, AlertComparison.RisesBy, 0, 60)));
        // What had been counted before is no news.
        Read(Metrics.OomKills, [.. Enumerable.Repeat(7.0, 10)]);
        Assert.Single(_told);
        Read(Metrics.OomKills, 9);
        Assert.Equal(2, Assert.Single(_told[^1].Conditions).Value);
        Read(Metrics.OomKills, [.. Enumerable.Repeat(9.0, 60 + 31)]);
        Assert.Empty(_told[^1].Conditions);
        // The kernel was started anew, and counts from 0.
        Read(Metrics.OomKills, 0, 0);
        Assert.Empty(_told[^1].Conditions);
        Read(Metrics.OomKills, 1);
        Assert.Equal(1, Assert.Single(_told[^1].Conditions).Value);
    }

    [Fact]
    public void The_part_is_told_that_has_the_whole_machine_s_value_or_the_one_that_the_rule_names()
    {
        Hear(("disk-full", new AlertCondition(Metrics.FileSystemUsed, AlertComparison.Above, 90, 0)),
            ("read-only-root", new AlertCondition(MetricKey.Of(Metrics.ReadOnly, "/"), AlertComparison.Above, 0, 0)));
        Read(new Dictionary<string, double>
        {
            [Metrics.FileSystemUsed] = 97,
            [MetricKey.Of(Metrics.FileSystemUsed, "/")] = 40,
            [MetricKey.Of(Metrics.FileSystemUsed, "/var")] = 97,
            [Metrics.ReadOnly] = 1,
            [MetricKey.Of(Metrics.ReadOnly, "/")] = 0,
            [MetricKey.Of(Metrics.ReadOnly, "/boot")] = 1,
        });
        MetCondition met = Assert.Single(_told[^1].Conditions);
        Assert.Equal(("disk-full", "/var"), (met.Rule, met.Part));
        Read(MetricKey.Of(Metrics.ReadOnly, "/"), 1);
        Assert.Equal("/", Assert.Single(_told[^1].Conditions, c => c.Rule == "read-only-root").Part);
    }

    [Fact]
    public void New_rules_take_the_place_of_the_old_and_one_that_stays_goes_on()
    {
        var heat = new AlertCondition(Metrics.Temperature, AlertComparison.Above, 80, 30);
        Hear(("heat", heat), ("busy", new AlertCondition(Metrics.Busy, AlertComparison.Above, 0, 0)));
        Read(new Dictionary<string, double> { [Metrics.Temperature] = 85, [Metrics.Busy] = 5 });
        Assert.Equal("busy", Assert.Single(_told[^1].Conditions).Rule);
        Read(Metrics.Temperature, [.. Enumerable.Repeat(85.0, 29)]);
        Hear(("heat", heat));
        Assert.Empty(_told[^1].Conditions);
        Read(Metrics.Temperature, 85);
        Assert.Equal("heat", Assert.Single(_told[^1].Conditions).Rule);
        // Another threshold is another condition.
        Hear(("heat", heat with { Threshold = 90 }));
        Assert.Empty(_told[^1].Conditions);
    }

    private void Hear(params (string Name, AlertCondition Condition)[] rules) =>
        _watch.Hear(new WatchAlerts(rules.ToDictionary(rule => rule.Name, rule => rule.Condition)));

    /// <summary>Readings, one second apart.</summary>
    private void Read(string metric, params double[] values)
    {
        foreach (double value in values)
        {
            Read(new Dictionary<string, double> { [metric] = value });
        }
    }

    private void Read(Dictionary<string, double> values)
    {
        _watch.Add(new StatusReading(0, values, new Dictionary<string, string>(), []));
        _clock.Step(1);
    }
}
