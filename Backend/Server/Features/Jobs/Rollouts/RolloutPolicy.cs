using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bootstrap.Server.Features.Jobs.Kinds;

namespace Bootstrap.Server.Features.Jobs.Rollouts;

/// <summary>How a job goes from node to node. Nothing said: all nodes at once.</summary>
/// <param name="Canary">So many nodes come first and alone; if one of them fails, nobody else begins. 0: none.</param>
/// <param name="Batch">So many nodes come then, and again; null: all that are left.</param>
/// <param name="MaximumAtOnce">Never more nodes than this at the same time; those that are offline are passed over until they come.</param>
/// <param name="PauseBetween">Seconds between the end of one batch and the next.</param>
/// <param name="StopAfter">
/// So many failures ("3") or such a part of the nodes ("10%") end it; null: the first failure where there is a canary or a batch, else
/// none.
/// </param>
/// <param name="RequireHealthy">
/// The next batch waits until the nodes of the one before that succeeded are connected; null: yes, except for shutdowns.
/// </param>
/// <param name="MaximumWatts">Never more nodes at the same time than draw so many watts together (<see cref="BoardPower"/>).</param>
public sealed record RolloutPolicy(
    int Canary = 0, int? Batch = null, int? MaximumAtOnce = null, int PauseBetween = 0,
    [property: JsonConverter(typeof(RolloutPolicy.NumberOrText))] string? StopAfter = null, bool? RequireHealthy = null,
    int? MaximumWatts = null)
{
    public static readonly RolloutPolicy AllAtOnce = new();

    private const int LongestPause = 7 * 24 * 3600;

    /// <summary>The nodes are taken in parts.</summary>
    [JsonIgnore]
    public bool HasBatches => Canary > 0 || Batch is not null;

    /// <summary>The same, with another one's bounds where nothing was said: on failures always, on nodes at the same time where nothing
    /// else holds nodes back.</summary>
    internal RolloutPolicy FilledFrom(RolloutPolicy usual) => this with
    {
        StopAfter = StopAfter ?? usual.StopAfter,
        MaximumAtOnce = HasBatches ? MaximumAtOnce : MaximumAtOnce ?? usual.MaximumAtOnce,
    };

    /// <summary>What is wrong with it, in one sentence; null: nothing.</summary>
    internal string? Validate(TaskKind kind) => this switch
    {
        { Canary: < 0 } => $"canary is a number of nodes, 0 or more, not {Canary}.",
        { Batch: < 1 } => $"batch is a number of nodes, 1 or more, not {Batch}.",
        { MaximumAtOnce: < 1 } => $"maximumAtOnce is a number of nodes, 1 or more, not {MaximumAtOnce}.",
        { MaximumWatts: < 1 } => $"maximumWatts is a number of watts, 1 or more, not {MaximumWatts}.",
        { PauseBetween: < 0 or > LongestPause } => $"pauseBetween is 0 to {LongestPause} seconds, not {PauseBetween}.",
        { PauseBetween: > 0, HasBatches: false } => "pauseBetween needs a canary or a batch: there is nothing to pause between.",
        { RequireHealthy: not null, HasBatches: false } => "requireHealthy needs a canary or a batch: there is nothing to wait between.",
        { RequireHealthy: true } when !kind.EndsConnected =>
            "requireHealthy cannot be had with a shutdown: nodes that are off are not connected.",
        { StopAfter: { } text } when !TryRead(text, out _, out _) =>
            $"stopAfter is a number of failures such as 3, or a part of the nodes such as \"10%\", not '{text}'.",
        _ => null,
    };

    /// <summary>With so many failures it stops; null: never.</summary>
    internal int? FailureLimit(int nodes) =>
        StopAfter is null || !TryRead(StopAfter, out int number, out bool percent) ? HasBatches ? 1 : null
        : percent ? Math.Max(1, (int)Math.Ceiling(nodes * (long)number / 100.0))
        : number;

    /// <summary>Which batch a task belongs to, from 0; the canary is one.</summary>
    internal int BatchOf(long position)
    {
        int first = Canary > 0 ? 1 : 0;
        return position < Canary ? 0 : first + (Batch is { } size ? (int)((position - Canary) / size) : 0);
    }

    /// <summary>A batch's name.</summary>
    internal string NameOf(int batch) => Canary == 0 ? $"batch {batch + 1}" : batch == 0 ? "the canary" : $"batch {batch}";

    private static bool TryRead(string text, out int number, out bool percent)
    {
        percent = text.EndsWith('%');
        return int.TryParse(percent ? text.AsSpan(..^1) : text, NumberStyles.None, CultureInfo.InvariantCulture, out number) &&
            number >= 1 && (!percent || number <= 100);
    }

    /// <summary>A text that may be written as a number.</summary>
    internal sealed class NumberOrText : JsonConverter<string>
    {
        public override string Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
        {
            JsonTokenType.String => reader.GetString()!,
            JsonTokenType.Number => System.Text.Encoding.ASCII.GetString(reader.ValueSpan),
            _ => throw new JsonException("a number or a text was expected"),
        };

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);
    }
}
