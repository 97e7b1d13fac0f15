using System.Globalization;
using Bootstrap.Imaging.Store;

namespace Bootstrap.Server.Features.Backups;

/// <summary>The folder in which backups are kept. A file has a backup's name once it was read again and found whole.</summary>
/// <param name="path">Made if absent; may be on another disk.</param>
internal sealed class BackupFolder(string path)
{
    private const string Unfinished = ".new";

    public string FullPath => path;

    /// <summary>All, the newest first.</summary>
    public IReadOnlyList<BackupView> List() => !Directory.Exists(path) ? [] :
        [.. Directory.EnumerateFiles(path).Select(Path.GetFileName).Where(name => BackupContents.IsName(name!))
            .OrderDescending(StringComparer.Ordinal).Select(name => View(name!))];

    /// <summary>Where a backup lies; null: there is none of this name.</summary>
    public string? PathOf(string name) => BackupContents.IsName(name) && File.Exists(Path.Combine(path, name)) ? Path.Combine(path, name)
        : null;

    /// <summary>Makes a backup, reads it again to its end, and keeps it.</summary>
    /// <exception cref="InvalidDataException">Something of what is to be backed up, or what was written, is damaged. Nothing of it
    /// stays.</exception>
    /// <exception cref="IOException">It cannot be read or written. Nothing of it stays.</exception>
    public async Task<BackupView> MakeAsync(string dataFolder, string passphrase, bool images, DateTimeOffset now,
        CancellationToken cancellation)
    {
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        RemoveLeftovers();
        string name = BackupContents.NameOf(now, images), unfinished = Path.Combine(path, name + Unfinished);
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            Options = FileOptions.Asynchronous,
        };
        try
        {
            await using (var file = new FileStream(unfinished, options))
            {
                await BackupWriter.WriteAsync(dataFolder, file, passphrase, images, now, cancellation);
                file.Flush(flushToDisk: true);
                file.Position = 0;
                await BackupReader.VerifyAsync(file, passphrase, cancellation);
            }
            File.Move(unfinished, Path.Combine(path, name), overwrite: true);
            return View(name);
        }
        finally
        {
            File.Delete(unfinished);
        }
    }

    /// <summary>Removes all but the newest, when the one that was made now is on the medium.</summary>
    /// <param name="made">Stays. Those that are dated after it are from a clock that was wrong: they count as older than others.</param>
    public void Keep(int count, BackupView made)
    {
        Durable.SyncFileSystem(Path.Combine(path, made.Name));
        foreach (BackupView old in List().Where(b => b.Name != made.Name).OrderBy(b => b.MadeAt > made.MadeAt).Skip(count - 1))
        {
            File.Delete(Path.Combine(path, old.Name));
        }
    }

    /// <summary>Removes what backups left behind that the appliance did not survive. Where that cannot be, nothing depends on it.</summary>
    public void RemoveLeftovers()
    {
        try
        {
            foreach (string leftover in Directory.Exists(path) ? Directory.EnumerateFiles(path, "bootstrap-*" + Unfinished) : [])
            {
                File.Delete(leftover);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A disk that is read-only or fails: the next backup says so.
        }
    }

    private BackupView View(string name) => new(name, new FileInfo(Path.Combine(path, name)).Length,
        new DateTimeOffset(DateTime.ParseExact(name.AsSpan("bootstrap-".Length, 15), "yyyyMMdd-HHmmss", CultureInfo.InvariantCulture),
            TimeSpan.Zero).ToUnixTimeMilliseconds(),
        name.Contains("-with-images", StringComparison.Ordinal));
}
