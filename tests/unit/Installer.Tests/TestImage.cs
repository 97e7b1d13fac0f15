using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Installer.Tests;

/// <summary>A small image (MBR, boot and root partition, holes) cut into chunks and signed by a CA of its own.</summary>
public sealed class TestImage
{
    public const int ChunkSize = 64 << 10;
    public const int ChunkCount = 16;
    public const int Size = ChunkSize * ChunkCount;
    public const int BootStart = 48 << 10;
    public const int RootStart = 512 << 10;

    private static readonly (ECDsa Key, X509Certificate2 Certificate) s_authority = MakeAuthority();

    public byte[] Raw { get; } = new byte[Size];

    /// <summary>Which bytes of the image are in use.</summary>
    public bool[] Used { get; } = new bool[Size];

    public Dictionary<string, byte[]> Files { get; } = [];

    public SignedManifest Signed { get; }

    public static X509Certificate2 Authority => s_authority.Certificate;

    /// <summary>Number of the root of the first of two slots.</summary>
    public const int FirstRoot = 3;

    /// <param name="hasSlots">The root is cut in two, and there is a second boot partition: 1 and 3 are the first slot, 2 and 4 the
    /// second.</param>
    /// <param name="loaderBytes">What a boot loader takes before the first partition, the partition table included.</param>
    /// <param name="isLoaderEmpty">What it takes behind the partition table is zero, and in use nevertheless.</param>
    /// <param name="root">There is a data partition (3) behind the root (2), and this is what the image says.</param>
    public TestImage(int seed = 1, string architecture = "arm64", bool hasSlots = false, ImageRoot? root = null,
        int loaderBytes = 4096, bool isLoaderEmpty = false)
    {
        var random = new Random(seed);
        random.NextBytes(Raw);
        Raw.AsSpan(0, isLoaderEmpty ? loaderBytes : 512).Clear();
        WriteEntry(1, 0x0c, BootStart, RootStart - BootStart);
        WriteEntry(2, 0x83, RootStart, Size - RootStart);
        Raw[510] = 0x55;
        Raw[511] = 0xaa;
        var chunks = new List<ImageChunk>();
        for (int i = 0; i < ChunkCount; i++)
        {
            if (i % 5 == 4)
            {
                continue; // a cell of nothing but free space
            }
            ChunkRange[] ranges = i == 0 ? [new(0, loaderBytes), new(BootStart, 8192)]
                : [new(0, 512 * random.Next(1, 40)), new(32 << 10, 512 * random.Next(1, 60))];
            chunks.Add(Cut(i, ranges));
        }
        const int half = (Size - RootStart) / 2, boot = (RootStart - BootStart) / 2;
        var manifest = hasSlots
            ? new ImageManifest(1, "test", architecture, Size, ChunkSize,
                [new(1, BootStart, boot, "0c", "vfat", ""), new(2, BootStart + boot, boot, "0c", "vfat", ""),
                    new(FirstRoot, RootStart, half, "83", "ext4", ""), new(4, RootStart + half, half, "83", "ext4", "")], chunks,
                    [new(1, FirstRoot), new(2, 4)])
            : new ImageManifest(1, "test", architecture, Size, ChunkSize,
                [new(1, BootStart, RootStart - BootStart, "0c", "vfat", "bootfs"),
                new(2, RootStart, Size - RootStart, "83", "ext4", "rootfs")], chunks);
        if (root is not null)
        {
            manifest = manifest with
            {
                Partitions = [manifest.Partitions[0], new(2, RootStart, half, "83", "ext4", "rootfs"),
                    new(3, RootStart + half, half, "83", "ext4", "data")],
                Root = root,
            };
        }
        (ECDsa key, X509Certificate2 signer) = Issue(SignedManifest.SignerName);
        Signed = SignedManifest.Create(manifest, signer, key);
        Files[$"/store/manifests/{Signed.Digest}"] =
            System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(Signed, Protocol.ProtocolJson.Default.SignedManifest);
        Manifest = manifest;
    }

    public ImageManifest Manifest { get; }

    public static (ECDsa Key, X509Certificate2 Certificate) Issue(string name)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        DateTimeOffset from = Authority.NotBefore;
        return (key, request.Create(Authority, from, from.AddDays(30), RandomNumberGenerator.GetBytes(8)));
    }

    private ImageChunk Cut(int index, ChunkRange[] ranges)
    {
        int start = index * ChunkSize;
        byte[] payload = [.. ranges.SelectMany(r => Raw.AsSpan(start + r.Offset, r.Length).ToArray())];
        foreach (ChunkRange range in ranges)
        {
            Used.AsSpan(start + range.Offset, range.Length).Fill(true);
        }
        using var compressor = new ZstdSharp.Compressor();
        byte[] stored = compressor.Wrap(payload).ToArray();
        Files[$"/store/chunks/{Digest.Of(stored)}"] = stored;
        return new ImageChunk(index, Digest.Of(payload), payload.Length, Digest.Of(stored), stored.Length, ranges);
    }

    private void WriteEntry(int number, byte type, int start, int length)
    {
        Span<byte> entry = Raw.AsSpan(446 + (number - 1) * 16, 16);
        entry[4] = type;
        BinaryPrimitives.WriteInt32LittleEndian(entry[8..], start / 512);
        BinaryPrimitives.WriteInt32LittleEndian(entry[12..], length / 512);
    }

    private static (ECDsa, X509Certificate2) MakeAuthority()
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test CA", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        var from = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        return (key, request.CreateSelfSigned(from, from.AddYears(10)));
    }
}
