using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;
using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Imaging.Store;

/// <summary>One import's part of the store: the chunks that it has added belong to it until it has an image, or is disposed.</summary>
internal sealed class ImportSession(ImageStore store) : IDisposable
{
    private readonly HashSet<Digest> _claimed = [];

    /// <summary>Stores a chunk. One that is there already stays as it is, if it is still sound.</summary>
    /// <param name="stored">Digest of <paramref name="bytes"/>.</param>
    public void AddChunk(Digest stored, ReadOnlySpan<byte> bytes)
    {
        lock (_claimed)
        {
            if (_claimed.Add(stored))
            {
                store.Claim(stored);
            }
        }
        string path = store.ChunkPath(stored);
        if (File.Exists(path) && ChunkInspector.IsSound(path, stored))
        {
            return;
        }
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Place(path, bytes, _ => { });
    }

    /// <summary>Whether chunks were added that an image does not have.</summary>
    public bool HasMoreThan(ImageManifest manifest) =>
        _claimed.Count > manifest.Chunks.Select(chunk => chunk.StoredDigest).Distinct().Count();

    /// <summary>Makes an image exist, once all of its chunks are proven to be there, whole and durable.</summary>
    /// <exception cref="ImageException">
    /// A chunk is missing or damaged: somebody else was at the store's folder, or its disk fails. The image does not exist.
    /// </exception>
    public void AddManifest(SignedManifest signed, ImageManifest manifest, CancellationToken cancellation)
    {
        string path = store.ManifestPath(signed.Digest);
        bool isNew = !File.Exists(path);
        Place(path, JsonSerializer.SerializeToUtf8Bytes(signed, ProtocolJson.Default.SignedManifest), temporary =>
        {
            // The chunks must not be younger on the disk than the manifest that promises them.
            Durable.SyncFileSystem(temporary);
            Prove(manifest, store.Folder, chunk => ChunkInspector.IsSound(PathOf(chunk), chunk.StoredDigest), cancellation);
        });
        Durable.SyncFileSystem(path);
        try
        {
            // Who removes orphans without having seen the manifest may have been at work until it was there.
            Prove(manifest, store.Folder, chunk => new FileInfo(PathOf(chunk)).Length == chunk.StoredLength, CancellationToken.None);
        }
        catch (ImageException) when (isNew)
        {
            File.Delete(path);
            throw;
        }
    }

    /// <summary>Gives up what was claimed and belongs to no image.</summary>
    public void Dispose()
    {
        store.Release(_claimed);
        _claimed.Clear();
    }

    private static void Prove(ImageManifest manifest, string folder, Func<ImageChunk, bool> isThere, CancellationToken cancellation)
    {
        int lost = 0;
        var options = new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount };
        Parallel.ForEach(manifest.Chunks, options, chunk =>
        {
            try
            {
                if (isThere(chunk))
                {
                    return;
                }
            }
            catch (IOException)
            {
                // It is not, or cannot be read, which comes to the same.
            }
            Interlocked.Increment(ref lost);
        });
        if (lost > 0)
        {
            throw new ImageException(
                $"{lost} of its {manifest.Chunks.Count} chunks have gone from {folder}, were changed or cannot be read: " +
                "see that nothing else works in that folder and that its disk is sound, and import it again");
        }
    }

    private string PathOf(ImageChunk chunk) => store.ChunkPath(chunk.StoredDigest);

    /// <summary>Puts a file in its place, whole or not at all.</summary>
    /// <param name="before">Done before it appears, with where it lies until then.</param>
    private void Place(string path, ReadOnlySpan<byte> bytes, Action<string> before)
    {
        string temporary = Path.Combine(store.TemporaryFolder, Guid.NewGuid().ToString("n"));
        try
        {
            using (SafeFileHandle file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write, preallocationSize: bytes.Length))
            {
                RandomAccess.Write(file, bytes, 0);
            }
            before(temporary);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
