using System.Collections.Concurrent;
using System.Net;
using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Images;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.NetInst;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Boot.Boards;

/// <summary>
/// The one place that decides whether a board boots from the network, and what. Decided once for each boot and then kept: a Pi reads
/// config.txt up to four times (raspberrypi/rpi-eeprom#87), and what it reads must not change in between.
/// </summary>
internal sealed class BootPlanner(ApplianceOptions options, Database database, BootSetLibrary sets, DataDisk disk, TimeProvider clock)
    : IBootGate
{
    /// <summary>The longest silence within one boot: a ROM's time-outs are below a minute.</summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromMinutes(2);

    /// <summary>A board that finds nothing on its disk asks again at once: an SD card and a USB port without a disk are tried in less
    /// (USB_MSD_DISCOVER_TIMEOUT is 20 s).</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(60);

    /// <summary>An EEPROM that has the network first asks for 45 s (DHCP_TIMEOUT) before it goes on to its disk.</summary>
    private static readonly TimeSpan s_noSystemDelay = TimeSpan.FromSeconds(90);

    /// <summary>Boots that are remembered; of more each file is decided for itself.</summary>
    private const int MaxConversations = 8192;

    private readonly ConcurrentDictionary<string, Conversation> _conversations = new();

    /// <param name="Node">The node that the board was, if any, and <paramref name="BootId"/> what it ran then: once NetInst reports in,
    /// this boot is over.</param>
    /// <param name="AskedSince">When the board began to ask, without a pause.</param>
    /// <param name="HasNoSystem">It asks because its disk holds nothing that boots, whatever was installed there.</param>
    private sealed record Conversation(BootPlan Plan, string? Node, string? BootId, long LastAsked, long AskedSince, bool HasNoSystem);

    /// <summary>
    /// A Pi that is to boot its own disk gets no boot information, and its EEPROM goes on to the next place in its order; one that does not
    /// stop asking has no other place to go to. A PC always gets iPXE, whose script tells it at once; without an answer its firmware would
    /// try for a minute.
    /// </summary>
    bool IBootGate.Admits(MacAddress mac, DhcpClient client, DhcpMessageType asked)
    {
        if (client.Kind != BootClientKind.RaspberryPi)
        {
            disk.Try(() => Plan(mac, client, asked));
            return true;
        }
        bool fromNetwork = false;
        // Of whom nothing can be read at the moment is left alone, and asks again.
        disk.Try(() => fromNetwork = Plan(mac, client, asked).FromNetwork);
        return fromNetwork;
    }

    private BootPlan Plan(MacAddress mac, DhcpClient client, DhcpMessageType asked)
    {
        var claim = BoardClaim.Of(mac, client);
        return asked == DhcpMessageType.Discover ? Begin(claim, null, client.IsPi3Rom) : For(claim, null);
    }

    /// <summary>What a board is given, as it was decided when this boot began.</summary>
    /// <param name="claim">Who asks.</param>
    /// <param name="address">What a client is known by that is known by nothing else.</param>
    public BootPlan For(BoardClaim claim, IPAddress? address)
    {
        if (Last(claim, address) is { } running && clock.GetElapsedTime(running.LastAsked) < s_silence)
        {
            NodeRow? node = database.Read(c => Find(c, claim));
            // A file by address alone tells nothing of the node; the DHCP messages before have.
            if (node is null || IsSameBoot(running, node))
            {
                Keep(claim, address, running with { LastAsked = clock.GetTimestamp() });
                return running.Plan;
            }
        }
        return Begin(claim, address);
    }

    private BootPlan Begin(BoardClaim claim, IPAddress? address, bool isPi3Rom = false)
    {
        long now = clock.GetTimestamp();
        Conversation? before = Last(claim, address);
        Conversation conversation = database.Read(c =>
        {
            NodeRow? node = Find(c, claim);
            bool goesOn = before is not null && clock.GetElapsedTime(before.LastAsked, now) < s_pause && IsSameBoot(before, node);
            long since = goesOn ? before!.AskedSince : now;
            // The ROM of a Pi 3 tries its card before all else (raspberrypi/documentation, bootflow-legacy), and asks five times only.
            bool hasNoSystem = (goesOn && before!.HasNoSystem) || clock.GetElapsedTime(since, now) >= s_noSystemDelay ||
                (isPi3Rom && node?.Inventory.Disks.Any(disk => disk.Kind == "sd") == true);
            return new Conversation(Decide(c, claim, node, hasNoSystem), node?.Id, node?.BootId, now, since, hasNoSystem);
        });
        Keep(claim, address, conversation);
        return conversation.Plan;
    }

    /// <summary>The board's system has not reported in meanwhile.</summary>
    private static bool IsSameBoot(Conversation running, NodeRow? node) => node?.Id == running.Node && node?.BootId == running.BootId;

    private Conversation? Last(BoardClaim claim, IPAddress? address)
    {
        foreach (string key in Keys(claim, address))
        {
            if (_conversations.TryGetValue(key, out Conversation? last))
            {
                return last;
            }
        }
        return null;
    }

    private BootPlan Decide(SqliteConnection c, BoardClaim claim, NodeRow? node, bool hasNoSystem)
    {
        string[] folders = [.. claim.Folders];
        BootPlan Plan(bool fromNetwork, string reason) =>
            new(node?.Name ?? $"the board {string.Join(", ", folders)}".TrimEnd(), fromNetwork, reason,
            sets.For(claim.Revision ?? node?.Revision), folders);

        if (folders.FirstOrDefault(HasOwnConfiguration) is { } folder)
        {
            return Plan(true, $"boots what is in boot/overrides/{folder}");
        }
        if (node is null)
        {
            return Plan(true, "starts NetInst: it was never seen before");
        }
        foreach (TaskRow task in TaskRow.Open(c, node.NodeId))
        {
            ImageView? image = task.Image is { } digest ? ImageCatalogue.FindIn(c, digest) : null;
            if (TaskKind.Of(task).Boot(task, node, image, hasNoSystem) is { } boot)
            {
                return Plan(boot.FromNetwork, boot.Reason);
            }
        }
        return node.Lifecycle switch
        {
            // The board that a person has approved must be able to introduce itself.
            Lifecycle.Installed when node.KeySeen == 0 => Plan(true, "starts NetInst: a person has approved this board as the node"),
            Lifecycle.Installed when hasNoSystem => Plan(true, "starts NetInst: it was installed, and found nothing to boot on its disk"),
            Lifecycle.Installed =>
                Plan(false, $"boots its own disk: installed with {ImageName(c, node.Image)}, and no job orders another installation"),
            Lifecycle.Unbootable => Plan(true, "starts NetInst: its last installation ended in the middle"),
            _ => Plan(true, "starts NetInst: nothing is installed on it yet"),
        };
    }

    private bool HasOwnConfiguration(string folder) => File.Exists(Path.Combine(options.OverridesFolder, folder, "config.txt"));

    private static string ImageName(SqliteConnection c, string? digest) =>
        ImageCatalogue.NameIn(c, digest) ?? "an image that was removed";

    private static NodeRow? Find(SqliteConnection c, BoardClaim claim) =>
        claim is { Serial: null, Mac: null, Uuid: null } ? null : NodeRow.FindBoard(c, claim.Uuid, claim.ShortSerial, claim.Mac);

    private static IEnumerable<string> Keys(BoardClaim claim, IPAddress? address)
    {
        string[] keys = [.. claim.Folders, .. claim.Uuid is { } uuid ? [uuid] : (string[])[]];
        return keys.Length > 0 || address is null ? keys : [address.ToString()];
    }

    private void Keep(BoardClaim claim, IPAddress? address, Conversation conversation)
    {
        if (_conversations.Count >= MaxConversations)
        {
            foreach ((string old, Conversation _) in _conversations.Where(c => clock.GetElapsedTime(c.Value.LastAsked) >= s_silence))
            {
                _conversations.TryRemove(old, out _);
            }
        }
        foreach (string key in Keys(claim, address))
        {
            if (_conversations.Count < MaxConversations || _conversations.ContainsKey(key))
            {
                _conversations[key] = conversation;
            }
        }
    }
}
