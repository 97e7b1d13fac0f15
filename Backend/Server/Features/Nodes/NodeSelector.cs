using System.Text.RegularExpressions;
using Bootstrap.Protocol;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>
/// Chooses nodes by words, in the language of the page's filter (web/src/lib/filter.ts; both are tested with
/// tests/fixtures/selectors.json). Words that stand apart must all be found; <c>field:word</c> looks in one field; <c>field=word</c> must
/// be all of it; <c>-word</c> must not be found; "…" keeps words together; <c>all</c> alone is every node. A field that there is not is a
/// fault: what was meant is not known.
/// </summary>
public sealed partial class NodeSelector
{
    /// <summary>What stands for a field that holds nothing; no tag and no image is called so.</summary>
    public const string None = "none";

    private static readonly Dictionary<string, Func<NodeView, IEnumerable<string>>> s_fields = new()
    {
        ["name"] = n => [n.Name, n.Id.ToString()],
        ["state"] = n =>
            [ApiJson.Word(n.Link), LinkWord(n.Link), ApiJson.Word(n.Lifecycle), .. n.WantsApproval ? ["approval"] : Array.Empty<string>()],
        ["task"] = n => n.Task is { } task ? [task.Kind, task.State, task.Phase] : [None],
        ["arch"] = n => [n.Inventory.Architecture],
        ["model"] = n => [n.Inventory.Model],
        ["image"] = n => [n.ImageName ?? n.Image ?? None, .. n.Image is { } digest ? [digest] : Array.Empty<string>()],
        ["address"] = n => [n.Address ?? ""],
        ["mac"] = n => n.Inventory.Interfaces.Select(i => i.Mac.ToString()),
        ["serial"] = n => [n.Inventory.Serial],
        ["firmware"] = n => [n.Inventory.Firmware],
        ["mark"] = n => [ApiJson.Word(n.Mark)],
        ["tag"] = n => n.Tags.Count == 0 ? [None] : n.Tags,
        ["location"] = n => [n.Location],
        ["note"] = n => [n.Note],
        ["switch"] = n => n.Inventory.Interfaces.Select(i => i.Switch).OfType<SwitchPort>().Select(SwitchWords),
    };

    private readonly Term[] _terms;

    private NodeSelector(string text, Term[] terms) => (Text, _terms, Fault) = (text, terms,
        terms.FirstOrDefault(t => t.Unknown is not null).Unknown is { } unknown
            ? $"Nodes have no field '{unknown}': it is one of {string.Join(", ", s_fields.Keys.Order(StringComparer.Ordinal))}. " +
                "Words with ':' or '=' in them stand between quotes." : "");

    private readonly record struct Term(bool Not, string? Field, bool Whole, string Word, string? Unknown);

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>Why it takes nobody, in one sentence; empty: it is sound.</summary>
    public string Fault { get; }

    /// <summary>The same behind a sentence; empty: it is sound.</summary>
    public string Why => Fault.Length > 0 ? $": {Fault.TrimEnd('.')}" : "";

    /// <summary>Reads a selector.</summary>
    /// <param name="text">Empty takes nobody: whoever means all says so.</param>
    public static NodeSelector Parse(string text)
    {
        string trimmed = text.Trim();
        return new NodeSelector(trimmed, trimmed is "all" ? [] : [.. Words().Matches(trimmed.ToLowerInvariant()).Select(TermOf)]);
    }

    /// <summary>Whether it takes this node.</summary>
    public bool Matches(NodeView node) => Text.Length > 0 && Fault.Length == 0 && _terms.All(term =>
    {
        IEnumerable<string> values = term.Field is { } field ? s_fields[field](node) : s_fields.Values.SelectMany(f => f(node));
        return values.Any(v => term.Whole ? v.Equals(term.Word, StringComparison.OrdinalIgnoreCase)
            : v.Contains(term.Word, StringComparison.OrdinalIgnoreCase)) != term.Not;
    });

    private static Term TermOf(Match match)
    {
        string name = match.Groups["field"].Value, sign = match.Groups["sign"].Value;
        string word = match.Groups["quoted"].Success ? match.Groups["quoted"].Value : match.Groups["bare"].Value;
        bool known = s_fields.ContainsKey(name);
        string whole = known ? word : name + sign + word;
        return new Term(match.Groups["not"].Length > 0, known ? name : null, known && sign == "=", whole,
            known || name.Length == 0 || Address().IsMatch(whole) ? null : name);
    }

    /// <summary>The page says "Installer ready", a part of which is a word that asks for something else ("install").</summary>
    private static string LinkWord(LinkState link) => link switch
    {
        LinkState.NetInst => "In NetInst",
        LinkState.Slave => "Online",
        _ => "Offline",
    };

    private static string SwitchWords(SwitchPort port) =>
        $"{(port.SystemName.Length > 0 ? port.SystemName : port.Chassis)} port " +
            $"{(port.Port.Contains(':') && port.PortDescription.Length > 0 ? port.PortDescription : port.Port)}";

    /// <summary>A part of a MAC or IPv6 address looks like a field with a word.</summary>
    [GeneratedRegex("""\A[0-9a-f]{1,4}(:[0-9a-f]{0,4})+\z""", RegexOptions.ExplicitCapture)]
    private static partial Regex Address();

    [GeneratedRegex("""(?<not>-?)(?:(?<field>[a-z0-9_]+)(?<sign>[:=]))?(?:"(?<quoted>[^"]*)"?|(?<bare>\S+))""",
        RegexOptions.ExplicitCapture)]
    private static partial Regex Words();
}
