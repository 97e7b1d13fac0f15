namespace Bootstrap.Protocol.Tests;

/// <summary>What programs send to rule a terminal leaves nothing behind in a text (ECMA-48).</summary>
public sealed class ControlSequencesTests
{
    [Theory]
    [InlineData("\e[1;31mred\e[0m", "red")]
    [InlineData("\e(Bplain\e)0", "plain")] // character sets, as `tput sgr0` sends them
    [InlineData("\e]0;a title\abehind", "behind")]
    [InlineData("\e]8;;https://example.org\e\\link\e]8;;\e\\", "link")]
    [InlineData("\eP1$r0m\e\\status", "status")]
    [InlineData("\e[?25lhidden\e[?25h", "hidden")]
    [InlineData("\e[38:2::1:2:3mcolour", "colour")]
    [InlineData("\e7saved\e8", "saved")]
    [InlineData("\e#8filled", "filled")]
    [InlineData("\e%Gutf", "utf")]
    [InlineData("\u009b1mC1\u009d0;title\u009cend", "C1end")]
    [InlineData("\e[12\u0018cancelled", "cancelled")]
    [InlineData("\e[1\e[2mtwice", "twice")]
    [InlineData("\e_application\e\\\e^private\e\\\eXstart\e\\rest", "rest")]
    [InlineData("\e]0;nobody ends this\nthe next line", "\nthe next line")]
    [InlineData("cut at its end \e[1", "cut at its end ")]
    [InlineData("a tab\tand a bell\a stay", "a tab\tand a bell\a stay")]
    [InlineData("nothing", "nothing")]
    public void Sequences_go_and_text_stays(string text, string left) => Assert.Equal(left, ControlSequences.Remove(text));
}
