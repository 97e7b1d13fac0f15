using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bootstrap.Protocol.Discovery;

/// <summary>
/// Discovery, version 2: one JSON object a datagram of at most <see cref="MaximumBytes"/>, UDP, on 239.255.13.37:1337.
/// <list type="bullet">
/// <item>Marco asks a <see cref="Query"/>; Polo gives an <see cref="Answer"/> by unicast after a random part of the window that the
/// query names, so that many answers do not arrive at once. Enrolled nodes put it into a <see cref="Signed"/>.</item>
/// <item>Polo sends a <see cref="Beat"/> on every wire now and then, and a <see cref="Farewell"/> when it stops.</item>
/// <item>Who misses a node asks others to ask it: <see cref="ProbeRequest"/>.</item>
/// <item>Relays carry questions, answers, beats and farewells into networks that multicast does not reach.</item>
/// </list>
/// Unknown fields are ignored.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "t")]
[JsonDerivedType(typeof(Query), "query")]
[JsonDerivedType(typeof(Answer), "answer")]
[JsonDerivedType(typeof(Signed), "signed")]
[JsonDerivedType(typeof(Beat), "beat")]
[JsonDerivedType(typeof(Farewell), "bye")]
[JsonDerivedType(typeof(ProbeRequest), "probe")]
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

    /// <summary>Relays that a message may pass, one behind the other.</summary>
    public const int MaximumPath = 8;

    /// <summary>Bytes that questions and answers leave free for what is added on the way: <see cref="Path"/>, or <see cref="Origin"/> and
    /// <see cref="Relayed"/>.</summary>
    internal const int PathRoom = 160, OriginRoom = 48;

    private static readonly JsonReaderOptions s_readerOptions = new() { MaxDepth = 8 };

    [JsonPropertyName("v")]
    public int Version { get; init; } = CurrentVersion;

    /// <summary>Of questions, beats and farewells: the ids of the relays that have carried it, oldest first; null: it comes from its
    /// sender's own network.</summary>
    [JsonPropertyName("path")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Path { get; init; }

    /// <summary>
    /// Of an answer that somebody passes on: from where he had it, "10.2.0.9:40213"; null: it comes from the node itself. It is not part of
    /// what is signed, as little as a datagram's sender is.
    /// </summary>
    [JsonPropertyName("from")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Origin { get; init; }

    /// <summary>True: the sender is a relay, and passes on questions for this node as well.</summary>
    [JsonPropertyName("relayed")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Relayed { get; init; }

    /// <summary>Where the node is that an answer comes from, as far as those say who have carried it.</summary>
    /// <param name="sender">From whom it was received.</param>
    public IPEndPoint OriginOr(IPEndPoint sender) => ReadPlace(Origin) ?? sender;

    /// <summary>The relay by which the node can be asked; null where it can be asked directly.</summary>
    /// <param name="sender">From whom it was received.</param>
    public IPEndPoint? RelayOf(IPEndPoint sender) => Relayed ? sender : null;

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
            return message is { Version: CurrentVersion } && message.IsSound && message.IsPathSound ? message : null;
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

    private bool IsPathSound => Path is null || (Path.Count <= MaximumPath && Path.All(id => id is not null && IsId(id)));

    /// <summary>An IPv4 address with a port; null for anything else.</summary>
    private protected static IPEndPoint? ReadPlace(string? text) =>
        IPEndPoint.TryParse(text ?? "", out IPEndPoint? place) && place is { AddressFamily: AddressFamily.InterNetwork, Port: > 0 } ? place
        : null;

    private protected static string Filler(int length) => new('.', Math.Max(0, length));

    private protected static bool IsNonce(string nonce) => nonce.Length == 16;

    private protected static bool AreMeshes(IReadOnlyList<string> meshes) => meshes.Count is > 0 and <= 16 && meshes.All(IsMesh);

    private protected static bool IsMesh(string mesh) => mesh is { Length: > 0 and <= 64 };

    private protected static bool IsId(string id) => id.Length is > 0 and <= 64;
}

/// <summary>Marco: who is there?</summary>
/// <param name="Nonce">16 hex digits; the answers repeat it.</param>
/// <param name="WindowMilliseconds">Answers come within this time, at random.</param>
/// <param name="Meshes">Only nodes of one of these meshes answer.</param>
/// <param name="Filter">Only nodes that it fits answer; null: all.</param>
/// <param name="Known">Nodes that need not answer; null: none.</param>
/// <param name="Skip">How many services the answer leaves out at the beginning: more of them than a datagram holds come by several.</param>
/// <param name="Round">Which repetition of the question it is, from 0: relays take no repetition for what was said already.</param>
/// <param name="Padding">Filler: an answer to a stranger is never longer than the question (no amplification).</param>
public sealed record Query(
    string Nonce, int WindowMilliseconds, IReadOnlyList<string> Meshes,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] NodeFilter? Filter = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] KnownNodes? Known = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Skip = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Round = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Padding = null) : DiscoveryMessage
{
    internal override bool IsSound =>
        IsNonce(Nonce) && WindowMilliseconds is >= 0 and <= 10_000 && AreMeshes(Meshes) && Skip >= 0 && Round >= 0 &&
        Known is null or { IsSound: true } && Filter is null or { IsSound: true };

    /// <summary>A nonce that nobody can guess.</summary>
    public static string NewNonce() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));

    /// <summary>The message filled up, so that the answer may be as long.</summary>
    /// <param name="length">To so many bytes; it may be longer by itself.</param>
    public byte[] ToPaddedBytes(int length = MaximumBytes) =>
        (this with { Padding = Filler(length - (this with { Padding = "" }).ToBytes().Length) }).ToBytes();
}

