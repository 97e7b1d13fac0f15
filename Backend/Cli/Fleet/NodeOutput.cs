using System.Text;
using Bootstrap.Protocol;

namespace Bootstrap.Cli.Fleet;

/// <summary>Passes a node's lines on, each with the node's name before it, never two at once, and not without end.</summary>
/// <param name="node">Its name.</param>
/// <param name="json">Each line is an object.</param>
/// <param name="raw">Bytes are passed on as they are; else nothing in them rules a terminal (<see cref="ControlSequences"/> are left out,
/// and it is <see cref="PlainText"/>).</param>
internal sealed class NodeOutput(string node, bool json, bool raw)
{
    /// <summary>More than this of one node, both streams together, is not shown.</summary>
    public const int MaximumBytes = 10 << 20;

    private static readonly Lock s_console = new();
    private static readonly Stream s_output = Console.OpenStandardOutput();
    private static readonly Stream s_errors = Console.OpenStandardError();

    private readonly byte[] _prefix = Encoding.UTF8.GetBytes($"{node}: ");
    private long _bytes;

    /// <summary>There was more than was shown.</summary>
    public bool Cut => _bytes > MaximumBytes;

    /// <summary>Prints a line on the stream it came from.</summary>
    public void Write(bool isError, ReadOnlySpan<byte> line)
    {
        lock (s_console)
        {
            bool was = Cut;
            _bytes += line.Length + 1;
            if (was)
            {
                return;
            }
            if (Cut)
            {
                isError = true;
                line = "(more than 10 MiB of output: the rest is not shown)"u8;
            }
            if (json)
            {
                Output.JsonLine(new { node, stream = isError ? "stderr" : "stdout", line = Encoding.UTF8.GetString(line) });
                return;
            }
            ReadOnlySpan<byte> shown = raw ? line
                : Encoding.UTF8.GetBytes(PlainText.Lines(ControlSequences.Remove(Encoding.UTF8.GetString(line).TrimEnd('\r'))));
            // In one piece: the lines of other programs on the same terminal do not get between.
            (isError ? s_errors : s_output).Write([.. _prefix, .. shown, (byte)'\n']);
        }
    }
}
