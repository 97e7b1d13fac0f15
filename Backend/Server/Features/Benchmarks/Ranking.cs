using Bootstrap.Protocol.Benchmarks;

namespace Bootstrap.Server.Features.Benchmarks;

/// <summary>Compares nodes with their equals: boards of one model, by the same benchmark with the same parameters.</summary>
internal static class Ranking
{
    /// <summary>Of fewer nodes nobody can say which of them is the odd one.</summary>
    private const int LeastOfGroup = 4;

    /// <summary>An outlier is slower by more than this part of the median, in percent, and by more than this many times the median of the
    /// group's distances (1.4826 of which are a standard deviation, where they are spread normally).</summary>
    private const double LeastPercent = 5, Distances = 3 * 1.4826;

    public const string Card = "its card", Link = "its link", Memory = "its memory", Unexplained = "unexplained";

    /// <summary>What makes a node slow, the likeliest first, and in which words of its other results that shows.</summary>
    private static readonly (string Cause, string[] Reasons)[] s_causes =
    [
        ("under-voltage", [BenchmarkFault.UnderVoltage]),
        ("heat", [BenchmarkFault.Throttled, BenchmarkFault.SoftLimit, BenchmarkFault.Capped]),
        ("a limit of its clock", [BenchmarkFault.Limited, BenchmarkFault.Clock, BenchmarkFault.Governor, BenchmarkFault.CoreGone]),
        ("other programs", [BenchmarkFault.Background, BenchmarkFault.SystemTime]),
        ("too little memory", [BenchmarkFault.Swap, BenchmarkFault.OutOfMemory]),
    ];

    /// <summary>Groups the newest results that count, one of each node.</summary>
    /// <param name="results">The newest first; those that do not count tell why a node is slow.</param>
    /// <returns>Groups in the order of their benchmarks and models.</returns>
    public static IReadOnlyList<BenchmarkGroup> Of(IReadOnlyList<BenchmarkView> results) =>
        [.. results.GroupBy(result => (result.Model, Key: KeyOf(result.Request)))
            .OrderBy(group => group.Key.Key, StringComparer.Ordinal).ThenBy(group => group.Key.Model, StringComparer.Ordinal)
            .Select(group => Group([.. group])).OfType<BenchmarkGroup>()];

    private static BenchmarkGroup? Group(IReadOnlyList<BenchmarkView> results)
    {
        BenchmarkView[] nodes = [.. results.Where(result => result.Faults.Count == 0).DistinctBy(result => result.Node)];
        if (nodes.Length == 0)
        {
            return null;
        }
        double median = Median(nodes.Select(node => node.Median));
        double[] percents = [.. nodes.Select(node => Percent(node.Median, median, node.Unit))];
        double middle = Median(percents), usual = Median(percents.Select(percent => Math.Abs(percent - middle)));
        double lowest = nodes.Length < LeastOfGroup ? 0 : middle - Math.Max(LeastPercent, Distances * usual);
        return new BenchmarkGroup(nodes[0].Model, nodes[0].Request, nodes[0].Unit, median,
            [.. nodes.Zip(percents, (node, percent) => new RankedResult(node, percent, percent < lowest ? CauseOf(node, results) : null))
                .OrderByDescending(node => node.PercentOfMedian)]);
    }

    /// <summary>What disturbed this node's other runs of the benchmark disturbs it now and then, also where it was not seen.</summary>
    private static string CauseOf(BenchmarkView node, IReadOnlyList<BenchmarkView> results)
    {
        HashSet<string> seen = [.. results.Where(result => result.Node == node.Node).SelectMany(result => result.Faults)
            .Select(fault => fault.Reason)];
        return s_causes.FirstOrDefault(cause => cause.Reasons.Any(seen.Contains)).Cause ?? PartOf(node);
    }

    /// <summary>Where nothing was seen, the part that is measured is slow; of a processor that says nothing.</summary>
    private static string PartOf(BenchmarkView node) => BenchmarkKind.Find(node.Request.Kind) switch
    {
        { IsOfCard: true } => Card,
        { Peer: PeerKind.Node } => $"{Link}, or that of {node.Peer}",
        { Peer: PeerKind.Appliance } => Link,
        _ when node.Request.Kind.StartsWith("memory-", StringComparison.Ordinal) => Memory,
        _ => Unexplained,
    };

    /// <summary>How good one number is, in percent of another: a time is the better the shorter it is, and everything else the more it
    /// is.</summary>
    public static double Percent(double value, double of, string unit) =>
        of <= 0 || value <= 0 ? 100 : 100 * (unit == BenchmarkKind.Nanoseconds ? of / value : value / of);

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[sorted.Length / 2] + sorted[(sorted.Length - 1) / 2]) / 2;
    }

    /// <summary>The same for the same benchmark with the same parameters.</summary>
    public static string KeyOf(BenchmarkRequest request) =>
        $"{request.Kind} {request.AllCores} {string.Join(' ', request.Parameters.Select(p => $"{p.Key}={p.Value}"))}";
}
