using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Protocol.Tests;

public sealed class ManifestTests
{
    private const int Cell = ImageManifest.DefaultChunkSize;

    public static TheoryData<string, ImageManifest> Faulty => new()
    {
        { "format 2", Good() with { Format = 2 } },
        { "chunk size", Good() with { ChunkSize = 5000 } },
        { "chunk size", Good() with { ChunkSize = 1 << 30 } },
        { "image size", Good() with { SizeBytes = 0 } },
        { "image size", Good() with { SizeBytes = 1000 } },
        { "stands behind", Good() with { Chunks = [Chunk(1, (0, 512)), Chunk(0, (0, 512))] } },
        { "does not fit", Good() with { Chunks = [Chunk(0, (Cell - 512, 1024))] } },
        { "does not fit", Good() with { Chunks = [Chunk(0, (512, 512), (0, 512))] } },
        { "does not fit", Good() with { Chunks = [Chunk(0, (0, 100))] } },
        { "does not fit", Good() with { Chunks = [Chunk(0, (-512, 1024))] } },
        { "does not fit", Good() with { Chunks = [Chunk(2, (0, 512))] } },
        { "its ranges hold", Good() with { Chunks = [Chunk(0, (0, 512)) with { Length = 1024 }] } },
        { "stored length", Good() with { Chunks = [Chunk(0, (0, 512)) with { StoredLength = int.MaxValue }] } },
    };

    [Fact]
    public void A_sound_manifest_has_no_fault() => Assert.Null(Good().FindFault());

    [Theory]
    [MemberData(nameof(Faulty), DisableDiscoveryEnumeration = true)]
    public void Whatever_does_not_fit_together_is_named(string words, ImageManifest manifest) =>
        Assert.Contains(words, manifest.FindFault());

    private static ImageManifest Good() =>
        new(1, "test", "arm64", 2 * Cell, Cell, [], [Chunk(0, (0, 512), (4096, 8192)), Chunk(1, (Cell - 512, 512))]);

    private static ImageChunk Chunk(int index, params (int Offset, int Length)[] ranges) =>
        new(index, Digest.Of([1]), ranges.Sum(r => r.Length),
        Digest.Of([2]), 100, [.. ranges.Select(r => new ChunkRange(r.Offset, r.Length))]);
}
