using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bootstrap.Protocol.Discovery;

/// <summary>
/// Discovery, version 2: one JSON object a datagram of at most <see cref="MaximumBytes"/>, UDP, on
/// 239.255.13.37:1337. Marco asks a <see cref="Query"/>; Polo gives an <see cref="Answer"/> by unicast, after a random part of
/// the window that the query names, so that many answers do not arrive at once. Unknown fields are ignored.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "t")]
[JsonDerivedType(typeof(Query), "query")]
[JsonDerivedType(typeof(Answer), "answer")]
public abstract record DiscoveryMessage
{
    /// <summary>What fits an Ethernet frame with room to spare for tunnels.</summary>
    public const int MaximumBytes = 1400;

    /// <summary>The version that this code speaks.</summary>
    public const int CurrentVersion = 2;

    /// <summary>The multicast group that stands for all meshes.</summary>
    public const string Group = "239.255.13.37";

    /// <summary>Hops: a site's routers may forward it, the world's do not.</summary>
    public const int TimeToLive = 4;

    private static readonly JsonReaderOptions s_readerOptions = new() { MaxDepth = 8 };

    [JsonPropertyName("v")]
    public int Version { get; init; } = CurrentVersion;

    /// <summary>Writes the message as UTF-8 JSON.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, ProtocolJson.Default.DiscoveryMessage);

    /// <summary>Reads one datagram. Null for anything that is not a message of version 2: discovery is silent about noise.</summary>
    public static DiscoveryMessage? Read(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length > MaximumBytes)
        {
            return null;
        }
        try
        {
            var reader = new Utf8JsonReader(datagram, s_readerOptions);
            DiscoveryMessage? message = JsonSerializer.Deserialize(ref reader, ProtocolJson.Default.DiscoveryMessage);
            return message is { Version: CurrentVersion } && message.IsSound ? message : null;
        }
        catch (JsonException)
        {
            return null;
        }
        catch (NotSupportedException)
        {
            // System.Text.Json's word for an object without, or with an unknown, type discriminator.
            return null;
        }
    }

    [JsonIgnore]
    internal abstract bool IsSound { get; }
}

/// <summary>Marco: who is there?</summary>
/// <param name="Nonce">16 hex digits; the answers repeat it.</param>
/// <param name="WindowMilliseconds">Answers come within this time, at random.</param>
/// <param name="Mesh">Only nodes of this mesh answer.</param>
/// <param name="Service">Only nodes with this service answer; null: all.</param>
/// <param name="Padding">Filler: an answer to a stranger is never longer than the question (no amplification).</param>
public sealed record Query(string Nonce, int WindowMilliseconds, string Mesh, string? Service, string? Padding = null) : DiscoveryMessage
{
    internal override bool IsSound => Nonce.Length == 16 && WindowMilliseconds is >= 0 and <= 10_000 && Mesh.Length is > 0 and <= 64;
}

/// <summary>Polo: here I am.</summary>
/// <param name="Nonce">The query's.</param>
/// <param name="Id">Node id, or the appliance's id.</param>
/// <param name="HostName">Of the answering machine.</param>
/// <param name="Mesh">The mesh that it answers for.</param>
/// <param name="Services">The services asked for, or all.</param>
public sealed record Answer(string Nonce, string Id, string HostName, string Mesh, IReadOnlyList<Service> Services) : DiscoveryMessage
{
    internal override bool IsSound => Nonce.Length == 16 && Id.Length is > 0 and <= 64;
}

/// <summary>Something that a node offers.</summary>
/// <param name="Id">1 to 30 characters: <c>backend</c>, <c>slave</c>, …</param>
/// <param name="Parameters">Flat; values are text.</param>
public sealed record Service(string Id, IReadOnlyDictionary<string, string> Parameters)
{
    /// <summary>The appliance. Parameters: <c>link</c> (TLS port of enrolment and link), <c>http</c> (plain port), <c>ca</c>
    /// (SHA-256 of the CA certificate, to tell appliances apart: a hint, TLS decides).</summary>
    public const string Backend = "backend";

    /// <summary>The daemon of an installed system.</summary>
    public const string Slave = "slave";
}
