using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Status;
using Bootstrap.Server.Features.Nodes;
using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Bootstrap.Server.Features.Monitoring.History;

/// <summary>
/// What nodes measured: each minute of the last 24 hours, each quarter of an hour of the last 30 days. Minutes come to memory, and from
/// there to the file a few times a minute, those of all nodes in one transaction; an hour that has ended is folded into a block, a day that
/// has ended into one of quarters.
/// </summary>
public sealed partial class HistoryStore : INodeRecords, IDisposable
{
    /// <summary>So long every minute is kept.</summary>
    public static readonly TimeSpan MinutesKept = TimeSpan.FromHours(24);

    /// <summary>So long every quarter of an hour is kept.</summary>
    public static readonly TimeSpan QuartersKept = TimeSpan.FromDays(30);

    /// <summary>Minutes that may wait in memory for the disk: an hour of 1,000 nodes that were cut off.</summary>
    public const int MostPending = 1 << 16;

    /// <summary>A node's clock, and the way here, may be a minute off.</summary>
    private const int Tolerance = 1;

    private const int MinutesOfHour = 60, MinutesOfDay = 1440, HoursOfDay = 24, Quarter = 15, QuartersOfHour = 4, QuartersOfDay = 96;

    /// <summary>Minutes that are written in one transaction: some milliseconds.</summary>
    private const int WrittenAtOnce = 2000;

    private readonly string _path;
    private readonly TimeProvider _clock;
    private readonly ILogger<HistoryStore> _log;

    private readonly Lock _waiting = new();
    private readonly Dictionary<(NodeId Node, long Minute), byte[]> _pending = [];

    private readonly Lock _writing = new();
    private readonly HistoryCodec _codec = new();
    private volatile HistoryFile? _file;

    /// <summary>Of the file; taken anew where a transaction fails.</summary>
    private Dictionary<NodeId, long> _numbers = [];
    private long _swept;

    /// <param name="path">Of the file; it is made at the first use, and again where it was damaged.</param>
    public HistoryStore(string path, TimeProvider clock, ILogger<HistoryStore> log) => (_path, _clock, _log) = (path, clock, log);

    private long NowMinute => _clock.GetUtcNow().ToUnixTimeSeconds() / 60;

    /// <summary>Opens the file, unless it is open.</summary>
    /// <exception cref="IOException">The disk does not work.</exception>
    public void Open() => Keep(static _ => { });

    /// <summary>A node tells what it measured in a minute. One that it told before is replaced.</summary>
    /// <returns>Why it is not kept, in a sentence; null: it is kept, on the disk after the next <see cref="Flush"/>.</returns>
    public string? Add(NodeId node, MinuteSummary summary)
    {
        if (summary.Validate() is { } fault)
        {
            return fault;
        }
        long age = NowMinute - summary.Minute;
        if (age < -Tolerance)
        {
            return "The minute is yet to come: the node's clock is ahead of the appliance's.";
        }
        if (age > MinutesKept.TotalMinutes)
        {
            return "The minute is more than 24 hours ago.";
        }
        if (_file is not { } file)
        {
            return "The appliance keeps no history at the moment: its disk does not work.";
        }
        byte[] body = HistoryCodec.EncodeMinute([.. summary.Values.Select(value => Metrics.Find(value.Key)!).Select(metric =>
            (file.NumberOf(metric), HistoryScale.ToCell(metric.Unit, summary.Values[metric.Name])))]);
        lock (_waiting)
        {
            if (_pending.Count >= MostPending && !_pending.ContainsKey((node, summary.Minute)))
            {
                return "More history comes than the appliance's disk takes: this minute is lost.";
            }
            _pending[(node, summary.Minute)] = body;
            return null;
        }
    }

    /// <summary>Writes what has come; it survives the end of the process from then on.</summary>
    public void Flush()
    {
        while (true)
        {
            List<KeyValuePair<(NodeId Node, long Minute), byte[]>> some;
            lock (_waiting)
            {
                some = [.. _pending.Take(WrittenAtOnce)];
            }
            if (some.Count == 0)
            {
                return;
            }
            Keep(file => Write(file, some));
            lock (_waiting)
            {
                foreach ((var key, byte[] body) in some)
                {
                    if (_pending.TryGetValue(key, out byte[]? now) && now == body)
                    {
                        _pending.Remove(key);
                    }
                }
            }
        }
    }

