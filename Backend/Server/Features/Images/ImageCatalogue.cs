using System.Text.Json.Serialization;
using Bootstrap.Imaging.Store;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;
using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Bootstrap.Server.Features.Images;

/// <summary>An image of the store.</summary>
/// <param name="SizeBytes">What a disk must have at least.</param>
/// <param name="UsedBytes">What is written to it.</param>
/// <param name="StoredBytes">What travels.</param>
/// <param name="ImportedAt">Unix milliseconds.</param>
/// <param name="Slots">Places for a system: 2 where an update may write the one that is not in use, else 1.</param>
/// <param name="Public">Anybody on the network may fetch it, over plain HTTP; else nodes with approved keys, and people who are signed
/// in.</param>
/// <param name="Fault">Why it cannot be installed on nodes, in words that follow its name and a colon; null: it can.</param>
/// <param name="Notes">What whoever imports it should know, a sentence each; in the answer to its import alone.</param>
public sealed record ImageView(
    Digest Digest, string Name, string Architecture, long SizeBytes, long UsedBytes, long StoredBytes, long ImportedAt, long Slots = 1,
    bool Public = false, string? Fault = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Notes = null)
{
    /// <summary>Of an image with two places for a system.</summary>
    public const int TwoSlots = 2;
}

/// <summary>An import under way.</summary>
/// <param name="Phase"><c>decoding</c>, <c>storing</c>, <c>done</c> or <c>refused</c>.</param>
/// <param name="Done">Bytes of the file that were taken.</param>
/// <param name="Total">Bytes of the file; 0 where whoever sends it does not say.</param>
/// <param name="Reason">Why it was refused; or what should be known of an image that is done; else null.</param>
public sealed record ImportView(Guid Id, string Name, string Phase, long Done, long Total, string? Reason);

