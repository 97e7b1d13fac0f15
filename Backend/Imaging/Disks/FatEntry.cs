using System.Buffers.Binary;
using System.Text;

namespace Bootstrap.Imaging.Disks;

/// <summary>A file or directory of a FAT volume.</summary>
/// <param name="Name">Short name in upper case: "BOOTX64.EFI".</param>
/// <param name="LongName">The name that people see: "bcm2711-rpi-4-b.dtb".</param>
/// <param name="Length">In bytes; 0 for directories.</param>
public sealed record FatEntry(string Name, string LongName, bool IsDirectory, uint FirstCluster, uint Length)
{
    /// <summary>FAT names are the same in either case.</summary>
    public bool Is(string name) =>
        LongName.Equals(name, StringComparison.OrdinalIgnoreCase) || Name.Equals(name, StringComparison.OrdinalIgnoreCase);

    internal static FatEntry Parse(ReadOnlySpan<byte> entry, string? longName)
    {
        // Bits 3 and 4 of byte 12 say that a short name is written in lower case; Windows NT and mtools use them in place of a long name.
        string name = Encoding.ASCII.GetString(entry[..8]).TrimEnd();
        string extension = Encoding.ASCII.GetString(entry.Slice(8, 3)).TrimEnd();
        string shown = (entry[12] & 8) != 0 ? name.ToLowerInvariant() : name;
        string shownExtension = (entry[12] & 16) != 0 ? extension.ToLowerInvariant() : extension;
        uint high = BinaryPrimitives.ReadUInt16LittleEndian(entry[20..]);
        uint low = BinaryPrimitives.ReadUInt16LittleEndian(entry[26..]);
        return new FatEntry(
            Join(name, extension),
            longName ?? Join(shown, shownExtension),
            (entry[11] & 0x10) != 0,
            high << 16 | low,
            BinaryPrimitives.ReadUInt32LittleEndian(entry[28..]));
    }

    private static string Join(string name, string extension) => extension.Length == 0 ? name : $"{name}.{extension}";
}

/// <summary>
/// The directory entries that hold a long name and stand before the entry of its file, last part first (FAT specification, chapter 7).
/// Parts that do not belong together, or to that file, are no name.
/// </summary>
internal sealed class FatLongName
{
    private const int CharactersPerEntry = 13, MaximumEntries = 20, LastPart = 0x40;

    private readonly char[] _characters = new char[CharactersPerEntry * MaximumEntries];
    private int _expected, _length;
    private byte _checksum;

    public void Add(ReadOnlySpan<byte> entry)
    {
        int number = entry[0] & ~LastPart;
        if ((entry[0] & LastPart) != 0 && number is > 0 and <= MaximumEntries)
        {
            (_expected, _length, _checksum) = (number, number * CharactersPerEntry, entry[13]);
        }
        if (number == 0 || number != _expected || entry[13] != _checksum)
        {
            (_expected, _length) = (0, 0);
            return;
        }
        _expected--;
        Span<char> part = _characters.AsSpan(_expected * CharactersPerEntry, CharactersPerEntry);
        for (int i = 0; i < CharactersPerEntry; i++)
        {
            int at = i < 5 ? 1 + 2 * i : i < 11 ? 14 + 2 * (i - 5) : 28 + 2 * (i - 11);
            part[i] = (char)BinaryPrimitives.ReadUInt16LittleEndian(entry[at..]);
        }
    }

    /// <summary>The name, if it is whole and its checksum is the short name's; else null.</summary>
    public string? For(ReadOnlySpan<byte> entry)
    {
        if (_length == 0 || _expected != 0 || Checksum(entry[..11]) != _checksum)
        {
            return null;
        }
        ReadOnlySpan<char> name = _characters.AsSpan(0, _length);
        int end = name.IndexOf('\0');
        return new string(end < 0 ? name : name[..end]);
    }

    public static byte Checksum(ReadOnlySpan<byte> shortName)
    {
        byte sum = 0;
        foreach (byte b in shortName)
        {
            sum = (byte)((byte)(sum >> 1 | sum << 7) + b);
        }
        return sum;
    }
}
