using System.Collections.Immutable;
using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Server.Features.Boot.Doctor;

/// <summary>
/// The boards that were seen booting and the newest conversations of each. Decides what belongs to which; no clock, no disk, one caller at
/// a time. Each method returns the board that it is about, or null where nobody boots.
/// </summary>
public sealed class BootTimeline
{
    /// <summary>Most boards that are kept; who was silent longest gives way, those that never became nodes first.</summary>
    public const int MaxBoards = 1000;

    /// <summary>Most lines of one conversation.</summary>
    public const int MaxEvents = 400;

    /// <summary>Conversations of one board that are at hand: what the rules look back on.</summary>
    public const int Recent = 3;

    private const int LinkReserve = 50;

    /// <summary>After so much silence a DISCOVER is a new boot: more than any pause of a boot program (an EEPROM waits 30 s for a
    /// file).</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(60);

    /// <summary>So long after its last file a system that starts may ask for an address of its own.</summary>
    private static readonly TimeSpan s_systemStart = TimeSpan.FromMinutes(10);

    private readonly Dictionary<MacAddress, WireBoard> _boards = [];
    private readonly Dictionary<MacAddress, ImmutableList<Conversation>> _recent = [];

    public IReadOnlyDictionary<MacAddress, WireBoard> Boards => _boards;

    /// <summary>A board's last conversations, the newest first.</summary>
    public ImmutableList<Conversation> ConversationsOf(MacAddress mac) => _recent.GetValueOrDefault(mac, []);

    /// <summary>A board's last conversation.</summary>
    public Conversation? Newest(MacAddress mac) => ConversationsOf(mac).FirstOrDefault();

    /// <summary>Boards that had to give way since this was last asked.</summary>
    public List<MacAddress> Evicted { get; } = [];

    /// <summary>Takes up what was kept.</summary>
    /// <param name="board">A board.</param>
    /// <param name="recent">Its last conversations, the newest first.</param>
    public void Restore(WireBoard board, IEnumerable<Conversation> recent)
    {
        _boards[board.Mac] = board;
        _recent[board.Mac] = [.. recent];
    }

    /// <summary>A DHCP message. Strangers that do not boot from the network are not kept; of a board that is booting, its system's messages
    /// are.</summary>
    public MacAddress? Asked(long now, DhcpSighting seen)
    {
        bool boots = seen.Kind != BootClientKind.None;
        if (!boots && (Newest(seen.Mac) is not { IsIntroduced: false } running || now - running.LastAt > s_systemStart.TotalMilliseconds))
        {
            return null;
        }
        var e = new DhcpEvent(now, seen.Kind, seen.Asked, seen.Answered)
        {
            IsPi3Rom = seen.IsPi3Rom,
            Architecture = seen.Architecture,
            IsLeftAlone = seen.IsLeftAlone,
            LacksPool = seen.LacksPool,
            Interface = seen.Interface,
            Address = seen.Address?.ToString(),
            Server = seen.Server?.ToString(),
            ChosenServer = seen.ChosenServer?.ToString(),
            Relay = seen.Relay?.ToString(),
            BootFile = seen.BootFile,
            Seconds = seen.Seconds,
        };
        Update(seen.Mac, now, board => board.With(seen));
        Add(seen.Mac, now, e, isNew: boots && seen.Asked == DhcpMessageType.Discover && IsNewBoot(Newest(seen.Mac), e, now));
        return seen.Mac;
    }

    /// <summary>A request for a file.</summary>
    /// <param name="now">When it ended.</param>
    /// <param name="client">Who asked.</param>
    /// <param name="e">What became of it.</param>
    /// <param name="onlyIfBooting">The file is fetched for other reasons, too: it belongs to a boot only if one is under way.</param>
    public MacAddress? Fetched(long now, BootClient client, FileEvent e, bool onlyIfBooting = false)
    {
        if (Identify(client, e.Path) is not { } mac)
        {
            return null;
        }
        Conversation? newest = Newest(mac);
        bool under = newest is not null && !newest.IsIntroduced && !IsSilent(newest, e.At);
        if (onlyIfBooting && !under)
        {
            return null;
        }
        Update(mac, now, board => (board with { Address = client.Address.ToString() }).With(e));
        Add(mac, now, e, isNew: !under);
        return mac;
    }

    /// <summary>NetInst or a Slave has introduced itself.</summary>
    public MacAddress? Introduced(long now, NodeRole role, Inventory inventory)
    {
        MacAddress? mac = inventory.Interfaces.Select(i => (MacAddress?)i.Mac).FirstOrDefault(m => _boards.ContainsKey(m!.Value));
        if (mac is null && inventory.Serial.Length >= 8)
        {
            string serial = inventory.Serial[^8..].ToLowerInvariant();
            mac = _boards.Values.FirstOrDefault(b => b.Serial == serial)?.Mac;
        }
        if (mac is not { } known)
        {
            return null; // It never asked for anything: started from its card.
        }
        Update(known, now, board => board with { Node = inventory.Id });
        Add(known, now, new LinkEvent(now, role == NodeRole.NetInst ? LinkStage.NetInst : LinkStage.Slave) { Detail = inventory.System },
            isNew: false);
        return known;
    }

