using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace Bootstrap.Benchmarks.Kernels;

/// <summary>
/// What <see cref="Vector128"/> has for float and for double, for either. Vectors have 128 bits: those of every Arm, and of every PC. The
/// Slave is one program that is compiled before it knows its processor, and must run on PCs without AVX.
/// </summary>
internal static class Vectors
{
    /// <summary>a · b + c, rounded once where the processor can do that.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> MultiplyAdd<T>(Vector128<T> a, Vector128<T> b, Vector128<T> c) => typeof(T) == typeof(float)
        ? Vector128.MultiplyAddEstimate(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>()
        : Vector128.MultiplyAddEstimate(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();

    /// <summary>The number there and the one after it, in the lower end of a vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> LoadTwo<T>(ref T from) => typeof(T) == typeof(float)
        ? Vector64.LoadUnsafe(ref from).ToVector128Unsafe()
        : Vector128.LoadUnsafe(ref from);

    /// <summary>a · the first number of b + c; on Arm.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> MultiplyAddByFirst<T>(Vector128<T> a, Vector128<T> b, Vector128<T> c) => typeof(T) == typeof(float)
        ? AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c.AsSingle(), a.AsSingle(), b.AsSingle(), 0).As<float, T>()
        : AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c.AsDouble(), a.AsDouble(), b.AsDouble(), 0).As<double, T>();

    /// <summary>a · the second number of b + c; on Arm.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> MultiplyAddBySecond<T>(Vector128<T> a, Vector128<T> b, Vector128<T> c) => typeof(T) == typeof(float)
        ? AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c.AsSingle(), a.AsSingle(), b.AsSingle(), 1).As<float, T>()
        : AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c.AsDouble(), a.AsDouble(), b.AsDouble(), 1).As<double, T>();
}
