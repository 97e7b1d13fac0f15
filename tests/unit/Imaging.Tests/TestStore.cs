using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Imaging.Store;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Imaging.Tests;

/// <summary>A store in a folder of its own, with a CA and a signer.</summary>
internal sealed class TestStore : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("test-store-").FullName;

    public TestStore()
    {
        Authority = Certify("CN=test authority", null);
        Store = new ImageStore(_folder);
        Signer = new ImageSigner(Certify($"CN={SignedManifest.SignerName}", Authority));
        Importer = new ImageImporter(Store, Signer);
    }

    public ImageSigner Signer { get; }

    public X509Certificate2 Authority { get; }

    public ImageStore Store { get; }

    public ImageImporter Importer { get; }

    /// <summary>Of the image that was imported last.</summary>
    public IReadOnlyList<string> Notes { get; private set; } = [];

    public int ChunkFiles => Directory.EnumerateFiles(Path.Combine(_folder, "chunks"), "*", SearchOption.AllDirectories).Count();

    public bool IsEmpty => ChunkFiles == 0 && !Store.Images().Any() && !Directory.EnumerateFileSystemEntries(Store.TemporaryFolder).Any();

    public async Task<(Digest Image, ImageManifest Manifest)> ImportAsync(string path, string? architecture = null)
    {
        await using FileStream file = File.OpenRead(path);
        ImportedImage imported = await Importer.ImportAsync(file, "test", architecture, null, TestContext.Current.CancellationToken);
        Notes = imported.Notes;
        return (imported.Image, imported.Manifest);
    }

    /// <summary>Writes an image onto a disk as a node does: each chunk's ranges and nothing else.</summary>
    public void Restore(ImageManifest manifest, string disk)
    {
        using FileStream target = File.Open(disk, FileMode.OpenOrCreate);
        using var decoder = new ZstdSharp.Decompressor();
        foreach (ImageChunk chunk in manifest.Chunks)
        {
            byte[] stored = File.ReadAllBytes(Store.ChunkPath(chunk.StoredDigest));
            Assert.Equal(chunk.StoredDigest, Digest.Of(stored));
            ReadOnlySpan<byte> payload = decoder.Unwrap(stored);
            Assert.Equal(chunk.Digest, Digest.Of(payload));
            foreach (ChunkRange range in chunk.Ranges)
            {
                target.Position = (long)chunk.Index * manifest.ChunkSize + range.Offset;
                target.Write(payload[..range.Length]);
                payload = payload[range.Length..];
            }
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static X509Certificate2 Certify(string name, X509Certificate2? issuer)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(issuer is null, issuer is null, 0, true));
        DateTimeOffset start = TimeProvider.System.GetUtcNow().AddHours(-1);
        return issuer is null
            ? request.CreateSelfSigned(start, start.AddYears(1))
            : request.Create(issuer, start.AddMinutes(1), start.AddDays(1), [1, 2, 3]).CopyWithPrivateKey(key);
    }
}
