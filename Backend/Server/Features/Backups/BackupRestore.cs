using System.Text.Json;
using Bootstrap.Imaging.Store;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Images;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.Notifications;
using Bootstrap.Server.Features.Schedules;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Server.Storage;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Backups;

/// <summary>What was restored.</summary>
/// <param name="Nodes">How many nodes the appliance knows.</param>
/// <param name="EndedJobs">Jobs that were open when the backup was made, and are cancelled.</param>
/// <param name="MissingImages">Names of images whose bytes are not in the backup.</param>
/// <param name="Replaced">Folder of what was in the data folder before; null: nothing was.</param>
public sealed record Restored(BackupDescription Backup, int Nodes, int EndedJobs, IReadOnlyList<string> MissingImages, string? Replaced);

/// <summary>Puts what is in a backup into a data folder that no appliance runs on. Whenever it ends, the folder has the old state or the
/// whole new one.</summary>
public static class BackupRestore
{
    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        OwnerFolder = OwnerFile | UnixFileMode.UserExecute;

    /// <summary>Restores a backup.</summary>
    /// <param name="file">The backup, from its beginning; stays open.</param>
    /// <param name="dataFolder">Made where there is none.</param>
    /// <param name="replace">Whether an appliance may be there already: its state is put aside.</param>
    /// <exception cref="InvalidDataException">The backup is none, is another passphrase's, damaged, or does not fit together; or the folder
    /// is in use. Nothing was changed.</exception>
    /// <exception cref="IOException">It cannot be read or written. Nothing was changed.</exception>
    public static async Task<Restored> RestoreAsync(
        Stream file, string passphrase, string dataFolder, bool replace, TimeProvider clock, CancellationToken cancellation)
    {
        bool wasThere = Directory.Exists(dataFolder);
        using var folder = DataFolder.Open(dataFolder);
        try
        {
            if (folder.IsUsed && !replace)
            {
                throw new InvalidDataException($"there is an appliance in {dataFolder} already: name an empty folder, or say --replace " +
                    "to put it aside");
            }
            RestoredFolder.Validate(dataFolder);
            string staging = RestoredFolder.Begin(dataFolder);
            Restored restored;
            try
            {
                BackupDescription description = await BackupReader.ReadAsync(
                    file, passphrase, (name, content) => WriteAsync(staging, name, content, cancellation), cancellation);
                restored = Prepare(staging, description, clock);
                Durable.SyncFileSystem(Path.Combine(staging, BackupContents.Database));
            }
            catch (Exception e) when (e is SqliteException or JsonException)
            {
                throw new InvalidDataException($"what is in this backup does not fit together: {e.Message.TrimEnd('.')}", e);
            }
            RestoredFolder.Commit(dataFolder, clock.GetUtcNow());
            restored = restored with { Replaced = RestoredFolder.Finish(dataFolder) };
            Durable.SyncFileSystem(folder.DatabasePath);
            return restored;
        }
        finally
        {
            RestoredFolder.Discard(dataFolder);
            if (!wasThere && !folder.IsUsed && !RestoredFolder.IsPending(dataFolder))
            {
                Directory.Delete(dataFolder, recursive: true);
            }
        }
    }

    private static async Task WriteAsync(string staging, string name, Stream content, CancellationToken cancellation)
    {
        string path = Path.Combine(staging, name);
        for (string folder = name; Path.GetDirectoryName(folder) is { Length: > 0 } parent; folder = parent)
        {
            Directory.CreateDirectory(Path.Combine(staging, parent), OwnerFolder);
        }
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerFile };
        await using var file = new FileStream(path, options);
        await content.CopyToAsync(file, cancellation);
    }

    /// <summary>Looks whether all of it belongs together, and takes from it what must not come back.</summary>
    private static Restored Prepare(string staging, BackupDescription description, TimeProvider clock)
    {
        string path = Path.Combine(staging, BackupContents.Database);
        if (!File.Exists(path))
        {
            throw new InvalidDataException("there is no database in this backup");
        }
        using var database = new Database(path);
        var settings = new SettingsStore(database);
        settings.Verify();
        (CertificateAuthority authority, _) = KeyFiles.Open(staging, settings, clock);
        if (authority.Fingerprint.ToString() != description.Appliance)
        {
            throw new InvalidDataException("the authority in this backup is another appliance's than it says");
        }
        var store = new ImageStore(Path.Combine(staging, "store"));
        RefuseIncomplete(store);
        long now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        LostTime.Note(settings, description.MadeAt, now);
        Restored restored = database.Write(c =>
        {
            AccessTokens.EndAllSessions(c);
            NotificationSender.ForgetAll(c);
            ScheduleStore.SeeAll(c, now);
            int jobs = JobRow.EndOpen(c, "the appliance was restored from a backup", now);
            IReadOnlyList<string> missing = ImageCatalogue.ForgetMissing(c, store);
            return new Restored(description, NodeRow.Count(c), jobs, missing, null);
        });
        new AuditLog(database, clock).Add("bootstrap restore", "Restore a backup", $"made at {JobRow.Time(description.MadeAt)}", "");
        return restored;
    }

    private static void RefuseIncomplete(ImageStore store)
    {
        foreach (Protocol.Ids.Digest image in store.Images())
        {
            if (store.ReadImage(image) is not { Chunks: { } chunks } manifest)
            {
                throw new InvalidDataException($"the manifest {image} in this backup is none");
            }
            if (chunks.Any(chunk => new FileInfo(store.ChunkPath(chunk.StoredDigest)) is not { Exists: true } file
                || file.Length != chunk.StoredLength))
            {
                throw new InvalidDataException($"the image {Protocol.PlainText.Line(manifest.Name)} is not whole in this backup");
            }
        }
    }
}
