using System.Buffers;
using System.Collections.Concurrent;
using System.Threading.Channels;
using Bootstrap.Imaging.Decoding;
using Bootstrap.Imaging.Disks;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;
using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Imaging.Store;

/// <summary>How far an import is.</summary>
/// <param name="Phase"><c>decoding</c> or <c>storing</c>.</param>
/// <param name="Total">In bytes; 0 where it is not known beforehand.</param>
public readonly record struct ImportProgress(string Phase, long Done, long Total);

/// <summary>
/// Turns image files into stored images: decode once into a sparse file, look where data is, cut, digest and compress what is
/// used on all processors, sign. An image that cannot be taken leaves nothing behind.
/// </summary>
public sealed class ImageImporter(ImageStore store, ImageSigner signer)
{
    private const int CopyBytes = 1 << 20;

    /// <summary>zstd's own default: level 1 sends a tenth more over the wire, level 6 takes three times the time.</summary>
    private const int CompressionLevel = 3;

    /// <summary>Imports one image.</summary>
    /// <param name="file">The image as the user has it: raw, xz, zstd or gzip.</param>
    /// <param name="name">What people will call it.</param>
    /// <param name="architecture"><c>arm64</c> or <c>amd64</c> where the user says so; null: find out from the boot partition.</param>
    /// <param name="progress">Told a few times a second.</param>
    /// <param name="cancellation">Ends the import; nothing stays.</param>
    /// <returns>The manifest and its identity.</returns>
    /// <exception cref="ImageException">The image is refused; the message says why.</exception>
    public async Task<(Digest Image, ImageManifest Manifest)> ImportAsync(
        Stream file, string name, string? architecture, IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        string temporary = Path.Combine(store.TemporaryFolder, Guid.NewGuid().ToString("n"));
        try
        {
            using SafeFileHandle raw = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.ReadWrite, options: FileOptions.DeleteOnClose);
            long length = await DecodeAsync(file, raw, progress, cancellation).ConfigureAwait(false);
            var image = new RawImage(raw, length);
            DiskLayout layout = DiskLayout.Of(image);
            if (layout.Architecture is not null && architecture is not null && layout.Architecture != architecture)
            {
                throw new ImageException($"the image was said to be for {architecture}, but its boot partition is for {layout.Architecture}");
            }
            string runsOn = layout.Architecture ?? architecture ?? throw new ImageException(
                "the image does not tell which processor it is for: say so (architecture arm64 or amd64)");

            ImageChunk[] chunks = await StoreAsync(image, Cut(layout.Used), progress, cancellation).ConfigureAwait(false);
            var manifest = new ImageManifest(
                ImageManifest.CurrentFormat, name, runsOn, length, ImageManifest.DefaultChunkSize, layout.Partitions, chunks);
            SignedManifest signed = signer.Sign(manifest);
            store.AddManifest(signed);
            return (signed.Digest, manifest);
        }
        catch (IOException e) when (e.HResult == 28 /* ENOSPC */)
        {
            throw new ImageException($"the disk of {store.Folder} is full: free some space and import again", e);
        }
    }

    /// <summary>Decodes into a sparse file; runs of zeros take no space and no writing.</summary>
    private static async Task<long> DecodeAsync(
        Stream file, SafeFileHandle raw, IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        byte[] header = new byte[ImageDecoder.HeaderBytes];
        int headerBytes = await file.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
        ImageEncoding encoding = ImageDecoder.Recognise(header.AsSpan(0, headerBytes)) ?? throw new ImageException(
            "the file is not an image that is known: neither a raw disk image (no 55 AA at byte 510) nor xz, zstd or gzip");
        await using Stream decoded = ImageDecoder.Open(new PrefixedStream(header.AsMemory(0, headerBytes), file), encoding);

        // Decoding is computation: it has a thread of its own while this one writes what came before.
        Channel<(byte[] Buffer, int Count)> blocks = Channel.CreateBounded<(byte[], int)>(4);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task decoding = Task.Run(() => ReadBlocksAsync(decoded, blocks.Writer, stop.Token), CancellationToken.None);
        long length = 0;
        try
        {
            await foreach ((byte[] buffer, int count) in blocks.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
            {
                if (buffer.AsSpan(0, count).ContainsAnyExcept((byte)0))
                {
                    RandomAccess.Write(raw, buffer.AsSpan(0, count), length);
                }
                ArrayPool<byte>.Shared.Return(buffer);
                length += count;
                progress?.Report(new ImportProgress("decoding", length, 0));
            }
            await decoding.ConfigureAwait(false);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or ZstdSharp.ZstdException)
        {
            throw new ImageException($"the image cannot be decoded after {length} bytes: {e.Message}", e);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await decoding.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        if (length % 512 != 0)
        {
            throw new ImageException($"the image has {length} bytes, which is not a whole number of sectors: it is truncated");
        }
        RandomAccess.SetLength(raw, length);
        return length;
    }

    private static async Task ReadBlocksAsync(Stream decoded, ChannelWriter<(byte[], int)> blocks, CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                byte[] buffer = ArrayPool<byte>.Shared.Rent(CopyBytes);
                int count = decoded.ReadAtLeast(buffer.AsSpan(0, CopyBytes), CopyBytes, throwOnEndOfStream: false);
                if (count == 0)
                {
                    return;
                }
                await blocks.WriteAsync((buffer, count), cancellation).ConfigureAwait(false);
            }
        }
        finally
        {
            blocks.Complete(); // a fault is this task's own: whoever awaits it gets it
        }
    }

    private static List<(int Index, List<ChunkRange> Ranges)> Cut(IReadOnlyList<Extent> used)
    {
        var cells = new List<(int Index, List<ChunkRange> Ranges)>();
        foreach (Extent extent in used)
        {
            for (long at = extent.Start; at < extent.End;)
            {
                int index = (int)(at / ImageManifest.DefaultChunkSize);
                int offset = (int)(at % ImageManifest.DefaultChunkSize);
                int length = (int)Math.Min(extent.End - at, ImageManifest.DefaultChunkSize - offset);
                if (cells.Count == 0 || cells[^1].Index != index)
                {
                    cells.Add((index, []));
                }
                cells[^1].Ranges.Add(new ChunkRange(offset, length));
                at += length;
            }
        }
        return cells;
    }

    private async Task<ImageChunk[]> StoreAsync(
        RawImage image, List<(int Index, List<ChunkRange> Ranges)> cells, IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        var chunks = new ImageChunk[cells.Count];
        long total = cells.Sum(c => c.Ranges.Sum(r => (long)r.Length));
        long done = 0;
        var encoders = new ConcurrentBag<ChunkEncoder>();
        try
        {
            await Parallel.ForAsync(0, cells.Count, cancellation, (i, _) =>
            {
                ChunkEncoder encoder = encoders.TryTake(out ChunkEncoder? free) ? free : new ChunkEncoder(CompressionLevel);
                chunks[i] = encoder.Encode(image, cells[i].Index, cells[i].Ranges, store);
                encoders.Add(encoder);
                progress?.Report(new ImportProgress("storing", Interlocked.Add(ref done, chunks[i].Length), total));
                return ValueTask.CompletedTask;
            }).ConfigureAwait(false);
        }
        finally
        {
            foreach (ChunkEncoder encoder in encoders)
            {
                encoder.Dispose();
            }
        }
        return chunks;
    }

    /// <summary>One worker's buffers and compressor.</summary>
    private sealed class ChunkEncoder(int level) : IDisposable
    {
        private readonly ZstdSharp.Compressor _compressor = new(level);
        private readonly byte[] _payload = new byte[ImageManifest.DefaultChunkSize];
        private readonly byte[] _stored = new byte[ZstdSharp.Compressor.GetCompressBound(ImageManifest.DefaultChunkSize)];

        public ImageChunk Encode(RawImage image, int index, List<ChunkRange> ranges, ImageStore store)
        {
            long start = (long)index * ImageManifest.DefaultChunkSize;
            int length = 0;
            foreach (ChunkRange range in ranges)
            {
                image.Read(start + range.Offset, _payload.AsSpan(length, range.Length));
                length += range.Length;
            }
            ReadOnlySpan<byte> payload = _payload.AsSpan(0, length);
            int storedLength = _compressor.Wrap(payload, _stored);
            ReadOnlySpan<byte> stored = _stored.AsSpan(0, storedLength);
            Digest storedDigest = Digest.Of(stored);
            store.AddChunk(storedDigest, stored);
            return new ImageChunk(index, Digest.Of(payload), length, storedDigest, storedLength, ranges);
        }

        public void Dispose() => _compressor.Dispose();
    }
}
