namespace Bootstrap.Benchmarks.Measurement;

/// <summary>
/// What several samples of the same thing say together, by ranks alone: no sample is thrown away, and one that is far off moves nothing.
/// </summary>
/// <param name="Count">How many samples there are.</param>
/// <param name="Median">The middle one, or the mean of the two in the middle.</param>
/// <param name="Mad">Median of the absolute distances from the median, as it is (not scaled to a standard deviation).</param>
/// <param name="Low">The median is in [<paramref name="Low"/>, <paramref name="High"/>] with 95 % probability at least, whatever the
/// distribution; minus infinity where there are fewer than six samples.</param>
/// <param name="High">See <paramref name="Low"/>.</param>
public sealed record MedianSpread(int Count, double Median, double Mad, double Low, double High)
{
    private const double Confidence = 0.95;

    /// <summary>Width of the interval as a part of the median; infinite where too little is known.</summary>
    public double RelativeWidth => Median > 0 ? (High - Low) / Median : double.PositiveInfinity;

    /// <summary>Of at least one sample.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static MedianSpread Of(IReadOnlyCollection<double> samples)
    {
        if (samples.Count == 0)
        {
            throw new ArgumentException("there are no samples", nameof(samples));
        }
        double[] sorted = [.. samples.Order()];
        double median = Middle(sorted);
        double mad = Middle([.. sorted.Select(s => Math.Abs(s - median)).Order()]);
        int rank = RankOf(sorted.Length);
        return rank < 0
            ? new MedianSpread(sorted.Length, median, mad, double.NegativeInfinity, double.PositiveInfinity)
            : new MedianSpread(sorted.Length, median, mad, sorted[rank], sorted[^(rank + 1)]);
    }

    private static double Middle(double[] sorted) => (sorted[sorted.Length / 2] + sorted[(sorted.Length - 1) / 2]) / 2;

    /// <summary>
    /// The largest r so that the median is between the r-th smallest and the r-th largest of n samples (from 0) often enough: a sample is
    /// on each side of it with probability one half, so that the number below is binomial (Conover, Practical Nonparametric Statistics).
    /// -1: not even all of them are enough.
    /// </summary>
    private static int RankOf(int n)
    {
        double outside = 0, exactly = Math.Pow(0.5, n); // of 0 below
        int rank = -1;
        for (int below = 0; below < n / 2; below++)
        {
            outside += 2 * exactly;
            if (outside > 1 - Confidence)
            {
                break;
            }
            rank = below;
            exactly *= (double)(n - below) / (below + 1);
        }
        return rank;
    }
}
