using Bootstrap.Protocol.Status;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Monitoring.History;

/// <summary>
/// The database of what nodes measured. It is a file of its own: backups copy the appliance's database, and shall not carry 200 MB of
/// charts; what is folded and pruned here holds no lock that jobs wait for; and a file that is damaged is thrown away, which the appliance
/// survives.
/// A transaction that was committed is kept when the process is killed; a power cut may take the last ones, and leaves the file sound.
/// </summary>
internal sealed class HistoryFile : IDisposable
{
    private static readonly string[] s_steps =
    [
        // Numbers of nodes are never given a second time: what is left of a forgotten node's is nobody's.
        // Minutes are in the order in which they come, so that those of all nodes are a few pages; blocks are written once and pruned in
        // the same order, so that a page is full until it is free.
        """
        CREATE TABLE nodes (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE
        ) STRICT;
        CREATE TABLE metrics (
            number INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            unit TEXT NOT NULL,
            UNIQUE (name, unit)
        ) STRICT;
        CREATE TABLE minutes (
            minute INTEGER NOT NULL,
            node INTEGER NOT NULL,
            body BLOB NOT NULL,
            PRIMARY KEY (minute, node)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE hours (
            id INTEGER PRIMARY KEY,
            node INTEGER NOT NULL REFERENCES nodes (number) ON DELETE CASCADE,
            hour INTEGER NOT NULL,
            counted INTEGER NOT NULL,
            body BLOB NOT NULL,
            UNIQUE (node, hour)
        ) STRICT;
        CREATE TABLE days (
            id INTEGER PRIMARY KEY,
            node INTEGER NOT NULL REFERENCES nodes (number) ON DELETE CASCADE,
            day INTEGER NOT NULL,
            body BLOB NOT NULL,
            UNIQUE (node, day)
        ) STRICT;
        """,
    ];

    /// <summary>A day's quarters are 2.5 KB: of SQLite's pages of 4 KiB a third would be empty, of these a tenth is.</summary>
    private const int PageSize = 8192;

    private const int Corrupt = 11, NoDatabase = 26; // SQLITE_CORRUPT, SQLITE_NOTADB

    private readonly Dictionary<Metric, long> _numbers;
    private readonly Dictionary<long, MetricUnit> _units;

    private HistoryFile(Database database)
    {
        Database = database;
        (_numbers, _units) = database.Write(c =>
        {
            foreach (Metric metric in Metrics.All.Where(metric => metric.IsKept))
            {
                c.Execute("INSERT INTO metrics (name, unit) VALUES (@Name, @unit) ON CONFLICT DO NOTHING",
                    new { metric.Name, unit = metric.Unit.ToString() });
            }
            var numbers = new Dictionary<Metric, long>();
            var units = new Dictionary<long, MetricUnit>();
            foreach ((long number, string name, string unit) in c.Query<(long, string, string)>("SELECT number, name, unit FROM metrics"))
            {
                if (Metrics.Find(name) is { IsKept: true } metric && metric.Unit.ToString() == unit)
                {
                    (numbers[metric], units[number]) = (number, metric.Unit);
                }
            }
            return (numbers, units);
        });
    }

    public Database Database { get; }

    /// <summary>Opens the file, which is made where there is none; one that is damaged is thrown away.</summary>
    /// <param name="damaged">Told so.</param>
    /// <exception cref="IOException">The disk does not work.</exception>
    public static HistoryFile Open(string path, Action damaged)
    {
        try
        {
            return OpenWhole(path);
        }
        catch (Exception e) when (IsDamage(e))
        {
            damaged();
            Discard(path);
            return OpenWhole(path);
        }
    }

    /// <summary>Whether the file is no database, a damaged one, or one of a newer program: charts are not worth that the appliance does not
    /// start.</summary>
    public static bool IsDamage(Exception e) => e is InvalidDataException ||
        (e as SqliteException ?? e.InnerException as SqliteException) is { SqliteErrorCode: Corrupt or NoDatabase };

    /// <summary>Throws a file away that nobody has open.</summary>
    public static void Discard(string path)
    {
        // The journal first: it must not be taken for the next file's.
        File.Delete(path + "-wal");
        File.Delete(path + "-shm");
        File.Delete(path);
    }

    /// <summary>The file's number of a metric that is kept.</summary>
    public long NumberOf(Metric metric) => _numbers[metric];

    /// <summary>Its unit; null: only another program knows it.</summary>
    public MetricUnit? FindUnit(long metric) => _units.TryGetValue(metric, out MetricUnit unit) ? unit : null;

    public void Dispose() => Database.Dispose();

    private static HistoryFile OpenWhole(string path)
    {
        var database = new Database(path, s_steps, PageSize);
        try
        {
            return new HistoryFile(database);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }
}
