using System.Globalization;
using System.Text;

namespace Bootstrap.Server.Http;

/// <summary>Writes comma-separated values (RFC 4180) that a spreadsheet takes for nothing but text.</summary>
internal sealed class CsvText
{
    private const string MustBeQuoted = ",\"\r\n";

    // A cell that starts so is a formula to spreadsheets, and boards and switches choose their own words.
    // Some take the wide forms of Japanese writing for the same.
    private const string StartsFormula = "=+-@＝＋－＠";

    private readonly StringBuilder _text = new();

    /// <summary>A head line, and a line for each row.</summary>
    public static string Of<T>(IReadOnlyList<(string Title, Func<T, string> Cell)> columns, IEnumerable<T> rows)
    {
        var csv = new CsvText();
        csv.Line(columns.Select(c => c.Title));
        foreach (T row in rows)
        {
            csv.Line(columns.Select(c => c.Cell(row)));
        }
        return csv.ToString();
    }

    /// <summary>A moment, in UTC.</summary>
    /// <param name="at">Unix milliseconds.</param>
    public static string Time(long at) =>
        DateTimeOffset.FromUnixTimeMilliseconds(at).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

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
