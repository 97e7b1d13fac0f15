using System.Text.Json.Serialization;

namespace Bootstrap.Protocol.Status;

/// <summary>How a value is compared with an alert's threshold.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AlertComparison>))]
public enum AlertComparison
{
    /// <summary>It is greater.</summary>
    [JsonStringEnumMemberName("above")] Above,

    /// <summary>It is less.</summary>
    [JsonStringEnumMemberName("below")] Below,

    /// <summary>It is farther from 0, to either side.</summary>
    [JsonStringEnumMemberName("off-by")] OffBy,

    /// <summary>It has risen by more, within the condition's time.</summary>
    [JsonStringEnumMemberName("rises-by")] RisesBy,
}

/// <summary>When something is wrong with a node.</summary>
/// <param name="Metric">A key (<see cref="MetricKey"/>): of the whole machine, or of one part.</param>
/// <param name="Threshold">In the metric's unit; a flag is 0 or 1.</param>
/// <param name="ForSeconds">So long without a break; with <see cref="AlertComparison.RisesBy"/>, within so long.</param>
public sealed record AlertCondition(string Metric, AlertComparison Comparison, double Threshold, int ForSeconds)
{
    /// <summary>Most seconds.</summary>
    public const int Longest = 24 * 3600;

    /// <summary>Whether a value meets it; not for <see cref="AlertComparison.RisesBy"/>, which needs more than one.</summary>
    public bool IsMetBy(double value) => Comparison switch
    {
        AlertComparison.Above => value > Threshold,
        AlertComparison.Below => value < Threshold,
        AlertComparison.OffBy => Math.Abs(value) > Threshold,
        _ => false,
    };

    /// <summary>What is wrong with it, in one sentence; null: nothing.</summary>
    /// <param name="find">The metric of a key; null: there is none.</param>
    public string? FindFault(Func<string, Metric?> find) =>
        Metric.Length > StatusMessage.LongestKey || find(Metric) is null ? $"There is no metric '{MetricKey.MetricOf(Metric)}'."
        : !Enum.IsDefined(Comparison) ? "The comparison is above, below, off-by or rises-by."
        : !StatusMessage.IsSound(Threshold) ? "The threshold is a number that a machine can have."
        : Comparison is AlertComparison.OffBy or AlertComparison.RisesBy && Threshold < 0
            ? $"With {(Comparison == AlertComparison.OffBy ? "off-by" : "rises-by")} the threshold is 0 or more."
        : ForSeconds is < 0 or > Longest ? $"The time is 0 to {Longest} seconds, not {ForSeconds}."
        : Comparison == AlertComparison.RisesBy && ForSeconds == 0 ? "With rises-by the time is 1 second or more."
        : null;
}

/// <summary>A condition that is met on a node.</summary>
/// <param name="Rule">Whose condition.</param>
/// <param name="Value">The metric's, when it was met.</param>
/// <param name="Part">Of the machine: the one that has this value; null: there are none.</param>
/// <param name="HeldSeconds">Since then.</param>
public sealed record MetCondition(string Rule, double Value, string? Part, long HeldSeconds);
