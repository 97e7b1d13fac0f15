namespace Bootstrap.Benchmarks.Kernels;

/// <summary>A hash function.</summary>
/// <param name="data">Any length.</param>
/// <param name="digest">Written; as long as the function's digests are.</param>
internal delegate void HashFunction(ReadOnlySpan<byte> data, Span<byte> digest);

/// <summary>Hashes a buffer, and compares with what another way of computing the same gives.</summary>
internal sealed class Hashing : Kernel
{
    private readonly HashFunction _hash, _other;
    private readonly byte[] _data, _digest;

    /// <param name="hash">What is measured.</param>
    /// <param name="other">The same function, computed otherwise.</param>
    /// <param name="digestBytes">Length of a digest.</param>
    /// <param name="bytes">How much is hashed at a time.</param>
    public Hashing(HashFunction hash, HashFunction other, int digestBytes, int bytes)
    {
        (_hash, _other, _data, _digest) = (hash, other, new byte[bytes], new byte[digestBytes]);
        Random.Shared.NextBytes(_data);
    }

    public override double Run(long times)
    {
        for (long i = 0; i < times; i++)
        {
            _hash(_data, _digest);
        }
        return (double)times * _data.Length;
    }

    public override void Verify()
    {
        byte[] again = new byte[_digest.Length];
        _other(_data, again);
        if (!again.AsSpan().SequenceEqual(_digest))
        {
            throw new WrongResultException($"the digest of the same {_data.Length} bytes is another one by another way");
        }
    }
}
