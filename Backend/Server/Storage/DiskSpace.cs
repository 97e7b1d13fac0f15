using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Storage;

/// <summary>
/// Whether the disk of the data folder is full. It is noted where something could not be written, and is over when there is room again:
/// what comes
/// again by itself tries at its next tick, and whoever asked is told.
/// </summary>
/// <param name="folder">The data folder.</param>
public sealed class DiskSpace(string folder)
{
    /// <summary>In one sentence, for whoever asked.</summary>
    public const string Sentence = "The appliance's disk is full, and nothing was changed: free some space, such as by removing images, and try again.";

    private const int NoSpace = 28; // ENOSPC
    private const int DatabaseFull = 13; // SQLITE_FULL
    private const int NoSharedMemory = 4874; // SQLITE_IOERR_SHMSIZE: no room for the index of what is not in the database's file yet

    /// <summary>So much is free when it is over.</summary>
    private const long Room = 4 << 20;

    private readonly Lock _lock = new();

    public bool IsFull { get; private set; }

    /// <summary>Told when it becomes full, and when it is over.</summary>
    public event Action<bool>? Changed;

    /// <summary>True where this says that there is no room.</summary>
    public static bool Says(Exception e) =>
        e is IOException { HResult: NoSpace } or SqliteException { SqliteErrorCode: DatabaseFull } or SqliteException { SqliteExtendedErrorCode: NoSharedMemory };

    /// <summary>Notes that there is no room, where this says so; for the filter of a catch.</summary>
    public bool Note(Exception e)
    {
        if (!Says(e))
        {
            return false;
        }
        Set(true);
        return true;
    }

    /// <summary>Does what comes again anyway: where there is no room it is left undone.</summary>
    public void Try(Action work)
    {
        try
        {
            work();
        }
        catch (Exception e) when (Note(e))
        {
            // At the next tick again.
        }
    }

    /// <summary>Looks whether it is over.</summary>
    public void Look()
    {
        if (IsFull && new DriveInfo(folder).AvailableFreeSpace >= Room)
        {
            Set(false);
        }
    }

    private void Set(bool full)
    {
        lock (_lock)
        {
            if (IsFull == full)
            {
                return;
            }
            IsFull = full;
        }
        Changed?.Invoke(full);
    }
}
