using System.Text;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>Writes comma-separated values (RFC 4180) that a spreadsheet takes for nothing but text.</summary>
internal sealed class CsvText
{
    private const string MustBeQuoted = ",\"\r\n";

    // A cell that starts so is a formula to spreadsheets, and boards and switches choose their own words.
    // Some take the wide forms of Japanese writing for the same.
    private const string StartsFormula = "=+-@＝＋－＠";

    private readonly StringBuilder _text = new();

    /// <summary>Writes one line.</summary>
    public void Line(params IEnumerable<string> cells) => _text.AppendJoin(',', cells.Select(Cell)).Append("\r\n");

    public override string ToString() => _text.ToString();

    private static string Cell(string value)
    {
        bool isFormula = value is ['\t' or '\r' or '\n', ..]
            || (value.TrimStart() is [var first, ..] && StartsFormula.Contains(first, StringComparison.Ordinal));
        string text = isFormula ? "'" + value : value;
        return text.AsSpan().ContainsAny(MustBeQuoted) ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
    }
}
