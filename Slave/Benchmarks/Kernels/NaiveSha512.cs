using System.Buffers.Binary;
using System.Numerics;

namespace Bootstrap.Benchmarks.Kernels;

/// <summary>SHA-512 as FIPS 180-4, section 6.4, writes it down.</summary>
internal static class NaiveSha512
{
    private const int BlockBytes = 128, LengthBytes = 16, Rounds = 80;

    /// <summary>FIPS 180-4, 4.2.3 and 5.3.5: as in SHA-256, and 64 bits of them.</summary>
    private static readonly ulong[] s_k = Primes.FractionsOfCubeRoots(Rounds), s_initial = Primes.FractionsOfSquareRoots(8);

    /// <param name="data">Any length.</param>
    /// <param name="digest">64 bytes, written.</param>
    public static void Hash(ReadOnlySpan<byte> data, Span<byte> digest)
    {
        Span<ulong> state = stackalloc ulong[8], schedule = stackalloc ulong[Rounds];
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
            BinaryPrimitives.WriteUInt64BigEndian(digest[(i * sizeof(ulong))..], state[i]);
        }
    }

    private static void Compress(Span<ulong> state, Span<ulong> w, ReadOnlySpan<byte> block)
    {
        for (int t = 0; t < 16; t++)
        {
            w[t] = BinaryPrimitives.ReadUInt64BigEndian(block[(t * sizeof(ulong))..]);
        }
        for (int t = 16; t < Rounds; t++)
        {
            ulong x = w[t - 2], y = w[t - 15];
            w[t] = (BitOperations.RotateRight(x, 19) ^ BitOperations.RotateRight(x, 61) ^ (x >> 6)) + w[t - 7] +
                (BitOperations.RotateRight(y, 1) ^ BitOperations.RotateRight(y, 8) ^ (y >> 7)) + w[t - 16];
        }
        (ulong a, ulong b, ulong c, ulong d) = (state[0], state[1], state[2], state[3]);
        (ulong e, ulong f, ulong g, ulong h) = (state[4], state[5], state[6], state[7]);
        for (int t = 0; t < Rounds; t++)
        {
            ulong first = h + (BitOperations.RotateRight(e, 14) ^ BitOperations.RotateRight(e, 18) ^ BitOperations.RotateRight(e, 41)) +
                ((e & f) ^ (~e & g)) + s_k[t] + w[t];
            ulong second = (BitOperations.RotateRight(a, 28) ^ BitOperations.RotateRight(a, 34) ^ BitOperations.RotateRight(a, 39)) +
                ((a & b) ^ (a & c) ^ (b & c));
            (h, g, f, e, d, c, b, a) = (g, f, e, d + first, c, b, a, first + second);
        }
        (state[0], state[1], state[2], state[3]) = (state[0] + a, state[1] + b, state[2] + c, state[3] + d);
        (state[4], state[5], state[6], state[7]) = (state[4] + e, state[5] + f, state[6] + g, state[7] + h);
    }
}
