using System.Buffers;
using System.Globalization;
using System.Text;

namespace Bootstrap.Board.Sampling;

/// <summary>Writes Prometheus' text format 0.0.4 (prometheus.io, "Exposition formats"). All values of a family stand together.</summary>
internal sealed class MetricsWriter(IBufferWriter<byte> output)
{
    /// <summary>Begins a family.</summary>
    /// <param name="type"><c>counter</c> or <c>gauge</c>.</param>
    /// <param name="help">One line without backslashes.</param>
    public void Family(string name, string type, string help) => Text($"# HELP {name} {help}\n# TYPE {name} {type}\n");

    /// <summary>A family with one value and no labels.</summary>
    public void Single(string name, string type, string help, double value)
    {
        Family(name, type, help);
        Value(name, value);
    }

    /// <summary>A value.</summary>
    /// <param name="labels">Names are the program's own, values anybody's.</param>
    public void Value(string name, double value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        Text(name);
        for (int i = 0; i < labels.Length; i++)
        {
            Text(i == 0 ? "{" : ",");
            Text(labels[i].Name);
            Text("=\"");
            Text(Escaped(labels[i].Value));
            Text("\"");
        }
        Text(labels.Length > 0 ? "} " : " ");
        const int longest = 32;
        Span<byte> number = output.GetSpan(longest);
        if (double.IsFinite(value) && value.TryFormat(number, out int length, "R", CultureInfo.InvariantCulture))
        {
            output.Advance(length);
        }
        else
        {
            Text(double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : "NaN");
        }
        Text("\n");
    }

    private static string Escaped(string value) => value.AsSpan().IndexOfAny('\\', '"', '\n') < 0
        ? value
        : value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal);

    private void Text(string text) => Encoding.UTF8.GetBytes(text, output);
}
