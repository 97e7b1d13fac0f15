using System.Text;
using Bootstrap.Protocol;

namespace Bootstrap.Cli;

/// <summary>What this program prints as text of whole lines (<see cref="PlainText"/>), whoever said it: nodes, strangers and files are not
/// to rule a terminal.</summary>
/// <param name="output">Where it goes.</param>
internal sealed class PlainWriter(TextWriter output) : TextWriter
{
    public override Encoding Encoding => output.Encoding;

    /// <summary>Puts itself between this program and its terminal or pipe.</summary>
    public static void Install()
    {
        if (!Console.IsOutputRedirected)
        {
            // Progress bars draw by control sequences of their own: what they show is made plain before.
            _ = Spectre.Console.AnsiConsole.Console;
        }
        if (!Console.IsErrorRedirected)
        {
            _ = Cli.Output.Beside;
        }
        Console.SetOut(new PlainWriter(Console.Out));
        Console.SetError(new PlainWriter(Console.Error));
    }

    public override void Write(char value) => output.Write(PlainText.Lines(value.ToString()));

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    public override void Write(string? value) => output.Write(value is null ? null : PlainText.Lines(value));

    public override void WriteLine(string? value) => Write(value + "\n");

    public override void Flush() => output.Flush();
}
