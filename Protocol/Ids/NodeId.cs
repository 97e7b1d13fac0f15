using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bootstrap.Protocol.Ids;

/// <summary>
/// The name under which one board is known for life: the Pi's 16-digit serial number in lower-case hex, an x86 machine's
/// product UUID, or <c>mac-</c> and the first MAC address where neither can be read.
/// 3 to 64 characters out of <c>a–z 0–9 -</c>, so that it may stand in file names, URLs and certificate subjects as it is.
/// </summary>
[JsonConverter(typeof(NodeIdJsonConverter))]
public readonly record struct NodeId
{
    private readonly string? _value;

    private NodeId(string value) => _value = value;

    /// <summary>Reads an id; upper case is folded. False for anything that is not an id.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out NodeId id)
    {
        id = default;
        if (text is null || text.Length is < 3 or > 64)
        {
            return false;
        }
        string lower = text.ToLowerInvariant();
        foreach (char c in lower)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '-')
            {
                return false;
            }
        }
        id = new NodeId(lower);
        return true;
    }

    /// <summary>Reads an id that is known to be good.</summary>
    /// <exception cref="FormatException">The text is no node id.</exception>
    public static NodeId Parse(string text) =>
        TryParse(text, out NodeId id) ? id : throw new FormatException($"'{text}' is not a node id (3 to 64 of a-z, 0-9 and '-')");

    /// <summary>The id of a board that has nothing better than its first MAC address.</summary>
    public static NodeId FromMac(MacAddress mac) => new("mac-" + mac.ToString().Replace(":", "", StringComparison.Ordinal));

    public override string ToString() => _value ?? "";

    internal sealed class NodeIdJsonConverter : JsonConverter<NodeId>
    {
        public override NodeId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            TryParse(reader.GetString(), out NodeId id) ? id : throw new JsonException("not a node id");

        public override void Write(Utf8JsonWriter writer, NodeId value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString());
    }
}
