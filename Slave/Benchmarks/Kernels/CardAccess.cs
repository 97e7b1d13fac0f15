using System.Buffers.Binary;
using System.Security.Cryptography;
using Bootstrap.Board;
using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Benchmarks.Kernels;

/// <summary>
/// Reads or writes a scratch file, one operation after the other and past the page cache (O_DIRECT, as iozone -I does it): what the card
/// itself does. The file has no name from the moment it is open, so that nothing of it stays whatever ends the program. Each page of it
/// tells which one it is and how often it was written.
/// </summary>
internal sealed class CardAccess : Kernel
{
    /// <summary>Bytes of a page of the file, and of a block: what one operation at random, and one in a row, moves.</summary>
    public const int PageBytes = 4 << 10, BlockBytes = 1 << 20;

    private const int PagesPerBlock = BlockBytes / PageBytes, StampBytes = 2 * sizeof(long);

    /// <summary>Pages that are compared from end to end when it is over.</summary>
    private const int Looks = 256;

    private readonly bool _isWriting, _isRandom;
    private readonly AlignedBuffer _content = new(BlockBytes), _read = new(BlockBytes);
    private readonly SafeFileHandle _file;
    private readonly uint[] _written;
    private readonly int _pagesAtOnce;
    private readonly Random _random = new();
    private int _next;

    /// <summary>Makes the file and fills it, so that what is read is there, and what is written has its place.</summary>
    /// <param name="folder">On the card.</param>
    /// <param name="bytes">Of the file; a block at least.</param>
    /// <exception cref="IOException">The folder is on nothing that can be read past the page cache, or it failed.</exception>
    public CardAccess(string folder, long bytes, bool isWriting, bool isRandom)
    {
        (_isWriting, _isRandom, _pagesAtOnce) = (isWriting, isRandom, isRandom ? 1 : PagesPerBlock);
        _written = new uint[checked((int)(bytes / BlockBytes)) * PagesPerBlock];
        RandomNumberGenerator.Fill(_content.Span);
        _file = Open(folder);
        for (int page = 0; page < _written.Length; page += PagesPerBlock)
        {
            Write(page, PagesPerBlock);
        }
        RandomAccess.FlushToDisk(_file);
    }

    /// <summary>The file, for tests that spoil it.</summary>
    internal SafeFileHandle File => _file;

    public override double Run(long times)
    {
        for (long i = 0; i < times; i++)
        {
            int page = _isRandom ? _random.Next(_written.Length) : _next;
            if (_isWriting)
            {
                Write(page, _pagesAtOnce);
            }
            else
            {
                Read(page, _pagesAtOnce);
            }
            _next = (page + _pagesAtOnce) % _written.Length;
        }
        return _isRandom ? times : (double)times * BlockBytes;
    }

    public override void Verify()
    {
        for (int i = 0; i < Looks; i++)
        {
            int page = _random.Next(_written.Length);
            ReadOnlySpan<byte> found = Read(page, 1);
            if (!found[StampBytes..].SequenceEqual(Content(page, 1)[StampBytes..]))
            {
                throw new WrongResultException($"page {page} of the scratch file is not what was written to it");
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _file.Dispose();
            _content.Dispose();
            _read.Dispose();
        }
    }

    private static SafeFileHandle Open(string folder)
    {
        if (new DriveInfo(folder).DriveType == DriveType.Ram)
        {
            throw new IOException($"{folder} is in memory: there is no card to measure there");
        }
        string path = Path.Combine(folder, $"benchmark-{Guid.NewGuid():N}.scratch");
        int flags = Linux.O_RDWR | Linux.O_CREAT | Linux.O_EXCL | Linux.O_NOFOLLOW | Linux.O_CLOEXEC | Linux.O_DIRECT;
        try
        {
            nint fd = (nint)Linux.Check(Linux.Open(path, flags, 0x180), $"making a scratch file in {folder}");
            return new SafeFileHandle(fd, ownsHandle: true);
        }
        catch (LinuxException e) when (e.Errno == Linux.EINVAL)
        {
            throw new IOException($"the file system of {folder} caches whatever is asked for: its card cannot be measured", e);
        }
        finally
        {
            System.IO.File.Delete(path);
        }
    }

    private void Write(int page, int count)
    {
        Span<byte> content = Content(page, count);
        for (int i = 0; i < count; i++)
        {
            Span<byte> stamp = content.Slice(i * PageBytes, StampBytes);
            BinaryPrimitives.WriteInt64LittleEndian(stamp, page + i);
            BinaryPrimitives.WriteInt64LittleEndian(stamp[sizeof(long)..], ++_written[page + i]);
        }
        RandomAccess.Write(_file, content, (long)page * PageBytes);
    }

    private ReadOnlySpan<byte> Read(int page, int count)
    {
        Span<byte> found = _read.Span[..(count * PageBytes)];
        int length = RandomAccess.Read(_file, found, (long)page * PageBytes);
        if (length != found.Length || BinaryPrimitives.ReadInt64LittleEndian(found) != page ||
            BinaryPrimitives.ReadInt64LittleEndian(found[sizeof(long)..]) != _written[page])
        {
            throw new WrongResultException($"page {page} of the scratch file is another one, or an older one, than was written last");
        }
        return found;
    }

    /// <summary>What stands in those pages, but for their stamps.</summary>
    private Span<byte> Content(int page, int count) => _content.Span.Slice(page % PagesPerBlock * PageBytes, count * PageBytes);
}
