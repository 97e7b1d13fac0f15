using System.Buffers.Binary;
using System.Text;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Installer;

/// <summary>
/// The node's identity before the first partition of its disk, while an installation is under way: a board that loses power in the middle
/// is still itself.
/// </summary>
/// <remarks>
/// A record is 16 bytes "bootstrap node\n\0", the length of the content (32 bits, little-endian), the content as in
/// <see cref="NodeFiles.Identity"/>, and its SHA-256. It stands at one of several places, so that another one can be written before it is
/// overwritten: the first one is behind what a partition table takes, the GPT's entries included, and before partitions of any age; the
/// others follow.
/// </remarks>
public static class IdentityRecord
{
    /// <summary>The first place, how far the places are from each other, and where there are no more of them.</summary>
    public const int FirstPlace = 20 << 10, Bytes = 8 << 10, End = 1 << 20;

    private const int LengthOffset = 16, ContentOffset = 20;

    private static ReadOnlySpan<byte> Magic => "bootstrap node\n\0"u8;

    /// <summary>The record, filled with zeros; only zeros where the content is too long for it.</summary>
    /// <param name="pem">Content of <see cref="NodeFiles.Identity"/>.</param>
    public static byte[] Of(string pem)
    {
        byte[] record = new byte[Bytes], content = Encoding.ASCII.GetBytes(pem);
        if (ContentOffset + content.Length + Digest.Size <= Bytes)
        {
            Magic.CopyTo(record);
            BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(LengthOffset), content.Length);
            content.CopyTo(record, ContentOffset);
            Digest.Of(content).CopyTo(record.AsSpan(ContentOffset + content.Length));
        }
        return record;
    }

    /// <summary>The content of a record; null where there is none, or it is damaged.</summary>
    public static string? Read(ReadOnlySpan<byte> record)
    {
        if (record.Length < Bytes || !record.StartsWith(Magic) ||
            BinaryPrimitives.ReadInt32LittleEndian(record[LengthOffset..]) is not (
            > 0 and <= Bytes - ContentOffset - Digest.Size and var length))
        {
            return null;
        }
        ReadOnlySpan<byte> content = record.Slice(ContentOffset, length);
        return Digest.Of(content) == new Digest(record[(ContentOffset + length)..]) ? Encoding.ASCII.GetString(content) : null;
    }

    /// <summary>The places that lie wholly before a partition.</summary>
    /// <param name="end">Where that begins, in bytes from the start of the disk.</param>
    public static IEnumerable<int> Places(long end)
    {
        for (int place = FirstPlace; place + Bytes <= Math.Min(end, End); place += Bytes)
        {
            yield return place;
        }
    }

    /// <summary>All records that are whole, with where they stand.</summary>
    /// <param name="head">The disk's first bytes, up to <see cref="End"/> of them.</param>
    public static IReadOnlyList<(int Place, string Pem)> FindIn(ReadOnlySpan<byte> head)
    {
        var found = new List<(int, string)>();
        foreach (int place in Places(head.Length))
        {
            if (Read(head.Slice(place, Bytes)) is { } pem)
            {
                found.Add((place, pem));
            }
        }
        return found;
    }
}
