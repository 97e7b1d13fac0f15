using System.Buffers.Binary;
using System.Numerics;

namespace Bootstrap.Benchmarks.Kernels;

/// <summary>SHA-256 as FIPS 180-4, section 6.2, writes it down: what plain code makes of the processor.</summary>
internal static class NaiveSha256
{
    private const int BlockBytes = 64, LengthBytes = 8, Rounds = 64;

    /// <summary>FIPS 180-4, 4.2.2: the first 32 bits of the fractional parts of the cube roots of the first primes.</summary>
    private static readonly uint[] s_k = [.. Primes.FractionsOfCubeRoots(Rounds).Select(root => (uint)(root >> 32))];

    /// <summary>FIPS 180-4, 5.3.3: the same of the square roots.</summary>
    private static readonly uint[] s_initial = [.. Primes.FractionsOfSquareRoots(8).Select(root => (uint)(root >> 32))];

    /// <param name="data">Any length.</param>
    /// <param name="digest">32 bytes, written.</param>
    public static void Hash(ReadOnlySpan<byte> data, Span<byte> digest)
    {
        Span<uint> state = stackalloc uint[8], schedule = stackalloc uint[Rounds];
        s_initial.CopyTo(state);
        int whole = data.Length / BlockBytes * BlockBytes;
        for (int at = 0; at < whole; at += BlockBytes)
        {
            Compress(state, schedule, data.Slice(at, BlockBytes));
        }
        Span<byte> tail = stackalloc byte[2 * BlockBytes];
        tail = MerkleDamgard.Pad(data, whole, tail, BlockBytes, LengthBytes);
        for (int at = 0; at < tail.Length; at += BlockBytes)
        {
            Compress(state, schedule, tail.Slice(at, BlockBytes));
        }
        for (int i = 0; i < state.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(digest[(i * sizeof(uint))..], state[i]);
        }
    }

    private static void Compress(Span<uint> state, Span<uint> w, ReadOnlySpan<byte> block)
    {
        for (int t = 0; t < 16; t++)
        {
            w[t] = BinaryPrimitives.ReadUInt32BigEndian(block[(t * sizeof(uint))..]);
        }
        for (int t = 16; t < Rounds; t++)
        {
            uint x = w[t - 2], y = w[t - 15];
            w[t] = (BitOperations.RotateRight(x, 17) ^ BitOperations.RotateRight(x, 19) ^ (x >> 10)) + w[t - 7] +
                (BitOperations.RotateRight(y, 7) ^ BitOperations.RotateRight(y, 18) ^ (y >> 3)) + w[t - 16];
        }
        (uint a, uint b, uint c, uint d) = (state[0], state[1], state[2], state[3]);
        (uint e, uint f, uint g, uint h) = (state[4], state[5], state[6], state[7]);
        for (int t = 0; t < Rounds; t++)
        {
            uint first = h + (BitOperations.RotateRight(e, 6) ^ BitOperations.RotateRight(e, 11) ^ BitOperations.RotateRight(e, 25)) +
                ((e & f) ^ (~e & g)) + s_k[t] + w[t];
            uint second = (BitOperations.RotateRight(a, 2) ^ BitOperations.RotateRight(a, 13) ^ BitOperations.RotateRight(a, 22)) +
                ((a & b) ^ (a & c) ^ (b & c));
            (h, g, f, e, d, c, b, a) = (g, f, e, d + first, c, b, a, first + second);
        }
        (state[0], state[1], state[2], state[3]) = (state[0] + a, state[1] + b, state[2] + c, state[3] + d);
        (state[4], state[5], state[6], state[7]) = (state[4] + e, state[5] + f, state[6] + g, state[7] + h);
    }
}
