using System.Formats.Tar;
using System.Text;

namespace Bootstrap.Agent.Deploy;

/// <summary>
/// Tells which entry of a tar archive is a sparse file, of which only the pieces between its holes are stored (GNU tar manual, "Storing
/// Sparse Files"): type 'S' of GNU's own format, and GNU.sparse records in a PAX header. The library reads the pieces as if they were
/// the file, or refuses the archive without saying what of it.
/// </summary>
internal static class SparseEntry
{
    private const int BlockBytes = 512, MaximumHeaderBytes = 1 << 20;
    private const string Records = "GNU.sparse.", NameRecord = "GNU.sparse.name";

    /// <summary>Its name, if an entry that the library has read is one; else null.</summary>
    public static string? NameOf(TarEntry entry) => entry switch
    {
        { EntryType: TarEntryType.SparseFile } => entry.Name,
        PaxTarEntry { ExtendedAttributes: { } all } when all.Keys.Any(IsRecord) => all.GetValueOrDefault(NameRecord, entry.Name),
        _ => null,
    };

    /// <summary>The first one of an archive that the library cannot read; null: there is none, as far as its headers make sense.</summary>
    /// <param name="archive">At its start, without compression.</param>
    /// <exception cref="InvalidDataException">Its compression is damaged.</exception>
    public static string? Find(Stream archive)
    {
        byte[] header = new byte[BlockBytes];
        Dictionary<string, string> records = [];
        string? longName = null;
        while (archive.ReadAtLeast(header, BlockBytes, throwOnEndOfStream: false) == BlockBytes)
        {
            if (SizeOf(header) is not { } size)
            {
                return null;
            }
            char type = (char)header[156];
            if (type is 'x' or 'L')
            {
                if (ReadText(archive, size) is not { } text)
                {
                    return null;
                }
                (records, longName) = type == 'x' ? (ParseRecords(text), longName) : (records, text.TrimEnd('\0'));
                continue;
            }
            if (type == 'S' || records.Keys.Any(IsRecord))
            {
                return records.GetValueOrDefault(NameRecord) ?? records.GetValueOrDefault("path") ?? longName ?? Text(header[..100]);
            }
            size = records.TryGetValue("size", out string? real) && long.TryParse(real, out long bytes) ? bytes : size;
            (records, longName) = ([], null);
            if (!Skip(archive, size))
            {
                return null;
            }
        }
        return null;
    }

    /// <summary>In octal digits, or from 8 GiB on in binary.</summary>
    private static long? SizeOf(ReadOnlySpan<byte> header)
    {
        ReadOnlySpan<byte> field = header.Slice(124, 12);
        if ((field[0] & 0x80) != 0)
        {
            long size = System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(field[4..]);
            return size >= 0 ? size : null;
        }
        long value = 0;
        foreach (byte digit in field.Trim(" \0"u8))
        {
            if (digit is < (byte)'0' or > (byte)'7')
            {
                return null;
            }
            value = 8 * value + digit - '0';
        }
        return value;
    }

    private static string? ReadText(Stream archive, long size)
    {
        if (size > MaximumHeaderBytes)
        {
            return null;
        }
        byte[] bytes = new byte[Padded(size)];
        bool isWhole = archive.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == bytes.Length;
        return isWhole ? Encoding.UTF8.GetString(bytes, 0, (int)size) : null;
    }

    /// <summary>"17 path=etc/app.conf\n" and so on (POSIX pax, "Extended Header"); a key may come more than once.</summary>
    private static Dictionary<string, string> ParseRecords(string text)
    {
        var records = new Dictionary<string, string>();
        foreach (string line in text.Split('\n'))
        {
            int blank = line.IndexOf(' ', StringComparison.Ordinal), equals = line.IndexOf('=', StringComparison.Ordinal);
            if (blank >= 0 && equals > blank)
            {
                records[line[(blank + 1)..equals]] = line[(equals + 1)..];
            }
        }
        return records;
    }

    private static bool IsRecord(string key) => key.StartsWith(Records, StringComparison.Ordinal);

    private static bool Skip(Stream archive, long size)
    {
        byte[] piece = new byte[64 << 10];
        for (long left = size <= long.MaxValue - BlockBytes ? Padded(size) : 0; left > 0;)
        {
            int read = archive.Read(piece, 0, (int)Math.Min(left, piece.Length));
            if (read == 0)
            {
                return false;
            }
            left -= read;
        }
        return size >= 0;
    }

    private static long Padded(long size) => (size + BlockBytes - 1) / BlockBytes * BlockBytes;

    private static string Text(ReadOnlySpan<byte> field) =>
        Encoding.UTF8.GetString(field.IndexOf((byte)0) is >= 0 and var end ? field[..end] : field);
}
