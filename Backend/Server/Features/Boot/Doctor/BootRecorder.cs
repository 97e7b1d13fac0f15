using System.Threading.Channels;
using Bootstrap.Netboot;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Storage;
using Microsoft.Extensions.Hosting;

namespace Bootstrap.Server.Features.Boot.Doctor;

/// <summary>
/// Collects what boards do while they boot, tells those who watch, and keeps it. Whoever reports only leaves a note in a queue: it neither
/// waits nor fails; when the queue is full the note is counted and lost.
/// </summary>
public sealed class BootRecorder : BackgroundService
{
    private const int QueueLength = 8192;
    private const int MaxTextLength = 255;

    /// <summary>Those who watch hear of a board this often at most.</summary>
    private static readonly TimeSpan s_tellPeriod = TimeSpan.FromMilliseconds(250);

    private const int TellsBetweenSaves = 4;

    private readonly BootStore _store;
    private readonly NoiseCounter _noise;
    private readonly DataDisk _disk;
    private readonly TimeProvider _clock;
    private readonly Channel<Func<BootTimeline, MacAddress?>> _notes = Channel.CreateBounded<Func<BootTimeline, MacAddress?>>(QueueLength);
    private readonly SemaphoreSlim _noted = new(0);
    private readonly Lock _lock = new();
    private readonly BootTimeline _timeline = new();

    // What has changed since it was last told or saved.
    private readonly Dictionary<MacAddress, List<BootEvent>> _untold = [];
    private readonly Dictionary<(MacAddress Mac, long StartedAt), Conversation> _unsaved = [];

    internal BootRecorder(BootStore store, NoiseCounter noise, DataDisk disk, TimeProvider clock)
    {
        (_store, _noise, _disk, _clock) = (store, noise, disk, clock);
        foreach ((WireBoard board, IReadOnlyList<Conversation> recent) in store.Load())
        {
            _timeline.Restore(board, recent);
        }
    }

    /// <summary>Told what has happened to boards since the last time; called on the recorder's own time, a few times a second.</summary>
    public event Action<IReadOnlyList<(WireBoard Board, IReadOnlyList<BootEvent> Events)>>? Changed;

    private long Now => _clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>A DHCP message.</summary>
    public void Asked(DhcpSighting seen)
    {
        long now = Now;
        Note(timeline => timeline.Asked(now, seen));
    }

    /// <summary>A TFTP request has ended. Uploads are no part of a boot.</summary>
    public void Fetched(TftpSighting seen)
    {
        long now = Now;
        if (!seen.IsUpload)
        {
            Note(timeline => timeline.Fetched(now, seen.Client,
                new FileEvent(now - (long)seen.Took.TotalMilliseconds, FileProtocol.Tftp, Short(seen.Path), seen.Outcome, seen.Bytes)
                {
                    Length = seen.Length,
                    BlockSize = seen.BlockSize,
                    Detail = seen.Detail is null ? null : Short(seen.Detail),
                }));
        }
    }

    /// <summary>An HTTP request for a boot file has ended.</summary>
    /// <param name="client">Who asked.</param>
    /// <param name="e">What became of it.</param>
    /// <param name="onlyIfBooting">It belongs to a boot only if one is under way.</param>
    internal void Fetched(BootClient client, FileEvent e, bool onlyIfBooting)
    {
        long now = Now;
        Note(timeline => timeline.Fetched(now, client, e with { Path = Short(e.Path) }, onlyIfBooting));
    }

    /// <summary>A node has introduced itself.</summary>
    internal void Introduced(Hello hello)
    {
        long now = Now;
        Note(timeline => timeline.Introduced(now, hello.Role, hello.Inventory));
    }

    /// <summary>A node is told something: what it is to do next ends or goes on a boot.</summary>
    internal void Told(NodeId node, LinkMessage message)
    {
        long now = Now;
        switch (message)
        {
            case Wait wait:
                Note(timeline => timeline.Linked(now, node, LinkStage.Waiting, wait.Reason));
                break;
            case StartTask start when start.Order.Installs():
                Note(timeline => timeline.Linked(now, node, LinkStage.Installing, null));
                break;
        }
    }

