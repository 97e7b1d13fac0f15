using System.Runtime.InteropServices;
using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;
using Bootstrap.Server.Features.Files;
using Bootstrap.Server.Features.Images;
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

    private readonly FileStream _lock;

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
        for (int attempt = 1; ; attempt++)
        {
            string folder = Path.Combine(dataFolder, $"{Prefix}{Guid.NewGuid():n}");
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var snapshot = new Snapshot(folder, new FileStream(Path.Combine(folder, LockName), FileMode.CreateNew, FileAccess.Write, FileShare.None));
            try
            {
                snapshot.Fill(dataFolder, images, cancellation);
                return snapshot;
            }
            catch (Exception e) when (attempt < Attempts && e is FileNotFoundException or DirectoryNotFoundException)
            {
                // It was removed after the database was copied: the next copy does not know it any more.
                snapshot.Dispose();
            }
            catch (FileNotFoundException e)
            {
                snapshot.Dispose();
                throw new InvalidDataException($"{e.FileName} is gone: put it back; an image that it belongs to can be imported again", e);
            }
            catch
            {
                snapshot.Dispose();
                throw;
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
            catch (IOException)
            {
                // Another process's: it is at work.
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
        string copy = Path.Combine(Folder, BackupContents.Database);
        Storage.Database.Copy(Path.Combine(data, BackupContents.Database), copy);
        Files.Add(BackupContents.Database);
        foreach (string file in BackupContents.Always.Skip(1))
        {
            Add(data, file);
        }
        foreach (string folder in BackupContents.Folders.Where(folder => Directory.Exists(Path.Combine(data, folder))))
        {
            // People may write to the boards' own files while they are read, and link to others: these are copied as they are now.
            bool own = folder == "boot/overrides";
            foreach (string path in Directory.EnumerateFiles(Path.Combine(data, folder), "*", SearchOption.AllDirectories))
            {
                cancellation.ThrowIfCancellationRequested();
                string name = Path.GetRelativePath(data, path);
                if (own && File.Exists(path))
                {
                    Copy(path, name);
                }
                else if (!own && !name.Contains("/.", StringComparison.Ordinal)) // what is not whole yet
                {
                    Add(data, name);
                }
            }
        }
        using var copied = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = copy, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        foreach (Digest digest in FileCatalogue.DigestsIn(copied))
        {
            Add(data, $"{BackupContents.Uploads}/{digest}");
        }
        foreach (Digest digest in images ? ImageCatalogue.DigestsIn(copied) : [])
        {
            AddImage(data, digest, cancellation);
        }
    }

    private void AddImage(string data, Digest digest, CancellationToken cancellation)
    {
        string name = $"{BackupContents.Manifests}/{digest}";
        Add(data, name);
        SignedManifest signed = JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(Folder, name)), ProtocolJson.Default.SignedManifest)!;
        ImageManifest manifest = JsonSerializer.Deserialize(signed.Manifest, ProtocolJson.Default.ImageManifest)!;
        foreach (Digest chunk in manifest.Chunks.Select(chunk => chunk.StoredDigest).Distinct())
        {
            cancellation.ThrowIfCancellationRequested();
            string stored = chunk.ToString(), file = $"{BackupContents.Chunks}/{stored[..2]}/{stored}";
            if (!File.Exists(Path.Combine(Folder, file)))
            {
                Add(data, file);
            }
        }
    }

    private void Add(string data, string name)
    {
        string source = Path.Combine(data, name), target = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        if (MakeLink(source, target) == 0)
        {
            Files.Add(name);
        }
        else
        {
            Copy(source, name); // a file system without links, or one that says why
        }
    }

    private void Copy(string source, string name)
    {
        string target = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.Copy(source, target);
        Files.Add(name);
    }

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeLink(string source, string target);
}
