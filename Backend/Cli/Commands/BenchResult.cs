using System.Globalization;
using Bootstrap.Protocol.Benchmarks;

namespace Bootstrap.Cli.Commands;

/// <summary>A result of a benchmark, as tables show it.</summary>
internal sealed record BenchResult(Guid Task, Guid Job, string NodeName, string Model, BenchmarkRequest Request, string Unit, double Median,
    double Mad, double Low, double High, bool IsSteady, IReadOnlyList<BenchmarkFault> Faults, long StartedAt, double? PercentOfBefore,
    bool IsRegression)
{
    public static IReadOnlyList<Column> Columns { get; } =
        ["NODE", "BENCHMARK", "MEDIAN", new("95 %", 3), new("OF BEFORE", 1), new("MEASURED", 2), "COUNTS"];

    /// <summary>One for each of <see cref="Columns"/>.</summary>
    public string[] Cells() => [NodeName, Benchmark, Value, Interval, Before, Output.Time(StartedAt), Counts];

    /// <summary>What was measured: "sha256 size=1MiB".</summary>
    public string Benchmark
    {
        get
        {
            string Written(KeyValuePair<string, long> given) =>
                BenchmarkKind.Find(Request.Kind)?.Parameters.FirstOrDefault(p => p.Name == given.Key)?.Write(given.Value) ??
                given.Value.ToString(CultureInfo.InvariantCulture);
            return $"{Request.Kind}{string.Concat(Request.Parameters.Select(p => $" {p.Key}={Written(p)}"))}" +
                (Request.AllCores ? " all cores" : "");
        }
    }

    /// <summary>The median with its unit.</summary>
    public string Value => Unit switch
    {
        BenchmarkKind.BytesPerSecond => $"{Output.Bytes(Median)}/s",
        BenchmarkKind.FlopPerSecond => string.Create(CultureInfo.InvariantCulture, $"{Median / 1e9:0.00} GFLOP/s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Median:#,0.#} {Unit}"),
    };

    private string Interval => Median > 0 ? string.Create(CultureInfo.InvariantCulture, $"± {50 * (High - Low) / Median:0.0} %") : "";

    private string Before => PercentOfBefore is { } percent ? string.Create(CultureInfo.InvariantCulture, $"{percent:0.0} %") : "";

    private string Counts =>
        Faults.Count > 0 ? $"no: {string.Join("; ", Faults.Select(f => f.Words))}"
        : IsRegression ? "yes, slower than before"
        : IsSteady ? "yes" : "yes, not steady";
}
