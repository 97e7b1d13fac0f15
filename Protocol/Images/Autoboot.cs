using System.Globalization;
using System.Text;

namespace Bootstrap.Protocol.Images;

/// <summary>
/// <c>autoboot.txt</c> of a Raspberry Pi's first FAT partition, with two boot partitions (raspberrypi/documentation,
/// config_txt/autoboot.adoc): the usual one, and another that a restart with the tryboot flag takes once. Both hold a whole system's boot
/// files, for <c>tryboot_a_b=1</c>.
/// </summary>
/// <param name="Usual">Number of the partition that every ordinary start takes.</param>
/// <param name="Tried">Number of the one that is tried.</param>
public sealed record Autoboot(int Usual, int Tried)
{
    /// <summary>Its name.</summary>
    public const string FileName = "autoboot.txt";

    /// <summary>The firmware reads one sector of it.</summary>
    public const int MaximumBytes = 512;

    private const string Partition = "boot_partition", TwoPartitions = "tryboot_a_b";

    private enum Section
    {
        All,
        Tried,
        Other,
    }

    /// <summary>Reads it.</summary>
    /// <returns>Null where it does not choose between two partitions.</returns>
    public static Autoboot? Parse(string text)
    {
        int usual = 0, tried = 0;
        bool two = false;
        foreach ((string _, Section section, string key, string value) in Lines(text))
        {
            if (key == TwoPartitions && section == Section.All)
            {
                two = value == "1";
            }
            else if (key == Partition && int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            {
                usual = section == Section.All ? number : usual;
                tried = section == Section.Tried ? number : tried;
            }
        }
        return two && usual > 0 && tried > 0 && usual != tried ? new Autoboot(usual, tried) : null;
    }

    /// <summary>The text with other partitions, and else as it was.</summary>
    /// <param name="text">For which <see cref="Parse"/> gives something.</param>
    public string Into(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach ((string line, Section section, string key, string value) in Lines(text))
        {
            int? number = key != Partition ? null : section == Section.All ? Usual : section == Section.Tried ? Tried : null;
            int at = number is null ? -1 : line.IndexOf(value, line.IndexOf('=', StringComparison.Ordinal), StringComparison.Ordinal);
            result.Append(at < 0 ? line
                : string.Create(CultureInfo.InvariantCulture, $"{line[..at]}{number}{line[(at + value.Length)..]}"));
        }
        return result.ToString();
    }

    /// <summary>Lines with their ends; key and value are empty where a line sets nothing.</summary>
    private static IEnumerable<(string Line, Section Section, string Key, string Value)> Lines(string text)
    {
        Section section = Section.All;
        for (int start = 0, end; start < text.Length; start = end)
        {
            end = text.IndexOf('\n', start) is >= 0 and var at ? at + 1 : text.Length;
            string line = text[start..end], words = line.Trim();
            if (words.StartsWith('['))
            {
                section = words switch { "[all]" => Section.All, "[tryboot]" => Section.Tried, _ => Section.Other };
            }
            int equals = words.StartsWith('#') || words.StartsWith('[') ? -1 : words.IndexOf('=', StringComparison.Ordinal);
            yield return equals < 0 ? (line, section, "", "") : (line, section, words[..equals].Trim(), words[(equals + 1)..].Trim());
        }
    }
}
