using System.Buffers.Text;
using System.Text;

namespace Bootstrap.Board.Sampling;

/// <summary>Words of a line, with blanks between them.</summary>
internal ref struct Words(ReadOnlySpan<byte> line)
{
    private ReadOnlySpan<byte> _rest = line;

    /// <summary>The next word; false at the end.</summary>
    public bool Next(out ReadOnlySpan<byte> word)
    {
        _rest = _rest.TrimStart(" \t\n\r\0"u8);
        int length = _rest.IndexOfAny(" \t\n\r\0"u8);
        word = length < 0 ? _rest : _rest[..length];
        _rest = _rest[word.Length..];
        return word.Length > 0;
    }

    /// <summary>The next word as a number that is not negative; false where it is none.</summary>
    public bool Next(out ulong number)
    {
        number = 0;
        return Next(out ReadOnlySpan<byte> word) && Utf8Parser.TryParse(word, out number, out int read) && read == word.Length;
    }

    /// <summary>The same with a sign.</summary>
    public bool NextSigned(out long number)
    {
        number = 0;
        return Next(out ReadOnlySpan<byte> word) && Utf8Parser.TryParse(word, out number, out int read) && read == word.Length;
    }

    /// <summary>The next word as a number with a point.</summary>
    public bool Next(out double number)
    {
        number = 0;
        return Next(out ReadOnlySpan<byte> word) && TryDouble(word, out number);
    }

    /// <summary>A finite number.</summary>
    public static bool TryDouble(ReadOnlySpan<byte> word, out double number) =>
        Utf8Parser.TryParse(word, out number, out int read) && read == word.Length && double.IsFinite(number);

    /// <summary>The words left, up to so many numbers.</summary>
    /// <returns>How many there were before something else came.</returns>
    public int Fill(scoped Span<ulong> numbers)
    {
        int count = 0;
        while (count < numbers.Length && Next(out ulong number))
        {
            numbers[count++] = number;
        }
        return count;
    }

    /// <summary>Text that somebody else made, as it may be shown: no control characters.</summary>
    public static string Shown(ReadOnlySpan<byte> text) => Shown(Encoding.UTF8.GetString(text));

    /// <summary>The same.</summary>
    public static string Shown(string text) => text.Any(char.IsControl)
        ? string.Create(text.Length, text, static (shown, from) =>
        {
            for (int i = 0; i < shown.Length; i++)
            {
                shown[i] = char.IsControl(from[i]) ? '\ufffd' : from[i];
            }
        })
        : text;
}

/// <summary>Lines of a text.</summary>
internal ref struct Lines(ReadOnlySpan<byte> text)
{
    private ReadOnlySpan<byte> _rest = text;

    /// <summary>The next line, without its end; false where there is none.</summary>
    public bool Next(out ReadOnlySpan<byte> line)
    {
        int end = _rest.IndexOf((byte)'\n');
        line = end < 0 ? _rest : _rest[..end];
        bool any = _rest.Length > 0;
        _rest = end < 0 ? default : _rest[(end + 1)..];
        return any;
    }
}
