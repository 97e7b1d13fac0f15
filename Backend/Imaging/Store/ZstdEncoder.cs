using System.Runtime.InteropServices;

namespace Bootstrap.Imaging.Store;

/// <summary>
/// Makes zstd frames with the system's libzstd (1.4 or later; every Debian has it). The managed encoder takes half as long again,
/// and imports are computation. Not for several threads at once.
/// </summary>
internal sealed unsafe partial class ZstdEncoder : IDisposable
{
    private const int ParameterCompressionLevel = 100;

    private readonly nint _context;

    /// <param name="level">1 to 19.</param>
    /// <exception cref="ImageException">There is no libzstd.</exception>
    public ZstdEncoder(int level)
    {
        try
        {
            _context = ZSTD_createCCtx();
        }
        catch (DllNotFoundException e)
        {
            throw new ImageException("images are stored with libzstd: install the package libzstd1", e);
        }
        if (_context == 0)
        {
            throw new OutOfMemoryException("libzstd has no memory for a compressor");
        }
        Check(ZSTD_CCtx_setParameter(_context, ParameterCompressionLevel, level));
    }

    /// <summary>The most bytes that a frame of that many bytes takes.</summary>
    public static int Bound(int count) => checked((int)ZSTD_compressBound((nuint)count));

    /// <summary>Compresses into one frame.</summary>
    /// <param name="target">At least <see cref="Bound"/> of the source's length.</param>
    /// <returns>Length of the frame in bytes.</returns>
    public int Encode(ReadOnlySpan<byte> source, Span<byte> target)
    {
        fixed (byte* from = source, to = target)
        {
            return (int)Check(ZSTD_compress2(_context, to, (nuint)target.Length, from, (nuint)source.Length));
        }
    }

    public void Dispose() => _ = ZSTD_freeCCtx(_context);

    private static nuint Check(nuint result) => ZSTD_isError(result) == 0
        ? result
        : throw new InvalidOperationException($"libzstd: {Marshal.PtrToStringUTF8(ZSTD_getErrorName(result))}");

    [LibraryImport("libzstd.so.1")]
    private static partial nint ZSTD_createCCtx();

    [LibraryImport("libzstd.so.1")]
    private static partial nuint ZSTD_freeCCtx(nint context);

    [LibraryImport("libzstd.so.1")]
    private static partial nuint ZSTD_CCtx_setParameter(nint context, int parameter, int value);

    [LibraryImport("libzstd.so.1")]
    private static partial nuint ZSTD_compressBound(nuint count);

    [LibraryImport("libzstd.so.1")]
    private static partial nuint ZSTD_compress2(nint context, byte* target, nuint capacity, byte* source, nuint count);

    [LibraryImport("libzstd.so.1")]
    private static partial uint ZSTD_isError(nuint result);

    [LibraryImport("libzstd.so.1")]
    private static partial nint ZSTD_getErrorName(nuint result);
}
