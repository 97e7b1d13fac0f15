using System.Text.Json.Serialization;

namespace Bootstrap.Protocol.Discovery.Local;

/// <summary>
/// What a program of the same machine asks of the Slave's discovery: one JSON object a line over the Unix socket
/// <see cref="Socket"/>. Each request gets replies with its number; docs/discovery-api.md tells all of it. Names are those of the
/// 2015 bindings.
/// </summary>
/// <param name="Id">Any number; the replies repeat it.</param>
/// <param name="Command"><c>marco</c>, <c>request_for</c>, <c>services</c>, <c>publish</c>, <c>unpublish</c> or <c>watch</c>.</param>
public sealed record LocalRequest(long Id, string Command)
{
    /// <summary>Where the Slave listens.</summary>
    public const string Socket = "/run/bootstrap/discovery.sock";

    /// <summary>Version of this interface; a request that names a higher one is refused.</summary>
    public const int CurrentVersion = 1;

    /// <summary>Longest line, in bytes, either way of a request.</summary>
    public const int MaximumBytes = 64 * 1024;

    /// <summary>The version that the program was written for.</summary>
    [JsonPropertyName("v")]
    public int Version { get; init; } = CurrentVersion;

    /// <summary>The service: asked for, published or withdrawn.</summary>
    public string? Service { get; init; }

    /// <summary>Of a search: only these nodes, by id or host name. For <c>services</c>: the one node.</summary>
    public IReadOnlyList<string>? Nodes { get; init; }

    /// <summary>Of a search: not these nodes.</summary>
    public IReadOnlyList<string>? Exclude { get; init; }

    /// <summary>Of a search: what the parameters must be. Of <c>publish</c>: what they are.</summary>
    public IReadOnlyDictionary<string, string>? Params { get; init; }

    /// <summary>Meshes to ask or to publish in; those of this node where none is named.</summary>
    public IReadOnlyList<string>? Meshes { get; init; }

    /// <summary>Of a search: the identity's levels.</summary>
    public string? Role { get; init; }

    /// <summary>See <see cref="Role"/>.</summary>
    public string? Kind { get; init; }

    /// <summary>See <see cref="Role"/>.</summary>
    public string? Instance { get; init; }

    /// <summary>Of a search: it ends with so many.</summary>
    public int? MaxNodes { get; init; }

    /// <summary>Of a search: it ends after so many milliseconds; 60,000 at most.</summary>
    public int? Timeout { get; init; }

    /// <summary>Of a search: how many repetitions in a row must find nobody new before it ends.</summary>
    public int? Retries { get; init; }
}

/// <summary>A reply. Exactly one of the parts is there.</summary>
/// <param name="Id">The request's number.</param>
public sealed record LocalReply(long Id)
{
    /// <summary>In one sentence why the request was not done.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Error { get; init; }

    /// <summary>What a search found.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<LocalNode>? Nodes { get; init; }

    /// <summary>A node's services.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<Service>? Services { get; init; }

    /// <summary>The name under which a service was published or withdrawn.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Service { get; init; }

    /// <summary>To <c>watch</c>: something happened. Such replies come until the connection ends.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PresenceEvent? Event { get; init; }
}

/// <summary>A node that was found.</summary>
/// <param name="Id">Its id.</param>
/// <param name="HostName">Its host name.</param>
/// <param name="Address">Where it can be reached.</param>
/// <param name="Identity">What it is.</param>
/// <param name="Parameters">Its own.</param>
/// <param name="Services">Those asked for, or as many as a datagram holds; all of them by <c>services</c>.</param>
/// <param name="Proven">True if the appliance's CA vouches for it.</param>
public sealed record LocalNode(
    string Id, string HostName, string Address, Identity Identity, IReadOnlyDictionary<string, string> Parameters,
    IReadOnlyList<Service> Services, bool Proven)
{
    /// <summary>From what a search gave.</summary>
    public static LocalNode Of(Found found) => new(
        found.Node.Id, found.Node.HostName, found.Address.ToString(), found.Node.Identity, found.Node.Parameters, found.Node.Services,
        found.IsProven);
}
