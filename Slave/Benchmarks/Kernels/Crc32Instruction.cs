using System.Runtime.InteropServices;
using Arm = System.Runtime.Intrinsics.Arm;

namespace Bootstrap.Benchmarks.Kernels;

/// <summary>Armv8's instructions for both polynomials: each waits for the one before, so three parts of a message are taken beside each
/// other.</summary>
internal sealed class Crc32Instruction
{
    /// <summary>Bytes of one of the three parts.</summary>
    private const int PartBytes = 4096;

    private readonly uint _polynomial, _onePart, _twoParts;

    /// <param name="powerOfX">x^n modulo the polynomial, reflected.</param>
    public Crc32Instruction(uint polynomial, Func<int, uint> powerOfX)
    {
        _polynomial = polynomial;
        (_onePart, _twoParts) = (powerOfX(PartBytes * 8), powerOfX(2 * PartBytes * 8));
    }

    public static bool IsSupported => Arm.Crc32.Arm64.IsSupported;

    /// <returns>How many bytes of the message were taken.</returns>
    public int Append(ref uint crc, ReadOnlySpan<byte> data)
    {
        const int words = PartBytes / sizeof(ulong);
        ReadOnlySpan<ulong> all = MemoryMarshal.Cast<byte, ulong>(data);
        bool isIso = _polynomial == Crc32.Iso;
        uint first = crc;
        int at = 0;
        for (; at + (3 * words) <= all.Length; at += 3 * words)
        {
            uint second = 0, third = 0;
            ReadOnlySpan<ulong> a = all.Slice(at, words), b = all.Slice(at + words, words), c = all.Slice(at + (2 * words), words);
            for (int i = 0; i < words; i++)
            {
                first = One(isIso, first, a[i]);
                second = One(isIso, second, b[i]);
                third = One(isIso, third, c[i]);
            }
            first = Multiply(first, _twoParts) ^ Multiply(second, _onePart) ^ third;
        }
        for (; at < all.Length; at++)
        {
            first = One(isIso, first, all[at]);
        }
        crc = first;
        return at * sizeof(ulong);
    }

    private static uint One(bool isIso, uint crc, ulong word) =>
        isIso ? Arm.Crc32.Arm64.ComputeCrc32(crc, word) : Arm.Crc32.Arm64.ComputeCrc32C(crc, word);

    /// <summary>Modulo the polynomial, both reflected.</summary>
    private uint Multiply(uint a, uint b)
    {
        uint product = 0;
        for (uint bit = 1u << 31; bit != 0; bit >>= 1)
        {
            product ^= (a & bit) != 0 ? b : 0;
            b = (b >> 1) ^ ((b & 1) * _polynomial);
        }
        return product;
    }
}
