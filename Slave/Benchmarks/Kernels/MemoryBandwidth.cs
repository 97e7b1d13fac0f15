using System.Runtime.Intrinsics;

namespace Bootstrap.Benchmarks.Kernels;

/// <summary>
/// How fast memory is read and written: McCalpin's STREAM triad, a[i] = b[i] + 3 · c[i], of arrays that no cache holds. As there, 24 bytes
/// are counted for each element, whatever else the processor reads.
/// </summary>
internal sealed class MemoryBandwidth : Kernel
{
    private const double Factor = 3;

    private readonly AlignedArray<double> _a, _b, _c;

    /// <param name="bytes">Of all three arrays together.</param>
    public MemoryBandwidth(long bytes)
    {
        int count = checked((int)(bytes / 3 / sizeof(double)));
        (_a, _b, _c) = (new AlignedArray<double>(count), new AlignedArray<double>(count), new AlignedArray<double>(count));
        Span<double> b = _b.Numbers, c = _c.Numbers;
        for (int i = 0; i < count; i++)
        {
            (b[i], c[i]) = (i, count - i);
        }
    }

    /// <summary>For tests that spoil it.</summary>
    internal Span<double> Result => _a.Numbers;

    public override double Run(long times)
    {
        for (long i = 0; i < times; i++)
        {
            Triad(_a.Numbers, _b.Numbers, _c.Numbers);
        }
        return 3.0 * sizeof(double) * Result.Length * times;
    }

    public override void Verify()
    {
        Span<double> found = Result;
        for (int i = 0; i < found.Length; i++)
        {
            double right = i + (Factor * (found.Length - i));
            if (found[i] != right)
            {
                throw new WrongResultException($"element {i} of {found.Length} is {found[i]}, and not {right}");
            }
        }
    }

    /// <summary>A cache line at a time, past the caches: what is written would else be read first, which nobody asked for.</summary>
    private static unsafe void Triad(Span<double> a, Span<double> b, Span<double> c)
    {
        var factor = Vector128.Create(Factor);
        int width = Vector128<double>.Count, line = 4 * width, i = 0;
        fixed (double* to = a, one = b, other = c)
        {
            for (; i + line <= a.Length; i += line)
            {
                Vector128<double> first = Vector128.LoadAligned(one + i) + (factor * Vector128.LoadAligned(other + i));
                Vector128<double> second = Vector128.LoadAligned(one + i + width) + (factor * Vector128.LoadAligned(other + i + width));
                Vector128<double> third =
                    Vector128.LoadAligned(one + i + (2 * width)) + (factor * Vector128.LoadAligned(other + i + (2 * width)));
                Vector128<double> fourth =
                    Vector128.LoadAligned(one + i + (3 * width)) + (factor * Vector128.LoadAligned(other + i + (3 * width)));
                first.StoreAlignedNonTemporal(to + i);
                second.StoreAlignedNonTemporal(to + i + width);
                third.StoreAlignedNonTemporal(to + i + (2 * width));
                fourth.StoreAlignedNonTemporal(to + i + (3 * width));
            }
        }
        for (; i < a.Length; i++)
        {
            a[i] = b[i] + (Factor * c[i]);
        }
    }
}
