using System.Buffers.Binary;

namespace Bootstrap.Benchmarks.Kernels;

/// <summary>What SHA-256 and SHA-512 put behind a message (FIPS 180-4, 5.1).</summary>
internal static class MerkleDamgard
{
    /// <summary>The message's last, incomplete block, padded.</summary>
    /// <param name="whole">Bytes of the message that are in complete blocks.</param>
    /// <param name="tail">Zeros, two blocks of them.</param>
    /// <param name="lengthBytes">Of the field that takes the message's length in bits, big-endian.</param>
    /// <returns>The one or two blocks of <paramref name="tail"/> that are used.</returns>
    public static Span<byte> Pad(ReadOnlySpan<byte> data, int whole, Span<byte> tail, int blockBytes, int lengthBytes)
    {
        ReadOnlySpan<byte> rest = data[whole..];
        rest.CopyTo(tail);
        tail[rest.Length] = 0x80;
        Span<byte> used = tail[..(rest.Length + 1 + lengthBytes <= blockBytes ? blockBytes : 2 * blockBytes)];
        BinaryPrimitives.WriteUInt64BigEndian(used[^sizeof(ulong)..], (ulong)data.Length * 8);
        return used;
    }
}
