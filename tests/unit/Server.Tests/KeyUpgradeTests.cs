using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Link;
using Bootstrap.Agent.Discovery;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Discovery;
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

    private static readonly NodeId s_installed = NodeId.Parse("10000000ddaa0001"), s_enrolled = NodeId.Parse("10000000ddaa0002"),
        s_tagged = NodeId.Parse("10000000ddaa0003");

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
        var keys = new NodeKeys(database, authority, new SettingsStore(database),
            new DataDisk(_folder, database.Probe, TimeProvider.System), TimeProvider.System);

        Assert.Null(keys.Find(forged)); // of this CA and in this name, and not the one that the database knows
        Assert.Equal(s_installed, keys.Find(shown));
        Assert.Equal(s_installed, keys.Find(same));
        Assert.Null(keys.Find(forged));
        Assert.Equal(Protocol.Trust.FingerprintOf(shown.PublicKey).ToString(), database.Read(c => NodeRow.Find(c, s_installed))!.Key);
    }

    [Fact]
    public void A_node_forgotten_before_it_came_with_a_key_is_revoked_by_its_certificates_number()
    {
        CertificateAuthority authority = CertificateAuthority.Open(Path.Combine(_folder, "ca"), TimeProvider.System);
        using ECDsa key = NodeIdentity.CreateKey();
        using X509Certificate2 certificate = authority.IssueNode(s_installed, "front-1", new PublicKey(key));
        WriteOld(certificate.SerialNumber);
        using var database = new Database(File);
        using var keys = new NodeKeys(database, authority, new SettingsStore(database),
            new DataDisk(_folder, database.Probe, TimeProvider.System), TimeProvider.System);
        keys.Change(c =>
        {
            keys.Revoke(c, s_installed);
            return c.Execute("DELETE FROM nodes WHERE id = @id", new { id = s_installed.ToString() });
        });
        Assert.Equal([Protocol.Trust.NumberOf(certificate.SerialNumber)], keys.Revoked.Keys);
        // What it signs is believed by nobody who has heard of it.
        var revocations = new Revocations(null, _ => { });
        var verifier = new MessageVerifier(authority.Issued, signer => revocations.Stands(signer.Key, signer.Number, signer.Ends));
        using X509Certificate2 signing = certificate.CopyWithPrivateKey(key);
        var answer = new Answer("0123456789abcdef", ["mesh"],
            new NodeDescription(s_installed.ToString(), "front-1", new Identity("node", "pi", "front-1"), new Dictionary<string, string>(),
            []), 0);
        DiscoveryMessage signed = new MessageSigner(() => signing).Sign(answer);
        Assert.Equal(Proof.Holds, verifier.Prove(signed, answer));
        revocations.Hear(keys.Revoked);
        Assert.Equal(Proof.Fails, verifier.Prove(signed, answer));
    }

    [Fact]
    public void Where_a_change_of_keys_cannot_be_followed_nobody_is_believed_until_it_can()
    {
        CertificateAuthority authority = CertificateAuthority.Open(Path.Combine(_folder, "ca"), TimeProvider.System);
        using ECDsa key = NodeIdentity.CreateKey(), other = NodeIdentity.CreateKey();
        using X509Certificate2 forgotten = authority.IssueNode(s_installed, "front-1", new PublicKey(key)),
            kept = authority.IssueNode(s_tagged, "camera-1", new PublicKey(other));
        WriteOld("none");
        using var database = new Database(File);
        using var keys = new NodeKeys(database, authority, new SettingsStore(database),
            new DataDisk(_folder, database.Probe, TimeProvider.System), TimeProvider.System);
        keys.Change(c =>
        {
            keys.Tie(c, s_installed, Protocol.Trust.FingerprintOf(forgotten.PublicKey), "admin");
            keys.Tie(c, s_tagged, Protocol.Trust.FingerprintOf(kept.PublicKey), "admin");
            return true;
        });
        Assert.Equal((s_installed, s_tagged), (keys.Find(forgotten)!.Value, keys.Find(kept)!.Value));

        // It is written; and nothing can be read any more.
        SqliteConnection.ClearAllPools();
        keys.Change(c =>
        {
            keys.Revoke(c, s_installed);
            System.IO.File.Move(File, File + ".away");
            Directory.CreateDirectory(File);
            return true;
        });
        Assert.Null(keys.Find(Protocol.Trust.FingerprintOf(forgotten.PublicKey)));
        Assert.Null(keys.Find(Protocol.Trust.FingerprintOf(kept.PublicKey)));

        Directory.Delete(File);
        System.IO.File.Move(File + ".away", File);
        Assert.Null(keys.Find(forgotten));
        Assert.Equal(s_tagged, keys.Find(kept));
        Assert.Contains(Protocol.Trust.FingerprintOf(forgotten.PublicKey), keys.Revoked.Keys);
    }

    [Fact]
    public void Who_only_enrolled_is_a_stranger_again_unless_people_have_said_something_of_it()
    {
        CertificateAuthority authority = CertificateAuthority.Open(Path.Combine(_folder, "ca"), TimeProvider.System);
        using ECDsa key = NodeIdentity.CreateKey();
        using X509Certificate2 certificate = authority.IssueNode(s_tagged, "camera-1", new PublicKey(key));
        WriteOld("none", certificate.SerialNumber);
        using var database = new Database(File);
        Assert.Equal([s_installed, s_tagged],
            database.Read(NodeRow.All).Select(n => n.NodeId)
            .Order(Comparer<NodeId>.Create((a, b) => string.CompareOrdinal(a.ToString(), b.ToString()))));
        NodeRow kept = database.Read(c => NodeRow.Find(c, s_tagged))!;
        Assert.Equal(("camera-1", "camera", null), (kept.Name, kept.TagWords, kept.Key));
        // nobody approved it
        Assert.Null(new NodeKeys(database, authority, new SettingsStore(database),
            new DataDisk(_folder, database.Probe, TimeProvider.System), TimeProvider.System)
            .Find(certificate));
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
            INSERT INTO nodes (id, name, lifecycle, inventory, first_seen, last_seen, certificate_serial, tags)
            VALUES (@id, @name, @lifecycle, @json, 1, 2, @serial, @tags)
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
