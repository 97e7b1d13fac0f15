using System.Globalization;
using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>A node as the database has it.</summary>
internal sealed class NodeRow
{
    public const string Columns = """
        id AS Id, name AS Name, lifecycle AS LifecycleText, inventory AS InventoryJson, first_seen AS FirstSeen, last_seen AS LastSeen,
        address AS Address, boot_id AS BootId, install_id AS InstallId, image AS Image,
        key AS Key, previous_key AS PreviousKey, key_seen AS KeySeen, key_at AS KeyAt, key_by AS KeyBy,
        version AS Version, tags AS TagWords, note AS Note, location AS Location, facts AS FactsJson,
        acknowledged_at AS AcknowledgedAt, changed AS Changed
        """;

    public required string Id { get; init; }
    public required string Name { get; init; }
    public required string LifecycleText { get; init; }
    public required string InventoryJson { get; init; }
    public required long FirstSeen { get; init; }
    public required long LastSeen { get; init; }
    public string? Address { get; init; }
    public string? BootId { get; init; }
    public string? InstallId { get; init; }
    public string? Image { get; init; }

    /// <summary>Fingerprint of the key that is this node; null: none is tied to it, and nothing connects as it.</summary>
    public string? Key { get; init; }

    /// <summary>The key before a renewal, until the node has come with the renewed one.</summary>
    public string? PreviousKey { get; init; }

    /// <summary>0: a person has approved the key, and nothing has connected with it yet.</summary>
    public long KeySeen { get; init; }

    /// <summary>When the key was tied to the node, Unix milliseconds; null: by an earlier version, which did not keep it.</summary>
    public long? KeyAt { get; init; }

    /// <summary>Who tied it: a user's name, or <c>policy</c>; empty where that is not known.</summary>
    public required string KeyBy { get; init; }

    /// <summary>Of the program that was connected last; empty for a node that only enrolled.</summary>
    public required string Version { get; init; }

    public required string TagWords { get; init; }
    public required string Note { get; init; }
    public required string Location { get; init; }
    public required string FactsJson { get; init; }

    /// <summary>When a person has last seen what the node is; null: nobody has.</summary>
    public long? AcknowledgedAt { get; init; }

    /// <summary>Not 0: something has changed since that a person is to see.</summary>
    public long Changed { get; init; }

    /// <summary>In alphabetical order.</summary>
    public IReadOnlyList<string> Tags => TagWords.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    public NodeMark Mark => AcknowledgedAt is null ? NodeMark.New : Changed != 0 ? NodeMark.Changed : NodeMark.None;

    public NodeId NodeId => NodeId.Parse(Id);

    public Lifecycle Lifecycle => Enum.Parse<Lifecycle>(LifecycleText);

    public Inventory Inventory => JsonSerializer.Deserialize(InventoryJson, ProtocolJson.Default.Inventory)!;

    /// <summary>A Pi's revision code, as the board has told it.</summary>
    public uint? Revision => uint.TryParse(Inventory.Revision, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint code)
        ? code : null;

    public static NodeRow? Find(SqliteConnection c, NodeId id) =>
        c.QuerySingleOrDefault<NodeRow>($"SELECT {Columns} FROM nodes WHERE id = @id", new { id = id.ToString() });

    public static bool Exists(SqliteConnection c, string node) =>
        c.ExecuteScalar<bool>("SELECT EXISTS (SELECT 1 FROM nodes WHERE id = @node)", new { node });

    public static int Count(SqliteConnection c) => c.ExecuteScalar<int>("SELECT count(*) FROM nodes");

    /// <summary>Forgets one, with all that goes with it.</summary>
    /// <returns>How many were: 0 where there is none of that id.</returns>
    public static int Delete(SqliteConnection c, NodeId node) =>
        c.Execute("DELETE FROM nodes WHERE id = @node", new { node = node.ToString() });

    /// <summary>It was there at this time (Unix milliseconds).</summary>
    public static void SetSeen(SqliteConnection c, NodeId node, long at, string address) => c.Execute(
        "UPDATE nodes SET last_seen = @at, address = @address WHERE id = @node", new { node = node.ToString(), at, address });

