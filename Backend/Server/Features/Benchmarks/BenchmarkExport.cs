using System.Globalization;

namespace Bootstrap.Server.Features.Benchmarks;

/// <summary><c>/benchmarks/results.csv</c> for spreadsheets: a line for each result, numbers in the unit that stands beside them.</summary>
internal static class BenchmarkExport
{
    private static readonly (string Title, Func<BenchmarkView, string> Cell)[] s_columns =
    [
        ("node", r => r.NodeName),
        ("node_id", r => r.Node.ToString()),
        ("model", r => r.Model),
        ("benchmark", r => r.Request.Kind),
        ("parameters", r => string.Join(' ', r.Request.Parameters.Select(p => $"{p.Key}={p.Value}"))),
        ("all_cores", r => r.Request.AllCores ? "yes" : "no"),
        ("unit", r => r.Unit),
        ("median", r => Number(r.Median)),
        ("mad", r => Number(r.Mad)),
        ("low", r => Number(r.Low)),
        ("high", r => Number(r.High)),
        ("steady", r => r.IsSteady ? "yes" : "no"),
        ("counts", r => r.Faults.Count == 0 ? "yes" : "no"),
        ("faults", r => string.Join("; ", r.Faults.Select(f => f.Words))),
        ("percent_of_before", r => r.PercentOfBefore is { } percent ? percent.ToString("0.0", CultureInfo.InvariantCulture) : ""),
        ("started_at", r => CsvText.Time(r.StartedAt)),
        ("job", r => r.Job.ToString()),
        ("task", r => r.Task.ToString()),
    ];

    public static string Csv(IEnumerable<BenchmarkView> results) => CsvText.Of(s_columns, results);

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
