using System.Numerics;

namespace Bootstrap.Benchmarks.Kernels;

/// <summary>Multiplication of square matrices of random numbers, checked as Freivalds does (1977): the product of both, and of one after
/// the other, with a random vector are the same.</summary>
/// <typeparam name="T">float or double.</typeparam>
internal sealed class Matrix<T> : Kernel
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly int _n;
    private readonly T[] _a, _b, _c;
    private readonly Action<T[], T[], T[]> _multiply;

    /// <param name="n">Rows and columns.</param>
    /// <param name="isNaive">Three loops, as in the textbook: Diperan's.</param>
    public Matrix(int n, bool isNaive)
    {
        (_n, _a, _b, _c) = (n, Numbers(n * n), Numbers(n * n), new T[n * n]);
        _multiply = isNaive ? Naively : ByVectors();
    }

    /// <summary>For tests that spoil it.</summary>
    internal T[] Product => _c;

    public override double Run(long times)
    {
        for (long i = 0; i < times; i++)
        {
            _multiply(_a, _b, _c);
        }
        return 2.0 * _n * _n * _n * times;
    }

    public override void Verify()
    {
        // Signs at random keep the sums small, and with them what rounding does to the check itself.
        double[] vector = [.. Enumerable.Range(0, _n).Select(_ => Random.Shared.Next(2) == 0 ? -1.0 : 1.0)];
        double[] expected = Times(_a, Times(_b, vector)), found = Times(_c, vector);
        // A sum of n products, n/4 in the mean, has a rounding error of some 0.03 n√n units, and n of those with signs 0.03 n²: this is
        // more than ten times as much, and less than a product, a quarter in the mean.
        double allowed = double.CreateChecked(T.BitIncrement(T.One) - T.One) * _n * ((_n / 2.0) + 8);
        for (int i = 0; i < _n; i++)
        {
            if (!(Math.Abs(expected[i] - found[i]) <= allowed))
            {
                throw new WrongResultException(
                    $"row {i} of the product of two {_n}×{_n} matrices is wrong by {expected[i] - found[i]:g3}");
            }
        }
    }

    private static T[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => T.CreateChecked(Random.Shared.NextDouble()))];

    private double[] Times(T[] matrix, double[] vector)
    {
        double[] product = new double[_n];
        for (int i = 0; i < _n; i++)
        {
            for (int j = 0; j < _n; j++)
            {
                product[i] += double.CreateChecked(matrix[(i * _n) + j]) * vector[j];
            }
        }
        return product;
    }

    private void Naively(T[] a, T[] b, T[] c)
    {
        for (int i = 0; i < _n; i++)
        {
            for (int j = 0; j < _n; j++)
            {
                T sum = T.Zero;
                for (int k = 0; k < _n; k++)
                {
                    sum += a[(i * _n) + k] * b[(k * _n) + j];
                }
                c[(i * _n) + j] = sum;
            }
        }
    }

    private Action<T[], T[], T[]> ByVectors()
    {
        var work = new MatrixProduct<T>.Workspace();
        return (a, b, c) => MatrixProduct<T>.Multiply(_n, a, b, c, work);
    }
}
