using System.Text;
using Bootstrap.Cli.Api;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Bootstrap.Cli;

/// <summary>A column of a table.</summary>
/// <param name="Name">Its head.</param>
/// <param name="Rank">Where a terminal is too narrow, columns of the highest rank are left out first, and of one rank the last one.</param>
/// <param name="Brief">So many characters of a cell are enough for people on a terminal; 0: all of them.</param>
internal sealed record Column(string Name, int Rank = 0, int Brief = 0)
{
    public static implicit operator Column(string name) => new(name);
}

/// <summary>What users have asked to see of a table.</summary>
/// <param name="Wide">All of it, however wide it gets.</param>
/// <param name="Columns">These, in this order; null: what there is room for.</param>
internal sealed record TableChoice(bool Wide = false, IReadOnlyList<string>? Columns = null);

/// <summary>
/// A plain table. In a file or pipe it is as wide as it needs to be. On a terminal it leaves out what does not fit, says so, and breaks its
/// last column into lines: nothing is cut to dots.
/// </summary>
/// <param name="columns">At least one; the first always stays.</param>
/// <param name="rows">One line of plain text for each column.</param>
internal sealed class TextTable(IReadOnlyList<Column> columns, IReadOnlyList<string[]> rows)
{
    private const int Gap = 2;

    /// <summary>Text in the last column is readable in so few cells.</summary>
    private const int NarrowText = 24;

    /// <summary>Writes it to the console.</summary>
    /// <exception cref="CliException">A column was asked for that there is not.</exception>
    public void Write(TableChoice choice)
    {
        bool isTerminal = !Console.IsOutputRedirected;
        int? room = isTerminal && !choice.Wide ? AnsiConsole.Profile.Width : null;
        int[] shown = choice.Columns is { } wanted ? [.. wanted.Select(Find)] : Fit(room);
        string[] lines = [.. Lines(shown, room)];
        if (lines.Length > 0 && shown.Any(i => columns[i].Name.Length > 0))
        {
            WriteHead(lines[0], isTerminal);
        }
        foreach (string line in lines.Skip(1))
        {
            Console.WriteLine(line);
        }
        string[] hidden = choice.Columns is null
            ? [.. Enumerable.Range(0, columns.Count).Except(shown).Where(HasContent).Select(i => columns[i].Name)] : [];
        if (hidden.Length > 0)
        {
            Console.WriteLine($"Not shown: {string.Join(", ", hidden)} (--wide shows all)");
        }
    }

    /// <summary>The columns that a number of cells has room for.</summary>
    /// <param name="room">Cells of a line; null: as many as are needed.</param>
    internal int[] Fit(int? room)
    {
        List<int> shown = [.. Enumerable.Range(0, columns.Count)];
        int[] least = [.. shown.Select(i => IsText(i) ? Math.Min(NarrowText, Width(i, room)) : Width(i, room))];
        var leaving = new Queue<int>(shown.Skip(1).OrderByDescending(i => !HasContent(i)).ThenByDescending(i => columns[i].Rank)
            .ThenByDescending(i => i));
        while (leaving.Count > 0 && shown.Sum(i => least[i] + Gap) - Gap > room)
        {
            shown.Remove(leaving.Dequeue());
        }
        return [.. shown];
    }

    /// <summary>The head and then the rows.</summary>
    internal IEnumerable<string> Lines(int[] shown, int? room)
    {
        int[] widths = [.. shown.Select(i => Width(i, room))];
        if (room is { } cells)
        {
            int others = widths.SkipLast(1).Sum(w => w + Gap);
            if (shown.Length == 1 || (IsText(shown[^1]) && cells - others >= Math.Min(NarrowText, widths[^1])))
            {
                widths[^1] = Math.Min(widths[^1], cells - others);
            }
        }
        foreach (string[] row in rows.Prepend([.. columns.Select(c => c.Name)]))
        {
            string[][] parts = [.. shown.Select((i, at) => Wrap(Cell(row, i, room), widths[at]).ToArray())];
            for (int line = 0; line < parts.Max(p => p.Length); line++)
            {
                IEnumerable<string> padded = parts.Select((part, at) => Pad(part.ElementAtOrDefault(line) ?? "", widths[at] + Gap));
                yield return string.Concat(padded).TrimEnd();
            }
        }
    }

    /// <summary>Cells of a terminal that a text takes: those of wide characters are two.</summary>
    private static int Cells(string text) => Ascii.IsValid(text) ? text.Length : new Segment(text).CellCount();

    private static string Pad(string text, int cells) => text + new string(' ', Math.Max(0, cells - Cells(text)));

    /// <summary>Breaks a text at its blanks, and in the middle of words that are too long.</summary>
    private static IEnumerable<string> Wrap(string text, int cells)
    {
        string line = "";
        foreach (string word in Cells(text) <= cells ? [text] : text.Split(' '))
        {
            string longer = line.Length == 0 ? word : $"{line} {word}";
            if (Cells(longer) <= cells)
            {
                line = longer;
                continue;
            }
            if (line.Length > 0)
            {
                yield return line;
            }
            line = "";
            foreach (Rune rune in word.EnumerateRunes())
            {
                if (line.Length > 0 && Cells($"{line}{rune}") > cells)
                {
                    yield return line;
                    line = "";
                }
                line += rune;
            }
        }
        yield return line;
    }

    private static void WriteHead(string head, bool isTerminal)
    {
        if (isTerminal)
        {
            AnsiConsole.Profile.Width = Math.Max(AnsiConsole.Profile.Width, head.Length + 1);
            AnsiConsole.Write(new Text($"{head}\n", new Style(decoration: Decoration.Bold)));
        }
        else
        {
            Console.WriteLine(head);
        }
    }

    private int Find(string name)
    {
        int found = columns.ToList().FindIndex(c => Plain(c.Name) == Plain(name));
        return found >= 0 ? found
            : throw new CliException($"there is no column '{name}': --columns takes {string.Join(',', columns.Select(c => Plain(c.Name)))}")
            { ExitCode = 2 };

        static string Plain(string name) => name.Trim().ToLowerInvariant().Replace(' ', '-');
    }

    private bool IsText(int column) => column == columns.Count - 1;

    private bool HasContent(int column) => rows.Any(row => row[column].Length > 0);

    private int Width(int column, int? room) =>
        rows.Select(row => Cells(Cell(row, column, room))).Append(Cells(columns[column].Name)).Max();

    private string Cell(string[] row, int column, int? room) =>
        room is not null && columns[column].Brief is > 0 and var brief && row[column].Length > brief && row.Length > 0
            ? row[column][..brief] : row[column];
}
