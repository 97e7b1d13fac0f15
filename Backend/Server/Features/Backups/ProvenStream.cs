using System.Security.Cryptography;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Server.Features.Backups;

/// <summary>A file whose digest is known: its end is reached only where what was read has it.</summary>
/// <param name="content">Read from its beginning to its end; it is disposed with this.</param>
/// <param name="name">What the file is called where it is damaged.</param>
internal sealed class ProvenStream(Stream content, Digest digest, string name) : Stream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private bool _proven;

    public override bool CanRead => true;

    /// <summary>Only so that the archive's writer asks for its length; it is read once, in order.</summary>
    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => content.Length;

    public override long Position { get => content.Position; set => throw new NotSupportedException(); }

    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = await content.ReadAsync(buffer, cancellationToken);
        _hash.AppendData(buffer.Span[..read]);
        if (read == 0 && buffer.Length > 0 && !_proven)
        {
            _proven = true;
            if (Digest.Finish(_hash) != digest)
            {
                throw new InvalidDataException($"{name} is damaged");
            }
        }
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("read asynchronously alone");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            content.Dispose();
            _hash.Dispose();
        }
        base.Dispose(disposing);
    }
}