    /// <summary>A node's connection has ended.</summary>
    internal void Left(NodeId node, string? reason)
    {
        long now = Now;
        Note(timeline => timeline.Linked(now, node, LinkStage.Left, reason));
    }

    /// <summary>Reads the timeline as it is at this moment.</summary>
    internal T Read<T>(Func<BootTimeline, T> query)
    {
        lock (_lock)
        {
            Drain();
            return query(_timeline);
        }
    }

    /// <summary>A board's conversations, the newest first: those that are at hand, and behind them the kept ones.</summary>
    internal IReadOnlyList<Conversation> Conversations(MacAddress mac)
    {
        IReadOnlyList<Conversation> recent = Read(timeline => timeline.ConversationsOf(mac));
        return [.. recent, .. _store.Conversations(mac).Where(kept => recent.All(r => r.StartedAt > kept.StartedAt))];
    }

    /// <summary>Keeps what was heard last; also where the appliance stops before this has begun to run.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        Save();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await _noted.WaitAsync(stoppingToken);
                for (int i = 0; i < TellsBetweenSaves; i++)
                {
                    await Task.Delay(s_tellPeriod, _clock, stoppingToken);
                    Tell();
                }
                Save();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The appliance stops.
        }
    }

    private void Note(Func<BootTimeline, MacAddress?> note)
    {
        if (!_notes.Writer.TryWrite(note))
        {
            _noise.Count("boot timeline");
        }
        else if (_noted.CurrentCount == 0)
        {
            _noted.Release();
        }
    }

    /// <summary>Takes in what was reported. Under the lock.</summary>
    private void Drain()
    {
        while (_notes.Reader.TryRead(out Func<BootTimeline, MacAddress?>? note))
        {
            if (note(_timeline) is { } mac && _timeline.Newest(mac) is { } newest)
            {
                List<BootEvent> untold = _untold.TryGetValue(mac, out List<BootEvent>? known) ? known : _untold[mac] = [];
                BootEvent last = newest.Events[^1];
                if (untold.Count == 0 || !ReferenceEquals(untold[^1], last))
                {
                    untold.Add(last);
                }
                _unsaved[(mac, newest.StartedAt)] = newest;
            }
        }
    }

    private void Tell()
    {
        List<(WireBoard Board, IReadOnlyList<BootEvent> Events)> changes = Read(timeline =>
        {
            List<(WireBoard, IReadOnlyList<BootEvent>)> all =
                [.. _untold.Where(u => timeline.Boards.ContainsKey(u.Key))
                    .Select(u => (timeline.Boards[u.Key], (IReadOnlyList<BootEvent>)u.Value))];
            _untold.Clear();
            return all;
        });
        if (changes.Count > 0)
        {
            Changed?.Invoke(changes);
        }
    }

    private void Save()
    {
        (WireBoard[] boards, Conversation[] conversations, MacAddress[] removed) = Read(timeline =>
        {
            Conversation[] changed = [.. _unsaved.Values.Where(v => timeline.Boards.ContainsKey(v.Mac))];
            MacAddress[] evicted = [.. timeline.Evicted];
            _unsaved.Clear();
            timeline.Evicted.Clear();
            return ((WireBoard[])[.. changed.Select(v => timeline.Boards[v.Mac]).Distinct()], changed, evicted);
        });
        if (conversations.Length + removed.Length == 0)
        {
            return;
        }
        try
        {
            _store.Save(boards, conversations, removed);
        }
        catch (Exception e) when (_disk.Note(e))
        {
            // With what is heard next, once there is room.
            lock (_lock)
            {
                foreach (Conversation unsaved in conversations)
                {
                    _unsaved.TryAdd((unsaved.Mac, unsaved.StartedAt), unsaved);
                }
                foreach (MacAddress mac in removed)
                {
                    _timeline.Evicted.Add(mac);
                }
            }
        }
    }

    /// <summary>What comes from the network has an end.</summary>
    private static string Short(string text) => text.Length <= MaxTextLength ? text : text[..MaxTextLength];
}
