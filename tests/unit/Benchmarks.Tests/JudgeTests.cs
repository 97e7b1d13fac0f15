using Bootstrap.Benchmarks.Measurement;
using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Benchmarks.Tests;

/// <summary>Each reason for which a result does not count, once, and what is none.</summary>
public sealed class JudgeTests
{
    private static readonly MachineState s_state =
        new(1500, "performance", 4, new Dictionary<string, long> { ["policy0"] = 1_500_000 });

    [Fact]
    public void A_quiet_run_at_the_clock_that_is_advertised_counts() => Assert.Empty(FaultsOf(_ => { }));

    [Fact]
    public void A_node_that_cannot_tell_most_of_it_is_not_accused_of_it() => Assert.Empty(Judge.FaultsOf(
        [new Moment(0, Reading([]), null), new Moment(1, Reading([]), 25)], s_state with { Governor = null },
        s_state with { Governor = null }));

    [Theory]
    [InlineData(Metrics.UnderVoltageSinceBoot, BenchmarkFault.UnderVoltage, "the supply's voltage was too low")]
    [InlineData(Metrics.CappedSinceBoot, BenchmarkFault.Capped, "the firmware capped the clock")]
    [InlineData(Metrics.ThrottledSinceBoot, BenchmarkFault.Throttled, "the firmware throttled the processor")]
    [InlineData(Metrics.SoftLimitSinceBoot, BenchmarkFault.SoftLimit, "the board reached its soft limit of temperature")]
    [InlineData(Metrics.OomKills, BenchmarkFault.OutOfMemory, "the kernel ended a process for want of memory")]
    public void What_was_not_before_and_is_at_the_end_is_a_fault(string metric, string reason, string words)
    {
        Assert.Equal([new BenchmarkFault(reason, words)], FaultsOf(moments => moments[^1][metric] = 1));
        // It was so before: that says nothing of this run.
        Assert.Empty(FaultsOf(moments => Array.ForEach(moments, m => m[metric] = 1)));
    }

    [Theory]
    [InlineData(Metrics.UnderVoltage, BenchmarkFault.UnderVoltage)]
    [InlineData(Metrics.Throttled, BenchmarkFault.Throttled)]
    public void A_bit_that_is_set_during_the_run_is_a_fault_also_where_it_had_been_set_since_the_boot(string metric, string reason) =>
        Assert.Equal(reason, Assert.Single(FaultsOf(moments => moments[2][metric] = 1)).Reason);

    [Fact]
    public void A_clock_that_is_not_the_advertised_one_is_a_fault() =>
        Assert.Equal([new BenchmarkFault(BenchmarkFault.Clock, "the processor ran at 1350 MHz, and its system says 1500 MHz")],
            FaultsOf(_ => { }, s_state with { MeasuredClock = 1350 }));

    [Fact]
    public void Eight_percent_of_the_clock_are_none() => Assert.Empty(FaultsOf(_ => { }, s_state with { MeasuredClock = 1380 }));

    [Fact]
    public void A_limit_that_came_meanwhile_is_a_fault() =>
        Assert.Equal([new BenchmarkFault(BenchmarkFault.Limited, "policy0 was limited to 600 MHz meanwhile, from 1500 MHz")],
            FaultsOf(_ => { }, s_state with { Limits = new Dictionary<string, long> { ["policy0"] = 600_000 } }));

    [Fact]
    public void Swap_that_grew_is_a_fault() =>
        Assert.Equal([new BenchmarkFault(BenchmarkFault.Swap, "2.5 % more of the swap space was used at the end")],
            FaultsOf(moments => (moments[0][Metrics.SwapUsed], moments[^1][Metrics.SwapUsed]) = (10, 12.5)));

    [Fact]
    public void Other_programs_are_a_fault_all_the_while_and_for_a_moment()
    {
        Assert.Equal([new BenchmarkFault(BenchmarkFault.Background, "other programs took 2 % of the processors, and 2 % at most")],
            FaultsOf(moments => Array.ForEach(moments, m => m[Metrics.Busy] = 27)));
        Assert.Equal(BenchmarkFault.Background, Assert.Single(FaultsOf(moments => moments[3][Metrics.Busy] = 31)).Reason);
        Assert.Empty(FaultsOf(moments => moments[3][Metrics.Busy] = 27));
    }

    [Fact]
    public void A_kernel_that_is_busy_is_a_fault() =>
        Assert.Equal([new BenchmarkFault(BenchmarkFault.SystemTime, "the kernel took 16 % of the processors")],
            FaultsOf(moments => Array.ForEach(moments, m => m[Metrics.System] = 16)));

    [Fact]
    public void A_processor_that_went_off_and_another_governor_are_faults() =>
        Assert.Equal(
            [
                new BenchmarkFault(BenchmarkFault.CoreGone, "1 of 4 processors went off"),
                new BenchmarkFault(BenchmarkFault.Governor, "the governor was changed from performance to powersave"),
            ],
            FaultsOf(_ => { }, s_state with { Processors = 3, Governor = "powersave" }));

    /// <summary>A run of five seconds on one of four processors.</summary>
    private static IReadOnlyList<BenchmarkFault> FaultsOf(Action<Dictionary<string, double>[]> change, MachineState? after = null)
    {
        Dictionary<string, double>[] values = [.. Enumerable.Range(0, 6).Select(_ => new Dictionary<string, double>
        {
            [Metrics.Busy] = 25.2,
            [Metrics.System] = 0.5,
            [Metrics.NominalClock] = 1500,
            [Metrics.SwapUsed] = 0,
            [Metrics.OomKills] = 0,
            [Metrics.UnderVoltage] = 0,
            [Metrics.Throttled] = 0,
            [Metrics.UnderVoltageSinceBoot] = 0,
            [Metrics.CappedSinceBoot] = 0,
            [Metrics.ThrottledSinceBoot] = 0,
            [Metrics.SoftLimitSinceBoot] = 0,
        })];
        change(values);
        return Judge.FaultsOf([.. values.Select((v, i) => new Moment(i, Reading(v), i == 0 ? null : 25))], s_state, after ?? s_state);
    }

    private static StatusReading Reading(Dictionary<string, double> values) => new(0, values, new Dictionary<string, string>(), []);
}
