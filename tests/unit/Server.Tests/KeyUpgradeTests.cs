using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Server.Storage;
using Bootstrap.Support;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Tests;

/// <summary>A database from when nodes were known by the numbers of their certificates, and whoever enrolled was a node.</summary>
public sealed class KeyUpgradeTests : IDisposable
{
    /// <summary>Steps of the schema until then.</summary>
    private const int StepsBefore = 17;

    private static readonly NodeId s_installed = NodeId.Parse("10000000ddaa0001"), s_enrolled = NodeId.Parse("10000000ddaa0002"), s_tagged = NodeId.Parse("10000000ddaa0003");

    private readonly string _folder = Directory.CreateTempSubdirectory("test-upgrade-").FullName;

    private string File => Path.Combine(_folder, "appliance.db");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void An_installed_node_is_known_by_the_certificate_that_it_has_and_by_its_key_from_then_on()
    {
        CertificateAuthority authority = CertificateAuthority.Open(Path.Combine(_folder, "ca"), TimeProvider.System);
        using ECDsa key = NodeIdentity.CreateKey(), other = NodeIdentity.CreateKey();
        using X509Certificate2 shown = authority.IssueNode(s_installed, "front-1", new PublicKey(key));
        using X509Certificate2 same = authority.IssueNode(s_installed, "front-1", new PublicKey(key));
        using X509Certificate2 forged = authority.IssueNode(s_installed, "front-1", new PublicKey(other));
        WriteOld(shown.SerialNumber);
        using var database = new Database(File);
        var keys = new NodeKeys(database, authority, TimeProvider.System);

        Assert.Null(keys.Find(forged)); // of this CA and in this name, and not the one that the database knows
        Assert.Equal(s_installed, keys.Find(shown));
        Assert.Equal(s_installed, keys.Find(same));
        Assert.Null(keys.Find(forged));
        Assert.Equal(Protocol.Trust.FingerprintOf(shown.PublicKey).ToString(), database.Read(c => NodeRow.Find(c, s_installed))!.Key);
    }

    [Fact]
    public void Who_only_enrolled_is_a_stranger_again_unless_people_have_said_something_of_it()
    {
        CertificateAuthority authority = CertificateAuthority.Open(Path.Combine(_folder, "ca"), TimeProvider.System);
        using ECDsa key = NodeIdentity.CreateKey();
        using X509Certificate2 certificate = authority.IssueNode(s_tagged, "camera-1", new PublicKey(key));
        WriteOld("none", certificate.SerialNumber);
        using var database = new Database(File);
        Assert.Equal([s_installed, s_tagged], database.Read(NodeRow.All).Select(n => n.NodeId).Order(Comparer<NodeId>.Create((a, b) => string.CompareOrdinal(a.ToString(), b.ToString()))));
        NodeRow kept = database.Read(c => NodeRow.Find(c, s_tagged))!;
        Assert.Equal(("camera-1", "camera", null), (kept.Name, kept.TagWords, kept.Key));
        Assert.Null(new NodeKeys(database, authority, TimeProvider.System).Find(certificate)); // nobody approved it
    }

    private void WriteOld(string installedSerial, string taggedSerial = "none")
    {
        using var old = new SqliteConnection($"Data Source={File};Pooling=False");
        old.Open();
        Schema.Migrate(old, StepsBefore);
        Add(s_installed, "front-1", "Installed", installedSerial, "");
        Add(s_enrolled, "node-aa0002", "New", "enrolled", "");
        Add(s_tagged, "camera-1", "New", taggedSerial, "camera");

        void Add(NodeId id, string name, string lifecycle, string serial, string tags) => old.Execute("""
            INSERT INTO nodes (id, name, lifecycle, inventory, first_seen, last_seen, certificate_serial, tags) VALUES (@id, @name, @lifecycle, @json, 1, 2, @serial, @tags)
            """, new
        {
            id = id.ToString(),
            name,
            lifecycle,
            serial,
            tags,
            json = System.Text.Json.JsonSerializer.Serialize(SimulatedNode.InventoryOf(id, "arm64"), ProtocolJson.Default.Inventory),
        });
    }
}
