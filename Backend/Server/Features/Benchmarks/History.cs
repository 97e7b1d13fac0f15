using Bootstrap.Protocol.Benchmarks;

namespace Bootstrap.Server.Features.Benchmarks;

/// <summary>Compares each result with what the same node reached before, by the same benchmark with the same parameters.</summary>
internal static class History
{
    /// <summary>So many results that count, those just before, say what a node reaches.</summary>
    private const int Before = 5;

    /// <summary>It is a regression below this part of what it reached, in percent, where the whole interval is.</summary>
    private const double LeastPercent = 95;

    /// <param name="results">The newest first, all of a node's and benchmark's.</param>
    /// <returns>The same, each with how it compares; those that do not count are compared with nothing.</returns>
    public static IReadOnlyList<BenchmarkView> Of(IReadOnlyList<BenchmarkView> results)
    {
        var before = new Dictionary<(string Node, string Request), Queue<double>>();
        var compared = new BenchmarkView[results.Count];
        for (int i = results.Count - 1; i >= 0; i--)
        {
            BenchmarkView result = results[i];
            compared[i] = result;
            if (result.Faults.Count > 0)
            {
                continue;
            }
            // Against another node it is another link.
            (string, string) key = (result.Node.ToString(), $"{Ranking.KeyOf(result.Request)} {result.Peer}");
            if (!before.TryGetValue(key, out Queue<double>? reached))
            {
                before[key] = reached = [];
            }
            if (reached.Count > 0)
            {
                compared[i] = Compare(result, Ranking.Median(reached));
            }
            reached.Enqueue(result.Median);
            if (reached.Count > Before)
            {
                reached.Dequeue();
            }
        }
        return compared;
    }

    private static BenchmarkView Compare(BenchmarkView result, double reached)
    {
        double best = result.Unit == BenchmarkKind.Nanoseconds ? result.Low : result.High;
        return result with
        {
            PercentOfBefore = Ranking.Percent(result.Median, reached, result.Unit),
            IsRegression = Ranking.Percent(best, reached, result.Unit) < LeastPercent,
        };
    }
}
