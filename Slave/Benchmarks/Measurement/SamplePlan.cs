namespace Bootstrap.Benchmarks.Measurement;

/// <summary>How long is measured.</summary>
/// <param name="Sample">One sample takes so long at least.</param>
/// <param name="WarmUp">What is done before the first sample, and not counted.</param>
/// <param name="Least">Samples that are taken whatever they say.</param>
/// <param name="Most">No more than these.</param>
/// <param name="Steady">It ends when the interval of the median is narrower than this part of it.</param>
/// <param name="Limit">No sample begins after this time.</param>
public sealed record SamplePlan(TimeSpan Sample, TimeSpan WarmUp, int Least, int Most, double Steady, TimeSpan Limit)
{
    /// <summary>At least ten samples, until the median is known to 1 %, a minute at most.</summary>
    public static SamplePlan Standard { get; } =
        new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(1), 10, 200, 0.01, TimeSpan.FromMinutes(1));

    /// <summary>For so long, whatever the samples say: what heat and time do shows.</summary>
    public static SamplePlan Soak(TimeSpan time) =>
        new(TimeSpan.FromSeconds(1), TimeSpan.Zero, (int)Math.Max(10, time.TotalSeconds), int.MaxValue, 0, time);
}
