using System.Text.Json.Serialization;

namespace Bootstrap.Agent;

/// <summary>Generated JSON code for what the daemon keeps on its own disk.</summary>
[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web, UseStringEnumConverter = true, AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(TaskRecord))]
internal sealed partial class AgentJson : JsonSerializerContext;
