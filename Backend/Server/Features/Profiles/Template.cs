using System.Text;
using System.Text.RegularExpressions;

namespace Bootstrap.Server.Features.Profiles;

/// <summary>
/// Text with variables: <c>{{ node.name }}</c>, <c>{{ value.NAME }}</c>, <c>{{ secret.NAME }}</c>. Nothing but their replacement; <c>{{
/// '{{' }}</c>
/// is two braces.
/// </summary>
internal static partial class Template
{
    private const string Opening = "{{", Closing = "}}";

    /// <summary>Whether it has any.</summary>
    public static bool HasVariables(string text) => text.Contains(Opening, StringComparison.Ordinal);

    /// <summary>Puts values in the place of variables.</summary>
    /// <param name="value">Gives a variable's value by its whole name; a fault where it has none.</param>
    /// <param name="fault">What is wrong first, in one sentence without its end; empty: nothing.</param>
    public static string Fill(string text, Func<string, (string Value, string Fault)> value, out string fault)
    {
        fault = "";
        var filled = new StringBuilder();
        int at = 0;
        for (int start; (start = text.IndexOf(Opening, at, StringComparison.Ordinal)) >= 0;)
        {
            filled.Append(text, at, start - at);
            int end = text.IndexOf(Closing, start + Opening.Length, StringComparison.Ordinal);
            if (end < 0)
            {
                fault = $"'{Opening}' in line {LineAt(text, start)} has no '{Closing}'";
                return "";
            }
            at = end + Closing.Length;
            string name = text[(start + Opening.Length)..end].Trim();
            if (name is $"'{Opening}'" or $"\"{Opening}\"")
            {
                filled.Append(Opening);
                continue;
            }
            (string found, string wrong) = Variable().IsMatch(name) ? value(name)
                : ("", $"'{Opening} {name} {Closing}' is no variable: it is node.…, value.… or secret.…");
            if (wrong.Length > 0)
            {
                fault = text.Contains('\n', StringComparison.Ordinal) ? $"in line {LineAt(text, start)}, {wrong}" : wrong;
                return "";
            }
            filled.Append(found);
        }
        return filled.Append(text, at, text.Length - at).ToString();
    }

    private static int LineAt(string text, int index) => 1 + text.AsSpan(0, index).Count('\n');

    [GeneratedRegex(@"\A(node|value|secret)\.[A-Za-z_][A-Za-z0-9_]{0,63}\z")]
    private static partial Regex Variable();
}
