using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Storage;

/// <summary>How the disk of the data folder is.</summary>
public enum DiskCondition
{
    Good,

    /// <summary>There is no room on it, or no more for this user.</summary>
    Full,

    /// <summary>It cannot be read or written: a fault of the medium or its file system, or it became read-only.</summary>
    Failing,
}

/// <summary>
/// Whether the disk of the data folder works. What is wrong is noted where something could not be read or written, and is over when it can
/// be again: what comes again by itself tries at its next tick, and whoever asked is told. Only what the disk or the database's file says
/// counts; mistakes of the program are none of this, and come through.
/// </summary>
/// <param name="folder">The data folder.</param>
/// <param name="probe">Writes and reads what the appliance needs; throws where that cannot be.</param>
/// <param name="clock">Times how long it must have worked.</param>
public sealed class DataDisk(string folder, Action probe, TimeProvider clock)
{
    // errno(3), as .NET has it in HResult.
    private const int NoSpace = 28, QuotaExceeded = 122;

    /// <summary>EIO, ENXIO, ENODEV, EROFS, EBADMSG, ESTALE, EUCLEAN and EREMOTEIO.</summary>
    private static readonly HashSet<int> s_faults = [5, 6, 19, 30, 74, 116, 117, 121];

    private const int DatabaseFull = 13; // SQLITE_FULL
    private const int NoSharedMemory = 4874; // SQLITE_IOERR_SHMSIZE: no room for the index of what is not in the database's file yet

    /// <summary>SQLITE_BUSY (a program that is not ours holds it for longer than we wait), READONLY, IOERR, CORRUPT, CANTOPEN and
    /// NOTADB.</summary>
    private static readonly HashSet<int> s_databaseFaults = [5, 8, 10, 11, 14, 26];

    /// <summary>So much is free when a full disk is full no more.</summary>
    private const long Room = 4 << 20;

    /// <summary>A disk that fails now and then is told once for a while, and not at each tick.</summary>
    private static readonly TimeSpan s_quiet = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private long _notedAt;

    public DiskCondition Condition { get; private set; }

    /// <summary>What the disk said; empty where it is good.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Told when the condition has become another one.</summary>
    public event Action<DiskCondition>? Changed;

    /// <summary>In one sentence, for whoever asked; empty where it is good.</summary>
    public string Sentence => Condition switch
    {
        DiskCondition.Full =>
            "The appliance's disk is full, and nothing was changed: free some space, such as by removing images, and try again.",
        DiskCondition.Failing => $"The appliance's disk does not work ({Reason}), and nothing was changed: look after it, and try again.",
        _ => "",
    };

    /// <summary>What an error says of the disk; null: nothing.</summary>
    public static DiskCondition? Says(Exception? e) => e switch
    {
        null => null,
        IOException { HResult: NoSpace or QuotaExceeded } or SqliteException { SqliteErrorCode: DatabaseFull }
            or SqliteException { SqliteExtendedErrorCode: NoSharedMemory } => DiskCondition.Full,
        IOException io when s_faults.Contains(io.HResult) => DiskCondition.Failing,
        SqliteException sqlite when s_databaseFaults.Contains(sqlite.SqliteErrorCode) => DiskCondition.Failing,
        _ => Says(e.InnerException),
    };

    /// <summary>Notes that the disk does not work, where this says so; for the filter of a catch.</summary>
    public bool Note(Exception e)
    {
        if (Says(e) is not { } said)
        {
            return false;
        }
        Volatile.Write(ref _notedAt, clock.GetTimestamp());
        Set(said, e.Message.TrimEnd('.'));
        return true;
    }

    /// <summary>Does what comes again anyway: where the disk does not work it is left undone.</summary>
    /// <returns>Whether it was done.</returns>
    public bool Try(Action work)
    {
        try
        {
            work();
            return true;
        }
        catch (Exception e) when (Note(e))
        {
            return false; // at the next tick again
        }
    }

    /// <summary>Looks whether it is over.</summary>
    public void Look()
    {
        bool mayBeOver = Condition switch
        {
            DiskCondition.Full => Try(HasRoom),
            DiskCondition.Failing => clock.GetElapsedTime(Volatile.Read(ref _notedAt)) >= s_quiet,
            _ => false,
        };
        if (mayBeOver && Try(probe) && Try(WriteFile))
        {
            Set(DiskCondition.Good, "");
        }
    }

    private void HasRoom()
    {
        if (new DriveInfo(folder).AvailableFreeSpace < Room)
        {
            throw new IOException("no room", NoSpace);
        }
    }

    private void WriteFile()
    {
        string path = Path.Combine(folder, ".probe");
        using var file = new FileStream(path,
            new FileStreamOptions
            {
                Mode = FileMode.Create,
                Access = FileAccess.Write,
                Options = FileOptions.DeleteOnClose,
                BufferSize = 0
            });
        file.Write(new byte[64 << 10]);
        file.Flush(flushToDisk: true);
    }

    private void Set(DiskCondition condition, string reason)
    {
        lock (_lock)
        {
            // What is full fails in many ways.
            if (Condition == condition || (Condition == DiskCondition.Full && condition == DiskCondition.Failing))
            {
                return;
            }
            (Condition, Reason) = (condition, reason);
        }
        Changed?.Invoke(condition);
    }
}
