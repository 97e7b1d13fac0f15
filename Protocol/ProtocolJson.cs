using System.Text.Json;
using System.Text.Json.Serialization;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Protocol.Images;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Protocol;

/// <summary>Generated JSON code for everything that travels: camelCase, nulls left out, no reflection (NativeAOT).</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowOutOfOrderMetadataProperties = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(DiscoveryMessage))]
[JsonSerializable(typeof(LinkMessage))]
[JsonSerializable(typeof(TaskOrder))]
[JsonSerializable(typeof(EnrolRequest))]
[JsonSerializable(typeof(EnrolResponse))]
[JsonSerializable(typeof(NodeSettings))]
[JsonSerializable(typeof(ImageManifest))]
[JsonSerializable(typeof(SignedManifest))]
[JsonSerializable(typeof(Inventory))]
[JsonSerializable(typeof(Health))]
public sealed partial class ProtocolJson : JsonSerializerContext;
