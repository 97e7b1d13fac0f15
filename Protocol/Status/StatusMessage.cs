using System.Text.Json.Serialization;

namespace Bootstrap.Protocol.Status;

/// <summary>
/// What a node tells those who watch it: first all of its state, then what changed. One JSON object per WebSocket text message, of at most
/// <see cref="MaximumBytes"/>.
/// </summary>
/// <param name="Sequence">Counts up by one on each connection; where one is missing, the watcher connects anew.</param>
/// <param name="At">Unix time in milliseconds, by the node's clock.</param>
/// <param name="Whole">What is not named here is unknown; else it is as it was.</param>
/// <param name="Values">By key (<see cref="MetricKey"/>); null: it is unknown from now on.</param>
/// <param name="Facts">By one of <see cref="StatusFact"/>; null: unknown from now on.</param>
/// <param name="Processes">Those that use most; null: as they were.</param>
public sealed record StatusMessage(
    long Sequence, long At, bool Whole, IReadOnlyDictionary<string, double?> Values,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, string?>? Facts = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<ProcessReading>? Processes = null)
{
    /// <summary>A longer message ends the connection.</summary>
    public const int MaximumBytes = 64 << 10;

    /// <summary>Of all keys that a node may use on one connection.</summary>
    public const int MostValues = 2_000;

    private const int MostFacts = 64, LongestFact = 512, MostProcesses = 50;

    /// <summary>Characters of a key or a name.</summary>
    public const int LongestKey = 128;

    private const double Largest = 1e18;

    /// <summary>Whether it can be believed to be what it says; a node may be broken, or lie.</summary>
    /// <returns>Null: it is sound; else what is wrong, in words of ours alone.</returns>
    public string? Validate() => this switch
    {
        { Values.Count: > MostValues } => $"more than {MostValues} values",
        { Facts.Count: > MostFacts } => $"more than {MostFacts} facts",
        { Processes.Count: > MostProcesses } => $"more than {MostProcesses} processes",
        _ when Values.Keys.Any(key => key.Length is 0 or > LongestKey) || Facts?.Keys.Any(key => key.Length is 0 or > LongestKey) == true =>
            $"a name that is empty or longer than {LongestKey} characters",
        _ when Values.Values.Any(value => value is { } number && !IsSound(number)) => "a value that no machine has",
        _ when Facts?.Values.Any(fact => fact?.Length > LongestFact) == true => $"a fact of more than {LongestFact} characters",
        _ when Processes?.Any(p => p is null || p.Name.Length > LongestKey || !IsSound(p.Busy)) == true => "a process that cannot be",
        _ => null,
    };

    /// <summary>Finite, and of a size that something on a machine can have.</summary>
    public static bool IsSound(double number) => double.IsFinite(number) && Math.Abs(number) <= Largest;
}

/// <summary>What a watcher says: nothing but this.</summary>
/// <param name="Token">A newer <see cref="StatusToken"/> for the same node, before the first one's time is over.</param>
public sealed record StatusRenewal(string Token);
