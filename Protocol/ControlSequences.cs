namespace Bootstrap.Protocol;

/// <summary>
/// Tells the control sequences of terminals from text, character by character (ECMA-48, fifth edition, 5.3 to 5.6): escape sequences such
/// as ESC ( B, control sequences such as ESC [ 1 m, and strings such as the titles of OSC, up to their end.
/// </summary>
public struct ControlSequences
{
    private const char Escape = '\e', Bell = '\a', Cancel = '\u0018', Substitute = '\u001A';

    private State _state;

    private enum State
    {
        Text,

        /// <summary>After ESC.</summary>
        Escape,

        /// <summary>After ESC and intermediate characters: one more character ends it.</summary>
        Intermediate,

        /// <summary>After CSI: parameters and intermediate characters, and a final one.</summary>
        Sequence,

        /// <summary>After DCS, OSC, SOS, PM or APC: anything, up to ST or BEL.</summary>
        String,
    }

    /// <summary>Text without its control sequences; other control characters stay.</summary>
    public static string Remove(string text)
    {
        if (!text.Any(c => Begin(c) != State.Text))
        {
            return text;
        }
        var sequences = default(ControlSequences);
        // Not by a method group: that would work on a copy.
        return string.Concat(text.Where(c => !sequences.Takes(c)));
    }

    /// <summary>Takes the next character. The end of a line ends any sequence: what nobody has ended swallows no log.</summary>
    /// <returns>Whether it belongs to a sequence; a control character by itself does not.</returns>
    public bool Takes(char c)
    {
        State was = _state;
        _state = was switch
        {
            _ when c == '\n' => State.Text,
            State.Text => Begin(c),
            _ when c is Cancel or Substitute => State.Text,
            // Also within a string: the ESC of ST, or of something else, which ends the string as well.
            _ when c == Escape => State.Escape,
            State.Escape => AfterEscape(c),
            State.Intermediate => c is >= ' ' and <= '/' ? State.Intermediate : State.Text,
            // Controls within a sequence do not end it.
            State.Sequence => c is >= '@' and <= '~' ? State.Text : State.Sequence,
            _ => c is Bell or '\u009C' ? State.Text : State.String,
        };
        return c != '\n' && (was != State.Text || _state != State.Text);
    }

    private static State AfterEscape(char c) => c switch
    {
        '[' => State.Sequence,
        'P' or ']' or 'X' or '^' or '_' => State.String,
        >= ' ' and <= '/' => State.Intermediate,
        _ => State.Text,
    };

    /// <summary>ESC, and what stands for ESC and another character in C1.</summary>
    private static State Begin(char c) => c switch
    {
        Escape => State.Escape,
        '\u009B' => State.Sequence,
        '\u0090' or '\u0098' or '\u009D' or '\u009E' or '\u009F' => State.String,
        _ => State.Text,
    };
}
