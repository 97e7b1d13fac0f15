using System.Security.Cryptography.X509Certificates;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Trust;
using Dapper;

namespace Bootstrap.Server.Features.Nodes;

/// <content>Nodes whose keys the database cannot know, though this appliance has certified them.</content>
internal sealed partial class NodeKeys
{
    /// <summary>A node that a version of this program installed which knew certificates by their numbers comes for the first
    /// time.</summary>
    private bool TieEarlier(X509Certificate2 certificate, Digest key, out NodeId node)
    {
        if (!NodeId.TryParse(certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false), out node))
        {
            return false;
        }
        var row = new { id = node.ToString(), key = key.ToString(), serial = certificate.SerialNumber };
        // Forgotten nodes ask again and again: they do not hold up those who write.
        const string earlier = "FROM nodes WHERE id = @id AND key IS NULL AND @serial IN (certificate_serial, previous_serial)";
        if (_database.Read(c => c.ExecuteScalar<long>($"SELECT count(*) {earlier}", row)) == 0)
        {
            return false;
        }
        return Change(c => c.Execute("""
            UPDATE nodes SET key = @key, certificate_serial = NULL, previous_serial = NULL
            WHERE id = @id AND key IS NULL AND @serial IN (certificate_serial, previous_serial)
            """, row)) == 1;
    }

    /// <summary>
    /// A node comes whose key was certified after the backup was made that this database was restored from: it renewed then. The newest
    /// such key is the node's; one that is revoked, or a node that the database does not have, stays a stranger's.
    /// </summary>
    private bool TieLost(X509Certificate2 certificate, Digest key, out NodeId node)
    {
        node = default;
        if (_lost is null || !_lost.Has(certificate) || IsRevoked(key)
            || !NodeId.TryParse(certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false), out node))
        {
            return false;
        }
        var row = new
        {
            id = node.ToString(),
            key = key.ToString(),
            at = CertificateAuthority.IssuedAt(certificate)
            .ToUnixTimeMilliseconds()
        };
        const string older = "FROM nodes WHERE id = @id AND coalesce(key_at, 0) < @at";
        NodeId found = node;
        return _database.Read(c => c.ExecuteScalar<long>($"SELECT count(*) {older}", row)) == 1 && Change(c =>
        {
            Revoke(c, found);
            return c.Execute("UPDATE nodes SET key = @key, key_seen = 1, key_at = @at WHERE id = @id", row);
        }) == 1;
    }
}
