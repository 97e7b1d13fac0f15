using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Bootstrap.Protocol.Discovery.Legacy;

/// <summary>
/// The discovery protocol of the 2015 programs: one JSON object a datagram on 224.0.0.112 and 224.0.0.113, UDP 1337, each group a mesh of
/// its own. <c>{"Command":"Marco"}</c> asks who is there, <c>Request-For</c> who has a service, <c>Services</c> what somebody has; the
/// answers are <c>Polo</c> and <c>OK</c>.
/// </summary>
public static partial class LegacyMessage
{
    /// <summary>The groups.</summary>
    public static IReadOnlyList<string> Groups { get; } = ["224.0.0.112", "224.0.0.113"];

    /// <summary>Longest datagram.</summary>
    public const int MaximumBytes = 4096;

    /// <summary>Hops of a question.</summary>
    public const int TimeToLive = 2;

    private static readonly JsonDocumentOptions s_options = new() { MaxDepth = 8, AllowDuplicateProperties = false };

    /// <summary>A question: the command, and the service where it is for one.</summary>
    public readonly record struct Question(LegacyCommand Command, string Service);

    /// <summary>An answer: of a node (<c>Polo</c>, <c>OK</c> to Request-For) or with its services.</summary>
    /// <param name="Parameters">What the node or the service says of itself.</param>
    /// <param name="Services">To <c>Services</c>; else null.</param>
    public sealed record Reply(IReadOnlyDictionary<string, string> Parameters, IReadOnlyList<Service>? Services);

    /// <summary>Reads a question; null for anything else.</summary>
    public static Question? ReadQuestion(ReadOnlyMemory<byte> datagram) =>
        Read<Question?>(datagram, message => Text(message["Command"]) switch
    {
        "Marco" or "Discover" => new Question(LegacyCommand.Marco, ""),
        "Request-For" or "Request-for" when Text(message["Params"]) is { Length: > 0 and <= 64 } service =>
        new Question(LegacyCommand.RequestFor, service),
        "Services" => new Question(LegacyCommand.Services, ""),
        _ => null,
    });

    /// <summary>Reads an answer; null for anything else.</summary>
    public static Reply? ReadReply(ReadOnlyMemory<byte> datagram) => Read(datagram, ReplyOf);

    private static Reply? ReplyOf(JsonObject message)
    {
        if (Text(message["Command"]) is not ("Polo" or "OK"))
        {
            return null;
        }
        List<Service>? services = null;
        if (message["Services"] is JsonArray list)
        {
            services = [.. list.OfType<JsonObject>().Select(s => (Id: Text(s["id"]), s)).Where(s => s.Id is { Length: > 0 and <= 64 })
                .Select(s => new Service(s.Id!, Flat(s.s["params"])))];
        }
        return new Reply(Flat(message["Params"]), services);
    }

    /// <summary>The bytes of a question.</summary>
    public static byte[] Write(Question question) => JsonSerializer.SerializeToUtf8Bytes(question.Command switch
    {
        LegacyCommand.Marco => new JsonObject { ["Command"] = "Marco" },
        LegacyCommand.RequestFor => new JsonObject { ["Command"] = "Request-For", ["Params"] = question.Service },
        _ => new JsonObject { ["Command"] = "Services" },
    }, ProtocolJson.Default.JsonObject);

    /// <summary>The answer to Marco.</summary>
    public static byte[] WritePolo(NodeDescription node)
    {
        JsonObject parameters = Object(node.Parameters);
        parameters["hostname"] = node.HostName;
        return JsonSerializer.SerializeToUtf8Bytes(
            new JsonObject { ["Command"] = "Polo", ["Params"] = parameters }, ProtocolJson.Default.JsonObject);
    }

    /// <summary>The answer to Request-For.</summary>
    public static byte[] WriteService(Service service) =>
        JsonSerializer.SerializeToUtf8Bytes(
        new JsonObject { ["Command"] = "OK", ["Params"] = Object(service.Parameters) }, ProtocolJson.Default.JsonObject);

    /// <summary>The answer to Services: as many as have room.</summary>
    public static byte[] WriteServices(IReadOnlyList<Service> services)
    {
        for (int count = services.Count; ; count--)
        {
            JsonNode[] list = [.. services.Take(count).Select(s => new JsonObject { ["id"] = s.Id, ["params"] = Object(s.Parameters) })];
            byte[] bytes = JsonSerializer.SerializeToUtf8Bytes(
                new JsonObject { ["Command"] = "OK", ["Services"] = new JsonArray(list) }, ProtocolJson.Default.JsonObject);
            if (bytes.Length <= MaximumBytes || count == 0)
            {
                return bytes;
            }
        }
    }

    private static T? Read<T>(ReadOnlyMemory<byte> datagram, Func<JsonObject, T?> read)
    {
        if (datagram.Length > MaximumBytes)
        {
            return default;
        }
        try
        {
            using JsonDocument document = JsonDocument.Parse(datagram, s_options);
            return document.RootElement.ValueKind == JsonValueKind.Object ? read(JsonObject.Create(document.RootElement)!) : default;
        }
        catch (JsonException)
        {
            return default;
        }
        catch (InvalidOperationException)
        {
            // System.Text.Json's word for a string that is no Unicode.
            return default;
        }
    }

    /// <summary>
    /// Parameters are flat, and values are taken as text. What the 2015 Polo sent was no object but Python's way of writing one, in a
    /// string: "{'hostname': 'martin'}".
    /// </summary>
    private static Dictionary<string, string> Flat(JsonNode? parameters)
    {
        var flat = new Dictionary<string, string>();
        if (parameters is JsonObject values)
        {
            foreach ((string key, JsonNode? value) in values)
            {
                flat[key] = value is null ? "" : Text(value) ?? value.ToJsonString();
            }
        }
        else if (Text(parameters) is { } python)
        {
            foreach (Match pair in PythonPair().Matches(python))
            {
                flat[pair.Groups["key"].Value] = pair.Groups["value"].Value;
            }
        }
        return flat;
    }

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private static JsonObject Object(IReadOnlyDictionary<string, string> parameters)
    {
        var made = new JsonObject();
        foreach ((string key, string value) in parameters)
        {
            made[key] = value;
        }
        return made;
    }

    [GeneratedRegex("""u?['"](?<key>[^'"]*)['"]\s*:\s*u?['"](?<value>[^'"]*)['"]""", RegexOptions.NonBacktracking)]
    private static partial Regex PythonPair();
}

/// <summary>What a question of the 2015 protocol asks.</summary>
public enum LegacyCommand
{
    /// <summary>Who is there?</summary>
    Marco,

    /// <summary>Who has this service?</summary>
    RequestFor,

    /// <summary>What services have you?</summary>
    Services,
}
