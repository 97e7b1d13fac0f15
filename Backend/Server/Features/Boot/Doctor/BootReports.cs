using System.Net.Sockets;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Boot.Dhcp;
using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Features.Nodes;

namespace Bootstrap.Server.Features.Boot.Doctor;

/// <summary>A board as people see it before, and after, it is a node. Times are Unix milliseconds.</summary>
/// <param name="Node">The node that it turned out to be; null while it is not one.</param>
/// <param name="Program">What asks, in words.</param>
/// <param name="Model">As far as the wire tells.</param>
/// <param name="Serial">A Pi's: the low eight hex digits.</param>
/// <param name="Eeprom">Version of a Pi's EEPROM: what NetInst has read, else as far as the wire tells.</param>
/// <param name="Vendor">What its MAC address hints at.</param>
/// <param name="AsksFor">The file that it asked for last.</param>
/// <param name="Severity">Of the worst finding.</param>
/// <param name="Headline">The worst finding's cause.</param>
public sealed record BoardView(
    MacAddress Mac, NodeId? Node, string Program, string? Model, string? Serial, string? Eeprom, Guid? Uuid, string? Vendor,
    string? Interface, string? Address,
    string? AsksFor, long FirstSeen, long LastSeen, FindingSeverity Severity, string Headline);

/// <summary>A conversation with what it shows.</summary>
/// <param name="Dropped">Lines that were too many to be kept.</param>
public sealed record ConversationView(
    long StartedAt, long LastAt, bool Introduced, int Dropped, IReadOnlyList<BootEvent> Events, IReadOnlyList<Finding> Findings);

/// <summary>A board and what its newest conversation shows.</summary>
public sealed record Explanation(BoardView Board, long StartedAt, IReadOnlyList<Finding> Findings);

/// <summary>Something happened to a board: the server-sent event <c>boot</c>.</summary>
public sealed record BootChange(BoardView Board, IReadOnlyList<BootEvent> Events);

/// <summary>Puts together what the recorder knows, what the nodes are, and how the appliance is set up.</summary>
internal sealed class BootReports
{
    private const uint QemuPrefix = 0x525400;

    private readonly BootRecorder _recorder;
    private readonly NodeDirectory _nodes;
    private readonly ApplianceOptions _options;
    private readonly DhcpService _dhcp;
    private readonly TftpService _tftp;
    private readonly TimeProvider _clock;

    public BootReports(
        BootRecorder recorder, NodeDirectory nodes, EventHub events, ApplianceOptions options, DhcpService dhcp, TftpService tftp,
        TimeProvider clock)
    {
        (_recorder, _nodes, _options, _dhcp, _tftp, _clock) = (recorder, nodes, options, dhcp, tftp, clock);
        recorder.Changed += changes =>
        {
            ApplianceFacts facts = Facts();
            foreach ((WireBoard board, IReadOnlyList<BootEvent> happened) in changes)
            {
                IReadOnlyList<Conversation> recent = recorder.Read(timeline => timeline.ConversationsOf(board.Mac));
                if (recent.Count > 0)
                {
                    events.Publish("boot", new BootChange(View(board, recent, NodeOf(board), facts), happened));
                }
            }
        };
    }

    private long Now => _clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>All boards, the one that was heard last first.</summary>
    public IReadOnlyList<BoardView> List()
    {
        Dictionary<NodeId, NodeView> nodes = _nodes.List().ToDictionary(n => n.Id);
        ApplianceFacts facts = Facts();
        return [.. _recorder.Read(timeline => timeline.Boards.Values.Select(board => (Board: board,
            Recent: timeline.ConversationsOf(board.Mac))).ToList())
            .OrderByDescending(b => b.Board.LastSeen)
            .Select(b => View(b.Board, b.Recent, b.Board.Node is { } id ? nodes.GetValueOrDefault(id) : null, facts))];
    }

    /// <summary>By MAC address, serial number, or the id or name of the node that the board is; null if there is none.</summary>
    public WireBoard? Find(string board)
    {
        if (MacAddress.TryParse(board, out MacAddress mac))
        {
            return _recorder.Read(timeline => timeline.Boards.GetValueOrDefault(mac));
        }
        NodeId? node = NodeEndpoints.Find(_nodes, board)?.Id;
        return _recorder.Read(timeline => timeline.Boards.Values.Where(b => (node is not null && b.Node == node) ||
            string.Equals(b.Serial, board, StringComparison.OrdinalIgnoreCase)).MaxBy(b => b.LastSeen));
    }

