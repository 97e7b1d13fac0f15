using System.Security.Cryptography.X509Certificates;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>
/// Which key is which node. A node is its key, and nothing else: a serial number, a MAC address or an old certificate proves nothing. A key
/// is tied to
/// a node by a person, by the policy for new boards, or by the node's own older key; who comes with another one is a stranger.
/// </summary>
internal sealed partial class NodeKeys : IDisposable
{
    /// <summary>Nodes of one age renew in one hour: that their old keys are revoked is told to all others no more often than
    /// this.</summary>
    private static readonly TimeSpan s_tellPause = TimeSpan.FromSeconds(30);

    private readonly Database _database;
    private readonly CertificateAuthority _authority;
    private readonly DataDisk _disk;
    private readonly TimeProvider _clock;
    private readonly ITimer _tell;
    private readonly LostTime? _lost;
    private long? _toldAt;

    // Every answer of discovery is looked up here; the table is the truth, and this follows each change of it. Where it could not follow,
    // nobody is believed until it can: it is tried at each look.
    private volatile Dictionary<Digest, NodeId> _nodes = [];
    private volatile RevokedKeys _revoked = new([]);
    private volatile HashSet<Digest> _isRevoked = [];
    private long _changes = 1, _followed;
    private readonly Lock _refreshing = new();

