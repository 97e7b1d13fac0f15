using System.Collections.Concurrent;
using Bootstrap.Imaging.Store;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Imaging.Tests;

public sealed class ChunkInspectorTests : IDisposable
{
    private readonly TestStore _store = new();
    private readonly ConcurrentQueue<Digest> _damaged = new();
    private readonly ChunkInspector _inspector;

    public ChunkInspectorTests() => _inspector = new ChunkInspector(_store.Store, _damaged.Enqueue);

    [Fact]
    public async Task Sound_chunk_is_sound_and_one_that_is_not_there_is_missing()
    {
        (Digest chunk, _) = await StoreAsync();
        Assert.Equal(ChunkCondition.Sound, await _inspector.InspectAsync(chunk));
        Assert.Equal(ChunkCondition.Missing, await _inspector.InspectAsync(Digest.Of("no such chunk"u8)));
        Assert.Empty(_damaged);
    }

    [Fact]
    public async Task Chunk_is_hashed_once_however_many_ask_at_once()
    {
        (Digest chunk, string path) = await StoreAsync();
        Flip(path);
        ChunkCondition[] answers =
            await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => Task.Run(() => _inspector.InspectAsync(chunk))));
        Assert.All(answers, answer => Assert.Equal(ChunkCondition.Damaged, answer));
        Assert.Equal([chunk], _damaged);
    }

    [Fact]
    public async Task Damage_after_the_first_look_is_seen_and_so_is_its_mending()
    {
        (Digest chunk, string path) = await StoreAsync();
        byte[] sound = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal(ChunkCondition.Sound, await _inspector.InspectAsync(chunk));
        Flip(path);
        File.SetLastWriteTimeUtc(path, File.GetLastWriteTimeUtc(path).AddSeconds(1)); // clocks of file systems are coarse
        Assert.Equal(ChunkCondition.Damaged, await _inspector.InspectAsync(chunk));
        await File.WriteAllBytesAsync(path, sound[..^1], TestContext.Current.CancellationToken);
        Assert.Equal(ChunkCondition.Damaged, await _inspector.InspectAsync(chunk));
        await File.WriteAllBytesAsync(path, sound, TestContext.Current.CancellationToken);
        Assert.Equal(ChunkCondition.Sound, await _inspector.InspectAsync(chunk));
        Assert.Equal(2, _damaged.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Importing_the_image_again_mends_a_damaged_chunk(bool truncated)
    {
        using var disk = new TestDisk();
        (Digest image, ImageManifest manifest) = await _store.ImportAsync(disk.Image);
        string path = _store.Store.ChunkPath(manifest.Chunks[0].StoredDigest);
        if (truncated)
        {
            await File.WriteAllBytesAsync(path, [1, 2, 3], TestContext.Current.CancellationToken);
        }
        else
        {
            Flip(path);
        }
        Assert.Equal(ChunkCondition.Damaged, await _inspector.InspectAsync(manifest.Chunks[0].StoredDigest));
        (Digest again, _) = await _store.ImportAsync(disk.Image);
        Assert.Equal(image, again);
        Assert.Equal(ChunkCondition.Sound, await _inspector.InspectAsync(manifest.Chunks[0].StoredDigest));
    }

    public void Dispose() => _store.Dispose();

    private async Task<(Digest Chunk, string Path)> StoreAsync()
    {
        using var disk = new TestDisk();
        (_, ImageManifest manifest) = await _store.ImportAsync(disk.Image);
        return (manifest.Chunks[0].StoredDigest, _store.Store.ChunkPath(manifest.Chunks[0].StoredDigest));
    }

    private static void Flip(string path)
    {
        using FileStream file = File.Open(path, FileMode.Open);
        file.Position = file.Length / 2;
        int value = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(value ^ 0x10));
    }
}
