using System.Buffers;
using System.Collections.Concurrent;
using Bootstrap.Imaging.Decoding;
using Bootstrap.Imaging.Disks;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;
using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Imaging.Store;

/// <summary>How far an import is.</summary>
/// <param name="Phase"><c>decoding</c>; <c>storing</c> once all is decoded and the last chunks are on their way.</param>
/// <param name="Done">Bytes of the file that were taken.</param>
public readonly record struct ImportProgress(string Phase, long Done);

/// <summary>An image that was imported.</summary>
/// <param name="Notes">What whoever imported it should know, a sentence each.</param>
public sealed record ImportedImage(Digest Image, ImageManifest Manifest, IReadOnlyList<string> Notes);

/// <summary>
/// Turns image files into stored images: decodes once into a sparse file and, behind the decoder, looks where data is, cuts,
/// digests and compresses what is used on all processors; then signs. An image that cannot be taken leaves nothing behind.
/// </summary>
public sealed class ImageImporter(ImageStore store, ImageSigner signer)
{
    private const int BlockBytes = 1 << 20;
    private const int BlocksInFlight = 4;

    /// <summary>Imports one image. What fails takes the chunks with it that belong to no image and to no other import.</summary>
    /// <param name="file">The image as the user has it: raw, xz, zstd or gzip.</param>
    /// <param name="name">What people will call it.</param>
    /// <param name="architecture"><c>arm64</c> or <c>amd64</c> where the user says so; null: find out from the boot partition.</param>
    /// <param name="progress">Told after each decoded piece.</param>
    /// <param name="cancellation">Ends the import; nothing stays.</param>
    /// <exception cref="ImageException">The image is refused; the message says why.</exception>
    public async Task<ImportedImage> ImportAsync(
        Stream file, string name, string? architecture, IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        string temporary = Path.Combine(store.TemporaryFolder, Guid.NewGuid().ToString("n"));
        ImportSession import = store.BeginImport();
        bool isClean = false;
        try
        {
            using SafeFileHandle raw = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.ReadWrite,
                options: FileOptions.DeleteOnClose);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var image = new RawImage(raw);
            using var decoded = new BlockingCollection<DecodedBlock>(BlocksInFlight);
            (ImageManifest Manifest, IReadOnlyList<string> Notes)? stored = null;
            await Workers.RunAsync(
                onFailure: () =>
                {
                    stop.Cancel();
                    image.Abandon();
                },
                () => Decode(file, decoded, progress, stop.Token),
                () => Write(decoded, raw, image, stop.Token),
                () => stored = Store(import, image, name, architecture, stop.Token)).ConfigureAwait(false);
            (ImageManifest manifest, IReadOnlyList<string> notes) = stored!.Value;
            SignedManifest signed = signer.Sign(manifest);
            import.AddManifest(signed, manifest, cancellation);
            isClean = !import.HasMoreThan(manifest);
            return new ImportedImage(signed.Digest, manifest, notes);
        }
        catch (IOException e) when (e.HResult == 28 /* ENOSPC */)
        {
            throw new ImageException($"the disk of {store.Folder} is full: free some space and import again", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ImageException(
                $"files have gone from {store.Folder} while it was imported: see that nothing else works in that folder, and import it " +
                    "again", e);
        }
        finally
        {
            import.Dispose();
            if (!isClean)
            {
                store.RemoveOrphans();
            }
        }
    }

    private static void Decode(
        Stream file, BlockingCollection<DecodedBlock> blocks, IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        byte[] header = new byte[ImageDecoder.HeaderBytes];
        int headerBytes = file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        ImageEncoding encoding = ImageDecoder.Recognise(header.AsSpan(0, headerBytes)) ?? throw new ImageException("the file is " +
            (ForeignFile.Describe(header.AsSpan(0, headerBytes)) ??
            "no image that is known: neither a raw disk image (no 55 AA at byte 510) nor xz, zstd or gzip"));
        using var source = new PrefixedStream(header.AsMemory(0, headerBytes), file);
        using Stream decoded = ImageDecoder.Open(source, encoding);
        long length = 0;
        try
        {
            while (true)
            {
                byte[] buffer = ArrayPool<byte>.Shared.Rent(BlockBytes);
                int count = decoded.ReadAtLeast(buffer.AsSpan(0, BlockBytes), BlockBytes, throwOnEndOfStream: false);
                if (count == 0)
                {
                    break;
                }
                blocks.Add(new DecodedBlock(buffer, count), cancellation);
                length += count;
                progress?.Report(new ImportProgress("decoding", source.Given));
            }
        }
        catch (Exception e) when (e is EndOfStreamException
            || (e is InvalidDataException && encoding == ImageEncoding.Gzip && source.HasEnded))
        {
            throw new ImageException($"the file ends too early, after {length} bytes of the image: copy or download it once more", e);
        }
        catch (ZstdSharp.ZstdException e) when (e.Code == ZstdSharp.Unsafe.ZSTD_ErrorCode.ZSTD_error_frameParameter_windowTooLarge)
        {
            throw new ImageException(
                "the zstd file needs a window of more than 1 GiB to decode: compress the image with --long=30 or less", e);
        }
        catch (Exception e) when (e is InvalidDataException or ZstdSharp.ZstdException)
        {
            throw new ImageException($"the image cannot be decoded after {length} bytes: {e.Message}", e);
        }
        if (length % 512 != 0)
        {
            throw new ImageException($"the image has {length} bytes, which is not a whole number of sectors: it is truncated");
        }
        blocks.CompleteAdding();
        progress?.Report(new ImportProgress("storing", source.Given));
    }