    public NodeKeys(Database database, CertificateAuthority authority, SettingsStore settings, DataDisk disk, TimeProvider clock)
    {
        (_database, _authority, _disk, _clock) = (database, authority, disk, clock);
        _lost = LostTime.Find(settings);
        _tell = clock.CreateTimer(_ => Tell(isUrgent: true), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Reload();
    }

    /// <summary>What a certificate is worth.</summary>
    public enum Standing
    {
        /// <summary>Not of this appliance's CA, or its key is tied to no node (any more).</summary>
        Unknown,

        /// <summary>The key is a node's, but the certificate ended too long ago: a person must approve the key again.</summary>
        Expired,

        /// <summary>The node's.</summary>
        Good,
    }

    /// <summary>Whose certificate this is.</summary>
    /// <param name="node">The node that the key is tied to; default where there is none.</param>
    public Standing Find(X509Certificate2 certificate, out NodeId node)
    {
        node = default;
        if (!_authority.Issued(certificate))
        {
            return Standing.Unknown;
        }
        Digest key = Protocol.Trust.FingerprintOf(certificate.PublicKey);
        if (!Nodes.TryGetValue(key, out node) && !TieEarlier(certificate, key, out node) && !TieLost(certificate, key, out node))
        {
            return Standing.Unknown;
        }
        return IsInTime(node, key, certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime()) ? Standing.Good
            : Standing.Expired;
    }

    /// <summary>Whether a certificate that was a node's is still that node's.</summary>
    /// <param name="key">Fingerprint of its key.</param>
    /// <param name="from">When the certificate began.</param>
    /// <param name="until">When it ends.</param>
    public bool IsStill(NodeId node, Digest key, DateTimeOffset from, DateTimeOffset until) =>
        Find(key) == node && IsInTime(node, key, from, until);

    private bool IsInTime(NodeId node, Digest key, DateTimeOffset from, DateTimeOffset until) =>
        _authority.IsInTime(from, until) || IsApprovedSince(node, key, until);

    /// <summary>The node of a certificate that is good; null for all others.</summary>
    public NodeId? Find(X509Certificate2? certificate) =>
        certificate is not null && Find(certificate, out NodeId node) == Standing.Good ? node : null;

    /// <summary>Whether what somebody signs in discovery proves anything: a node's key, as the node that it is tied to, or the appliance
    /// itself.</summary>
    public bool Stands(Signer signer) =>
        Nodes.TryGetValue(signer.Key, out NodeId node)
            ? node.ToString() == signer.Id && _clock.GetUtcNow() - signer.Ends < Protocol.Trust.NodeGrace
            : signer.Id.StartsWith(Protocol.Trust.ApplianceIdPrefix, StringComparison.Ordinal);

    /// <summary>Keys that are tied to nodes.</summary>
    public int Count => Nodes.Count;

    /// <summary>Whether a key was tied to its node so lately that it needs no person's look to get a certificate: as long as one that it
    /// got then is taken.</summary>
    public bool IsFresh(NodeId node) => _database.Read(c => NodeRow.Find(c, node)) is { KeyAt: { } at } &&
        _clock.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(at) < CertificateAuthority.NodeLifetime + Protocol.Trust.NodeGrace;

    /// <summary>The node that a key is tied to, or null.</summary>
    public NodeId? Find(Digest key) => Nodes.TryGetValue(key, out NodeId node) ? node : null;

    /// <summary>
    /// Ties a key to a node that is in the database: what was tied to it before is a stranger from now on, and where the key was another
    /// node's, that
    /// one has none any more. Within a <see cref="Change"/>.
    /// </summary>
    /// <param name="by">User's name, or <c>policy</c>.</param>
    public void Tie(SqliteConnection c, NodeId node, Digest key, string by)
    {
        var row = new { id = node.ToString(), key = key.ToString(), by, now = _clock.GetUtcNow().ToUnixTimeMilliseconds() };
        Revoke(c, node);
        c.Execute("""
            DELETE FROM revoked_keys WHERE key = @key;
            UPDATE nodes SET key = NULL WHERE key = @key AND id <> @id;
            UPDATE nodes SET previous_key = NULL WHERE previous_key = @key;
            UPDATE nodes SET key = @key, previous_key = NULL, key_seen = 0, key_at = @now, key_by = @by,
                certificate_serial = NULL, previous_serial = NULL
            WHERE id = @id
            """, row);
    }

    /// <summary>
    /// The keys of a node are nobody's from now on. Their certificates may not have ended: others are told not to believe them. Within a
    /// <see cref="Change"/>.
    /// </summary>
    public void Revoke(SqliteConnection c, NodeId node)
    {
        long now = _clock.GetUtcNow().ToUnixTimeMilliseconds();
        c.Execute("""
            DELETE FROM revoked_keys WHERE until < @now;
            INSERT OR REPLACE INTO revoked_keys (key, until) SELECT key, @until FROM nodes WHERE id = @id AND key IS NOT NULL;
            INSERT OR REPLACE INTO revoked_keys (key, until)
                SELECT previous_key, @until FROM nodes WHERE id = @id AND previous_key IS NOT NULL;
            """, new { id = node.ToString(), now, until = Until(now) });
        // Of a node that has not come since certificates were known by their numbers, those are all that is known.
        var numbers = c.Query<string>("""
            SELECT certificate_serial FROM nodes WHERE id = @id AND certificate_serial IS NOT NULL
            UNION SELECT previous_serial FROM nodes WHERE id = @id AND previous_serial IS NOT NULL
            """, new { id = node.ToString() }).ToList();
        foreach (string number in numbers)
        {
            RevokeKey(c, Protocol.Trust.NumberOf(number), now);
        }
        c.Execute("UPDATE nodes SET key = NULL, previous_key = NULL, certificate_serial = NULL, previous_serial = NULL WHERE id = @id",
            new { id = node.ToString() });
    }

    /// <summary>Something else that this appliance has signed is to be believed no more. Within a <see cref="Change"/>.</summary>
    /// <param name="until">When it ends by itself, Unix milliseconds.</param>
    public static void Revoke(SqliteConnection c, Digest other, long until) =>
        c.Execute("INSERT OR REPLACE INTO revoked_keys (key, until) VALUES (@key, @until)", new { key = other.ToString(), until });

    /// <summary>As long as a certificate of today could last.</summary>
    private static long Until(long now) => now + (long)(CertificateAuthority.NodeLifetime + Protocol.Trust.NodeGrace).TotalMilliseconds;

    private static void RevokeKey(SqliteConnection c, Digest key, long now) => Revoke(c, key, Until(now));

    /// <summary>Changes whose key is whose, in one transaction, and follows it, whether or not that could be committed.</summary>
    public T Change<T>(Func<SqliteConnection, T> statements)
    {
        try
        {
            return _database.Write(statements);
        }
        finally
        {
            Refresh();
        }
    }

    /// <summary>What other machines must not believe any more.</summary>
    public RevokedKeys Revoked => _revoked;

    /// <summary><see cref="Revoked"/> is another list.</summary>
    public event Action<RevokedKeys>? RevocationsChanged;

    /// <summary>The node renews: its next key is as good as the one that asked, which stays good until the node has come with the next
    /// one.</summary>
    /// <param name="asked">The key that asked, over the node's own link.</param>
    /// <returns>False where that is not the node's any more, or the next one is another node's.</returns>
    public bool Renew(NodeId node, Digest asked, Digest next)
    {
        return Change(c => c.Execute("""
            UPDATE nodes SET key = @next, previous_key = iif(@asked = @next, previous_key, @asked),
                key_at = iif(@asked = key, @now, key_at) -- one that never comes with the next one does not last for ever
            WHERE id = @id AND @asked IN (key, previous_key)
                AND NOT EXISTS (SELECT 1 FROM nodes WHERE id <> @id AND @next IN (key, previous_key))
                AND NOT EXISTS (SELECT 1 FROM revoked_keys WHERE key = @next)
            """, new
        {
            id = node.ToString(),
            asked = asked.ToString(),
            next = next.ToString(),
            now = _clock.GetUtcNow().ToUnixTimeMilliseconds(),
        })) == 1;
    }

    /// <summary>The node has connected with a key: the one before it has done its work, when this is the newest, and is revoked.</summary>
    /// <param name="row">The node as it was before.</param>
    /// <returns>Whether to <see cref="Refresh"/> when it is committed.</returns>
    public bool Seen(SqliteConnection c, NodeRow row, Digest key)
    {
        if (row.KeySeen != 0 && row.PreviousKey is null)
        {
            return false;
        }
        if (row.PreviousKey is { } previous && row.Key == key.ToString())
        {
            RevokeKey(c, Digest.Parse(previous), _clock.GetUtcNow().ToUnixTimeMilliseconds());
        }
        c.Execute("UPDATE nodes SET key_seen = 1, previous_key = iif(key = @key, NULL, previous_key) WHERE id = @Id",
            new { row.Id, key = key.ToString() });
        return true;
    }

    /// <summary>Whether a key was a node's and is nobody's now.</summary>
    public bool IsRevoked(Digest key) => _isRevoked.Contains(key);

    /// <summary>The table, as it was when it could be read last after a change; none where it could not.</summary>
    private Dictionary<Digest, NodeId> Nodes =>
        Interlocked.Read(ref _followed) == Interlocked.Read(ref _changes) || Follow(isUrgent: true) ? _nodes : [];

    /// <summary>Reads the table anew, after a change of it was committed; as soon as it can be read, where the disk does not
    /// work.</summary>
    /// <param name="isUrgent">False: a key was revoked that its own node has replaced.</param>
    public void Refresh(bool isUrgent = true)
    {
        Interlocked.Increment(ref _changes);
        Follow(isUrgent);
        // Who is whom must not be forgotten by a power cut: a node has its new key on its disk by then.
        _database.Sync();
    }

    public void Dispose() => _tell.Dispose();

    private bool Follow(bool isUrgent)
    {
        RevokedKeys before = _revoked;
        bool done = _disk.Try(Reload);
        if (_revoked != before)
        {
            Tell(isUrgent);
        }
        return done;
    }

    private void Tell(bool isUrgent)
    {
        lock (_tell)
        {
            TimeSpan pause = _toldAt is { } at ? s_tellPause - _clock.GetElapsedTime(at) : TimeSpan.Zero;
            if (!isUrgent && pause > TimeSpan.Zero)
            {
                _tell.Change(pause, Timeout.InfiniteTimeSpan);
                return;
            }
            _toldAt = _clock.GetTimestamp();
        }
        RevocationsChanged?.Invoke(_revoked);
    }

    private void Reload()
    {
        lock (_refreshing)
        {
            // What is committed after this is read once more.
            long changes = Interlocked.Read(ref _changes);
            var nodes = new Dictionary<Digest, NodeId>();
            foreach ((string id, string? key, string? previous) in _database.Read(c =>
                c.Query<(string, string?, string?)>("SELECT id, key, previous_key FROM nodes").ToList()))
            {
                foreach (string tied in new[] { key, previous }.OfType<string>())
                {
                    nodes[Digest.Parse(tied)] = NodeId.Parse(id);
                }
            }
            _nodes = nodes;
            Digest[] revoked = [.. _database.Read(c => c.Query<string>(
                "SELECT key FROM revoked_keys WHERE until > @now ORDER BY until DESC LIMIT @Maximum",
                new { now = _clock.GetUtcNow().ToUnixTimeMilliseconds(), RevokedKeys.Maximum }).ToList()).Select(Digest.Parse)];
            if (!revoked.SequenceEqual(_revoked.Keys))
            {
                (_revoked, _isRevoked) = (new RevokedKeys(revoked), [.. revoked]);
            }
            Interlocked.Exchange(ref _followed, changes);
        }
    }

    /// <summary>
    /// A person has approved the key after its certificate had ended: it connects for as long as a certificate of that day would, and is
    /// given
    /// one; also when it has been given one and has not come with it, for a power cut may have taken that.
    /// </summary>
    private bool IsApprovedSince(NodeId node, Digest key, DateTimeOffset until) =>
        _database.Read(c => NodeRow.Find(c, node)) is { KeyAt: { } at } row &&
        (row.Key == key.ToString() || row.PreviousKey == key.ToString()) &&
        DateTimeOffset.FromUnixTimeMilliseconds(at) is var approved && approved > until &&
        _clock.GetUtcNow() - approved < Protocol.Trust.NodeGrace;
}
