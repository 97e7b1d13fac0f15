using System.Runtime.InteropServices;
using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;
using Bootstrap.Server.Features.Files;
using Bootstrap.Server.Features.Images;
using Bootstrap.Server.Storage;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Backups;

/// <summary>
/// The state of a data folder at one moment, whether or not an appliance runs on it: a copy of the database, and second names (hard links)
/// of the files that belong to it, which stay whatever is removed meanwhile. They take no room.
/// </summary>
internal sealed partial class Snapshot : IDisposable
{
    private const string Prefix = "snapshot-", LockName = "lock";

    /// <summary>How often it begins anew where something was removed while it was taken.</summary>
    private const int Attempts = 5;

    /// <summary>Of linkat(2).</summary>
    private const int Here = -100, FollowLink = 0x400;

    private readonly FileStream _lock;
    private readonly HashSet<string> _names = [];

    private Snapshot(string folder, FileStream held) => (Folder, _lock) = (folder, held);

    /// <summary>Where the files are, under their names in the data folder.</summary>
    public string Folder { get; }

    /// <summary>Names of the files, in the order in which they are written.</summary>
    public List<string> Files { get; } = [];

    /// <summary>Takes one.</summary>
    /// <param name="images">With the images' bytes.</param>
    /// <exception cref="InvalidDataException">The folder has no appliance, or its database is damaged.</exception>
    /// <exception cref="IOException">It cannot be read, or there is no room for the database's copy.</exception>
    public static Snapshot Take(string dataFolder, bool images, CancellationToken cancellation)
    {
        if (!File.Exists(Path.Combine(dataFolder, BackupContents.Database)))
        {
            throw new InvalidDataException($"there is no appliance in {dataFolder}: name the folder that it keeps its data in");
        }
        if (RestoredFolder.IsPending(dataFolder))
        {
            throw new InvalidDataException($"a restore in {dataFolder} was broken off as it took the place of what was there: start the " +
                "appliance first");
        }
        for (int attempt = 1; ; attempt++)
        {
            string folder = Path.Combine(dataFolder, $"{Prefix}{Guid.NewGuid():n}");
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var snapshot = new Snapshot(folder, new FileStream(Path.Combine(folder, LockName), FileMode.CreateNew, FileAccess.Write,
                FileShare.None));
            bool filled = false;
            try
            {
                snapshot.Fill(dataFolder, images, cancellation);
                filled = true;
                return snapshot;
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                // It was removed after the database was copied: the next copy does not know it any more.
                if (attempt == Attempts)
                {
                    string gone = (e as FileNotFoundException)?.FileName ?? e.Message.TrimEnd('.');
                    throw new InvalidDataException($"{gone} is gone: put it back; an image that it belongs to can be imported again", e);
                }
            }
            finally
            {
                if (!filled)
                {
                    snapshot.Dispose();
                }
            }
        }
    }

