using System.Text.Json.Serialization;
using Bootstrap.Agent.Discovery;
using Bootstrap.Agent.Relay;

namespace Bootstrap.Agent;

/// <summary>Generated JSON code for what the daemon keeps on its own disk.</summary>
[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web, UseStringEnumConverter = true, RespectNullableAnnotations = true, AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(TaskRecord))]
[JsonSerializable(typeof(ServiceFile))]
[JsonSerializable(typeof(RelayFile))]
internal sealed partial class AgentJson : JsonSerializerContext;
