using Bootstrap.Benchmarks.Measurement;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Benchmarks.Tests;

/// <summary>When a run begins, by a clock that has no time to lose.</summary>
public sealed class QuietTests
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_begins_when_the_node_was_quiet_for_as_long_as_it_is_to_be()
    {
        var clock = new RunningClock();
        // Busy for five seconds, quiet for three, busy for one, and quiet from then on.
        TimeSpan? waited = await new QuietWait(() => Reading(clock.Now is < 5 or (>= 8 and < 9) ? 40 : 1, load: 2), clock)
            .RunAsync(TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(10), _ => { }, s_end);
        Assert.InRange(waited!.Value.TotalSeconds, 37, 40);
    }

    [Fact]
    public async Task A_low_load_is_quiet_too_whatever_one_second_was_like()
    {
        var clock = new RunningClock();
        TimeSpan? waited = await new QuietWait(() => Reading(90, load: 0.05), clock)
            .RunAsync(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1), _ => { }, s_end);
        Assert.InRange(waited!.Value.TotalSeconds, 10, 11);
    }

    [Fact]
    public async Task A_node_that_is_never_quiet_is_given_up_and_people_are_told_why()
    {
        var clock = new RunningClock();
        var lines = new List<string>();
        Assert.Null(await new QuietWait(() => Reading(12, load: 1.31), clock)
            .RunAsync(TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), lines.Add, s_end));
        Assert.Equal("waiting for the node to be quiet: CPU 12 % busy, load 1.31", lines[0]);
        Assert.Equal("the node was not quiet for 2 minutes: CPU 12 % busy, load 1.31", lines[^1]);
        Assert.InRange(lines.Count, 4, 5);
    }

    [Fact]
    public async Task A_node_that_cannot_tell_is_not_quiet() =>
        Assert.Null(await new QuietWait(() => new StatusReading(0, new Dictionary<string, double>(), new Dictionary<string, string>(), []),
            new RunningClock()).RunAsync(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(20), _ => { }, s_end));

    private static StatusReading Reading(double busy, double load) =>
        new(0, new Dictionary<string, double> { [Metrics.Busy] = busy, [Metrics.Load1] = load }, new Dictionary<string, string>(), []);

    /// <summary>Whoever waits finds his time gone by at once.</summary>
    private sealed class RunningClock : TimeProvider
    {
        private long _now;

        public double Now => _now / (double)TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _now += dueTime.Ticks;
            return System.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
