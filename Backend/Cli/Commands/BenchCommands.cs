using System.CommandLine;
using System.Globalization;
using Bootstrap.Protocol.Benchmarks;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap bench</c>: measures nodes and compares them.</summary>
internal static class BenchCommands
{
    private sealed record Ranked(BenchResult Result, double PercentOfMedian, string? Cause);

    private sealed record Group(string Model, BenchmarkRequest Request, string Unit, double Median, IReadOnlyList<Ranked> Nodes);

    private static readonly Argument<string> s_benchmark =
        new Argument<string>("benchmark") { Description = "Such as sha256: see `bootstrap bench list`." }
        .Suggests<Argument<string>, BenchmarkKind>("benchmarks", b => b.Name);

    private static readonly Option<string?> s_of =
        new Option<string?>("--benchmark") { Description = "Of this benchmark alone.", HelpName = "name" }
        .Suggests<Option<string?>, BenchmarkKind>("benchmarks", b => b.Name);

    private static readonly Option<Guid?> s_job = new("--job") { Description = "Of this job alone (its whole id).", HelpName = "id" };

    private static readonly Option<string[]> s_parameters = new("--param")
    {
        Description = "NAME=VALUE, such as size=64MiB; may be given several times.",
        HelpName = "name=value",
    };

    private static readonly Argument<string> s_script =
        new("file") { Description = "YAML: named steps that connect, measure or report." };

    private static readonly Option<bool> s_allCores = new("--all-cores") { Description = "On all processors at once (default: on one)." };

    private static readonly Option<int?> s_soak = new("--soak")
    {
        Description = "For so long (default: until the median is known to 1 %).",
        HelpName = "seconds",
    };

    private static readonly Option<int?> s_quiet = new("--quiet-for")
    {
        Description = "The node must have been quiet for so long before (default 30).",
        HelpName = "seconds",
    };

    private sealed record BurnIn(string NodeName, string Set, string State, IReadOnlyList<string> Findings);

    private static readonly Option<string> s_set =
        new("--set") { Description = "short (half an hour) or long (some hours).", DefaultValueFactory = _ => "short" };

    public static Command Create() => new("bench", "Measure nodes, and compare them with their equals.")
    {
        new Command("list", "What can be measured.").Lists<BenchmarkKind>(_ => "benchmarks",
            ["BENCHMARK", new("UNIT", 2), "WHAT", new("PARAMETERS", 1)],
            b => [b.Name, b.Unit, b.Words, string.Join(", ", b.Parameters.Select(p => $"{p.Name}={p.Write(p.Default)}"))]),
        CreateRun(),
        new Command("script", "Run the steps of a file: wait for nodes, measure, report.") { s_script }.WithTable()
            .Does((client, parsed, cancellation) =>
                new BenchScriptRun(client, BenchScript.Read(parsed.GetRequiredValue(s_script)), parsed).RunAsync(cancellation)),
        CreateBurnIn(),
        new Command("verdicts", "How each node's newest burn-in went.").Lists<BurnIn>(_ => "burn-ins", s_burnInColumns, Cells),
        new Command("results", "What was measured, the newest first.") { s_of, s_job }.Lists<BenchResult>(Path("results"),
            BenchResult.Columns, r => r.Cells()),
        new Command("ranking", "Each node's newest result that counts, among boards of its model.") { s_of, s_job }.WithTable()
            .Does(async (client, parsed, cancellation) =>
        {
            IReadOnlyList<Group> groups = await client.GetAsync<IReadOnlyList<Group>>(Path("ranking")(parsed), cancellation);
            ClientCommand.Show<Ranked>(parsed, [.. groups.SelectMany(group => group.Nodes)],
                ["NODE", new("MODEL", 1), "BENCHMARK", "MEDIAN", "OF MEDIAN", "SLOWER, BY"],
                n => [n.Result.NodeName, n.Result.Model, n.Result.Benchmark, n.Result.Value,
                    string.Create(CultureInfo.InvariantCulture, $"{n.PercentOfMedian:0.0} %"), n.Cause ?? ""]);
            return 0;
        }),
    };

    private static Command CreateRun() =>
        new Command("run",
            "Run a benchmark on nodes. Each waits until it is quiet; what disturbs the measurement is named, and the result does not " +
                "count.")
        {
            s_benchmark, WorkCommands.Node, NodeCommands.Select, s_parameters, s_allCores, s_soak, s_quiet, JobCommands.Yes,
            JobCommands.Wait,
        }.WithBeginning().WithPlan().Does((client, parsed, cancellation) => JobCommands.OrderAsync(client, "benchmark", null,
            WorkCommands.WithoutNulls(new()
            {
                ["benchmark"] = parsed.GetRequiredValue(s_benchmark),
                ["parameters"] = parsed.GetValue(s_parameters) is { Length: > 0 } parameters
                    ? parameters.Select(text => WorkCommands.Pair(s_parameters, text)).ToDictionary(v => v.Name, v => v.Value) : null,
                ["allCores"] = parsed.GetValue(s_allCores) ? true : null,
                ["soakSeconds"] = parsed.GetValue(s_soak),
                ["quietSeconds"] = parsed.GetValue(s_quiet),
            }), parsed, cancellation));

    private static readonly Column[] s_burnInColumns = ["NODE", new("SET", 2), "STATE", new("WHY", 1)];

    private static Command CreateBurnIn() =>
        new Command("burn-in", "Put nodes through card, memory and processor benchmarks; fit is who passes all of them.")
        {
            JobCommands.Nodes, NodeCommands.Select, s_set,
        }.WithTable().Does(async (client, parsed, cancellation) =>
        {
            string[] named = parsed.GetValue(JobCommands.Nodes) ?? [];
            var order = new
            {
                nodes = named.Length > 0 ? named : null,
                select = parsed.GetValue(NodeCommands.Select),
                set = parsed.GetValue(s_set),
            };
            ClientCommand.Show(
                parsed, await client.PostAsync<IReadOnlyList<BurnIn>>("burn-ins", order, cancellation), s_burnInColumns, Cells);
            return 0;
        });

    private static string[] Cells(BurnIn burnIn) =>
        [burnIn.NodeName, burnIn.Set, burnIn.State, string.Join("; ", burnIn.Findings)];

    private static Func<ParseResult, string> Path(string list) => parsed =>
    {
        string[] choices =
        [
            .. parsed.GetValue(s_of) is { } benchmark ? [$"benchmark={Uri.EscapeDataString(benchmark)}"] : Array.Empty<string>(),
            .. parsed.GetValue(s_job) is { } job ? [$"job={job}"] : Array.Empty<string>(),
        ];
        return $"benchmarks/{list}{(choices.Length > 0 ? "?" : "")}{string.Join('&', choices)}";
    };
}
