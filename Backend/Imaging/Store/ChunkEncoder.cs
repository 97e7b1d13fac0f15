using Bootstrap.Imaging.Disks;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Imaging.Store;

/// <summary>One worker's buffers and compressor.</summary>
internal sealed class ChunkEncoder(ImportSession import) : IDisposable
{
    /// <summary>zstd's own default: level 1 sends a tenth more over the wire, level 6 takes three times the time.</summary>
    private const int CompressionLevel = 3;

    private readonly ZstdEncoder _compressor = new(CompressionLevel);
    private readonly byte[] _payload = new byte[ImageManifest.DefaultChunkSize];
    private readonly byte[] _stored = new byte[ZstdEncoder.Bound(ImageManifest.DefaultChunkSize)];

    /// <summary>Reads a cell of an image, compresses it and puts it into the store.</summary>
    public ImageChunk Encode(RawImage image, ChunkCell cell)
    {
        long start = (long)cell.Index * ImageManifest.DefaultChunkSize;
        int length = 0;
        foreach (ChunkRange range in cell.Ranges)
        {
            image.Read(start + range.Offset, _payload.AsSpan(length, range.Length));
            length += range.Length;
        }
        ReadOnlySpan<byte> payload = _payload.AsSpan(0, length);
        int storedLength = _compressor.Encode(payload, _stored);
        ReadOnlySpan<byte> stored = _stored.AsSpan(0, storedLength);
        Digest storedDigest = Digest.Of(stored);
        import.AddChunk(storedDigest, stored);
        return new ImageChunk(cell.Index, Digest.Of(payload), length, storedDigest, storedLength, cell.Ranges);
    }

    public void Dispose() => _compressor.Dispose();
}