    /// <summary>Removes what is left of those that did not end well; those that are being taken stay.</summary>
    public static void RemoveLeftovers(string dataFolder)
    {
        foreach (string folder in Directory.EnumerateDirectories(dataFolder, Prefix + "*"))
        {
            try
            {
                using var held = new FileStream(Path.Combine(folder, LockName), FileMode.OpenOrCreate, FileAccess.Write, FileShare.None);
                Directory.Delete(folder, recursive: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Another process's, which is at work; or another user's.
            }
        }
    }

    public void Dispose()
    {
        Directory.Delete(Folder, recursive: true);
        _lock.Dispose();
    }

    private void Fill(string data, bool images, CancellationToken cancellation)
    {
        // First whatever is there: of what the database's copy knows, only what came and went while it was made can be missing then.
        HoldAll(data, BackupContents.Uploads, _ => []);
        if (images)
        {
            HoldAll(data, BackupContents.Manifests, ChunksOf);
        }
        string copy = Path.Combine(Folder, BackupContents.Database);
        Storage.Database.Copy(Path.Combine(data, BackupContents.Database), copy);
        Files.Add(BackupContents.Database);
        foreach (string file in BackupContents.Always.Skip(1))
        {
            Add(data, file);
        }
        foreach (string folder in BackupContents.Folders.Where(folder => Directory.Exists(Path.Combine(data, folder))))
        {
            AddFolder(data, folder, cancellation);
        }
        var name = new SqliteConnectionStringBuilder { DataSource = copy, Mode = SqliteOpenMode.ReadOnly, Pooling = false };
        using var copied = new SqliteConnection(name.ToString());
        foreach (Digest digest in FileCatalogue.DigestsIn(copied))
        {
            Add(data, $"{BackupContents.Uploads}/{digest}");
        }
        foreach (Digest digest in images ? ImageCatalogue.DigestsIn(copied) : [])
        {
            string manifest = $"{BackupContents.Manifests}/{digest}";
            Add(data, manifest);
            foreach (string chunk in ChunksOf(manifest))
            {
                cancellation.ThrowIfCancellationRequested();
                Add(data, chunk);
            }
        }
    }

    /// <summary>Takes second names of all files of a folder, and of what belongs to them. One that goes meanwhile is not missed
    /// yet.</summary>
    private void HoldAll(string data, string folder, Func<string, IEnumerable<string>> more)
    {
        string path = Path.Combine(data, folder);
        foreach (string file in Directory.Exists(path) ? Directory.EnumerateFiles(path).Select(Path.GetFileName).OfType<string>() : [])
        {
            string name = $"{folder}/{file}";
            try
            {
                if (BackupContents.MayBe(name))
                {
                    Hold(data, name);
                    foreach (string belonging in more(name))
                    {
                        Hold(data, belonging);
                    }
                }
            }
            catch (FileNotFoundException)
            {
                // The database's copy tells whether it belongs to this moment.
            }
        }
    }

    private void AddFolder(string data, string folder, CancellationToken cancellation)
    {
        // People may write to the boards' own files while they are read, and link to others: these are copied as they are now.
        bool own = folder == BackupContents.Overrides;
        string root = Path.Combine(data, folder);
        foreach (string path in FilesBelow(root, []))
        {
            cancellation.ThrowIfCancellationRequested();
            string name = Path.GetRelativePath(data, path);
            if (own)
            {
                Copy(path, name);
                Files.Add(name);
            }
            else if (!Path.GetRelativePath(root, path).StartsWith('.')) // what is not whole yet
            {
                Add(data, name);
            }
        }
    }

    /// <summary>Files with content, also behind links; a link to a folder that it is in itself is not followed.</summary>
    private static IEnumerable<string> FilesBelow(string folder, (ulong Device, ulong Number)[] within)
    {
        if (FileStatus.Of(folder, follow: true) is not { } status || within.Contains(status.Identity))
        {
            return [];
        }
        return Directory.EnumerateFiles(folder).Where(path => FileStatus.Of(path, follow: true) is { IsRegular: true })
            .Concat(Directory.EnumerateDirectories(folder).SelectMany(inner => FilesBelow(inner, [.. within, status.Identity])));
    }

    /// <summary>Names of the chunks of an image whose manifest is held.</summary>
    private IEnumerable<string> ChunksOf(string name)
    {
        return ManifestOf(name).Chunks.Select(chunk => chunk.StoredDigest.ToString()).Distinct()
            .Select(stored => $"{BackupContents.Chunks}/{stored[..2]}/{stored}");
    }

    private ImageManifest ManifestOf(string name)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(Folder, name)),
                ProtocolJson.Default.SignedManifest) is { } signed
                && name.EndsWith(signed.Digest.ToString(), StringComparison.Ordinal)
                && JsonSerializer.Deserialize(signed.Manifest, ProtocolJson.Default.ImageManifest) is { } manifest
                ? manifest : throw new InvalidDataException($"{name} is damaged: import its image again");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{name} is damaged: import its image again", e);
        }
    }

    private void Add(string data, string name)
    {
        if (_names.Add(name))
        {
            Hold(data, name);
            Files.Add(name);
        }
    }

    private void Hold(string data, string name)
    {
        string source = Path.Combine(data, name), target = Path.Combine(Folder, name);
        if (!File.Exists(target))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            if (MakeLink(Here, source, Here, target, FollowLink) != 0)
            {
                Copy(source, name); // a file system without links, or one that says why
            }
        }
    }

    private void Copy(string source, string name)
    {
        string target = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.Copy(source, target);
    }

    [LibraryImport("libc", EntryPoint = "linkat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeLink(int sourceFolder, string source, int targetFolder, string target, int flags);
}
