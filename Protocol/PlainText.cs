namespace Bootstrap.Protocol;

/// <summary>
/// Text of others that a terminal shows and does not obey: characters that move the cursor, begin a control sequence or turn the direction
/// of writing
/// (ISO/IEC 6429's C0 and C1; Unicode's line separators and bidirectional controls, UAX #9) are U+FFFD in it.
/// </summary>
public static class PlainText
{
    private const char Instead = '\uFFFD';

    /// <summary>Whether a character is none to show.</summary>
    public static bool IsControl(char c) =>
        char.IsControl(c) || c is '\u061C' or '\u200E' or '\u200F' or (>= '\u2028' and <= '\u202E') or (>= '\u2066' and <= '\u2069');

    /// <summary>One line: line feeds and tabulators are none to show either.</summary>
    public static string Line(string text) => text.Any(IsControl) ? string.Concat(text.Select(c => IsControl(c) ? Instead : c)) : text;

    /// <summary>Whole lines: line feeds and tabulators stay.</summary>
    public static string Lines(string text) => text.Any(IsForbidden) ? string.Concat(text.Select(c => IsForbidden(c) ? Instead : c)) : text;

    private static bool IsForbidden(char c) => c is not ('\n' or '\t') && IsControl(c);
}