    /// <summary>A board's conversations, the newest first, each explained as it was when the next began.</summary>
    public IReadOnlyList<ConversationView> Conversations(WireBoard board)
    {
        IReadOnlyList<Conversation> all = _recorder.Conversations(board.Mac);
        ApplianceFacts facts = Facts();
        bool installed = IsInstalled(NodeOf(board));
        return [.. all.Select((c, i) => new ConversationView(c.StartedAt, c.LastAt, c.IsIntroduced, c.Dropped, c.Events,
            BootDoctor.Explain(new BootCourse(board, c, [.. all.Skip(i + 1).Take(BootTimeline.Recent - 1)], installed && i == 0, facts,
                i == 0 ? Now : all[i - 1].StartedAt))))];
    }

    /// <summary>What a board's newest conversation shows.</summary>
    public Explanation Explain(WireBoard board)
    {
        IReadOnlyList<Conversation> recent = _recorder.Read(timeline => timeline.ConversationsOf(board.Mac));
        NodeView? node = NodeOf(board);
        ApplianceFacts facts = Facts();
        return new Explanation(View(board, recent, node, facts), recent[0].StartedAt, Findings(board, recent, node, facts));
    }

    private BoardView View(WireBoard board, IReadOnlyList<Conversation> recent, NodeView? node, ApplianceFacts facts)
    {
        Finding worst = Findings(board, recent, node, facts)[0];
        return new BoardView(board.Mac, node?.Id, Words.Program(board.Kind, board.Family, board.Architecture),
            node?.Inventory.Model ?? ModelOf(board),
            board.Serial,
            node is { Inventory.Firmware.Length: > 0 } ? node.Inventory.Firmware : EepromOf(board, recent), board.Uuid,
            VendorOf(board.Mac), board.Interface, board.Address, board.AsksFor, board.FirstSeen, board.LastSeen, worst.Severity,
            worst.Cause);
    }

    private IReadOnlyList<Finding> Findings(WireBoard board, IReadOnlyList<Conversation> recent, NodeView? node, ApplianceFacts facts) =>
        BootDoctor.Explain(new BootCourse(board, recent[0], [.. recent.Skip(1)], IsInstalled(node), facts, Now));

    private NodeView? NodeOf(WireBoard board) => board.Node is { } id ? _nodes.Find(id) : null;

    private static bool IsInstalled(NodeView? node) => node?.Lifecycle == Lifecycle.Installed;

    private ApplianceFacts Facts() => new(_dhcp.Mode, _tftp.IsServing,
        [.. DiscoverySocket.Interfaces(_options.Interfaces).SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Where(a => a.Address.AddressFamily == AddressFamily.InterNetwork)
            .Select(a => new DhcpInterface("", a.Address, a.PrefixLength).Subnet)]);

    private static string? ModelOf(WireBoard board) => board switch
    {
        { Revision: { } revision } when PiRevision.Read(revision)?.Name is { } name => name,
        { Family: PiFamily.Pi3 } => "Raspberry Pi 3, or 2 v1.2",
        { Family: PiFamily.Pi4 } => "Raspberry Pi 4, 400 or CM4",
        { Family: PiFamily.Pi5 } => "Raspberry Pi 5, 500 or CM5",
        _ => null,
    };

    /// <summary>The block size that is asked for became larger with the EEPROM of October 2022 (raspberrypi/rpi-eeprom, release
    /// notes).</summary>
    private static string? EepromOf(WireBoard board, IReadOnlyList<Conversation> recent) =>
        board.Family is not (PiFamily.Pi4 or PiFamily.Pi5) ? null :
        recent.SelectMany(c => c.Events).OfType<FileEvent>().Select(file => file.BlockSize).DefaultIfEmpty().Max() switch
        {
            >= 1468 => "October 2022 or later",
            >= 1024 => "before October 2022",
            _ => null,
        };

    private static string? VendorOf(MacAddress mac) =>
        DhcpClient.HasPiPrefix(mac) ? "Raspberry Pi" : mac.Value >> 24 == QemuPrefix ? "QEMU" : null;
}
