using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace Bootstrap.Benchmarks.Kernels;

/// <summary>
/// The innermost loop of a matrix multiplication: a tile of the product stays in registers while a strip of each factor goes by
/// (Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34, 2008). It is written out, since an array of
/// vectors would be in memory.
/// </summary>
/// <typeparam name="T">float or double.</typeparam>
internal static class MatrixTile<T>
    where T : unmanaged, INumber<T>
{
    /// <summary>Rows of a tile: as many as leave registers for two vectors of one factor and a number of the other.</summary>
    public static int Rows => AdvSimd.Arm64.IsSupported ? 12 : 6;

    /// <summary>How often each number of the left factor stands in its strip: as often as a vector has numbers, where spreading one over a
    /// vector costs an instruction.</summary>
    public static int Copies => AdvSimd.Arm64.IsSupported ? 1 : Vector128<T>.Count;

    /// <summary>Columns of a tile.</summary>
    public static int Columns => 2 * Vector128<T>.Count;

    /// <summary>Computes one tile.</summary>
    /// <param name="depth">Length of the strips.</param>
    /// <param name="a">A strip of the left factor: a column of <see cref="Rows"/> numbers, each
    /// <see cref="Copies"/> times, after the other.</param>
    /// <param name="b">A strip of the right factor: a row of <see cref="Columns"/> numbers after the other.</param>
    /// <param name="tile">Takes the product, row by row.</param>
    public static void Compute(int depth, ref T a, ref T b, ref T tile)
    {
        if (AdvSimd.Arm64.IsSupported)
        {
            Tile12(depth, ref a, ref b, ref tile);
        }
        else
        {
            Tile6(depth, ref a, ref b, ref tile);
        }
    }

    /// <summary>12 rows of two vectors, for 32 registers and the instruction that multiplies by one number of a vector.</summary>
    private static void Tile12(int depth, ref T a, ref T b, ref T tile)
    {
        int width = Vector128<T>.Count;
        Vector128<T> c0 = Vector128<T>.Zero, d0 = Vector128<T>.Zero;
        Vector128<T> c1 = Vector128<T>.Zero, d1 = Vector128<T>.Zero;
        Vector128<T> c2 = Vector128<T>.Zero, d2 = Vector128<T>.Zero;
        Vector128<T> c3 = Vector128<T>.Zero, d3 = Vector128<T>.Zero;
        Vector128<T> c4 = Vector128<T>.Zero, d4 = Vector128<T>.Zero;
        Vector128<T> c5 = Vector128<T>.Zero, d5 = Vector128<T>.Zero;
        Vector128<T> c6 = Vector128<T>.Zero, d6 = Vector128<T>.Zero;
        Vector128<T> c7 = Vector128<T>.Zero, d7 = Vector128<T>.Zero;
        Vector128<T> c8 = Vector128<T>.Zero, d8 = Vector128<T>.Zero;
        Vector128<T> c9 = Vector128<T>.Zero, d9 = Vector128<T>.Zero;
        Vector128<T> c10 = Vector128<T>.Zero, d10 = Vector128<T>.Zero;
        Vector128<T> c11 = Vector128<T>.Zero, d11 = Vector128<T>.Zero;
        for (int k = 0; k < depth; k++)
        {
            Vector128<T> left = Vector128.LoadUnsafe(ref b), right = Vector128.LoadUnsafe(ref b, (nuint)width), x;
            x = Vectors.LoadTwo(ref Unsafe.Add(ref a, 0));
            (c0, d0) = (Vectors.MultiplyAddByFirst(left, x, c0), Vectors.MultiplyAddByFirst(right, x, d0));
            (c1, d1) = (Vectors.MultiplyAddBySecond(left, x, c1), Vectors.MultiplyAddBySecond(right, x, d1));
            x = Vectors.LoadTwo(ref Unsafe.Add(ref a, 2));
            (c2, d2) = (Vectors.MultiplyAddByFirst(left, x, c2), Vectors.MultiplyAddByFirst(right, x, d2));
            (c3, d3) = (Vectors.MultiplyAddBySecond(left, x, c3), Vectors.MultiplyAddBySecond(right, x, d3));
            x = Vectors.LoadTwo(ref Unsafe.Add(ref a, 4));
            (c4, d4) = (Vectors.MultiplyAddByFirst(left, x, c4), Vectors.MultiplyAddByFirst(right, x, d4));
            (c5, d5) = (Vectors.MultiplyAddBySecond(left, x, c5), Vectors.MultiplyAddBySecond(right, x, d5));
            x = Vectors.LoadTwo(ref Unsafe.Add(ref a, 6));
            (c6, d6) = (Vectors.MultiplyAddByFirst(left, x, c6), Vectors.MultiplyAddByFirst(right, x, d6));
            (c7, d7) = (Vectors.MultiplyAddBySecond(left, x, c7), Vectors.MultiplyAddBySecond(right, x, d7));
            x = Vectors.LoadTwo(ref Unsafe.Add(ref a, 8));
            (c8, d8) = (Vectors.MultiplyAddByFirst(left, x, c8), Vectors.MultiplyAddByFirst(right, x, d8));
            (c9, d9) = (Vectors.MultiplyAddBySecond(left, x, c9), Vectors.MultiplyAddBySecond(right, x, d9));
            x = Vectors.LoadTwo(ref Unsafe.Add(ref a, 10));
            (c10, d10) = (Vectors.MultiplyAddByFirst(left, x, c10), Vectors.MultiplyAddByFirst(right, x, d10));
            (c11, d11) = (Vectors.MultiplyAddBySecond(left, x, c11), Vectors.MultiplyAddBySecond(right, x, d11));
            a = ref Unsafe.Add(ref a, 12);
            b = ref Unsafe.Add(ref b, 2 * width);
        }
        c0.StoreUnsafe(ref tile, (nuint)(0 * width));
        d0.StoreUnsafe(ref tile, (nuint)(1 * width));
        c1.StoreUnsafe(ref tile, (nuint)(2 * width));
        d1.StoreUnsafe(ref tile, (nuint)(3 * width));
        c2.StoreUnsafe(ref tile, (nuint)(4 * width));
        d2.StoreUnsafe(ref tile, (nuint)(5 * width));
        c3.StoreUnsafe(ref tile, (nuint)(6 * width));
        d3.StoreUnsafe(ref tile, (nuint)(7 * width));
        c4.StoreUnsafe(ref tile, (nuint)(8 * width));
        d4.StoreUnsafe(ref tile, (nuint)(9 * width));
        c5.StoreUnsafe(ref tile, (nuint)(10 * width));
        d5.StoreUnsafe(ref tile, (nuint)(11 * width));
        c6.StoreUnsafe(ref tile, (nuint)(12 * width));
        d6.StoreUnsafe(ref tile, (nuint)(13 * width));
        c7.StoreUnsafe(ref tile, (nuint)(14 * width));
        d7.StoreUnsafe(ref tile, (nuint)(15 * width));
        c8.StoreUnsafe(ref tile, (nuint)(16 * width));
        d8.StoreUnsafe(ref tile, (nuint)(17 * width));
        c9.StoreUnsafe(ref tile, (nuint)(18 * width));
        d9.StoreUnsafe(ref tile, (nuint)(19 * width));
        c10.StoreUnsafe(ref tile, (nuint)(20 * width));
        d10.StoreUnsafe(ref tile, (nuint)(21 * width));
        c11.StoreUnsafe(ref tile, (nuint)(22 * width));
        d11.StoreUnsafe(ref tile, (nuint)(23 * width));
    }

    /// <summary>6 rows of two vectors, for 16.</summary>
    private static void Tile6(int depth, ref T a, ref T b, ref T tile)
    {
        int width = Vector128<T>.Count;
        Vector128<T> c0 = Vector128<T>.Zero, d0 = Vector128<T>.Zero;
        Vector128<T> c1 = Vector128<T>.Zero, d1 = Vector128<T>.Zero;
        Vector128<T> c2 = Vector128<T>.Zero, d2 = Vector128<T>.Zero;
        Vector128<T> c3 = Vector128<T>.Zero, d3 = Vector128<T>.Zero;
        Vector128<T> c4 = Vector128<T>.Zero, d4 = Vector128<T>.Zero;
        Vector128<T> c5 = Vector128<T>.Zero, d5 = Vector128<T>.Zero;
        for (int k = 0; k < depth; k++)
        {
            Vector128<T> left = Vector128.LoadUnsafe(ref b), right = Vector128.LoadUnsafe(ref b, (nuint)width), x;
            x = Vector128.LoadUnsafe(ref a);
            (c0, d0) = (Vectors.MultiplyAdd(x, left, c0), Vectors.MultiplyAdd(x, right, d0));
            x = Vector128.LoadUnsafe(ref a, (nuint)(1 * width));
            (c1, d1) = (Vectors.MultiplyAdd(x, left, c1), Vectors.MultiplyAdd(x, right, d1));
            x = Vector128.LoadUnsafe(ref a, (nuint)(2 * width));
            (c2, d2) = (Vectors.MultiplyAdd(x, left, c2), Vectors.MultiplyAdd(x, right, d2));
            x = Vector128.LoadUnsafe(ref a, (nuint)(3 * width));
            (c3, d3) = (Vectors.MultiplyAdd(x, left, c3), Vectors.MultiplyAdd(x, right, d3));
            x = Vector128.LoadUnsafe(ref a, (nuint)(4 * width));
            (c4, d4) = (Vectors.MultiplyAdd(x, left, c4), Vectors.MultiplyAdd(x, right, d4));
            x = Vector128.LoadUnsafe(ref a, (nuint)(5 * width));
            (c5, d5) = (Vectors.MultiplyAdd(x, left, c5), Vectors.MultiplyAdd(x, right, d5));
            a = ref Unsafe.Add(ref a, 6 * width);
            b = ref Unsafe.Add(ref b, 2 * width);
        }
        c0.StoreUnsafe(ref tile, (nuint)(0 * width));
        d0.StoreUnsafe(ref tile, (nuint)(1 * width));
        c1.StoreUnsafe(ref tile, (nuint)(2 * width));
        d1.StoreUnsafe(ref tile, (nuint)(3 * width));
        c2.StoreUnsafe(ref tile, (nuint)(4 * width));
        d2.StoreUnsafe(ref tile, (nuint)(5 * width));
        c3.StoreUnsafe(ref tile, (nuint)(6 * width));
        d3.StoreUnsafe(ref tile, (nuint)(7 * width));
        c4.StoreUnsafe(ref tile, (nuint)(8 * width));
        d4.StoreUnsafe(ref tile, (nuint)(9 * width));
        c5.StoreUnsafe(ref tile, (nuint)(10 * width));
        d5.StoreUnsafe(ref tile, (nuint)(11 * width));
    }
}