    /// <summary>Its program has started, or come back.</summary>
    public static void SetProgram(SqliteConnection c, NodeId node, string bootId, string version) => c.Execute(
        "UPDATE nodes SET boot_id = @bootId, version = @version WHERE id = @node", new { node = node.ToString(), bootId, version });

    /// <summary>When each node on which an image runs, or did, was last seen: Unix milliseconds.</summary>
    public static List<(NodeId Node, long At)> LastSeenInstalled(SqliteConnection c) =>
        [.. c.Query<(string Id, long At)>("SELECT id, last_seen FROM nodes WHERE lifecycle = 'Installed'")
            .Select(row => (NodeId.Parse(row.Id), row.At))];

    /// <summary>Names of those on which an image runs.</summary>
    public static IEnumerable<string> NamesInstalled(SqliteConnection c, Digest image) => c.Query<string>(
        "SELECT name FROM nodes WHERE image = @image AND lifecycle = @installed ORDER BY name",
        new { image = image.ToString(), installed = nameof(Lifecycle.Installed) });

    public static List<NodeRow> All(SqliteConnection c) =>
        [.. c.Query<NodeRow>($"SELECT {Columns} FROM nodes ORDER BY name")];

    /// <summary>
    /// The node that a board is. A Pi's id ends in the serial number that its boot program tells; a serial number or UUID says more than a
    /// MAC, which may be a USB adapter's that went from board to board.
    /// </summary>
    /// <param name="uuid">An id; null: not known.</param>
    /// <param name="serial">Its last eight digits; null: not known.</param>
    /// <param name="mac">Of one of its own interfaces; null: not known.</param>
    public static NodeRow? FindBoard(SqliteConnection c, string? uuid, string? serial, MacAddress? mac) =>
        c.QueryFirstOrDefault<NodeRow>($"""
            SELECT {Columns} FROM nodes
            WHERE id = @uuid OR (length(id) = 16 AND id LIKE '%' || @serial) OR id IN (SELECT node_id FROM node_macs WHERE mac = @mac)
            ORDER BY ifnull(id = @uuid, 0) OR ifnull(id LIKE '%' || @serial, 0) DESC, last_seen DESC
            """, new { uuid, serial, mac = mac?.ToString() });

    /// <summary>Keeps what a node is, and the MACs that it is found by.</summary>
    /// <returns>False where there is no such node.</returns>
    public static bool SetInventory(SqliteConnection c, NodeId node, Inventory inventory)
    {
        string id = node.ToString();
        bool isKnown = c.Execute("UPDATE nodes SET inventory = @json WHERE id = @id",
            new { id, json = JsonSerializer.Serialize(inventory, ProtocolJson.Default.Inventory) }) > 0;
        if (isKnown)
        {
            c.Execute("DELETE FROM node_macs WHERE node_id = @id", new { id });
            c.Execute("INSERT OR IGNORE INTO node_macs (mac, node_id) VALUES (@mac, @id)",
                inventory.Interfaces.Select(i => new { mac = i.Mac.ToString(), id }).ToList());
        }
        return isKnown;
    }

    /// <summary>The image of an installation runs on its node.</summary>
    /// <param name="install">The installation's task.</param>
    public static void SetInstalled(SqliteConnection c, string node, string? image, string install) => c.Execute(
        "UPDATE nodes SET lifecycle = @lifecycle, image = @image, install_id = @install WHERE id = @node",
        new { node, image, install, lifecycle = nameof(Lifecycle.Installed) });

    /// <summary>A system has started from the disk of a node that was thought not to start.</summary>
    public static void SetBootable(SqliteConnection c, string node) => c.Execute(
        "UPDATE nodes SET lifecycle = iif(image IS NULL, 'New', 'Installed') WHERE id = @node AND lifecycle = 'Unbootable'", new { node });

    /// <summary>Null: there is no such node.</summary>
    public static Lifecycle? LifecycleOf(SqliteConnection c, string node) =>
        c.QuerySingleOrDefault<string>("SELECT lifecycle FROM nodes WHERE id = @node", new { node }) is { } lifecycle
            ? Enum.Parse<Lifecycle>(lifecycle) : null;

    public static void SetLifecycle(SqliteConnection c, string node, Lifecycle lifecycle) =>
        c.Execute("UPDATE nodes SET lifecycle = @lifecycle WHERE id = @node", new { node, lifecycle = lifecycle.ToString() });
}