    /// <summary>Writes into a sparse file: runs of zeros take no space and no writing.</summary>
    private static void Write(BlockingCollection<DecodedBlock> blocks, SafeFileHandle raw, RawImage image, CancellationToken cancellation)
    {
        long length = 0;
        foreach (DecodedBlock block in blocks.GetConsumingEnumerable(cancellation))
        {
            ReadOnlySpan<byte> bytes = block.Buffer.AsSpan(0, block.Count);
            if (bytes.ContainsAnyExcept((byte)0))
            {
                RandomAccess.Write(raw, bytes, length);
            }
            ArrayPool<byte>.Shared.Return(block.Buffer);
            length += block.Count;
            image.Grow(length);
        }
        image.Complete();
    }

    /// <summary>Stores what is used of an image, as it comes out of the decoder.</summary>
    private static (ImageManifest Manifest, IReadOnlyList<string> Notes) Store(
        ImportSession import, RawImage image, string name, string? architecture, CancellationToken cancellation)
    {
        DiskLayout layout = DiskLayout.Of(image);
        if (layout.Architecture is not null && architecture is not null && layout.Architecture != architecture)
        {
            throw new ImageException($"the image was said to be for {architecture}, but its boot partition is for {layout.Architecture}");
        }
        string runsOn = layout.Architecture ?? architecture ?? throw new ImageException(
            "the image does not tell which processor it is for: say so (architecture arm64 or amd64)");
        IReadOnlyList<ImageChunk> chunks;
        int notes;
        do
        {
            // A bitmap far behind may tell that those before it are not to be believed: then what they left out is stored as well.
            notes = layout.Notes.Count;
            chunks = StoreChunks(import, image, layout.Used, cancellation);
        }
        while (layout.Notes.Count > notes);
        var manifest = new ImageManifest(
            ImageManifest.CurrentFormat, name, runsOn, image.Length, ImageManifest.DefaultChunkSize, layout.Partitions, chunks,
            layout.Slots);
        ImageRoot root = layout.FindRoot();
        bool tells = root.Fault is null && manifest.FindRoot(out _)?.Number == root.Partition;
        return (tells ? manifest : manifest with { Root = root },
            root.Fault is { } fault ? [.. layout.Notes, $"It cannot be installed on nodes: {fault}."] : layout.Notes);
    }

    private static ImageChunk[] StoreChunks(ImportSession import, RawImage image, IEnumerable<Extent> used, CancellationToken cancellation)
    {
        var chunks = new List<ImageChunk>();
        using IEnumerator<ChunkCell> cells = ChunkCell.Cut(used).GetEnumerator();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Workers.RunAsync(stop.Cancel, [.. Enumerable.Repeat(StoreCells, Environment.ProcessorCount)]).GetAwaiter().GetResult();
        return [.. chunks.OrderBy(c => c.Index)];

        void StoreCells()
        {
            using var encoder = new ChunkEncoder(import);
            while (TakeCell() is { } cell)
            {
                ImageChunk chunk = encoder.Encode(image, cell);
                lock (chunks)
                {
                    chunks.Add(chunk);
                }
            }
        }

        ChunkCell? TakeCell()
        {
            // Finding the next cell may wait for the decoder; the others would only wait for the same.
            lock (cells)
            {
                stop.Token.ThrowIfCancellationRequested();
                return cells.MoveNext() ? cells.Current : null;
            }
        }
    }

    private readonly record struct DecodedBlock(byte[] Buffer, int Count);
}
