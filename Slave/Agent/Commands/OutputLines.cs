using System.Text;
using Bootstrap.Link;
using Bootstrap.Protocol;

namespace Bootstrap.Agent.Commands;

/// <summary>
/// Makes lines of what a command writes, through little memory: UTF-8 wherever it is cut into pieces, no control characters (nor
/// <see cref="ControlSequences"/>), and of what a progress bar overwrites only the last. What is longer than a log line is cut, and says
/// so.
/// </summary>
/// <param name="line">Gets each line once it is complete.</param>
/// <param name="prefix">Before each line.</param>
public sealed class OutputLines(Action<string> line, string prefix = "")
{
    /// <summary>Characters of one line, so that prefix and note have room in a log line.</summary>
    public const int MaximumLength = Outbox.MaximumLineLength - 60;

    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly StringBuilder _text = new();
    private long _cut;
    private bool _returned;
    private ControlSequences _sequences;

    /// <summary>Takes the next bytes.</summary>
    /// <returns>Whether a line was completed by them.</returns>
    public bool Add(ReadOnlySpan<byte> bytes)
    {
        bool hasLine = bytes.Contains((byte)'\n');
        Span<char> characters = stackalloc char[512];
        while (bytes.Length > 0)
        {
            // One byte gives two characters at most (a broken sequence before it, and itself).
            ReadOnlySpan<byte> piece = bytes[..Math.Min(bytes.Length, 250)];
            Take(characters[.._decoder.GetChars(piece, characters, flush: false)]);
            bytes = bytes[piece.Length..];
        }
        return hasLine;
    }

    /// <summary>Gives what is left without an end of line.</summary>
    public void End()
    {
        Span<char> characters = stackalloc char[8];
        Take(characters[.._decoder.GetChars([], characters, flush: true)]);
        if (_text.Length > 0)
        {
            Give();
        }
    }

    private void Take(ReadOnlySpan<char> characters)
    {
        foreach (char c in characters)
        {
            if (_sequences.Takes(c))
            {
                continue;
            }
            if (c == '\n')
            {
                Give();
            }
            else if (c == '\r')
            {
                _returned = true;
            }
            else if (!char.IsControl(c) || c == '\t')
            {
                Append(c);
            }
        }
    }

    private void Append(char c)
    {
        if (_returned)
        {
            Clear();
        }
        if (_text.Length < MaximumLength)
        {
            _text.Append(c);
        }
        else
        {
            _cut++;
        }
    }

    private void Give()
    {
        if (_cut > 0 && char.IsHighSurrogate(_text[^1]))
        {
            // Half a character is none.
            _text.Length--;
            _cut++;
        }
        line(_cut > 0 ? $"{prefix}{_text} … ({_cut} characters more)" : $"{prefix}{_text}");
        Clear();
    }

    private void Clear()
    {
        _text.Clear();
        _cut = 0;
        _returned = false;
    }
}
