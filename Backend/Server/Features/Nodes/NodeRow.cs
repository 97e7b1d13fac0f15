using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Jobs;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>A node as the database has it.</summary>
internal sealed class NodeRow
{
    public const string Columns = """
        id AS Id, name AS Name, lifecycle AS LifecycleText, inventory AS InventoryJson, first_seen AS FirstSeen, last_seen AS LastSeen,
        address AS Address, boot_id AS BootId, install_id AS InstallId, image AS Image, certificate_serial AS CertificateSerial,
        previous_serial AS PreviousSerial,
        new_key AS NewKey, version AS Version, tags AS TagWords, note AS Note, location AS Location, facts AS FactsJson,
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
    public string? CertificateSerial { get; init; }

    /// <summary>
    /// The certificate of the system on the disk, while NetInst has a newer one: an installation that ends with the disk untouched leaves
    /// that system to go on as the same node. Or the one before a renewal, until the node has come with the renewed one.
    /// </summary>
    public string? PreviousSerial { get; init; }

    /// <summary>Nobody asked to be this node with a new key.</summary>
    public const int NoKeyWaits = 0;

    /// <summary>Somebody asked, and a person must decide.</summary>
    public const int KeyWaits = 1;

    /// <summary>A person said yes: the next request is granted.</summary>
    public const int KeyAllowed = 2;

    public long NewKey { get; init; }

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
    public uint? Revision => uint.TryParse(Inventory.Revision, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint code) ? code : null;

    public static NodeRow? Find(SqliteConnection c, NodeId id) =>
        c.QuerySingleOrDefault<NodeRow>($"SELECT {Columns} FROM nodes WHERE id = @id", new { id = id.ToString() });

    /// <summary>The node that a certificate names, if it is the node's own still: others were replaced or revoked.</summary>
    public static NodeId? Of(X509Certificate2 certificate, Database database) =>
        NodeId.TryParse(certificate.GetNameInfo(X509NameType.SimpleName, false), out NodeId id) &&
        database.Read(c => Find(c, id)) is { } row &&
        (certificate.SerialNumber == row.CertificateSerial || certificate.SerialNumber == row.PreviousSerial)
            ? id
            : null;

    public static List<NodeRow> All(SqliteConnection c) =>
        [.. c.Query<NodeRow>($"SELECT {Columns} FROM nodes ORDER BY name")];

    /// <summary>The image of an installation runs on its node.</summary>
    public static void SetInstalled(SqliteConnection c, TaskRow task) => c.Execute(
        "UPDATE nodes SET lifecycle = @lifecycle, image = @Image, install_id = @Id, previous_serial = NULL WHERE id = @NodeId",
        new { task.Image, task.Id, task.NodeId, lifecycle = nameof(Lifecycle.Installed) });

    public static void SetLifecycle(SqliteConnection c, string id, Lifecycle lifecycle) =>
        c.Execute("UPDATE nodes SET lifecycle = @lifecycle WHERE id = @id", new { id, lifecycle = lifecycle.ToString() });
}
