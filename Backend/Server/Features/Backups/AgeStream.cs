using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bootstrap.Server.Features.Backups;

/// <summary>
/// What follows an <see cref="AgeHeader"/>: blocks of 64 KiB, each sealed by ChaCha20-Poly1305 with its number and whether it is the last
/// one, so that none can be changed, moved or cut off unseen (the STREAM construction, as C2SP age v1 has it).
/// </summary>
internal abstract class AgeStream(byte[] key) : Stream
{
    protected const int PlainBytes = 64 << 10, TagBytes = 16, SealedBytes = PlainBytes + TagBytes;

    private readonly byte[] _nonce = new byte[12];
    private long _number;

    protected ChaCha20Poly1305 Cipher { get; } = new(key);

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Of the block that comes next: 11 bytes of its number, big-endian, and one that is 1 for the last.</summary>
    protected byte[] NextNonce(bool last)
    {
        BinaryPrimitives.WriteInt64BigEndian(_nonce.AsSpan(3), _number++);
        _nonce[11] = (byte)(last ? 1 : 0);
        return _nonce;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Cipher.Dispose();
        }
        base.Dispose(disposing);
    }
}

/// <summary>Seals what is written. The file is whole only after <see cref="FinishAsync"/>: one that was broken off is known as
/// such.</summary>
internal sealed class AgeWriter : AgeStream
{
    private readonly Stream _file;
    private readonly byte[] _plain = new byte[PlainBytes], _sealed = new byte[SealedBytes];
    private readonly byte[] _head;
    private int _held;
    private bool _begun;

    private AgeWriter(Stream file, byte[] head, byte[] key)
        : base(key) => (_file, _head) = (file, head);

    /// <param name="file">Stays open.</param>
    public static AgeWriter Create(Stream file, string passphrase)
    {
        using var head = new MemoryStream();
        byte[] key = AgeHeader.Write(head, passphrase);
        return new AgeWriter(file, head.ToArray(), key);
    }

    public override bool CanRead => false;

    public override bool CanWrite => true;

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            if (_held == PlainBytes)
            {
                await SealAsync(last: false, cancellationToken);
            }
            int taken = Math.Min(buffer.Length, PlainBytes - _held);
            buffer.Span[..taken].CopyTo(_plain.AsSpan(_held));
            _held += taken;
            buffer = buffer[taken..];
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("written asynchronously alone");

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>Writes what is left, as the end.</summary>
    public async Task FinishAsync(CancellationToken cancellation)
    {
        await SealAsync(last: true, cancellation);
        await _file.FlushAsync(cancellation);
    }

    private async Task SealAsync(bool last, CancellationToken cancellation)
    {
        if (!_begun)
        {
            _begun = true;
            await _file.WriteAsync(_head, cancellation);
        }
        Cipher.Encrypt(NextNonce(last), _plain.AsSpan(0, _held), _sealed.AsSpan(0, _held), _sealed.AsSpan(_held, TagBytes));
        await _file.WriteAsync(_sealed.AsMemory(0, _held + TagBytes), cancellation);
        _held = 0;
    }
}

/// <summary>Opens what <see cref="AgeWriter"/> sealed. Its end is reached only where that was written.</summary>
internal sealed class AgeReader : AgeStream
{
    private readonly Stream _file;
    private readonly byte[] _plain = new byte[PlainBytes];

    // A block and the first byte of the next one, which tells that there is one.
    private readonly byte[] _sealed = new byte[SealedBytes + 1];
    private int _ahead, _at, _held;
    private bool _begun, _ended;

    private AgeReader(Stream file, byte[] key)
        : base(key) => _file = file;

    /// <param name="file">Stays open.</param>
    /// <exception cref="InvalidDataException">It is no such file, or another passphrase's.</exception>
    public static AgeReader Open(Stream file, string passphrase) => new(file, AgeHeader.Read(file, passphrase));

    public override bool CanRead => true;

    public override bool CanWrite => false;

    /// <exception cref="InvalidDataException">The file is damaged or cut off.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_at == _held && !_ended)
        {
            int read = await _file.ReadAtLeastAsync(_sealed.AsMemory(_ahead), _sealed.Length - _ahead, throwOnEndOfStream: false,
                cancellationToken);
            OpenBlock(_ahead + read);
        }
        int given = Math.Min(buffer.Length, _held - _at);
        _plain.AsSpan(_at, given).CopyTo(buffer.Span);
        _at += given;
        return given;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("read asynchronously alone");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private void OpenBlock(int length)
    {
        _ended = length < _sealed.Length;
        int block = Math.Min(length, SealedBytes);
        if (block < TagBytes || (block == TagBytes && _begun)) // a last block has nothing in it where it is the only one
        {
            throw new InvalidDataException("this backup is cut off");
        }
        try
        {
            Cipher.Decrypt(NextNonce(_ended), _sealed.AsSpan(0, block - TagBytes), _sealed.AsSpan(block - TagBytes, TagBytes),
                _plain.AsSpan(0, block - TagBytes));
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw new InvalidDataException("this backup is damaged or cut off", e);
        }
        (_at, _held, _ahead, _begun) = (0, block - TagBytes, _ended ? 0 : 1, true);
        _sealed[0] = _sealed[^1];
    }
}
