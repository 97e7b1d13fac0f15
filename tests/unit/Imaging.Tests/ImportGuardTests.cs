using Bootstrap.Imaging.Store;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Imaging.Tests;

/// <summary>What becomes of an import when somebody else is at the store's folder.</summary>
public sealed class ImportGuardTests : IDisposable
{
    private readonly TestStore _store = new();
    private readonly TestDisk _disk = new();

    public void Dispose()
    {
        _disk.Dispose();
        _store.Dispose();
    }

    [Fact]
    public async Task An_import_whose_chunks_are_removed_meanwhile_fails_in_one_sentence_and_leaves_nothing()
    {
        ImageException refusal = await Assert.ThrowsAsync<ImageException>(() => ImportBesideAsync(() => ForEachChunk(File.Delete)));
        Assert.Contains("chunks have gone from", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("import it again", refusal.Message, StringComparison.Ordinal);
        Assert.True(_store.IsEmpty);
    }

    [Fact]
    public async Task An_import_whose_chunks_are_damaged_meanwhile_fails_in_one_sentence_and_leaves_nothing()
    {
        ImageException refusal = await Assert.ThrowsAsync<ImageException>(() => ImportBesideAsync(() => ForEachChunk(path =>
        {
            using FileStream chunk = File.OpenWrite(path);
            chunk.WriteByte(0);
        })));
        Assert.Contains("were changed or cannot be read", refusal.Message, StringComparison.Ordinal);
        Assert.True(_store.IsEmpty);
    }

    [Fact]
    public async Task A_second_program_that_cleans_the_same_folder_makes_the_import_fail_or_leaves_it_whole()
    {
        try
        {
            // What another appliance does when it starts.
            AssertWhole(await ImportBesideAsync(() =>
            {
                try
                {
                    new ImageStore(_store.Store.Folder).RemoveOrphans();
                }
                catch (IOException)
                {
                    // Files come and go under its hands, too.
                }
            }));
        }
        catch (ImageException refusal)
        {
            Assert.Contains("gone from", refusal.Message, StringComparison.Ordinal);
            Assert.True(_store.IsEmpty);
        }
    }

    [Fact]
    public async Task Cleaning_up_beside_an_import_takes_none_of_its_chunks()
    {
        using var other = new TestDisk(rootBytes: 48 << 20);
        (Digest removed, _) = await _store.ImportAsync(other.Image);
        ImageManifest manifest = await ImportBesideAsync(() => _store.Store.Remove(removed));
        AssertWhole(manifest);
        Assert.Equal(manifest.Chunks.Select(c => c.StoredDigest).Distinct().Count(), _store.ChunkFiles);
    }

    [Fact]
    public async Task An_import_that_fails_beside_another_one_takes_none_of_its_chunks()
    {
        ImageManifest manifest = await ImportBesideAsync(() =>
        {
            using var cut = new MemoryStream(File.ReadAllBytes(_disk.Image)[..(int)(TestDisk.RootStart + (20 << 20))]);
            Assert.Throws<ImageException>(
                () => _store.Importer.ImportAsync(cut, "cut", null, null, CancellationToken.None).GetAwaiter().GetResult());
        });
        AssertWhole(manifest);
    }

    /// <summary>Imports the disk, and does something to the store when a part of its chunks is there.</summary>
    private async Task<ImageManifest> ImportBesideAsync(Action act)
    {
        bool acted = false;
        using FileStream whole = File.OpenRead(_disk.Image);
        int before = _store.ChunkFiles;
        await using var held = new HeldStream(whole, TestDisk.RootStart + (32 << 20), () =>
        {
            if (!acted && _store.ChunkFiles > before)
            {
                acted = true;
                act();
            }
            return acted;
        });
        ImageManifest manifest =
            (await _store.Importer.ImportAsync(held, "test", null, null, TestContext.Current.CancellationToken)).Manifest;
        Assert.True(acted);
        return manifest;
    }

    private void ForEachChunk(Action<string> act)
    {
        foreach (string path in Directory.GetFiles(Path.Combine(_store.Store.Folder, "chunks"), "*", SearchOption.AllDirectories))
        {
            act(path);
        }
    }

    private void AssertWhole(ImageManifest manifest)
    {
        string restored = Path.Combine(_disk.Folder, "restored.img");
        _store.Restore(manifest, restored);
        Assert.Equal(TestDisk.Random(5_000_000, 1), _disk.ReadRootFile(restored, "random"));
    }
}
