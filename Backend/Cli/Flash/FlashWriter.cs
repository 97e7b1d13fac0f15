using System.Runtime.InteropServices;
using Bootstrap.Cli.Api;
using Bootstrap.Protocol.Ids;
using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Cli.Flash;

/// <summary>Some bytes that were written, and what they must read as.</summary>
internal readonly record struct WrittenPiece(long Offset, int Length, Digest Digest);

/// <summary>Writes pieces to a target, and reads all of them back from the medium itself.</summary>
internal sealed partial class FlashWriter : IDisposable
{
    private const nuint BlkFlsBuf = 0x1261;

    private readonly SafeFileHandle _handle;
    private readonly FlashTarget _target;
    private readonly List<WrittenPiece> _pieces = [];

    /// <exception cref="CliException">The target cannot be opened.</exception>
    public FlashWriter(FlashTarget target)
    {
        _target = target;
        try
        {
            _handle = File.OpenHandle(target.Path, target.SizeBytes is null ? FileMode.CreateNew : FileMode.Open, FileAccess.ReadWrite,
                FileShare.None);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new CliException($"{target.Path} may not be written by this user: run with sudo", e);
        }
        catch (IOException e)
        {
            throw new CliException($"{target.Path} cannot be opened: {e.Message}", e);
        }
    }

    public long BytesWritten => _pieces.Sum(p => (long)p.Length);

    /// <summary>Writes one piece.</summary>
    /// <exception cref="CliException">The medium refused.</exception>
    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        try
        {
            RandomAccess.Write(_handle, data, offset);
        }
        catch (IOException e)
        {
            throw new CliException(
                $"writing at byte {offset} of {_target.Path} failed: {e.Message}; the card is incomplete and probably broken", e);
        }
        _pieces.Add(new WrittenPiece(offset, data.Length, Digest.Of(data)));
    }

    /// <summary>Reads everything back from the medium, past the kernel's cache.</summary>
    /// <exception cref="CliException">Something reads differently.</exception>
    public void Verify(Action<long> progress)
    {
        RandomAccess.FlushToDisk(_handle);
        // On a file there is no cache of ours to drop: the request is refused and no harm done.
        _ = ioctl(_handle.DangerousGetHandle().ToInt32(), BlkFlsBuf, 0);
        byte[] buffer = new byte[_pieces.Max(p => p.Length)];
        long done = 0;
        foreach (WrittenPiece piece in _pieces)
        {
            for (int read = 0; read < piece.Length;)
            {
                int count = RandomAccess.Read(_handle, buffer.AsSpan(read, piece.Length - read), piece.Offset + read);
                if (count == 0)
                {
                    throw new CliException($"{_target.Path} ends at byte {piece.Offset + read}: it is smaller than it says");
                }
                read += count;
            }
            if (Digest.Of(buffer.AsSpan(0, piece.Length)) != piece.Digest)
            {
                throw new CliException(
                    $"{_target.Path} reads differently from what was written at byte {piece.Offset}: the card is broken, use another");
            }
            progress(done += piece.Length);
        }
    }

    /// <summary>Gives a file its full size.</summary>
    public void SetLength(long bytes)
    {
        if (_target.SizeBytes is null)
        {
            RandomAccess.SetLength(_handle, bytes);
        }
    }

    public void Dispose() => _handle.Dispose();

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(int fd, nuint request, nint argument);
}
