using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Installer;

/// <summary>What the appliance stores of images, each piece checked before anything is done with it.</summary>
/// <param name="store">The caller's.</param>
public sealed class ImageFiles(StoreClient store)
{
    private const int MaximumSlaveBytes = 64 << 20;

    /// <summary>Fetches a manifest, and looks whether the appliance vouches for it and it fits together.</summary>
    /// <exception cref="InstallException">It is refused; the message says why.</exception>
    /// <exception cref="FetchException">It did not come.</exception>
    public async Task<ImageManifest> FetchManifestAsync(Digest image, X509Certificate2 authority, CancellationToken cancellation)
    {
        byte[] json = await store.FetchDocumentAsync("the image's manifest", $"/store/manifests/{image}", cancellation)
            .ConfigureAwait(false);
        SignedManifest? signed;
        try
        {
            signed = JsonSerializer.Deserialize(json, ProtocolJson.Default.SignedManifest);
        }
        catch (JsonException e)
        {
            throw new InstallException($"the image's manifest cannot be read: {e.Message}", mayPass: true);
        }
        string? fault = "it is empty";
        ImageManifest manifest = signed?.Verify(image, authority, out fault) ??
            throw new InstallException($"image {image} is refused: {fault}");
        if (manifest.Chunks is not [{ Index: 0 } first, ..] || first.Ranges[0].Offset != 0)
        {
            throw new InstallException($"image '{manifest.Name}' is refused: it has no partition table");
        }
        if (manifest.Partitions.Any(
            p => p.Start < Mbr.SectorBytes || p.Length <= 0 || p.Start > manifest.SizeBytes - p.Length || p.Start % Mbr.SectorBytes != 0))
        {
            throw new InstallException($"image '{manifest.Name}' is refused: a partition lies outside of it");
        }
        return manifest;
    }

    /// <summary>Fetches the Slave program.</summary>
    /// <exception cref="InstallException">It cannot be decoded, or its length cannot be.</exception>
    /// <exception cref="FetchException">It did not come.</exception>
    public async Task<byte[]> FetchSlaveAsync(RemoteFile slave, CancellationToken cancellation)
    {
        if (slave.Length is <= 0 or > MaximumSlaveBytes)
        {
            throw new InstallException($"the Slave program is said to have {slave.Length} bytes: refused");
        }
        byte[] packed = new byte[slave.Length];
        await store.FetchAsync("the Slave program", slave.Path, slave.Digest, packed, cancellation).ConfigureAwait(false);
        try
        {
            using var decoder = new ZstdSharp.Decompressor();
            return decoder.Unwrap(packed, MaximumSlaveBytes).ToArray();
        }
        catch (ZstdSharp.ZstdException e)
        {
            throw new InstallException($"the Slave program (digest {slave.Digest}) cannot be decoded: {e.Message}");
        }
    }

    /// <summary>Fetches a chunk into a lease's payload: checks it as it is stored, and only then decodes it.</summary>
    /// <exception cref="InstallException">It does not decode to what the manifest says.</exception>
    /// <exception cref="FetchException">It did not come.</exception>
    public async Task FetchChunkAsync(ImageChunk chunk, SlotPool.Lease slot, CancellationToken cancellation)
    {
        Memory<byte> stored = slot.Stored.AsMemory(0, chunk.StoredLength);
        await store.FetchAsync($"chunk {chunk.Index}", $"/store/chunks/{chunk.StoredDigest}", chunk.StoredDigest, stored, cancellation)
            .ConfigureAwait(false);
        int length;
        try
        {
            length = slot.Decoder.Unwrap(stored.Span, slot.Payload.Span[..chunk.Length]);
        }
        catch (ZstdSharp.ZstdException e)
        {
            throw new InstallException($"decoding chunk {chunk.Index} (stored digest {chunk.StoredDigest}): {e.Message}");
        }
        if (length != chunk.Length)
        {
            throw new InstallException(
                $"decoding chunk {chunk.Index} (stored digest {chunk.StoredDigest}): it gives {length} bytes, not {chunk.Length}");
        }
    }
}
