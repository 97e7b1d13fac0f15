using System.Text.Json.Nodes;
using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Rollouts;
using Bootstrap.Server.Features.Jobs.Tasks;

namespace Bootstrap.Server.Features.Jobs.Kinds;

/// <summary>What to measure.</summary>
/// <param name="Benchmark">Name of a benchmark.</param>
/// <param name="Parameters">Of the benchmark, as people write them; what is not named is the benchmark's own.</param>
/// <param name="AllCores">On every processor at once.</param>
/// <param name="SoakSeconds">For so long, whatever the samples say; 0: until the median is known well enough.</param>
/// <param name="LimitSeconds">That ends after so long.</param>
/// <param name="QuietSeconds">The node must have been quiet for so long before.</param>
/// <param name="PatienceSeconds">It is waited for that no longer.</param>
internal sealed record BenchmarkParameters(
    string Benchmark, IReadOnlyDictionary<string, string>? Parameters = null, bool AllCores = false, int SoakSeconds = 0,
    int LimitSeconds = 60, int QuietSeconds = 30, int PatienceSeconds = 600);

/// <summary>A benchmark. It has succeeded when the node has sent a result, whether that counts or not.</summary>
internal sealed class BenchmarkJobKind : WorkKind<BenchmarkParameters>
{
    private const int MostSoak = 12 * 60 * 60, MostWait = 2 * 60 * 60;

    /// <summary>To make the memory, to warm up, and to check what was computed, on a slow board.</summary>
    private const int Slack = 15 * 60;

    private static readonly Dictionary<string, string> s_none = [];

    public const string Name = "benchmark";

    public override string Word => Name;

    public override bool MayBeMeasured => false;

    /// <summary>A benchmark as it is run where nothing else was said.</summary>
    public static JobSpec SpecOf(string benchmark) => SpecOf(new BenchmarkParameters(benchmark));

    /// <summary>A benchmark with its parameters.</summary>
    public static JobSpec SpecOf(BenchmarkParameters benchmark) => new(Name, Parameters: Stored(benchmark));

    /// <summary>Which benchmark a task is.</summary>
    public static string NameOf(TaskRow task) => ParametersOf(task).Benchmark;

    /// <summary>Who measures the network has it to himself: else each would measure the others as well.</summary>
    public override RolloutPolicy? UsualRollout(string parameters) =>
        PeerOf(parameters) == PeerKind.None ? null : RolloutPolicy.AllAtOnce;

    public override Func<TaskRow, NodeId?>? Partners(string parameters, IReadOnlyList<TaskRow> tasks)
    {
        switch (PeerOf(parameters))
        {
            case PeerKind.Appliance:
                return _ => null;
            case PeerKind.Node:
                TaskRow[] ring = [.. tasks.Where(t => t.State is not (TaskState.Skipped or TaskState.Cancelled))];
                var next = ring.Zip([.. ring.Skip(1), .. ring.Take(1)]).ToDictionary(pair => pair.First.Id, pair => pair.Second.Node);
                return task => next.TryGetValue(task.Id, out NodeId partner) ? partner : task.Node;
            default:
                return null;
        }
    }

    public override string? ValidateNumber(string parameters, int nodes) => nodes == 1 && PeerOf(parameters) == PeerKind.Node
        ? $"{Parse(parameters).Benchmark} takes two nodes: each is measured against the next one." : null;

    public override Step OnEnded(TaskRow task, TaskEnded ended) =>
        ended.Succeeded && !IsAnswer(task, ended.Benchmark)
            ? Step.Fail("the node's result makes no sense, and was not kept: its Slave is broken, or is not ours")
            : base.OnEnded(task, ended);

    /// <summary>Whether a result is one of what was ordered.</summary>
    internal static bool IsAnswer(TaskRow task, BenchmarkResult? result) =>
        result is { IsSound: true } && RequestOf(ParametersOf(task), out _) is { } asked && asked.Kind == result.Request.Kind &&
        asked.AllCores == result.Request.AllCores &&
        asked.Parameters.All(p => result.Request.Parameters.GetValueOrDefault(p.Key) == p.Value);

    private protected override string? Validate(BenchmarkParameters parameters, JobRequest request, JobSources sources) =>
        RequestOf(parameters, out string? fault) is null ? $"The benchmark cannot be run: {fault}."
        : parameters.SoakSeconds is < 0 or > MostSoak ? $"A soak takes 0 to {MostSoak} seconds, and not {parameters.SoakSeconds}."
        : parameters.LimitSeconds is < 1 or > MostWait ? $"A limit is 1 to {MostWait} seconds, and not {parameters.LimitSeconds}."
        : parameters.QuietSeconds is < 0 or > MostWait || parameters.PatienceSeconds is < 0 or > MostWait
            ? $"It is waited 0 to {MostWait} seconds for a node to be quiet."
        : null;

    private protected override WorkOrder? Compose(
        TaskRow task, BenchmarkParameters parameters, bool again, JobSources sources, out string fault)
    {
        BenchmarkPeer? peer = sources.Peers.Find(
            task, PeerOf(task.Parameters), TimeSpan.FromSeconds(TimeoutSeconds(parameters)), out fault);
        return fault.Length > 0 ? null : new BenchmarkOrder(
            new BenchmarkPlan(RequestOf(parameters, out _)!, parameters.SoakSeconds, parameters.LimitSeconds, parameters.QuietSeconds,
                parameters.PatienceSeconds)
            { Peer = peer }, TimeoutSeconds(parameters), again);
    }

    /// <summary>For how long the appliance is the other end of a task; null: it is none.</summary>
    internal static TimeSpan? LifeOfPeer(TaskRow task) =>
        task.Kind == Name && PeerOf(task.Parameters) == PeerKind.Appliance ? TimeSpan.FromSeconds(Whole(ParametersOf(task))) : null;

    /// <param name="parameters">As they are stored; of a schedule's run that cannot be done, something else may be.</param>
    private static PeerKind PeerOf(string parameters) =>
        JsonNode.Parse(parameters)?["benchmark"]?.ToString() is { } benchmark && BenchmarkKind.Find(benchmark) is { } kind
            ? kind.Peer : PeerKind.None;

    private protected override int TimeoutSeconds(BenchmarkParameters parameters) => Whole(parameters);

    private static int Whole(BenchmarkParameters parameters) =>
        parameters.QuietSeconds + parameters.PatienceSeconds + Math.Max(parameters.SoakSeconds, parameters.LimitSeconds) + Slack;

    private static BenchmarkRequest? RequestOf(BenchmarkParameters parameters, out string? fault) =>
        BenchmarkRequest.Read(parameters.Benchmark, parameters.Parameters ?? s_none, parameters.AllCores, out fault);
}