/// <summary>The images that people know, by name and digest; the store holds their bytes.</summary>
public sealed class ImageCatalogue(
    Database database, ImageStore store, ImageImporter importer, EventHub events, TimeProvider clock, ILogger<ImageCatalogue> logger)
{
    private static readonly TimeSpan s_reportPeriod = TimeSpan.FromMilliseconds(300);

    private const string Columns = """
        digest AS Digest, name AS Name, architecture AS Architecture, size_bytes AS SizeBytes, used_bytes AS UsedBytes,
        stored_bytes AS StoredBytes, imported_at AS ImportedAt, slots AS Slots, public AS Public, fault AS Fault
        """;

    // One import at a time: each takes all processors.
    private readonly SemaphoreSlim _storeInUse = new(1);

    // Images that are public, and their chunks: replaced whole.
    private volatile Tuple<string, HashSet<Digest>> _publicChunks = new("", []);

    private sealed class Row
    {
        public required string Digest { get; init; }
        public required string Name { get; init; }
        public required string Architecture { get; init; }
        public required long SizeBytes { get; init; }
        public required long UsedBytes { get; init; }
        public required long StoredBytes { get; init; }
        public required long ImportedAt { get; init; }
        public required long Slots { get; init; }
        public required long Public { get; init; }
        public required string? Fault { get; init; }

        public ImageView View => new(Protocol.Ids.Digest.Parse(Digest), Name, Architecture, SizeBytes, UsedBytes, StoredBytes, ImportedAt,
            Slots, Public != 0, string.IsNullOrEmpty(Fault) ? null : Fault);
    }

    public IReadOnlyList<ImageView> List() => database.Read(ListIn);

    /// <summary>An image by its digest or its name; of several with one name, the newest.</summary>
    public ImageView? Find(string digestOrName) => database.Read(c => FindIn(c, digestOrName));

    /// <summary>The same of a database, in a transaction of the caller's.</summary>
    internal static ImageView? FindIn(SqliteConnection c, string digestOrName)
    {
        IReadOnlyList<ImageView> all = ListIn(c);
        return all.FirstOrDefault(i => i.Digest.ToString() == digestOrName) ?? all.FirstOrDefault(i => i.Name == digestOrName);
    }

    private static IReadOnlyList<ImageView> ListIn(SqliteConnection c) =>
        [.. c.Query<Row>($"SELECT {Columns} FROM images ORDER BY imported_at DESC").Select(r => r.View)];

    /// <summary>Imports an image. Those who watch see how far it is.</summary>
    /// <exception cref="Imaging.ImageException">It is refused; nothing stays.</exception>
    /// <param name="length">Of the file, in bytes; 0 where it is not known.</param>
    public async Task<ImageView> ImportAsync(Stream file, long length, string name, string? architecture, CancellationToken cancellation)
    {
        var report = new ImportReport(Guid.CreateVersion7(), name, length, events, clock, s_reportPeriod);
        await _storeInUse.WaitAsync(cancellation);
        try
        {
            (Digest digest, ImageManifest manifest, IReadOnlyList<string> notes) =
                await importer.ImportAsync(file, name, architecture, report, cancellation);
            var image = new ImageView(digest, name, manifest.Architecture, manifest.SizeBytes, manifest.UsedBytes, manifest.StoredBytes,
                clock.GetUtcNow().ToUnixTimeMilliseconds(), manifest.Slots?.Count ?? 1, Fault: FaultOf(manifest),
                Notes: notes);
            database.Write(c => c.Execute("""
                INSERT INTO images (digest, name, architecture, size_bytes, used_bytes, stored_bytes, imported_at, slots, fault)
                VALUES (@digest, @Name, @Architecture, @SizeBytes, @UsedBytes, @StoredBytes, @ImportedAt, @Slots, @Fault)
                ON CONFLICT (digest) DO UPDATE SET name = excluded.name, imported_at = excluded.imported_at, raw_sha256 = NULL
                """, new
            {
                digest = digest.ToString(),
                image.Name,
                image.Architecture,
                image.SizeBytes,
                image.UsedBytes,
                image.StoredBytes,
                image.ImportedAt,
                image.Slots,
                Fault = image.Fault ?? "",
            }));
            image = Find(digest.ToString()) is { } stored ? stored with { Notes = notes } : image;
            foreach (string note in notes)
            {
                logger.LogWarning("Image {Name}: {Note}", name, note);
            }
            report.End("done", notes.Count > 0 ? string.Join(' ', notes) : null);
            events.Publish("image", image);
            return image;
        }
        catch (Imaging.ImageException e)
        {
            report.End("refused", e.Message);
            throw;
        }
        finally
        {
            // Whatever else ended it: who sent it has gone, or the appliance stops.
            report.EndUnlessEnded("refused", "the upload was broken off");
            _storeInUse.Release();
        }
    }

    /// <summary>Those that a database knows.</summary>
    internal static IReadOnlyList<Digest> DigestsIn(SqliteConnection c) => [.. c.Query<string>("SELECT digest FROM images ORDER BY digest")
        .Select(Digest.Parse)];

    /// <summary>The name of one that a database knows; null: it has none of that digest.</summary>
    internal static string? NameIn(SqliteConnection c, string? digest) =>
        c.QuerySingleOrDefault<string>("SELECT name FROM images WHERE digest = @digest", new { digest });

    /// <summary>Those for an architecture of which it is not known yet what SHA-256 they have as a file.</summary>
    internal static IReadOnlyList<string> WithoutRawDigest(SqliteConnection c, string architecture) =>
        [.. c.Query<string>("SELECT digest FROM images WHERE raw_sha256 IS NULL AND architecture = @architecture", new { architecture })];

    /// <summary>Those of which it is known, with it, the newest first.</summary>
    internal static IReadOnlyList<(ImageView Image, string RawDigest)> WithRawDigest(SqliteConnection c)
    {
        var raw = c.Query<(string Digest, string Raw)>("SELECT digest, raw_sha256 FROM images WHERE raw_sha256 <> ''")
            .ToDictionary(image => Digest.Parse(image.Digest), image => image.Raw);
        return [.. ListIn(c).Where(image => raw.ContainsKey(image.Digest)).Select(image => (image, raw[image.Digest]))];
    }

    /// <summary>Keeps it.</summary>
    /// <param name="raw">In hexadecimal digits; empty: the image cannot be read.</param>
    internal static void SetRawDigest(SqliteConnection c, string image, string raw) =>
        c.Execute("UPDATE images SET raw_sha256 = @raw WHERE digest = @image", new { image, raw });

    /// <summary>Forgets the images whose bytes are not there, for a database that was restored without them.</summary>
    /// <returns>Their names.</returns>
    internal static IReadOnlyList<string> ForgetMissing(SqliteConnection c, ImageStore store)
    {
        var missing = c.Query<(string Digest, string Name)>("SELECT digest, name FROM images ORDER BY name")
            .Where(image => !File.Exists(store.ManifestPath(Digest.Parse(image.Digest)))).ToList();
        c.Execute("DELETE FROM images WHERE digest = @Digest", missing.Select(image => new { image.Digest }));
        return [.. missing.Select(image => image.Name)];
    }

    /// <summary>Makes an image public, or private again.</summary>
    /// <returns>The image as it is now; null: there is none of that digest.</returns>
    public ImageView? SetPublic(Digest digest, bool isPublic)
    {
        database.Write(c => c.Execute("UPDATE images SET public = @isPublic WHERE digest = @digest",
            new { isPublic, digest = digest.ToString() }));
        if (Find(digest.ToString()) is not { } image)
        {
            return null;
        }
        events.Publish("image", image);
        return image;
    }

    /// <summary>Whether a chunk is one of a public image: it may go to anybody.</summary>
    public bool IsPublicChunk(Digest chunk)
    {
        // Manifests never change: what is public follows from which of them are.
        string now = string.Join(' ', List().Where(i => i.Public).Select(i => i.Digest));
        (string images, HashSet<Digest> chunks) = _publicChunks;
        if (images != now)
        {
            chunks = [.. now.Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .SelectMany(image => store.ReadImage(Digest.Parse(image))?.Chunks.Select(c => c.StoredDigest) ?? [])];
            _publicChunks = new(now, chunks);
        }
        return chunks.Contains(chunk);
    }

    /// <summary>Removes what an import left behind that was killed. Called once, before the appliance serves.</summary>
    public void RemoveLeftovers()
    {
        var known = List().Select(i => i.Digest).ToHashSet();
        foreach (Digest unknown in store.Images().Where(image => !known.Contains(image)).ToList())
        {
            store.Remove(unknown);
        }
        store.RemoveOrphans();
        LookForFaults();
    }

    /// <summary>Finds out of images whether they can be installed, where nobody has asked when they were imported.</summary>
    private void LookForFaults()
    {
        foreach (string digest in database.Read(c => c.Query<string>("SELECT digest FROM images WHERE fault IS NULL").ToList()))
        {
            if (store.ReadImage(Protocol.Ids.Digest.Parse(digest)) is { } manifest)
            {
                database.Write(c => c.Execute("UPDATE images SET fault = @fault WHERE digest = @digest",
                    new { digest, fault = FaultOf(manifest) ?? "" }));
            }
        }
    }

    private static string? FaultOf(ImageManifest manifest)
    {
        _ = manifest.FindRoot(out string? fault);
        return fault;
    }

    /// <summary>Removes an image and the chunks that no other image needs.</summary>
    /// <param name="refuse">Why it must stay, in one sentence, by what the database says at the moment of the removal; null: nothing needs
    /// it.</param>
    /// <returns>Bytes that were freed; or why nothing was removed.</returns>
    public async Task<(long Freed, string? Refusal)> RemoveAsync(Digest digest, Func<SqliteConnection, string?> refuse,
        CancellationToken cancellation)
    {
        await _storeInUse.WaitAsync(cancellation);
        try
        {
            string? refusal = database.Write(c =>
            {
                string? reason = refuse(c);
                if (reason is null)
                {
                    c.Execute("DELETE FROM images WHERE digest = @digest", new { digest = digest.ToString() });
                }
                return reason;
            });
            if (refusal is not null)
            {
                return (0, refusal);
            }
            long freed = store.Remove(digest);
            events.Publish("image-removed", new { digest });
            return (freed, null);
        }
        finally
        {
            _storeInUse.Release();
        }
    }

    /// <summary>Tells in the log that a stored chunk is damaged, and whose it is.</summary>
    internal void ReportDamage(Digest chunk)
    {
        IEnumerable<string> names = List().Where(image => store.ReadImage(image.Digest)?.Chunks.Any(c => c.StoredDigest == chunk) is true)
            .Select(image => image.Name);
        logger.LogError("The stored chunk {Path} is damaged: import {Images} again", store.ChunkPath(chunk), string.Join(", ", names));
    }

    /// <summary>Turns an importer's many reports into a few events.</summary>
    private sealed class ImportReport(Guid id, string name, long total, EventHub events, TimeProvider clock, TimeSpan period)
        : IProgress<ImportProgress>
    {
        private long _last;
        private bool _ended;

        public void Report(ImportProgress value)
        {
            long now = clock.GetTimestamp();
            long last = Interlocked.Read(ref _last);
            if ((last == 0 || clock.GetElapsedTime(last, now) >= period) && Interlocked.CompareExchange(ref _last, now, last) == last)
            {
                events.Publish("import", new ImportView(id, name, value.Phase, value.Done, total, null));
            }
        }

        public void End(string phase, string? reason)
        {
            _ended = true;
            events.Publish("import", new ImportView(id, name, phase, 0, 0, reason));
        }

        public void EndUnlessEnded(string phase, string reason)
        {
            if (!_ended)
            {
                End(phase, reason);
            }
        }
    }
}