    /// <summary>Loses what waits: there is no room for it.</summary>
    public void Drop()
    {
        lock (_waiting)
        {
            _pending.Clear();
        }
    }

    /// <summary>A node is forgotten, and its history with it.</summary>
    public void Forget(NodeId node)
    {
        lock (_waiting)
        {
            foreach ((NodeId Node, long Minute) key in _pending.Keys.Where(key => key.Node == node).ToList())
            {
                _pending.Remove(key);
            }
        }
        Keep(file =>
        {
            _numbers.Remove(node);
            // Its minutes have no owner now, and go when they would be folded.
            file.Database.Write(c => c.Execute("DELETE FROM nodes WHERE id = @id", new { id = node.ToString() }));
        });
    }

    /// <summary>Forgets those that are no nodes any more: they were forgotten while the disk was full, or a backup from before them was
    /// restored.</summary>
    /// <param name="known">Gives the nodes.</param>
    public void ForgetOthers(Func<IReadOnlySet<NodeId>> known)
    {
        // What is here first: a node that comes meanwhile is none of these.
        List<NodeId> here = [];
        Keep(file => here = [.. file.Database.Read(c => c.Query<string>("SELECT id FROM nodes")).Select(NodeId.Parse)]);
        IReadOnlySet<NodeId> nodes = known();
        here.Where(node => !nodes.Contains(node)).ToList().ForEach(Forget);
    }

    public void Dispose()
    {
        lock (_writing)
        {
            _file?.Dispose();
            _file = null;
            _codec.Dispose();
        }
    }

    /// <summary>Does something with the file, alone. One that turns out to be damaged is thrown away, with what waits for it.</summary>
    private void Keep(Action<HistoryFile> work)
    {
        lock (_writing)
        {
            try
            {
                work(_file ??= HistoryFile.Open(_path, () => LogDamage(_log, _path)));
            }
            catch (SqliteException e) when (HistoryFile.IsDamage(e))
            {
                LogDamage(_log, _path);
                _file?.Dispose();
                _file = null;
                _numbers = [];
                Drop();
                HistoryFile.Discard(_path);
                _file = HistoryFile.Open(_path, () => LogDamage(_log, _path));
            }
        }
    }

    private void Write(HistoryFile file, List<KeyValuePair<(NodeId Node, long Minute), byte[]>> minutes)
    {
        // A copy, which counts if the transaction does.
        var numbers = new Dictionary<NodeId, long>(_numbers);
        file.Database.Write(c =>
        {
            using SqliteCommand insert = c.CreateCommand();
            insert.CommandText = "INSERT OR REPLACE INTO minutes (minute, node, body) VALUES ($minute, $node, $body)";
            SqliteParameter minute = insert.Parameters.Add("$minute", SqliteType.Integer);
            SqliteParameter node = insert.Parameters.Add("$node", SqliteType.Integer);
            SqliteParameter body = insert.Parameters.Add("$body", SqliteType.Blob);
            foreach (((NodeId Node, long Minute) key, byte[] bytes) in minutes)
            {
                if (!numbers.TryGetValue(key.Node, out long number))
                {
                    numbers[key.Node] = number = c.ExecuteScalar<long>("""
                        INSERT INTO nodes (id) VALUES (@id) ON CONFLICT DO NOTHING;
                        SELECT number FROM nodes WHERE id = @id
                        """, new { id = key.Node.ToString() });
                }
                (minute.Value, node.Value, body.Value) = (key.Minute, number, bytes);
                insert.ExecuteNonQuery();
            }
        });
        _numbers = numbers;
    }

    [LoggerMessage(LogLevel.Error, "The history of what nodes measured ({Path}) is damaged, or a newer program's: it begins anew")]
    private static partial void LogDamage(ILogger logger, string path);
}
