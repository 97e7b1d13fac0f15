using Bootstrap.Imaging.Disks;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Imaging.Store;

/// <summary>
/// A stored image as the raw disk that it was: chunks are decoded as they are read, and free space, which was not stored, is zeros.
/// Not for several threads at once.
/// </summary>
public sealed class StoredImage : IDisposable
{
    /// <summary>Decoded chunks that are kept, 32 MiB: a file system's tables lie in a few, its files in others.</summary>
    private const int Kept = 8;

    private readonly ImageStore _store;
    private readonly ImageManifest _manifest;
    private readonly Dictionary<int, ImageChunk> _chunks;
    private readonly LinkedList<(int Index, byte[] Cell)> _decoded = new();
    private readonly ZstdSharp.Decompressor _decoder = new();

    /// <param name="manifest">Of an image of this store; <see cref="ImageManifest.FindFault"/> has found none.</param>
    public StoredImage(ImageStore store, ImageManifest manifest)
    {
        (_store, _manifest) = (store, manifest);
        _chunks = manifest.Chunks.ToDictionary(chunk => chunk.Index);
        Raw = new RawImage(Read, manifest.SizeBytes);
    }

    /// <summary>The image. Reading throws an <see cref="ImageException"/> where a stored chunk is missing or damaged.</summary>
    public RawImage Raw { get; }

    public void Dispose() => _decoder.Dispose();

    private void Read(long offset, Span<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            int index = (int)(offset / _manifest.ChunkSize), within = (int)(offset % _manifest.ChunkSize);
            Span<byte> part = buffer[..Math.Min(buffer.Length, _manifest.ChunkSize - within)];
            if (_chunks.TryGetValue(index, out ImageChunk? chunk))
            {
                Cell(chunk).AsSpan(within, part.Length).CopyTo(part);
            }
            else
            {
                part.Clear();
            }
            buffer = buffer[part.Length..];
            offset += part.Length;
        }
    }

    private byte[] Cell(ImageChunk chunk)
    {
        for (LinkedListNode<(int Index, byte[] Cell)>? node = _decoded.First; node is not null; node = node.Next)
        {
            if (node.Value.Index == chunk.Index)
            {
                _decoded.Remove(node);
                _decoded.AddFirst(node);
                return node.Value.Cell;
            }
        }
        byte[] cell = Decode(chunk);
        _decoded.AddFirst((chunk.Index, cell));
        if (_decoded.Count > Kept)
        {
            _decoded.RemoveLast();
        }
        return cell;
    }

    private byte[] Decode(ImageChunk chunk)
    {
        string path = _store.ChunkPath(chunk.StoredDigest);
        try
        {
            byte[] payload = new byte[chunk.Length];
            if (_decoder.Unwrap(File.ReadAllBytes(path), payload) != payload.Length || Protocol.Ids.Digest.Of(payload) != chunk.Digest)
            {
                throw new ImageException($"the stored chunk {path} is damaged: import {_manifest.Name} again");
            }
            byte[] cell = new byte[_manifest.ChunkSize];
            ReadOnlySpan<byte> rest = payload;
            foreach (ChunkRange range in chunk.Ranges)
            {
                rest[..range.Length].CopyTo(cell.AsSpan(range.Offset));
                rest = rest[range.Length..];
            }
            return cell;
        }
        catch (Exception e) when (e is IOException or ZstdSharp.ZstdException)
        {
            throw new ImageException($"the stored chunk {path} cannot be read: import {_manifest.Name} again", e);
        }
    }
}
