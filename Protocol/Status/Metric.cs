using System.Text.Json.Serialization;

namespace Bootstrap.Protocol.Status;

/// <summary>What the numbers of a metric count.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<MetricUnit>))]
public enum MetricUnit
{
    [JsonStringEnumMemberName("count")] Count,

    /// <summary>1 for yes, 0 for no.</summary>
    [JsonStringEnumMemberName("flag")] Flag,
    [JsonStringEnumMemberName("percent")] Percent,
    [JsonStringEnumMemberName("celsius")] Celsius,
    [JsonStringEnumMemberName("bytes")] Bytes,
    [JsonStringEnumMemberName("bytes-per-second")] BytesPerSecond,
    [JsonStringEnumMemberName("per-second")] PerSecond,
    [JsonStringEnumMemberName("megahertz")] Megahertz,
    [JsonStringEnumMemberName("megabits-per-second")] MegabitsPerSecond,
    [JsonStringEnumMemberName("seconds")] Seconds,
    [JsonStringEnumMemberName("milliseconds")] Milliseconds,
    [JsonStringEnumMemberName("volts")] Volts,
    [JsonStringEnumMemberName("amperes")] Amperes,
    [JsonStringEnumMemberName("revolutions-per-minute")] RevolutionsPerMinute,
}

/// <summary>One thing that is measured on a node.</summary>
/// <param name="Name">Words with dots between them; <see cref="MetricKey"/> adds the part of the machine.</param>
/// <param name="Unit">Of its numbers.</param>
/// <param name="Title">For people: two or three words.</param>
/// <param name="Step">A change that is smaller is not worth telling at once.</param>
/// <param name="Part">What a part of the machine is here ("core", "disk"); null: there are none, or they are not told apart.</param>
/// <param name="IsKept">It has a history.</param>
public sealed record Metric(string Name, MetricUnit Unit, string Title, double Step, string? Part = null, bool IsKept = false);

/// <summary>
/// A metric of a part of a machine is written <c>disk.read[mmcblk0]</c>; without brackets it is the whole machine's: the sum of its parts,
/// the mean of its cores, the fullest of its file systems, the slowest of its links.
/// </summary>
public static class MetricKey
{
    /// <summary>A part's name is cut after so many characters.</summary>
    public const int LongestPart = 64;

    /// <summary>The key of a metric of a part.</summary>
    public static string Of(string metric, string part) => $"{metric}[{(part.Length > LongestPart ? part[..LongestPart] : part)}]";

    /// <summary>The metric's name in a key.</summary>
    public static string MetricOf(string key) => key.IndexOf('[', StringComparison.Ordinal) is > 0 and var at ? key[..at] : key;

    /// <summary>The part in a key; null where it is the whole machine's.</summary>
    public static string? PartOf(string key) =>
        key.IndexOf('[', StringComparison.Ordinal) is > 0 and var at && key[^1] == ']' ? key[(at + 1)..^1] : null;
}
