using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Bootstrap.Benchmarks.Kernels;

/// <summary>
/// Folds a message by carry-less multiplication (Gopal and others, "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ", Intel
/// 2009): the parts of an accumulator are multiplied by the power of x that stands between them and where they are added, so that the
/// remainder stays the same. What is left is short.
/// </summary>
internal sealed class Crc32Folding
{
    private const int Lanes = 8;

    private readonly Vector128<ulong> _factors;

    /// <param name="powerOfX">x^n modulo the polynomial, reflected.</param>
    public Crc32Folding(Func<int, uint> powerOfX)
    {
        // For the lower and the higher half of 128 bits that go so many on. A product of reflected numbers is one bit short.
        _factors = Vector128.Create((ulong)powerOfX((Left * 8) + 32) << 1, (ulong)powerOfX((Left * 8) - 32) << 1);
    }

    /// <summary>Bytes of a message that it takes to fold anything.</summary>
    public const int LeastBytes = 2 * Left;

    /// <summary>Bytes that are left.</summary>
    public const int Left = Lanes * 16;

    public static bool IsSupported => Pclmulqdq.IsSupported;

    /// <param name="crc">The remainder before the message.</param>
    /// <param name="data">The message, <see cref="LeastBytes"/> or more.</param>
    /// <param name="left">Takes a message of <see cref="Left"/> bytes with the same remainder as the folded part has.</param>
    /// <returns>How many bytes of the message are folded.</returns>
    public int Fold(uint crc, ReadOnlySpan<byte> data, Span<byte> left)
    {
        ReadOnlySpan<Vector128<ulong>> all = MemoryMarshal.Cast<byte, Vector128<ulong>>(data);
        Vector128<ulong> factors = _factors;
        Vector128<ulong> a = all[0] ^ Vector128.CreateScalar((ulong)crc), b = all[1], c = all[2], d = all[3];
        Vector128<ulong> e = all[4], f = all[5], g = all[6], h = all[7];
        int i = Lanes;
        for (; i + Lanes <= all.Length; i += Lanes)
        {
            // Eight at once: one look at the bounds.
            ReadOnlySpan<Vector128<ulong>> next = all.Slice(i, Lanes);
            a = Step(a, factors, next[0]);
            b = Step(b, factors, next[1]);
            c = Step(c, factors, next[2]);
            d = Step(d, factors, next[3]);
            e = Step(e, factors, next[4]);
            f = Step(f, factors, next[5]);
            g = Step(g, factors, next[6]);
            h = Step(h, factors, next[7]);
        }
        Span<Vector128<ulong>> rest = MemoryMarshal.Cast<byte, Vector128<ulong>>(left);
        (rest[0], rest[1], rest[2], rest[3]) = (a, b, c, d);
        (rest[4], rest[5], rest[6], rest[7]) = (e, f, g, h);
        return i * Vector128<byte>.Count;

        static Vector128<ulong> Step(Vector128<ulong> x, Vector128<ulong> factors, Vector128<ulong> next) =>
            Pclmulqdq.CarrylessMultiply(x, factors, 0x00) ^ Pclmulqdq.CarrylessMultiply(x, factors, 0x11) ^ next;
    }
}
