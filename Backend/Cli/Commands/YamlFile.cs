using System.Text.Json;
using System.Text.Json.Serialization;
using Bootstrap.Cli.Api;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;
using YamlDotNet.Serialization.NodeTypeResolvers;

namespace Bootstrap.Cli.Commands;

/// <summary>A secret as a YAML file names it: by <c>!file</c>, <c>!env</c> or <c>!prompt</c>, so that the file itself has none.</summary>
[JsonConverter(typeof(SecretConverter))]
internal sealed record Secret(string Value)
{
    public override string ToString() => "(secret)";

    private sealed class SecretConverter : JsonConverter<Secret>
    {
        // The appliance gives none.
        public override Secret? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new JsonException("a secret is never read");

        public override void Write(Utf8JsonWriter writer, Secret value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.Value);
    }
}

/// <summary>Files that people write in YAML: every key must be known, and every fault is told with its line.</summary>
internal static class YamlFile
{
    private const string FileTag = "!file", VariableTag = "!env", PromptTag = "!prompt";

    /// <summary>Reads a file whole. Texts can be <c>!file PATH</c>, from the file's own folder on; secrets <c>!env NAME</c> or <c>!prompt
    /// QUESTION</c> besides.</summary>
    /// <exception cref="CliException">It cannot be read, or something in it is not understood; line and column are named.</exception>
    public static T Read<T>(string path)
        where T : class, new()
    {
        try
        {
            string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
            IDeserializer reader = new DeserializerBuilder().WithNamingConvention(CamelCaseNamingConvention.Instance)
                .WithDuplicateKeyChecking()
                .WithAttemptingUnquotedStringTypeDeserialization()
                .WithoutNodeTypeResolver<PreventUnknownTagsNodeTypeResolver>().WithNodeTypeResolver(new KnownTags())
                .WithNodeDeserializer(new TaggedText(folder), where => where.OnTop()).Build();
            return reader.Deserialize<T?>(File.ReadAllText(path)) ?? new T();
        }
        catch (YamlException e)
        {
            throw new CliException($"{path}, line {e.Start.Line}, column {e.Start.Column}: {Reason(e)}", e) { ExitCode = 2 };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"{path} cannot be read: {e.Message}", e) { ExitCode = 2 };
        }
    }

    /// <summary>Something as such a file would have it; what is as it is by default is left out.</summary>
    public static string Write(object content) => new SerializerBuilder().WithNamingConvention(CamelCaseNamingConvention.Instance)
        .ConfigureDefaultValuesHandling(
            DefaultValuesHandling.OmitNull | DefaultValuesHandling.OmitDefaults | DefaultValuesHandling.OmitEmptyCollections)
        .WithEventEmitter(next => new LiteralLines(next)).Build().Serialize(content);

    /// <summary>The reader's own words, without the names of its types.</summary>
    private static string Reason(YamlException e)
    {
        string text = (e.InnerException ?? e).Message;
        int known = text.IndexOf("' not found on type", StringComparison.Ordinal);
        return known > 0 ? $"{text[text.IndexOf('\'', StringComparison.Ordinal)..known]}' is not known here" : text.TrimEnd('.');
    }

    private static string? TagOf(NodeEvent node) => !node.Tag.IsEmpty && node.Tag.Value is ['!', _, ..] tag ? tag : null;

    private sealed class KnownTags : INodeTypeResolver
    {
        public bool Resolve(NodeEvent? nodeEvent, ref Type currentType) =>
            nodeEvent is not null && TagOf(nodeEvent) is { } tag
                && (nodeEvent is not Scalar || currentType != typeof(Secret) && (currentType != typeof(string) || tag != FileTag))
                ? throw new YamlException(nodeEvent.Start, nodeEvent.End, $"'{tag}' is not known here")
                : false;
    }

    private sealed class TaggedText(string folder) : INodeDeserializer
    {
        public bool Deserialize(IParser reader, Type expectedType, Func<IParser, Type, object?> nestedObjectDeserializer,
            out object? value, ObjectDeserializer rootDeserializer)
        {
            value = null;
            if (expectedType != typeof(Secret) && expectedType != typeof(string) || !reader.Accept<Scalar>(out Scalar? scalar)
                || expectedType == typeof(string) && TagOf(scalar) is null)
            {
                return false;
            }
            reader.MoveNext();
            string text = TagOf(scalar) switch
            {
                FileTag => ReadFile(scalar),
                VariableTag => Environment.GetEnvironmentVariable(scalar.Value)
                    ?? throw Fault(scalar, $"there is no environment variable '{scalar.Value}'"),
                PromptTag => (Console.IsInputRedirected ? Console.ReadLine() : HiddenInput.Ask(scalar.Value, CancellationToken.None)) ?? "",
                null when scalar.Value.Length == 0 => "",
                _ => throw Fault(scalar, "a secret is not written here: name where it is, by !file PATH, !env NAME or !prompt QUESTION"),
            };
            value = expectedType == typeof(string) ? text : new Secret(text.TrimEnd('\r', '\n'));
            return true;
        }

        private string ReadFile(Scalar scalar)
        {
            try
            {
                return File.ReadAllText(Path.Combine(folder, scalar.Value));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Fault(scalar, e.Message);
            }
        }

        private static YamlException Fault(Scalar at, string reason) => new(at.Start, at.End, reason);
    }

    /// <summary>Texts of several lines are written as such.</summary>
    private sealed class LiteralLines(IEventEmitter next) : YamlDotNet.Serialization.EventEmitters.ChainedEventEmitter(next)
    {
        public override void Emit(ScalarEventInfo eventInfo, IEmitter emitter)
        {
            if (eventInfo.Source.Value is string text && text.Contains('\n', StringComparison.Ordinal))
            {
                eventInfo.Style = ScalarStyle.Literal;
            }
            base.Emit(eventInfo, emitter);
        }
    }
}
