using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Bootstrap.Benchmarks.Kernels;

/// <summary>Numbers that begin with a line of the cache: no vector lies in two of them.</summary>
/// <typeparam name="T">A number whose size divides a line.</typeparam>
internal sealed class AlignedArray<T>
    where T : unmanaged
{
    private const int Line = 64;

    private readonly T[] _all;
    private readonly int _first, _count;

    /// <param name="count">Numbers; what they are at first is not said.</param>
    public AlignedArray(int count)
    {
        int perLine = Line / Unsafe.SizeOf<T>();
        _all = GC.AllocateUninitializedArray<T>(checked(count + perLine), pinned: true);
        int beyond = (int)(Marshal.UnsafeAddrOfPinnedArrayElement(_all, 0) % Line) / Unsafe.SizeOf<T>();
        (_first, _count) = ((perLine - beyond) % perLine, count);
    }

    public Span<T> Numbers => _all.AsSpan(_first, _count);
}
