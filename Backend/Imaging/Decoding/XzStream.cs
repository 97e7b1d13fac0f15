using System.Runtime.InteropServices;

namespace Bootstrap.Imaging.Decoding;

/// <summary>
/// Decodes .xz by the system's liblzma (5.4 or later), on all processors where the file was made in blocks.
/// A managed decoder is a third slower, and import time is decoding time.
/// </summary>
public sealed unsafe partial class XzStream : ForwardStream
{
    private const int InputBytes = 1 << 20;
    private const ulong MemoryLimit = 1UL << 30;
    private const uint Concatenated = 0x08;

    private readonly Stream _file;
    private readonly byte[] _input = GC.AllocateUninitializedArray<byte>(InputBytes, pinned: true);
    private LzmaStream* _state;
    private bool _inputEnded;
    private bool _ended;

    /// <param name="file">The compressed bytes; disposed with this stream.</param>
    public XzStream(Stream file)
    {
        _file = file;
        _state = (LzmaStream*)NativeMemory.AllocZeroed((nuint)sizeof(LzmaStream));
        var options = new LzmaMt
        {
            Flags = Concatenated,
            Threads = (uint)Environment.ProcessorCount,
            MemoryLimitThreading = MemoryLimit,
            MemoryLimitStop = MemoryLimit,
        };
        int result;
        try
        {
            result = lzma_stream_decoder_mt(_state, &options);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            Free();
            throw new ImageException("xz images need liblzma 5.4 or later: install the package liblzma5", e);
        }
        if (result != 0)
        {
            Free();
            throw new ImageException($"liblzma cannot start (error {result})");
        }
    }

    public override int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_state is null, this);
        if (_ended || buffer.IsEmpty)
        {
            return 0;
        }
        fixed (byte* output = buffer)
        {
            _state->NextOut = output;
            _state->AvailableOut = (nuint)buffer.Length;
            while (_state->AvailableOut == (nuint)buffer.Length && !_ended)
            {
                Decode();
            }
            int decoded = buffer.Length - (int)_state->AvailableOut;
            _state->NextOut = null;
            return decoded;
        }
    }

    private void Decode()
    {
        if (_state->AvailableIn == 0 && !_inputEnded)
        {
            int read = _file.Read(_input);
            _inputEnded = read == 0;
            _state->NextIn = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_input, 0);
            _state->AvailableIn = (nuint)read;
        }
        int result = lzma_code(_state, _inputEnded ? 3 /* LZMA_FINISH */ : 0 /* LZMA_RUN */);
        switch (result)
        {
            case 0: // LZMA_OK
                break;
            case 1: // LZMA_STREAM_END
                _ended = true;
                break;
            case 10: // LZMA_BUF_ERROR: no progress is possible, the input is at its end
                throw new EndOfStreamException("the xz data ends too early");
            case 6: // LZMA_MEMLIMIT_ERROR
                throw new InvalidDataException("the xz data asks for more than 1 GiB of memory to decode");
            default:
                throw new InvalidDataException($"the xz data is damaged (liblzma error {result})");
        }
    }

    protected override void Dispose(bool disposing)
    {
        Free();
        if (disposing)
        {
            _file.Dispose();
        }
        base.Dispose(disposing);
    }

    private void Free()
    {
        if (_state is not null)
        {
            lzma_end(_state);
            NativeMemory.Free(_state);
            _state = null;
        }
    }

    // lzma_stream of lzma/base.h, 64-bit.
    [StructLayout(LayoutKind.Sequential, Size = 136)]
    private struct LzmaStream
    {
        public byte* NextIn;
        public nuint AvailableIn;
        public ulong TotalIn;
        public byte* NextOut;
        public nuint AvailableOut;
        public ulong TotalOut;
    }

    // lzma_mt of lzma/container.h, 64-bit.
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct LzmaMt
    {
        [FieldOffset(0)] public uint Flags;
        [FieldOffset(4)] public uint Threads;
        [FieldOffset(64)] public ulong MemoryLimitThreading;
        [FieldOffset(72)] public ulong MemoryLimitStop;
    }

    [LibraryImport("liblzma.so.5")]
    private static partial int lzma_stream_decoder_mt(LzmaStream* stream, LzmaMt* options);

    [LibraryImport("liblzma.so.5")]
    private static partial int lzma_code(LzmaStream* stream, int action);

    [LibraryImport("liblzma.so.5")]
    private static partial void lzma_end(LzmaStream* stream);
}
