using System.Runtime.InteropServices;

namespace Bootstrap.Board;

/// <summary>Memory that O_DIRECT accepts: outside the collected heap, at a page boundary. The owner disposes it.</summary>
public sealed unsafe class AlignedBuffer(int length) : IDisposable
{
    // Largest page of any board (a Pi 5's kernel uses 16 KiB pages); disks ask for their block size at most.
    private const int Alignment = 16384;

    private void* _memory = NativeMemory.AlignedAlloc((nuint)length, Alignment);

    /// <summary>The memory; not to be kept beyond <see cref="Dispose"/>.</summary>
    public Span<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_memory is null, this);
            return new Span<byte>(_memory, length);
        }
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }
}
