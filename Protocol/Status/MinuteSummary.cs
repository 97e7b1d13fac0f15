using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bootstrap.Protocol.Status;

/// <summary>The values of a metric over a while, in its own unit. In JSON an array of the three numbers.</summary>
/// <param name="Min">The least of them.</param>
/// <param name="Mean">Over the time, not over the readings.</param>
/// <param name="Max">The greatest.</param>
[JsonConverter(typeof(SpreadJsonConverter))]
public readonly record struct Spread(double Min, double Mean, double Max)
{
    /// <summary>No metric counts further, above or below 0.</summary>
    public const double Largest = 1e15;

    /// <summary>What is wrong with it; null: valid.</summary>
    public string? Validate() =>
        !double.IsFinite(Min) || !double.IsFinite(Mean) || !double.IsFinite(Max) ? "it is not a number"
        : Min > Mean || Mean > Max ? "its mean is not between its least and its greatest value"
        : Min < -Largest || Max > Largest ? "it is beyond 1e15"
        : null;

    internal sealed class SpreadJsonConverter : JsonConverter<Spread>
    {
        public override Spread Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType != JsonTokenType.StartArray)
            {
                throw new JsonException("not an array of three numbers");
            }
            var spread = new Spread(Number(ref reader), Number(ref reader), Number(ref reader));
            return reader.Read() && reader.TokenType == JsonTokenType.EndArray ? spread
                : throw new JsonException("more than three numbers");
        }

        public override void Write(Utf8JsonWriter writer, Spread value, JsonSerializerOptions options)
        {
            writer.WriteStartArray();
            writer.WriteNumberValue(value.Min);
            writer.WriteNumberValue(value.Mean);
            writer.WriteNumberValue(value.Max);
            writer.WriteEndArray();
        }

        private static double Number(ref Utf8JsonReader reader) =>
            reader.Read() && reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out double number) ? number
                : throw new JsonException("not three numbers");
    }
}

/// <summary>What a node measured in one minute.</summary>
/// <param name="Minute">Unix time divided by 60, by the appliance's clock; the minute lasts until the next one begins.</param>
/// <param name="Values">By name of metric, of the whole machine (<see cref="MetricKey"/>): only those that are kept. What is not there was
/// not known in that minute.</param>
public sealed record MinuteSummary(long Minute, IReadOnlyDictionary<string, Spread> Values)
{
    private static readonly int s_mostValues = Metrics.All.Count(metric => metric.IsKept);

    /// <summary>What is wrong with it, in a sentence; null: valid. Names and numbers of the node are in no sentence.</summary>
    public string? Validate()
    {
        if (Values.Count > s_mostValues)
        {
            return $"A minute has at most {s_mostValues} metrics, not {Values.Count}.";
        }
        foreach ((string name, Spread spread) in Values)
        {
            if (Metrics.Find(name) is not { IsKept: true } metric || metric.Name != name)
            {
                return "A metric of a minute is none that has a history.";
            }
            if (spread.Validate() is { } fault)
            {
                return $"{metric.Name} of a minute is malformed: {fault}.";
            }
        }
        return null;
    }
}
