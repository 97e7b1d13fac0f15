using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Storage;

/// <summary>
/// The appliance's SQLite file. Statements are short and synchronous; one connection writes, under a lock and always in a
/// transaction, and others read beside it (WAL). A killed process loses no transaction that was committed.
/// </summary>
public sealed class Database : IDisposable
{
    private readonly string _readers;
    private readonly SqliteConnection _writer;
    private readonly Lock _writing = new();

    /// <param name="path">Made if absent.</param>
    /// <exception cref="IOException">It cannot be opened, or is no database of this program; the message says which file and
    /// why.</exception>
    public Database(string path)
        : this(path, Schema.Steps)
    {
    }

    /// <summary>A file beside the appliance's own, with tables of its own.</summary>
    /// <param name="path">Made if absent.</param>
    /// <param name="steps">What makes its tables; an older file gets those that it lacks.</param>
    /// <param name="pageSize">Bytes of a page of a file that is made now; null: SQLite's.</param>
    /// <exception cref="IOException">As above.</exception>
    internal Database(string path, IReadOnlyList<string> steps, int? pageSize = null)
    {
        var connection = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 10 };
        _readers = connection.ToString();
        connection.ForeignKeys = true;
        _writer = new SqliteConnection(connection.ToString());
        try
        {
            _writer.Open();
            if (pageSize is { } bytes)
            {
                _writer.Execute($"PRAGMA page_size = {bytes}"); // before the first page is written
            }
            // How it is journalled stays with the file; how safely is of interest to who writes alone.
            _writer.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
            Schema.Migrate(_writer, steps, steps.Count);
        }
        catch (SqliteException e)
        {
            Dispose(); // whoever puts another file in its place must not be given this one again
            throw new IOException($"the appliance's database {path} cannot be used ({e.Message}): put a copy that is whole in its place, " +
                "or move it away to begin anew", e);
        }
    }

    /// <summary>Copies a database as it is at one moment, also while an appliance writes to it, and looks whether it is sound.</summary>
    /// <param name="copy">Must not be there.</param>
    /// <exception cref="IOException">It cannot be read, or the copy cannot be written.</exception>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static void Copy(string path, string copy)
    {
        try
        {
            using var connection = new SqliteConnection(
                new SqliteConnectionStringBuilder
                {
                    DataSource = path,
                    Mode = SqliteOpenMode.ReadWrite,
                    Pooling = false,
                    DefaultTimeout = 10
                }.ToString());
            connection.Open();
            connection.Execute("VACUUM INTO @copy", new { copy });
            using var copied = new SqliteConnection(new SqliteConnectionStringBuilder
            {
                DataSource = copy,
                Mode = SqliteOpenMode.ReadOnly,
                Pooling = false
            }.ToString());
            if (copied.ExecuteScalar<string>("PRAGMA integrity_check(1)") is not "ok" and var fault)
            {
                throw new InvalidDataException($"the appliance's database {path} is damaged: {fault}");
            }
        }
        catch (SqliteException e)
        {
            throw new IOException($"the appliance's database {path} cannot be copied: {e.Message}", e);
        }
    }

    /// <summary>Runs statements in one transaction: all of them happen, or none.</summary>
    public T Write<T>(Func<SqliteConnection, T> statements)
    {
        lock (_writing)
        {
            using SqliteTransaction transaction = _writer.BeginTransaction();
            T result = statements(_writer);
            transaction.Commit();
            return result;
        }
    }

    /// <summary>Runs statements in one transaction: all of them happen, or none.</summary>
    public void Write(Action<SqliteConnection> statements) => Write(connection =>
    {
        statements(connection);
        return true;
    });

    /// <summary>All that was committed is on the medium: without it, a power cut takes the last commits, and leaves a sound database
    /// without them.</summary>
    public void Sync()
    {
        lock (_writing)
        {
            try
            {
                _writer.Execute("PRAGMA wal_checkpoint(PASSIVE)");
            }
            catch (SqliteException e) when (DataDisk.Says(e) is not null)
            {
                // It is committed, and reaches the medium with the next checkpoint that has room.
            }
        }
    }

    /// <summary>Whether the file can be read and written: writes what is in it already.</summary>
    /// <exception cref="SqliteException">It cannot.</exception>
    public void Probe() => Write(c => c.Execute($"PRAGMA user_version = {c.ExecuteScalar<long>("PRAGMA user_version")}"));

    /// <summary>Reads from a connection of its own, all statements the same state: what is written meanwhile is not seen.</summary>
    public T Read<T>(Func<SqliteConnection, T> query)
    {
        using var connection = new SqliteConnection(_readers);
        connection.Open();
        using SqliteTransaction snapshot = connection.BeginTransaction(deferred: true);
        return query(connection);
    }

    public void Dispose()
    {
        _writer.Dispose();
        SqliteConnection.ClearPool(_writer);
        using var readers = new SqliteConnection(_readers);
        SqliteConnection.ClearPool(readers);
    }
}
