using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Server.Features.Benchmarks;

/// <summary>A result as lists show it.</summary>
/// <param name="Task">Whose result it is; <c>/benchmarks/results/{task}</c> has all of it.</param>
/// <param name="Node">On which it was measured.</param>
/// <param name="NodeName">As it was called then.</param>
/// <param name="Model">Of its board.</param>
/// <param name="Unit">Of the numbers.</param>
/// <param name="Mad">Median of the absolute distances from the median.</param>
/// <param name="Low">The median is between this and <paramref name="High"/> with 95 % probability.</param>
/// <param name="IsSteady">The interval is as narrow as it should be.</param>
/// <param name="Faults">Why it does not count; empty: it does.</param>
/// <param name="StartedAt">Unix milliseconds.</param>
public sealed record BenchmarkView(
    Guid Task, Guid Job, NodeId Node, string NodeName, string Model, BenchmarkRequest Request, string Unit, double Median, double Mad,
    double Low, double High, bool IsSteady, IReadOnlyList<BenchmarkFault> Faults, long StartedAt)
{
    /// <summary>Who was at the other end where the network was measured; else empty.</summary>
    public string Peer { get; init; } = "";

    /// <summary>Of what the node reached the times before, above 100 is better; null: it does not count, or is the first.</summary>
    public double? PercentOfBefore { get; init; }

    /// <summary>It is clearly slower than before.</summary>
    public bool IsRegression { get; init; }
}

/// <summary>All of one result.</summary>
/// <param name="Summary">As lists show it.</param>
/// <param name="Machine">What it was measured on.</param>
/// <param name="Samples">In the order in which they were taken; of a soak, every n-th.</param>
/// <param name="Moments">The node, second by second; of a soak, every n-th.</param>
/// <param name="Counters">What the processors counted meanwhile; null: they do not tell.</param>
/// <param name="WaitedSeconds">Until the node was quiet.</param>
/// <param name="Seconds">From the first sample to the last.</param>
public sealed record BenchmarkDetails(
    BenchmarkView Summary, BenchmarkMachine Machine, IReadOnlyList<double> Samples, IReadOnlyList<BenchmarkMoment> Moments,
    BenchmarkCounters? Counters, double WaitedSeconds, double Seconds);

/// <summary>A node among its equals.</summary>
/// <param name="Result">Its newest that counts.</param>
/// <param name="PercentOfMedian">Of the group's median; above 100 is better, whatever the unit.</param>
/// <param name="Cause">It is slower than its equals, and probably for this reason; null: it is not.</param>
public sealed record RankedResult(BenchmarkView Result, double PercentOfMedian, string? Cause);

/// <summary>Boards of one model, by one benchmark with the same parameters.</summary>
/// <param name="Model">Of the boards.</param>
/// <param name="Median">Of the nodes' medians.</param>
/// <param name="Nodes">The best first.</param>
public sealed record BenchmarkGroup(string Model, BenchmarkRequest Request, string Unit, double Median, IReadOnlyList<RankedResult> Nodes);
