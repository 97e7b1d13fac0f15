using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bootstrap.Protocol.Discovery;

/// <summary>What a node says of itself to whoever asks. Nothing in it is secret, and nothing in it is inventory.</summary>
/// <param name="Id">Node id, or the appliance's id: 1 to 64 characters.</param>
/// <param name="HostName">Of the machine.</param>
/// <param name="Identity">What it is, from the general to the particular.</param>
/// <param name="Parameters">Flat; values are text.</param>
/// <param name="Services">What it offers.</param>
public sealed record NodeDescription(
    string Id, string HostName, Identity Identity, IReadOnlyDictionary<string, string> Parameters, IReadOnlyList<Service> Services)
{
    /// <summary>All of it as JSON: equal texts, equal nodes.</summary>
    public string ToText() => JsonSerializer.Serialize(this, ProtocolJson.Default.NodeDescription);

    internal bool IsSound => Id.Length is > 0 and <= 64 && HostName.Length <= 255 && AreSound(Parameters) &&
        Services.All(s => s is { Id.Length: > 0 and <= 64 } && AreSound(s.Parameters));

    // What is declared not to be null is checked by the reader, but not inside of lists.
    private static bool AreSound(IReadOnlyDictionary<string, string> parameters) => parameters.Values.All(value => value is not null);
}

/// <summary>What a node is, on three levels; each can be asked for by itself.</summary>
/// <param name="Role">What it does in the cluster: <c>slave</c>, <c>appliance</c>, …</param>
/// <param name="Kind">What sort of thing it is, for a node its model: <c>raspberry-pi-4-model-b</c>.</param>
/// <param name="Instance">Which one of them: its host name, where nothing better was given.</param>
public sealed record Identity(string Role, string Kind, string Instance)
{
    /// <summary>A word for an identity: lower case, with a dash for whatever is neither letter nor digit.</summary>
    public static string Word(string text)
    {
        char[] word = [.. text.Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : '-')];
        string joined = string.Join('-', new string(word).Split('-', StringSplitOptions.RemoveEmptyEntries));
        return joined.Length > 0 ? joined : "unknown";
    }
}

/// <summary>Something that a node offers.</summary>
/// <param name="Id">1 to 30 characters: <c>backend</c>, <c>slave</c>, …; a user's own is <c>user:service</c>.</param>
/// <param name="Parameters">Flat; values are text.</param>
/// <param name="Meshes">The meshes of its node that it is offered in; null: all. It is never sent.</param>
public sealed record Service(
    string Id, IReadOnlyDictionary<string, string> Parameters, [property: JsonIgnore] IReadOnlyList<string>? Meshes = null)
{
    /// <summary>The appliance. Parameters: <c>link</c> (TLS port of enrolment and link), <c>http</c> (plain port), <c>ca</c>
    /// (SHA-256 of the CA certificate, to tell appliances apart: a hint, TLS decides).</summary>
    public const string Backend = "backend";

    /// <summary>Boot files. Parameters: <c>http</c> and <c>tftp</c>, the ports.</summary>
    public const string Boot = "boot";

    /// <summary>Images of operating systems. Parameter: <c>http</c>, the port.</summary>
    public const string Images = "images";

    /// <summary>How a node is, told by itself. Parameter: <c>port</c>, TLS.</summary>
    public const string StatusMonitor = "statusmonitor";

    /// <summary>The daemon of an installed system.</summary>
    public const string Slave = "slave";
}

/// <summary>Which nodes are meant; a part that is null is not looked at.</summary>
/// <param name="Service">Those that offer it.</param>
/// <param name="Role">See <see cref="Discovery.Identity"/>.</param>
/// <param name="Kind">See <see cref="Discovery.Identity"/>.</param>
/// <param name="Instance">See <see cref="Discovery.Identity"/>.</param>
/// <param name="Parameters">All of them, on the service asked for; where none was, on the node or on one of its services.</param>
/// <param name="Nodes">Those with one of these ids or host names.</param>
public sealed record NodeFilter(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Service = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Role = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Kind = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Instance = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, string>? Parameters = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Nodes = null)
{
    internal bool IsSound => Nodes is null || Nodes.All(name => name is not null);

    /// <summary>Whether this node is meant.</summary>
    public bool Matches(NodeDescription node) =>
        (Service is null || node.Services.Any(s => s.Id == Service)) &&
        (Role is null || node.Identity.Role == Role) &&
        (Kind is null || node.Identity.Kind == Kind) &&
        (Instance is null || node.Identity.Instance == Instance) &&
        (Nodes is null || Nodes.Any(name => IsNamed(node, name))) &&
        (Parameters is null || Described(node).Any(Holds));

    /// <summary>Whether a person who says <paramref name="name"/> means this node: its id or its host name, in any case.</summary>
    public static bool IsNamed(NodeDescription node, string name) =>
        name.Equals(node.Id, StringComparison.OrdinalIgnoreCase) || name.Equals(node.HostName, StringComparison.OrdinalIgnoreCase);

    private IEnumerable<IReadOnlyDictionary<string, string>> Described(NodeDescription node) => Service is null
        ? node.Services.Select(s => s.Parameters).Prepend(node.Parameters)
        : node.Services.Where(s => s.Id == Service).Select(s => s.Parameters);

    private bool Holds(IReadOnlyDictionary<string, string> parameters) =>
        Parameters!.All(wanted => parameters.TryGetValue(wanted.Key, out string? value) && value == wanted.Value);
}
