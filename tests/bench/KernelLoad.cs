using System.Globalization;
using Bootstrap.Benchmarks.Measurement;
using Bootstrap.Board;
using Bootstrap.Protocol.Benchmarks;

namespace Bootstrap.Bench;

/// <summary>The kernels of the benchmarks, measured as a node measures them, on one processor.</summary>
internal static class KernelLoad
{
    /// <summary>Prints the median, in the kind's unit.</summary>
    /// <param name="parameters">NAME=VALUE each.</param>
    /// <param name="limit">It takes no longer.</param>
    public static int Run(string kind, IEnumerable<string> parameters, TimeSpan limit)
    {
        BenchmarkRequest request = BenchmarkRequest.Read(kind, parameters.Select(p => p.Split('=', 2)).ToDictionary(p => p[0], p => p[1]),
            allCores: false, out string? fault) ?? throw new InvalidOperationException(fault);
        SamplePlan plan = SamplePlan.Standard with { Limit = limit };
        Samples samples = new Sampler(request, [Linux.Processors()[^1]], plan, Directory.GetCurrentDirectory())
            .Run(null, CancellationToken.None);
        Console.WriteLine(samples.Spread.Median.ToString("0.###", CultureInfo.InvariantCulture));
        return 0;
    }
}
