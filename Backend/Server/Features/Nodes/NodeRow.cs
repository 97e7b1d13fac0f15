using System.Globalization;
using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Jobs;
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

    public static List<NodeRow> All(SqliteConnection c) =>
        [.. c.Query<NodeRow>($"SELECT {Columns} FROM nodes ORDER BY name")];

    /// <summary>The image of an installation runs on its node.</summary>
    public static void SetInstalled(SqliteConnection c, TaskRow task) => c.Execute(
        "UPDATE nodes SET lifecycle = @lifecycle, image = @Image, install_id = @Id WHERE id = @NodeId",
        new { task.Image, task.Id, task.NodeId, lifecycle = nameof(Lifecycle.Installed) });

    public static void SetLifecycle(SqliteConnection c, string id, Lifecycle lifecycle) =>
        c.Execute("UPDATE nodes SET lifecycle = @lifecycle WHERE id = @id", new { id, lifecycle = lifecycle.ToString() });
}
