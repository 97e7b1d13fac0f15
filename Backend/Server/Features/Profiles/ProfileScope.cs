using System.Globalization;
using Bootstrap.Server.Features.Nodes;

namespace Bootstrap.Server.Features.Profiles;

/// <summary>What templates can know of one node: what it is, and the values that its groups (tags) and it itself have.</summary>
/// <param name="node">The node.</param>
/// <param name="groups">Tag → values, of the node's own tags.</param>
/// <param name="own">The node's own values.</param>
internal sealed class ProfileScope(
    NodeRow node, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> groups, IReadOnlyDictionary<string, string> own)
{
    private static readonly Dictionary<string, (Func<NodeRow, string> Read, string Lacking)> s_facts = new()
    {
        ["id"] = (n => n.Id, ""),
        ["name"] = (n => n.Name, ""),
        ["number"] = (NumberOf, "this node's name has no number at its end"),
        ["serial"] = (n => n.Inventory.Serial, "this node has no serial number"),
        ["mac"] = (MacOf, "this node has no network interface"),
        ["architecture"] = (n => n.Inventory.Architecture, ""),
        ["model"] = (n => n.Inventory.Model, ""),
        ["location"] = (n => n.Location, "this node has no location"),
    };

    /// <summary>Of the host name, which a profile makes from the others.</summary>
    public const string HostName = "hostname";

    /// <summary>What <c>node.</c> can be followed by.</summary>
    public static IEnumerable<string> FactNames => s_facts.Keys.Append(HostName);

    public static bool IsFact(string name) => s_facts.ContainsKey(name);

    /// <summary>What the node is.</summary>
    public (string Value, string Fault) Fact(string name)
    {
        (Func<NodeRow, string> read, string lacking) = s_facts[name];
        string value = read(node);
        return value.Length > 0 || lacking.Length == 0 ? (value, "") : ("", $"{{{{ node.{name} }}}} is empty: {lacking}");
    }

    /// <summary>A value: the node's own, else its groups', else the profile's.</summary>
    public (string Value, string Fault) Value(string name, IReadOnlyDictionary<string, string> defaults)
    {
        if (own.TryGetValue(name, out string? value))
        {
            return (value, "");
        }
        (string Tag, string Value)[] given = [.. groups.Where(g => g.Value.ContainsKey(name)).Select(g => (g.Key, g.Value[name]))
            .OrderBy(g => g.Key, StringComparer.Ordinal)];
        return given.DistinctBy(g => g.Value).ToArray() switch
        {
            [] => defaults.TryGetValue(name, out string? usual)
                ? (usual, "")
                : ("", $"there is no value '{name}': neither the node nor a group of it (its tags) nor the profile has one"),
            [var one] => (one.Value, ""),
            var several => ("",
                $"the groups {string.Join(" and ", several.Select(g => $"'{g.Tag}'"))} have different values '{name}': " +
                    "give the node one of its own"),
        };
    }

    /// <summary>"pi-017" is 17.</summary>
    private static string NumberOf(NodeRow node)
    {
        string digits = string.Concat(node.Name.Reverse().TakeWhile(char.IsAsciiDigit).Reverse());
        return digits.Length is > 0 and <= 9 ? int.Parse(digits, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture) : "";
    }

    /// <summary>Of the first wired interface, else of the first.</summary>
    private static string MacOf(NodeRow node) =>
        (node.Inventory.Interfaces.FirstOrDefault(i => !i.Name.StartsWith("wl", StringComparison.Ordinal))
            ?? node.Inventory.Interfaces.FirstOrDefault())?.Mac.ToString() ?? "";
}
