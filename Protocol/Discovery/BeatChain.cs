using System.Security.Cryptography;

namespace Bootstrap.Protocol.Discovery;

/// <summary>By what a node's next beats and its goodbye can be known. It travels in a signed answer.</summary>
/// <param name="Sequence">Of the newest beat.</param>
/// <param name="Key">The newest beat's key, 16 bytes.</param>
/// <param name="Goodbye">SHA-256, cut to 16 bytes, of the key that the goodbye will show.</param>
/// <param name="State">The newest beat's.</param>
public sealed record PresenceAnchor(long Sequence, byte[] Key, byte[] Goodbye, int State)
{
    internal bool IsSound => Sequence >= 0 && Key.Length == BeatChain.KeyBytes && Goodbye.Length == BeatChain.KeyBytes;
}

/// <summary>
/// The keys of a node's beats: each is the hash of the one that follows, so that nobody but the node knows the next one, and
/// whoever knows one can check all later ones for the price of a hash (Lamport's one-time passwords, as in S/KEY, RFC 1760). A
/// thousand signatures every ten seconds would be beyond what a small appliance has to spare.
/// </summary>
public sealed class BeatChain
{
    /// <summary>Length of a key: SHA-256, cut.</summary>
    public const int KeyBytes = 16;

    /// <summary>Beats of one chain: 85 minutes of them. After that comes a new chain, and who watches asks once more.</summary>
    public const int Length = 512;

    /// <summary>Beats that may have been missed, ten minutes of them, before it must be asked anew: the number of hashes is bounded,
    /// whatever was sent.</summary>
    private const int MaximumGap = 64;

    private readonly byte[][] _keys = new byte[Length][];
    private readonly long _first;

    /// <summary>A new chain.</summary>
    /// <param name="first">Sequence number of its first beat.</param>
    public BeatChain(long first)
    {
        _first = first;
        _keys[^1] = RandomNumberGenerator.GetBytes(KeyBytes);
        for (int i = Length - 2; i >= 0; i--)
        {
            _keys[i] = Hash(_keys[i + 1]);
        }
    }

    /// <summary>True if the chain has a key for this beat.</summary>
    public bool Reaches(long sequence) => sequence - _first is >= 0 and < Length;

    /// <summary>The beat's key.</summary>
    public byte[] KeyOf(long sequence) => _keys[sequence - _first];

    /// <summary>SHA-256 of a key, cut to <see cref="KeyBytes"/>.</summary>
    public static byte[] Hash(ReadOnlySpan<byte> key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(key, hash);
        return hash[..KeyBytes].ToArray();
    }

    /// <summary>True if a beat is a later one of the chain that a known beat is of.</summary>
    /// <param name="knownSequence">Of the known beat.</param>
    /// <param name="knownKey">Its key.</param>
    /// <param name="sequence">Of the beat in question.</param>
    /// <param name="key">Its key.</param>
    public static bool Follows(long knownSequence, ReadOnlySpan<byte> knownKey, long sequence, ReadOnlySpan<byte> key)
    {
        if (sequence - knownSequence is <= 0 or > MaximumGap)
        {
            return false;
        }
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        key.CopyTo(hash);
        for (long i = knownSequence; i < sequence; i++)
        {
            SHA256.HashData(hash[..KeyBytes], hash);
        }
        return CryptographicOperations.FixedTimeEquals(hash[..KeyBytes], knownKey);
    }
}
