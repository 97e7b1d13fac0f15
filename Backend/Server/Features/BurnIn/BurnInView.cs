using Bootstrap.Protocol.Ids;

namespace Bootstrap.Server.Features.BurnIn;

/// <summary>How far a burn-in is, and how it went.</summary>
public enum BurnInState
{
    /// <summary>The board is being tried.</summary>
    Running,

    /// <summary>Nothing was wrong: the board is fit.</summary>
    Passed,

    /// <summary>Something was, or could not be tried.</summary>
    Failed,
}

/// <summary>The newest burn-in of a node.</summary>
/// <param name="NodeName">As it is called.</param>
/// <param name="Set">What it is put through: "short", "long", or "card": the card's test before an installation alone.</param>
/// <param name="Findings">What was wrong, a sentence each, with the benchmark that has shown it.</param>
/// <param name="StartedAt">Unix milliseconds.</param>
/// <param name="Jobs">The benchmarks, in their order.</param>
public sealed record BurnInView(
    NodeId Node, string NodeName, string Set, BurnInState State, IReadOnlyList<string> Findings, long StartedAt, IReadOnlyList<Guid> Jobs);
