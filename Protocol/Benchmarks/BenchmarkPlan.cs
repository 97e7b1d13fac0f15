namespace Bootstrap.Protocol.Benchmarks;

/// <summary>What is measured, and how long.</summary>
/// <param name="Request">The benchmark.</param>
/// <param name="SoakSeconds">For so long, whatever the samples say; 0: until the median is known well enough.</param>
/// <param name="LimitSeconds">It ends after so long, also where the median is not known well enough yet.</param>
/// <param name="QuietSeconds">The node must have been quiet for so long.</param>
/// <param name="PatienceSeconds">It is waited for that no longer.</param>
public sealed record BenchmarkPlan(BenchmarkRequest Request, int SoakSeconds, int LimitSeconds, int QuietSeconds, int PatienceSeconds)
{
    /// <summary>The other end, where the network is measured; else null.</summary>
    public BenchmarkPeer? Peer { get; init; }
}
