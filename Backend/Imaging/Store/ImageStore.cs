using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Imaging.Store;

/// <summary>
/// The folder that holds images: <c>chunks/ab/{stored digest}</c>, each one zstd frame, shared by all images that have it;
/// <c>manifests/{image digest}</c>, a <see cref="SignedManifest"/> in JSON; <c>temporary/</c>, emptied at every start.
/// An image exists when its manifest does: chunks are made durable first, and files appear under their names only when complete.
/// </summary>
public sealed class ImageStore
{
    private readonly string _chunks;
    private readonly string _manifests;

    private readonly Lock _removing = new();

    /// <summary>How many imports under way count on a chunk. Locked for a moment only, within <see cref="_removing"/> where both
    /// are.</summary>
    private readonly Dictionary<Digest, int> _claims = [];

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

    /// <summary>Begins an import: what it adds is safe from <see cref="RemoveOrphans"/> until it is disposed.</summary>
    internal ImportSession BeginImport() => new(this);

    /// <summary>Counts a chunk as wanted, though no image has it yet.</summary>
    internal void Claim(Digest stored)
    {
        lock (_claims)
        {
            _claims[stored] = _claims.GetValueOrDefault(stored) + 1;
        }
    }

    /// <summary>Takes claims back. Not while orphans are removed: an image that came meanwhile is not among those that were looked
    /// at.</summary>
    internal void Release(IEnumerable<Digest> stored)
    {
        lock (_removing)
        {
            lock (_claims)
            {
                foreach (Digest digest in stored)
                {
                    if (--_claims[digest] == 0)
                    {
                        _claims.Remove(digest);
                    }
                }
            }
        }
    }

    /// <summary>Removes an image, and the chunks that neither another image nor an import under way has.</summary>
    /// <returns>Bytes that were freed.</returns>
    public long Remove(Digest image)
    {
        File.Delete(ManifestPath(image));
        return RemoveOrphans();
    }

    /// <summary>Removes chunks that belong to no image, such as those of an interrupted import. What imports under way have added
    /// stays.</summary>
    /// <returns>Bytes that were freed.</returns>
    public long RemoveOrphans()
    {
        lock (_removing)
        {
            var wanted = new HashSet<string>();
            foreach (Digest image in Images())
            {
                wanted.UnionWith(ReadImage(image)?.Chunks.Select(c => c.StoredDigest.ToString()) ?? []);
            }
            return Directory.EnumerateFiles(_chunks, "*", SearchOption.AllDirectories)
                .Where(path => !wanted.Contains(Path.GetFileName(path))).Sum(RemoveUnclaimed);
        }
    }

    private long RemoveUnclaimed(string path)
    {
        // Whoever claims a chunk looks for its file afterwards: it is there and stays, or is gone and is written again.
        lock (_claims)
        {
            if (Digest.TryParse(Path.GetFileName(path), out Digest stored) && _claims.ContainsKey(stored))
            {
                return 0;
            }
            var file = new FileInfo(path);
            long length = file.Exists ? file.Length : 0;
            file.Delete();
            return length;
        }
    }
}
