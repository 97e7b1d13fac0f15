using Bootstrap.Benchmarks.Measurement;
using CsCheck;

namespace Bootstrap.Benchmarks.Tests;

public sealed class MedianSpreadTests
{
    [Fact]
    public void The_median_and_its_distances_are_those_of_the_samples()
    {
        MedianSpread odd = MedianSpread.Of([5, 1, 100, 3, 4]), even = MedianSpread.Of([1, 2, 4, 100]);
        Assert.Equal((4, 1, 5), (odd.Median, odd.Mad, odd.Count));
        Assert.Equal((3, 1.5), (even.Median, even.Mad));
    }

    /// <summary>Ranks, from 1, of the table of binomial confidence intervals in Conover's book.</summary>
    [Theory]
    [InlineData(6, 1, 6)]
    [InlineData(9, 2, 8)]
    [InlineData(10, 2, 9)]
    [InlineData(20, 6, 15)]
    [InlineData(50, 18, 33)]
    public void The_interval_of_the_median_has_the_ranks_of_the_table(int count, int low, int high)
    {
        MedianSpread spread = MedianSpread.Of([.. Enumerable.Range(1, count).Select(i => (double)i).Reverse()]);
        Assert.Equal((low, high), (spread.Low, spread.High));
    }

    [Fact]
    public void Five_samples_do_not_say_where_the_median_is() =>
        Assert.Equal(double.PositiveInfinity, MedianSpread.Of([1, 1, 1, 1, 1]).RelativeWidth);

    [Fact]
    public void The_interval_holds_the_median_as_often_as_is_said()
    {
        var random = new Random(7);
        int held = 0;
        const int runs = 4000;
        for (int i = 0; i < runs; i++)
        {
            // Skewed, as times are; its median is ln 2.
            MedianSpread spread = MedianSpread.Of([.. Enumerable.Range(0, 15).Select(_ => -Math.Log(1 - random.NextDouble()))]);
            held += spread.Low <= Math.Log(2) && Math.Log(2) <= spread.High ? 1 : 0;
        }
        // 96.5 % by the binomial distribution, and three standard deviations of 4,000 runs on each side.
        Assert.InRange((double)held / runs, 0.956, 0.974);
    }

    [Fact]
    public void One_sample_that_is_far_off_moves_nothing_else() =>
        Gen.Double[1, 2].Array[11, 60].Sample(values =>
        {
            MedianSpread with = MedianSpread.Of([.. values, 1e9]);
            return with.Median <= 2 && with.High <= 2 && with.Mad <= 1;
        });
}
