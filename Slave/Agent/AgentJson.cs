using System.Text.Json.Serialization;
using Bootstrap.Agent.Discovery;
using Bootstrap.Agent.Discovery.HostLists;
using Bootstrap.Agent.Firmware;
using Bootstrap.Agent.Relay;
using Bootstrap.Agent.Slots;

namespace Bootstrap.Agent;

/// <summary>Generated JSON code for what the daemon keeps on its own disk, and for what people write for it.</summary>
[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web,
    AllowOutOfOrderMetadataProperties = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(TaskRecord))]
[JsonSerializable(typeof(ServiceFile))]
[JsonSerializable(typeof(HostListFile))]
[JsonSerializable(typeof(RelayFile))]
[JsonSerializable(typeof(SlotStatus))]
[JsonSerializable(typeof(EepromStatus))]
internal sealed partial class AgentJson : JsonSerializerContext;
