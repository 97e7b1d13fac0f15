namespace Bootstrap.Protocol.Benchmarks;

/// <summary>A number that a benchmark can be run with.</summary>
/// <param name="Name">As it is written, such as <c>size</c>.</param>
/// <param name="IsBytes">Written as 4KiB, 64MiB or 2GiB, or as a plain number of bytes.</param>
/// <param name="Least">Smaller ones are refused.</param>
/// <param name="Most">Larger ones are refused; whether a node has so much is its own to say.</param>
/// <param name="Default">Where nothing is named.</param>
/// <param name="Words">What it is, for help.</param>
public sealed record BenchmarkParameter(string Name, bool IsBytes, long Least, long Most, long Default, string Words)
{
    private static readonly (string Word, int Shift)[] s_units = [("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0), ("", 0)];

    /// <summary>Reads a value.</summary>
    /// <param name="text">As people write it.</param>
    /// <param name="value">The value, between both limits.</param>
    /// <returns>In one sentence what is wrong; null: nothing.</returns>
    public string? Read(string text, out long value)
    {
        (string word, int shift) = IsBytes ? s_units.First(u => text.EndsWith(u.Word, StringComparison.Ordinal)) : s_units[^1];
        ReadOnlySpan<char> number = text.AsSpan(0, text.Length - word.Length);
        if (!long.TryParse(number, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out value) ||
            value > long.MaxValue >> shift)
        {
            return $"'{text}' is no {(IsBytes ? "size: write it as 4KiB, 64MiB or 2GiB" : "whole number")}";
        }
        value <<= shift;
        return value < Least || value > Most ? $"{Name} is {Write(Least)} to {Write(Most)}, and not {Write(value)}" : null;
    }

    /// <summary>Writes a value as <see cref="Read"/> reads it.</summary>
    public string Write(long value)
    {
        (string word, int shift) = IsBytes && value > 0 ? s_units.First(u => u.Word == "B" || value % (1L << u.Shift) == 0) : s_units[^1];
        return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{value >> shift}{word}");
    }
}
