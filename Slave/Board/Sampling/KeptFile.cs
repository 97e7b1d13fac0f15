using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Board.Sampling;

/// <summary>
/// A small file of /proc or /sys that is read again and again: it stays open, and no reading throws. A device that has gone leaves a file
/// that only fails; it is opened anew then.
/// </summary>
internal sealed class KeptFile(string path) : IDisposable
{
    private SafeFileHandle? _file;

    /// <summary>Reads from a place on, as far as the buffer goes.</summary>
    /// <returns>How many bytes; 0 at the end, and where it cannot be read.</returns>
    public int Read(Span<byte> buffer, long offset = 0)
    {
        // Once more where the device was exchanged.
        for (int attempt = 0; attempt < 2; attempt++)
        {
            _file ??= Open(path);
            if (_file is null)
            {
                return 0;
            }
            int length = PRead(_file, buffer, offset, out int errno);
            if (length >= 0)
            {
                return length;
            }
            if (errno is not (Linux.ENODEV or Linux.ENXIO or Linux.ESTALE or Linux.ENOENT))
            {
                return 0;
            }
            Dispose();
        }
        return 0;
    }

    /// <summary>The decimal number that it begins with; null where there is none.</summary>
    public long? ReadNumber(Span<byte> buffer)
    {
        var words = new Words(buffer[..Read(buffer[..Math.Min(buffer.Length, 64)])]);
        return words.NextSigned(out long number) ? number : null;
    }

    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
    }

    /// <summary>Text of a file that is read seldom, without white space and NULs around it.</summary>
    /// <param name="limit">What is longer is cut.</param>
    /// <returns>Null where there is none.</returns>
    public static string? TextOf(string path, int limit = 4096)
    {
        using SafeFileHandle? file = Open(path);
        byte[] buffer = new byte[limit];
        int length = 0;
        while (file is not null && length < limit && PRead(file, buffer.AsSpan(length), length, out _) is > 0 and var more)
        {
            length += more;
        }
        string text = Encoding.UTF8.GetString(buffer, 0, length).Trim('\0', ' ', '\t', '\n', '\r');
        return text.Length > 0 ? text : null;
    }

    /// <summary>Text of a file on one line that may be shown.</summary>
    public static string? LineOf(string path, int limit = 256) => TextOf(path, limit) is { } text ? Words.Shown(text) : null;

    /// <summary>Names in a folder, in no order; none where it cannot be read.</summary>
    /// <param name="limit">More are not looked at.</param>
    public static IEnumerable<string> NamesIn(string folder, int limit = 4096)
    {
        var names = new List<string>();
        try
        {
            names.AddRange(Directory.EnumerateFileSystemEntries(folder).Take(limit).Select(entry => Path.GetFileName(entry)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It has gone, or went while it was read: what was seen until then counts.
        }
        return names;
    }

    /// <summary>Opens for reading, never waiting for the other end of a pipe.</summary>
    private static SafeFileHandle? Open(string path)
    {
        int file = Linux.Open(path, Linux.O_RDONLY | Linux.O_NONBLOCK | Linux.O_CLOEXEC, 0);
        return file < 0 ? null : new SafeFileHandle(file, ownsHandle: true);
    }

    private static unsafe int PRead(SafeFileHandle file, Span<byte> buffer, long offset, out int errno)
    {
        fixed (byte* p = buffer)
        {
            nint length = Linux.PRead((int)file.DangerousGetHandle(), p, buffer.Length, offset);
            errno = length < 0 ? Marshal.GetLastPInvokeError() : 0;
            return (int)length;
        }
    }
}