    /// <summary>A node was told something, or has left.</summary>
    public MacAddress? Linked(long now, NodeId node, LinkStage stage, string? detail)
    {
        if (_boards.Values.FirstOrDefault(b => b.Node == node) is not { } board)
        {
            return null;
        }
        Add(board.Mac, now, new LinkEvent(now, stage) { Detail = detail }, isNew: false);
        return board.Mac;
    }

    /// <summary>
    /// Whether a DISCOVER begins another boot. A Pi 3 sends one from its ROM and one from bootcode.bin, a PC one from its firmware and one
    /// from iPXE: those are one boot. One that comes after the kernel was fetched, or from the ROM after its successor, is the next.
    /// </summary>
    private static bool IsNewBoot(Conversation? newest, DhcpEvent e, long now) =>
        newest is null || newest.IsIntroduced || IsSilent(newest, now) ||
        (e.Client != BootClientKind.Ipxe && newest.Events.Any(BootCourse.IsKernelFetched)) ||
        (e.IsPi3Rom && newest.Events.Any(before => before is DhcpEvent { Client: BootClientKind.RaspberryPi, IsPi3Rom: false })) ||
        (e.Client != BootClientKind.Ipxe && newest.Events.Any(before => before is DhcpEvent { Client: BootClientKind.Ipxe }));

    private static bool IsSilent(Conversation conversation, long now) => now - conversation.LastAt > Silence.TotalMilliseconds;

    /// <summary>The neighbour table knows best; then what the path says; then who was last given that address.</summary>
    private MacAddress? Identify(BootClient client, string path)
    {
        if (client.Mac is not null || BoardFolder.MacOf(path) is not null)
        {
            return client.Mac ?? BoardFolder.MacOf(path);
        }
        string address = client.Address.ToString();
        string? serial = BoardFolder.SerialOf(path);
        return (_boards.Values.FirstOrDefault(b => serial is not null && b.Serial == serial) ??
            _boards.Values.Where(b => b.Address == address).MaxBy(b => b.LastSeen))?.Mac;
    }

    private void Update(MacAddress mac, long now, Func<WireBoard, WireBoard> change)
    {
        if (!_boards.TryGetValue(mac, out WireBoard? board))
        {
            if (_boards.Count >= MaxBoards)
            {
                Evict();
            }
            board = new WireBoard(mac, now);
        }
        _boards[mac] = change(board) with { LastSeen = now };
    }

    private void Evict()
    {
        MacAddress oldest = _boards.Values.OrderBy(b => b.Node is not null).ThenBy(b => b.LastSeen).First().Mac;
        _boards.Remove(oldest);
        _recent.Remove(oldest);
        Evicted.Add(oldest);
    }

    private void Add(MacAddress mac, long now, BootEvent e, bool isNew)
    {
        ImmutableList<Conversation> recent = ConversationsOf(mac);
        if (recent.IsEmpty || isNew)
        {
            // Two of one board never have the same time: it is their key.
            long startedAt = recent.IsEmpty ? e.At : Math.Max(e.At, recent[0].StartedAt + 1);
            recent = recent.Insert(0, new Conversation(mac, startedAt, [Ended(e, now)]));
            _recent[mac] = recent.Count > Recent ? recent.RemoveAt(Recent) : recent;
            return;
        }
        // Once the installed system runs, its comings and goings are the node's story, not the boot's.
        if (e is LinkEvent && recent[0].Events.Any(before => before is LinkEvent { Stage: LinkStage.Slave }))
        {
            return;
        }
        _recent[mac] = recent.SetItem(0, Append(recent[0], Ended(e, now)));
    }

    private static BootEvent Ended(BootEvent e, long now) => e with { Until = Math.Max(now, e.At) };

    private static Conversation Append(Conversation c, BootEvent e)
    {
        // Probes for files that need not exist come again and again, with others between them.
        int from = e is FileEvent { Outcome: TftpOutcome.NotFound or TftpOutcome.Probed } ? 0 : c.Events.Count - 1;
        for (int i = c.Events.Count - 1; i >= Math.Max(from, 0); i--)
        {
            if (c.Events[i].Fold(e) is { } folded)
            {
                return c with { Events = c.Events.RemoveAt(i).Add(folded) };
            }
        }
        int most = e is LinkEvent ? MaxEvents + LinkReserve : MaxEvents;
        return c.Events.Count < most ? c with { Events = c.Events.Add(e) } : c with { Dropped = c.Dropped + 1 };
    }
}
