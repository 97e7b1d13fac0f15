using System.Numerics;

namespace Bootstrap.Benchmarks.Kernels;

/// <summary>The constants of SHA-2, computed as FIPS 180-4 defines them.</summary>
internal static class Primes
{
    private const int FractionBits = 64;

    /// <summary>The first 64 bits of the fractional parts of the square roots of the first primes.</summary>
    public static ulong[] FractionsOfSquareRoots(int count) => Fractions(count, 2);

    /// <summary>The same of the cube roots.</summary>
    public static ulong[] FractionsOfCubeRoots(int count) => Fractions(count, 3);

    private static ulong[] Fractions(int count, int root) =>
        [.. All().Take(count).Select(prime => (ulong)(Root((BigInteger)prime << (root * FractionBits), root) & ulong.MaxValue))];

    private static IEnumerable<int> All() =>
        Enumerable.Range(2, int.MaxValue - 2).Where(n => Enumerable.Range(2, (int)Math.Sqrt(n) - 1).All(d => n % d != 0));

    /// <summary>The largest number whose power is not above <paramref name="n"/>: Newton's method from above.</summary>
    private static BigInteger Root(BigInteger n, int root)
    {
        BigInteger x = BigInteger.One << (int)((n.GetBitLength() + root - 1) / root);
        while (true)
        {
            BigInteger next = ((root - 1) * x + n / BigInteger.Pow(x, root - 1)) / root;
            if (next >= x)
            {
                return x;
            }
            x = next;
        }
    }
}
