using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Bootstrap.Benchmarks.Kernels;

/// <summary>
/// Multiplies square matrices in blocks that the caches hold: strips of one factor in the first, a block of the other in the second, a
/// panel in the last.
/// </summary>
/// <typeparam name="T">float or double.</typeparam>
internal static class MatrixProduct<T>
    where T : unmanaged, INumber<T>
{
    /// <summary>Depth of a block, and rows of one, in tiles; columns of a panel.</summary>
    private const int Depth = 320, RowTiles = 8, PanelColumns = 2048;

    /// <summary>Memory for the blocks, used again each time.</summary>
    public sealed class Workspace
    {
        private readonly AlignedArray<T> _a = new(RowTiles * MatrixTile<T>.Rows * MatrixTile<T>.Copies * Depth);
        private readonly AlignedArray<T> _b = new((PanelColumns + MatrixTile<T>.Columns) * Depth);
        private readonly AlignedArray<T> _tile = new(MatrixTile<T>.Rows * MatrixTile<T>.Columns);

        internal Span<T> A => _a.Numbers;

        internal Span<T> B => _b.Numbers;

        internal Span<T> Tile => _tile.Numbers;
    }

    /// <summary>c = a · b.</summary>
    /// <param name="n">Rows and columns of each; row by row.</param>
    public static void Multiply(int n, T[] a, T[] b, T[] c, Workspace work)
    {
        Array.Clear(c);
        int rows = MatrixTile<T>.Rows * RowTiles;
        for (int column = 0; column < n; column += PanelColumns)
        {
            int columns = Math.Min(PanelColumns, n - column);
            for (int k = 0; k < n; k += Depth)
            {
                int depth = Math.Min(Depth, n - k);
                PackRight(n, b, k, depth, column, columns, work.B);
                for (int row = 0; row < n; row += rows)
                {
                    int some = Math.Min(rows, n - row);
                    PackLeft(n, a, row, some, k, depth, work.A);
                    MultiplyBlock(n, c, row, some, column, columns, depth, work);
                }
            }
        }
    }

    private static void MultiplyBlock(int n, T[] c, int row, int rows, int column, int columns, int depth, Workspace work)
    {
        int high = MatrixTile<T>.Rows, copies = MatrixTile<T>.Copies, wide = MatrixTile<T>.Columns;
        Span<T> left = work.A, right = work.B, tile = work.Tile;
        for (int j = 0; j < columns; j += wide)
        {
            for (int i = 0; i < rows; i += high)
            {
                MatrixTile<T>.Compute(depth, ref left[i * copies * depth], ref right[j * depth], ref tile[0]);
                Add(n, c, row + i, Math.Min(high, rows - i), column + j, Math.Min(wide, columns - j), wide, tile);
            }
        }
    }

    private static void Add(int n, T[] c, int row, int rows, int column, int columns, int wide, Span<T> tile)
    {
        for (int i = 0; i < rows; i++)
        {
            Span<T> to = c.AsSpan(((row + i) * n) + column, columns);
            ref T from = ref tile[i * wide];
            if (columns == wide)
            {
                ref T at = ref to[0];
                nuint next = (nuint)Vector128<T>.Count;
                (Vector128.LoadUnsafe(ref at) + Vector128.LoadUnsafe(ref from)).StoreUnsafe(ref at);
                (Vector128.LoadUnsafe(ref at, next) + Vector128.LoadUnsafe(ref from, next)).StoreUnsafe(ref at, next);
                continue;
            }
            for (int j = 0; j < columns; j++)
            {
                to[j] += Unsafe.Add(ref from, j);
            }
        }
    }

    /// <summary>Strips of as many rows as a tile has; what is missing at the end is zero.</summary>
    private static void PackLeft(int n, T[] a, int row, int rows, int k, int depth, Span<T> packed)
    {
        int high = MatrixTile<T>.Rows, copies = MatrixTile<T>.Copies;
        for (int i = 0; i < rows; i += high)
        {
            Span<T> strip = packed.Slice(i * copies * depth, high * copies * depth);
            for (int r = 0; r < high; r++)
            {
                ReadOnlySpan<T> from = i + r < rows ? a.AsSpan(((row + i + r) * n) + k, depth) : default;
                for (int d = 0; d < depth; d++)
                {
                    strip.Slice(((d * high) + r) * copies, copies).Fill(from.IsEmpty ? T.Zero : from[d]);
                }
            }
        }
    }

    /// <summary>Strips of as many columns as a tile has.</summary>
    private static void PackRight(int n, T[] b, int k, int depth, int column, int columns, Span<T> packed)
    {
        int wide = MatrixTile<T>.Columns;
        for (int j = 0; j < columns; j += wide)
        {
            int some = Math.Min(wide, columns - j);
            for (int d = 0; d < depth; d++)
            {
                Span<T> to = packed.Slice((j * depth) + (d * wide), wide);
                b.AsSpan(((k + d) * n) + column + j, some).CopyTo(to);
                to[some..].Clear();
            }
        }
    }
}