/// <summary>Polo: here I am.</summary>
/// <param name="Nonce">The query's.</param>
/// <param name="Meshes">Those of the query's meshes that the node is in.</param>
/// <param name="Node">The node, with the services asked for, or with as many as have room.</param>
/// <param name="ServiceCount">How many services there are to tell.</param>
/// <param name="Presence">By what the node's next beats can be known; null where it sends none.</param>
/// <param name="Address">From where the node answers, "10.2.0.9:40213": signed with all the rest, it holds whoever carried the
/// answer.</param>
public sealed record Answer(
    string Nonce, IReadOnlyList<string> Meshes, NodeDescription Node, int ServiceCount,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] PresenceAnchor? Presence = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Address = null) : DiscoveryMessage
{
    internal override bool IsSound => IsNonce(Nonce) && AreMeshes(Meshes) && Node.IsSound && Presence is null or { IsSound: true };

    /// <summary>Where the node is: as it has signed itself, or else from where the answer came.</summary>
    /// <param name="message">In which the answer was.</param>
    /// <param name="sender">From whom that was received.</param>
    /// <param name="proof">What is to be thought of it.</param>
    public IPEndPoint PlaceOf(DiscoveryMessage message, IPEndPoint sender, Proof proof) =>
        (proof == Proof.Holds ? ReadPlace(Address) : null) ?? message.OriginOr(sender);
}

/// <summary>A message with proof of who sent it. The nonce in it makes it worthless for any other question.</summary>
/// <param name="Body">The message's JSON.</param>
/// <param name="Certificate">The sender's, DER; its common name is the sender's id.</param>
/// <param name="Signature">ECDSA P-256 with SHA-256, IEEE P1363 form, 64 bytes; see <see cref="MessageSigner"/>.</param>
public sealed record Signed(byte[] Body, byte[] Certificate, byte[] Signature) : DiscoveryMessage
{
    internal override bool IsSound => Body.Length > 0 && Certificate.Length > 0 && Signature.Length == 64;
}

/// <summary>Still here. It proves itself by its key, whose hash is the key of the beat before (<see cref="BeatChain"/>).</summary>
/// <param name="Id">The node's.</param>
/// <param name="Mesh">The mesh that is told.</param>
/// <param name="Sequence">Rises by one with each beat.</param>
/// <param name="Key">16 bytes.</param>
/// <param name="State">Another number when something of the <see cref="NodeDescription"/> has changed.</param>
public sealed record Beat(string Id, string Mesh, long Sequence, byte[] Key, int State) : DiscoveryMessage
{
    internal override bool IsSound => IsId(Id) && IsMesh(Mesh) && Sequence >= 0 && Key.Length == BeatChain.KeyBytes;
}

/// <summary>Going away, on purpose.</summary>
/// <param name="Id">The node's.</param>
/// <param name="Mesh">The mesh that is told.</param>
/// <param name="Key">16 bytes, of which <see cref="PresenceAnchor.Goodbye"/> is the hash.</param>
public sealed record Farewell(string Id, string Mesh, byte[] Key) : DiscoveryMessage
{
    internal override bool IsSound => IsId(Id) && IsMesh(Mesh) && Key.Length == BeatChain.KeyBytes;
}

/// <summary>
/// Please ask that node this question for me, and send me on what it says: the way between us may be broken where yours is not. The
/// question has the sender's nonce, so the answer proves itself to him, whoever carried it.
/// </summary>
/// <param name="Nonce">Of the question.</param>
/// <param name="Mesh">Of both nodes.</param>
/// <param name="Id">The node to ask.</param>
/// <param name="Address">Its IPv4 address.</param>
/// <param name="Port">Its port.</param>
/// <param name="Padding">Filler, as in <see cref="Query"/>.</param>
public sealed record ProbeRequest(string Nonce, string Mesh, string Id, string Address, int Port, string Padding = "") : DiscoveryMessage
{
    internal override bool IsSound => IsNonce(Nonce) && IsMesh(Mesh) && IsId(Id) && Port is > 0 and <= 65535;

    /// <summary>The message filled up to <see cref="DiscoveryMessage.MaximumBytes"/>, so that the answer that is sent on may be as
    /// long.</summary>
    public byte[] ToPaddedBytes() =>
        (this with { Padding = Filler(MaximumBytes - (this with { Padding = "" }).ToBytes().Length) }).ToBytes();
}
