namespace Bootstrap.Protocol.Benchmarks;

/// <summary>What is to be measured.</summary>
/// <param name="Kind">Name of a <see cref="BenchmarkKind"/>.</param>
/// <param name="Parameters">All of the kind's, by name.</param>
/// <param name="AllCores">On every processor at once, and not on one.</param>
public sealed record BenchmarkRequest(string Kind, IReadOnlyDictionary<string, long> Parameters, bool AllCores)
{
    /// <summary>Reads what people write.</summary>
    /// <param name="kind">A kind's name.</param>
    /// <param name="parameters">Values by name; those that are not named are the kind's own.</param>
    /// <param name="allCores">See <see cref="AllCores"/>.</param>
    /// <param name="fault">In one sentence what is wrong; null: nothing.</param>
    /// <returns>Null where something is wrong.</returns>
    public static BenchmarkRequest? Read(
        string kind, IReadOnlyDictionary<string, string> parameters, bool allCores, out string? fault)
    {
        if (BenchmarkKind.Find(kind) is not { } found)
        {
            fault = $"there is no benchmark '{kind}': {string.Join(", ", BenchmarkKind.All.Select(k => k.Name))}";
            return null;
        }
        if (parameters.Keys.FirstOrDefault(name => found.Parameters.All(p => p.Name != name)) is { } unknown)
        {
            fault = $"{kind} has no parameter '{unknown}': {string.Join(", ", found.Parameters.Select(p => p.Name))}";
            return null;
        }
        var values = new Dictionary<string, long>();
        foreach (BenchmarkParameter parameter in found.Parameters)
        {
            long value = parameter.Default;
            if (parameters.TryGetValue(parameter.Name, out string? text) && parameter.Read(text, out value) is { } wrong)
            {
                fault = $"{kind}: {wrong}";
                return null;
            }
            values[parameter.Name] = value;
        }
        fault = null;
        return new BenchmarkRequest(kind, values, allCores);
    }
}
