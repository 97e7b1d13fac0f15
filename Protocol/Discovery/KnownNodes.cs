using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Bootstrap.Protocol.Discovery;

/// <summary>
/// A set of node ids as a Bloom filter (Bloom 1970): nodes in it need not answer again. Now and then it holds one that was never put in;
/// the next question has another salt and therefore misses another one. More nodes than one datagram has room for are asked in parts: each
/// question is then for those ids alone whose hash belongs to the part.
/// </summary>
/// <param name="Salt">8 bytes, new for each question.</param>
/// <param name="Bits">Bit i is bit i % 8 (least significant first) of byte i / 8.</param>
/// <param name="Part">Which part of all nodes is asked, from 0.</param>
/// <param name="Parts">How many parts there are.</param>
public sealed record KnownNodes(byte[] Salt, byte[] Bits, int Part, int Parts)
{
    /// <summary>So many bits are set for a node. With seven bits of room a node, 3.5 % of all others seem to be in the set.</summary>
    private const int Hashes = 5;

    private const int BitsPerNode = 7;

    internal bool IsSound => Salt.Length == 8 && Bits.Length > 0 && Parts > 0 && Part >= 0 && Part < Parts;

    /// <summary>The filters for all parts.</summary>
    /// <param name="ids">Nodes that are known.</param>
    /// <param name="bytes">Room for each filter's bits.</param>
    public static IReadOnlyList<KnownNodes> Of(IReadOnlyCollection<string> ids, int bytes)
    {
        int parts = Math.Max(1, (int)Math.Ceiling(ids.Count * (long)BitsPerNode / (bytes * 8.0)));
        byte[] salt = RandomNumberGenerator.GetBytes(8);
        KnownNodes[] filters = [.. Enumerable.Range(0, parts).Select(part => new KnownNodes(salt, new byte[bytes], part, parts))];
        Span<uint> words = stackalloc uint[Hashes + 1];
        foreach (string id in ids)
        {
            Spread(salt, id, words);
            byte[] bits = filters[words[0] % (uint)parts].Bits;
            foreach (uint word in words[1..])
            {
                uint bit = word % ((uint)bits.Length * 8);
                bits[bit / 8] |= (byte)(1 << (int)(bit % 8));
            }
        }
        return filters;
    }

    /// <summary>True if this node is not asked: it belongs to another part, or it is (probably) known.</summary>
    public bool Excludes(string id)
    {
        Span<uint> words = stackalloc uint[Hashes + 1];
        Spread(Salt, id, words);
        if (words[0] % (uint)Parts != (uint)Part)
        {
            return true;
        }
        foreach (uint word in words[1..])
        {
            uint bit = word % ((uint)Bits.Length * 8);
            if ((Bits[bit / 8] & (1 << (int)(bit % 8))) == 0)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>The words of SHA-256(salt, id), big-endian: the part first, then the bits.</summary>
    private static void Spread(ReadOnlySpan<byte> salt, string id, Span<uint> words)
    {
        byte[] salted = [.. salt, .. Encoding.UTF8.GetBytes(id)];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(salted, hash);
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = BinaryPrimitives.ReadUInt32BigEndian(hash[(4 * i)..]);
        }
    }
}
