using System.Globalization;

namespace Bootstrap.Rack.Rom;

/// <summary>
/// autoboot.txt on a card's first partition (raspberrypi/documentation, "autoboot.txt"): which partition is started, for an ordinary start
/// and for one with the
/// tryboot flag.
/// </summary>
/// <param name="Partition">Number of the partition; null: the first FAT one.</param>
/// <param name="TryBootIsAB">With the flag another partition is started, and its config.txt is read; else tryboot.txt is.</param>
internal sealed record AutobootTxt(int? Partition, bool TryBootIsAB)
{
    /// <summary>What the bootloader reads of it.</summary>
    private const int MaximumBytes = 512;

    public static AutobootTxt Parse(string text, bool tryBoot)
    {
        var found = new AutobootTxt(null, false);
        bool applies = true;
        foreach (string raw in text[..Math.Min(text.Length, MaximumBytes)].Split('\n'))
        {
            string line = raw.Trim();
            if (line.StartsWith('['))
            {
                applies = line.Equals("[all]", StringComparison.OrdinalIgnoreCase)
                    || (tryBoot && line.Equals("[tryboot]", StringComparison.OrdinalIgnoreCase));
            }
            else if (applies && line.Split('=') is [var key, var value]
                && int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            {
                found = key.Trim() switch
                {
                    "boot_partition" => found with { Partition = number },
                    "tryboot_a_b" => found with { TryBootIsAB = number == 1 },
                    _ => found,
                };
            }
        }
        return found;
    }
}
