using System.Globalization;
using System.IO.Enumeration;
using System.Runtime.InteropServices;

namespace Bootstrap.Server.Storage;

/// <summary>
/// The folder of everything that one appliance keeps. It belongs to one process as long as that lives, and is nobody else's to read:
/// whoever opens it
/// holds its lock before anything in it is touched, and the kernel takes the lock back however the process ends.
/// </summary>
public sealed partial class DataFolder : IDisposable
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
        Others = ~Owner & (UnixFileMode)0x1ff;

    private const string LockFile = "lock", PidFile = "pid", DatabaseFile = "appliance.db", HistoryFile = "history.db";

    /// <summary>What may be in a folder in which no appliance has been yet; people put boards' own files into <c>boot</c> before the first
    /// start.</summary>
    private static readonly HashSet<string> s_beforeFirst = [LockFile, PidFile, "ca", "boot", "store", "files", "kept", "secrets.key",
        "backups", "lost+found", HistoryFile, HistoryFile + "-wal", HistoryFile + "-shm"];

    private readonly FileStream _lock;

    private DataFolder(string path, FileStream held) => (FullPath, _lock) = (path, held);

    public string FullPath { get; }

    public string DatabasePath => Path.Combine(FullPath, DatabaseFile);

    /// <summary>What nodes measured: a file that may be lost, and is in no backup.</summary>
    public string HistoryPath => Path.Combine(FullPath, HistoryFile);

    /// <summary>Whether it holds an appliance's state.</summary>
    public bool IsUsed => File.Exists(DatabasePath);

    /// <summary>The mode that the folder had when it was opened, where others could come in: it has 0700 since.</summary>
    public UnixFileMode? WasOpen { get; private set; }

    /// <summary>What this process, and those that it starts, make from now on is for its owner alone (umask(2)): the program's to say,
    /// once.</summary>
    public static void MakeAllPrivate() => _ = SetMask((uint)Others);

    /// <summary>Opens the folder, which is made where there is none. What is in it is for its owner alone from now on.</summary>
    /// <exception cref="IOException">Another appliance uses it.</exception>
    /// <exception cref="InvalidDataException">It is full of other things, or somebody else's.</exception>
    public static DataFolder Open(string path)
    {
        Directory.CreateDirectory(path, Owner);
        if (!File.Exists(Path.Combine(path, DatabaseFile)) && !RestoredFolder.IsPending(path)
            && Directory.EnumerateFileSystemEntries(path).Select(Path.GetFileName)
                .FirstOrDefault(name => !s_beforeFirst.Contains(name!) && !RestoredFolder.IsName(name!)) is { } other)
        {
            throw new InvalidDataException(
                $"{path} is no appliance's data folder, and '{other}' is in it: name an empty folder, or one that is not there yet");
        }
        var folder = new DataFolder(path, Hold(path));
        try
        {
            File.WriteAllText(Path.Combine(path, PidFile), string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n"));
            _ = RestoredFolder.Finish(path);
            folder.Narrow();
            return folder;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    public void Dispose() => _lock.Dispose();

    private static FileStream Hold(string path)
    {
        try
        {
            // Shared with nobody: .NET holds an exclusive flock(2) on it, and no child inherits that.
            return new FileStream(Path.Combine(path, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e.GetType() == typeof(IOException)) // what it throws for a lock alone
        {
            string who = File.Exists(Path.Combine(path, PidFile))
                && int.TryParse(File.ReadAllText(Path.Combine(path, PidFile)), CultureInfo.InvariantCulture, out int pid)
                ? string.Create(CultureInfo.InvariantCulture, $" (process {pid})") : "";
            throw new IOException($"another appliance{who} uses the data folder {path}: stop it first, or name another folder", e);
        }
    }

    /// <summary>Takes from others what they may do with anything in the folder. Links stay as they are: what they name lies
    /// elsewhere.</summary>
    private void Narrow()
    {
        UnixFileMode mode = File.GetUnixFileMode(FullPath);
        if ((mode & Others) != 0)
        {
            try
            {
                File.SetUnixFileMode(FullPath, Owner);
            }
            catch (UnauthorizedAccessException e)
            {
                throw new InvalidDataException(
                    $"the data folder {FullPath} is open to others and is not this user's own: chown it, or name another one", e);
            }
            WasOpen = mode;
        }
        var everything = new FileSystemEnumerable<(string Path, UnixFileMode Mode)>(FullPath, (ref FileSystemEntry entry) =>
            (entry.ToFullPath(), entry.ToFileSystemInfo().UnixFileMode),
                new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
        {
            ShouldIncludePredicate = IsNoLink,
            ShouldRecursePredicate = IsNoLink,
        };
        foreach ((string path, UnixFileMode had) in everything)
        {
            if ((had & Others) != 0)
            {
                try
                {
                    File.SetUnixFileMode(path, had & ~Others);
                }
                catch (UnauthorizedAccessException)
                {
                    // Somebody else's file, such as one that root put there for a board: nobody gets to it through this folder.
                }
            }
        }
    }

    private static bool IsNoLink(ref FileSystemEntry entry) => (entry.Attributes & FileAttributes.ReparsePoint) == 0;

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial uint SetMask(uint mask);
}
