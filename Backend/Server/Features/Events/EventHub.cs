using System.Text.Json;
using System.Threading.Channels;

namespace Bootstrap.Server.Features.Events;

/// <summary>One change, for whoever watches.</summary>
/// <param name="Id">Rises by one, from the time at which the process was started, so that ids of an earlier process are all lower.</param>
/// <param name="Name"><c>node</c>, <c>node-removed</c>, <c>health</c>, <c>image</c>, <c>image-removed</c>, <c>import</c>, <c>job</c>,
/// <c>policy</c>, <c>boot</c>, <c>disk</c> and so on.</param>
/// <param name="Json">What the API's GET of that thing would give now.</param>
public sealed record ApplianceEvent(long Id, string Name, string Json);

/// <summary>Hands changes to the pages that watch. A watcher who comes back names the last event that he saw and gets the rest.</summary>
public sealed class EventHub(TimeProvider clock)
{
    /// <summary>How many events a watcher may have missed and still be brought up to date.</summary>
    private const int Kept = 2048;

    /// <summary>How many bytes these may have; and how many may wait for one watcher.</summary>
    private const long KeptBytes = 8 << 20;

    private static readonly JsonSerializerOptions s_json = ApiJson.Options;

    private readonly Lock _lock = new();
    private readonly Queue<ApplianceEvent> _recent = new();
    private readonly HashSet<Watcher> _watchers = [];
    private long _recentBytes;
    private long _lastId = clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Tells everybody.</summary>
    public void Publish(string name, object content)
    {
        string json = JsonSerializer.Serialize(content, content.GetType(), s_json);
        lock (_lock)
        {
            var e = new ApplianceEvent(++_lastId, name, json);
            _recent.Enqueue(e);
            _recentBytes += SizeOf(e);
            while (_recent.Count > Kept || _recentBytes > KeptBytes)
            {
                _recentBytes -= SizeOf(_recent.Dequeue());
            }
            // A watcher that does not read is cut off: its channel is full, it comes back and catches up.
            _watchers.RemoveWhere(watcher => !watcher.TryTell(e));
        }
    }

    /// <summary>
    /// Starts watching. The first item is null where events between <paramref name="lastSeen"/> and now are lost: the watcher must
    /// read everything anew.
    /// </summary>
    /// <param name="lastSeen">Id of the last event that the watcher saw; null for a new watcher.</param>
    /// <param name="cancellation">Ends the watching.</param>
    public async IAsyncEnumerable<ApplianceEvent?> WatchAsync(
        long? lastSeen, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var watcher = new Watcher();
        List<ApplianceEvent> missed;
        bool complete;
        lock (_lock)
        {
            _watchers.Add(watcher);
            missed = lastSeen is null ? [] : [.. _recent.Where(e => e.Id > lastSeen)];
            complete = lastSeen is null || lastSeen == _lastId || (missed.Count > 0 && missed[0].Id == lastSeen + 1);
        }
        try
        {
            if (!complete)
            {
                yield return null;
            }
            else
            {
                foreach (ApplianceEvent e in missed)
                {
                    yield return e;
                }
            }
            await foreach (ApplianceEvent e in watcher.ReadAsync(cancellation))
            {
                yield return e;
            }
        }
        finally
        {
            lock (_lock)
            {
                _watchers.Remove(watcher);
            }
        }
    }

    private static long SizeOf(ApplianceEvent e) => 2L * e.Json.Length;

    /// <summary>What waits for one who watches.</summary>
    private sealed class Watcher
    {
        private readonly Channel<ApplianceEvent> _waiting = Channel.CreateBounded<ApplianceEvent>(Kept);
        private long _bytes;

        /// <summary>False where he has not read for too long; nothing more comes to him.</summary>
        public bool TryTell(ApplianceEvent e)
        {
            if (Interlocked.Add(ref _bytes, SizeOf(e)) <= KeptBytes && _waiting.Writer.TryWrite(e))
            {
                return true;
            }
            _waiting.Writer.TryComplete();
            return false;
        }

        public async IAsyncEnumerable<ApplianceEvent> ReadAsync(
            [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
        {
            await foreach (ApplianceEvent e in _waiting.Reader.ReadAllAsync(cancellation))
            {
                Interlocked.Add(ref _bytes, -SizeOf(e));
                yield return e;
            }
        }
    }
}
