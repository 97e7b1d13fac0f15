using System.Text.Json;
using System.Text.Json.Serialization;
using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Protocol.Discovery.Local;
using Bootstrap.Protocol.Images;
using Bootstrap.Protocol.Link;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Protocol;

/// <summary>
/// Generated JSON code for everything that travels: camelCase, no reflection (NativeAOT). Nulls are written: a property that is
/// missing is a fault of the sender, and the reader says which.
/// </summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web,
    AllowOutOfOrderMetadataProperties = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(DiscoveryMessage))]
[JsonSerializable(typeof(NodeDescription))]
[JsonSerializable(typeof(System.Text.Json.Nodes.JsonObject))]
[JsonSerializable(typeof(LocalRequest))]
[JsonSerializable(typeof(LocalReply))]
[JsonSerializable(typeof(LinkMessage))]
[JsonSerializable(typeof(TaskOrder))]
[JsonSerializable(typeof(EnrolRequest))]
[JsonSerializable(typeof(EnrolResponse))]
[JsonSerializable(typeof(NodeSettings))]
[JsonSerializable(typeof(KeptArchive))]
[JsonSerializable(typeof(KeptState))]
[JsonSerializable(typeof(ImageManifest))]
[JsonSerializable(typeof(SignedManifest))]
[JsonSerializable(typeof(Inventory))]
[JsonSerializable(typeof(Health))]
[JsonSerializable(typeof(StatusMessage))]
[JsonSerializable(typeof(StatusRenewal))]
[JsonSerializable(typeof(StatusToken))]
[JsonSerializable(typeof(ScrapeToken))]
[JsonSerializable(typeof(MinuteSummary))]
[JsonSerializable(typeof(BenchmarkRequest))]
[JsonSerializable(typeof(BenchmarkPlan))]
[JsonSerializable(typeof(BenchmarkResult))]
public sealed partial class ProtocolJson : JsonSerializerContext;
