using System.Security.Cryptography;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Server.Storage;
using Dapper;

namespace Bootstrap.Server.Features.Access;

/// <summary>
/// Secrets that open the API: tokens for programs, sessions for browsers, and the one-time link of the start. Only their SHA-256 is
/// kept; they are 256 random bits, so that a plain hash is enough.
/// </summary>
public sealed class AccessTokens(Database database, TimeProvider clock)
{
    private static readonly TimeSpan s_sessionLifetime = TimeSpan.FromDays(7);
    private static readonly TimeSpan s_linkLifetime = TimeSpan.FromHours(1);

    private readonly Lock _lock = new();
    private Digest? _link;
    private DateTimeOffset _linkEnds;

    /// <summary>Makes an API token that does not expire.</summary>
    public string CreateToken(string name) => Create(name, null);

    /// <summary>Writes an administrator's token to a file of mode 0600, once in the appliance's life.</summary>
    public void WriteInitialToken(string path)
    {
        bool first = database.Read(c => c.ExecuteScalar<long>("SELECT count(*) FROM tokens WHERE name = 'initial'")) == 0;
        if (first)
        {
            PrivateFile.Write(path, CreateToken("initial") + "\n");
        }
    }

    /// <summary>Makes the token of a sign-in link: good once, for an hour, until the next one is made. Kept in memory alone.</summary>
    public string CreateSignInLink()
    {
        string token = NewSecret();
        lock (_lock)
        {
            _link = Hash(token);
            _linkEnds = clock.GetUtcNow() + s_linkLifetime;
        }
        return token;
    }

    /// <summary>Turns a sign-in link's token into a session; null if it is not, or no longer, good.</summary>
    public string? Redeem(string token)
    {
        lock (_lock)
        {
            if (_link is null || Hash(token) != _link || clock.GetUtcNow() > _linkEnds)
            {
                return null;
            }
            _link = null;
        }
        return Create("session", clock.GetUtcNow() + s_sessionLifetime);
    }

    /// <summary>True if this is a token or session that is good now.</summary>
    public bool IsValid(string token) => database.Read(c => c.ExecuteScalar<long>(
        "SELECT count(*) FROM tokens WHERE hash = @hash AND (expires_at IS NULL OR expires_at > @now)",
        new { hash = Hash(token).ToString(), now = clock.GetUtcNow().ToUnixTimeMilliseconds() })) > 0;

    /// <summary>Ends a session.</summary>
    public void Revoke(string token) =>
        database.Write(c => c.Execute("DELETE FROM tokens WHERE hash = @hash", new { hash = Hash(token).ToString() }));

    private string Create(string name, DateTimeOffset? expires)
    {
        string token = NewSecret();
        long now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        database.Write(c =>
        {
            c.Execute("DELETE FROM tokens WHERE expires_at < @now", new { now });
            c.Execute("INSERT INTO tokens (hash, name, created_at, expires_at) VALUES (@hash, @name, @now, @expires)",
                new { hash = Hash(token).ToString(), name, now, expires = expires?.ToUnixTimeMilliseconds() });
        });
        return token;
    }

    private static string NewSecret() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    private static Digest Hash(string token) => Digest.Of(System.Text.Encoding.UTF8.GetBytes(token));
}
