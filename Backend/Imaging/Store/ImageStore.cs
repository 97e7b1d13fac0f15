using System.Runtime.InteropServices;
using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;
using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Imaging.Store;

/// <summary>
/// The folder that holds images: <c>chunks/ab/{stored digest}</c>, each one zstd frame, shared by all images that have it;
/// <c>manifests/{image digest}</c>, a <see cref="SignedManifest"/> in JSON; <c>temporary/</c>, emptied at every start.
/// An image exists when its manifest does: chunks are made durable first, and files appear under their names only when complete.
/// </summary>
public sealed partial class ImageStore
{
    private readonly string _chunks;
    private readonly string _manifests;

    /// <param name="folder">Made if absent.</param>
    public ImageStore(string folder)
    {
        Folder = folder;
        _chunks = Path.Combine(folder, "chunks");
        _manifests = Path.Combine(folder, "manifests");
        TemporaryFolder = Path.Combine(folder, "temporary");
        Directory.CreateDirectory(_chunks);
        Directory.CreateDirectory(_manifests);
        if (Directory.Exists(TemporaryFolder))
        {
            Directory.Delete(TemporaryFolder, recursive: true);
        }
        Directory.CreateDirectory(TemporaryFolder);
    }

    public string Folder { get; }

    /// <summary>For files in the making, on the same file system as the store.</summary>
    public string TemporaryFolder { get; }

    /// <summary>Where a chunk lies, whether or not it is there.</summary>
    /// <param name="stored">Digest of the chunk as stored.</param>
    public string ChunkPath(Digest stored)
    {
        string name = stored.ToString();
        return Path.Combine(_chunks, name[..2], name);
    }

    /// <summary>Where a manifest lies, whether or not it is there.</summary>
    public string ManifestPath(Digest image) => Path.Combine(_manifests, image.ToString());

    /// <summary>The signed manifest of an image, or null.</summary>
    public SignedManifest? ReadManifest(Digest image)
    {
        string path = ManifestPath(image);
        return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), ProtocolJson.Default.SignedManifest) : null;
    }

    /// <summary>What the signed manifest of an image says, or null; this store wrote it, its signature is not looked at.</summary>
    public ImageManifest? ReadImage(Digest image) =>
        ReadManifest(image) is { } signed ? JsonSerializer.Deserialize(signed.Manifest, ProtocolJson.Default.ImageManifest) : null;

    /// <summary>All images of the store.</summary>
    public IEnumerable<Digest> Images()
    {
        foreach (string path in Directory.EnumerateFiles(_manifests))
        {
            if (Digest.TryParse(Path.GetFileName(path), out Digest digest))
            {
                yield return digest;
            }
        }
    }

    /// <summary>Stores a chunk. One that is there already stays as it is, if it is still sound.</summary>
    /// <param name="stored">Digest of <paramref name="bytes"/>.</param>
    internal void AddChunk(Digest stored, ReadOnlySpan<byte> bytes)
    {
        string path = ChunkPath(stored);
        if (File.Exists(path) && ChunkInspector.IsSound(path, stored))
        {
            return;
        }
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        string temporary = Path.Combine(TemporaryFolder, Guid.NewGuid().ToString("n"));
        using (SafeFileHandle file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write, preallocationSize: bytes.Length))
        {
            RandomAccess.Write(file, bytes, 0);
        }
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Makes an image exist, after all of its chunks were added.</summary>
    internal void AddManifest(SignedManifest manifest)
    {
        string temporary = Path.Combine(TemporaryFolder, Guid.NewGuid().ToString("n"));
        File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(manifest, ProtocolJson.Default.SignedManifest));
        // The chunks must not be younger on the disk than the manifest that promises them.
        SyncFileSystem(temporary);
        File.Move(temporary, ManifestPath(manifest.Digest), overwrite: true);
        SyncFileSystem(ManifestPath(manifest.Digest));
    }

    /// <summary>
    /// Removes an image, and the chunks that no other image has. Not to be called while an import runs: its chunks belong to no
    /// image yet.
    /// </summary>
    /// <returns>Bytes that were freed.</returns>
    public long Remove(Digest image)
    {
        File.Delete(ManifestPath(image));
        return RemoveOrphans();
    }

    /// <summary>Removes chunks that belong to no image, such as those of an import that was interrupted.</summary>
    /// <returns>Bytes that were freed.</returns>
    public long RemoveOrphans()
    {
        var wanted = new HashSet<string>();
        foreach (Digest image in Images())
        {
            wanted.UnionWith(ReadImage(image)?.Chunks.Select(c => c.StoredDigest.ToString()) ?? []);
        }
        long freed = 0;
        foreach (string path in Directory.EnumerateFiles(_chunks, "*", SearchOption.AllDirectories))
        {
            if (!wanted.Contains(Path.GetFileName(path)))
            {
                freed += new FileInfo(path).Length;
                File.Delete(path);
            }
        }
        return freed;
    }

    private static void SyncFileSystem(string path)
    {
        using SafeFileHandle file = File.OpenHandle(path);
        if (syncfs(file.DangerousGetHandle().ToInt32()) != 0)
        {
            throw new IOException($"cannot make {path} durable: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int syncfs(int fd);
}
