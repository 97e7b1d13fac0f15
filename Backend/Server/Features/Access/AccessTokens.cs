using System.Security.Cryptography;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Server.Storage;
using Dapper;

namespace Bootstrap.Server.Features.Access;

/// <summary>What a secret is for.</summary>
public enum SecretKind
{
    /// <summary>A program's.</summary>
    Token,

    /// <summary>A browser that is signed in.</summary>
    Session,

    /// <summary>Signs a browser in, once.</summary>
    Link,
}

/// <summary>A program's token, without the secret.</summary>
/// <param name="Id">The first digits of the secret's SHA-256.</param>
/// <param name="Owner">Name of the person for whom it speaks.</param>
/// <param name="Role">It may do what this role may, and its owner.</param>
/// <param name="CreatedAt">Unix milliseconds.</param>
/// <param name="ExpiresAt">Unix milliseconds; null: never.</param>
/// <param name="LastUsedAt">Unix milliseconds, to the hour; null: never.</param>
public sealed record TokenView(string Id, string Name, string Owner, Role Role, long CreatedAt, long? ExpiresAt, long? LastUsedAt);

/// <summary>
/// Secrets that open the API: tokens for programs, sessions for browsers, and links that sign in once. Only their SHA-256 is
/// kept; they are 256 random bits, so that a plain hash is enough.
/// </summary>
public sealed class AccessTokens(Database database, TimeProvider clock)
{
    private static readonly TimeSpan s_sessionLifetime = TimeSpan.FromDays(7);
    private static readonly TimeSpan s_usedPeriod = TimeSpan.FromHours(1);

    /// <summary>How long a link is good that somebody asked for himself.</summary>
    public static readonly TimeSpan LinkLifetime = TimeSpan.FromHours(1);

    private sealed record Found(string Owner, string Role, string OwnerRole, long? LastUsedAt);

    /// <summary>Makes an API token.</summary>
    /// <param name="name">What people know it by.</param>
    /// <param name="owner">Name of a person.</param>
    /// <param name="role">What it may do, as far as its owner may.</param>
    /// <param name="lifetime">Null: for ever.</param>
    public string CreateToken(string name, string owner, Role role, TimeSpan? lifetime = null) => Create(SecretKind.Token, name, owner, role, lifetime);

    /// <summary>Writes an administrator's token to a file of mode 0600, once in the appliance's life.</summary>
    public void WriteInitialToken(string path, string owner)
    {
        bool first = database.Read(c => c.ExecuteScalar<long>("SELECT count(*) FROM tokens WHERE name = 'initial'")) == 0;
        if (first)
        {
            PrivateFile.Write(path, CreateToken("initial", owner, Role.Admin) + "\n");
        }
    }

    /// <summary>Makes the token of a sign-in link: good once, and until the next one is made for that person.</summary>
    /// <param name="owner">Name of a person.</param>
    /// <param name="lifetime">How long it is good.</param>
    public string CreateSignInLink(string owner, TimeSpan lifetime)
    {
        database.Write(c => c.Execute("DELETE FROM tokens WHERE owner = @owner AND kind = 'Link'", new { owner }));
        return Create(SecretKind.Link, "link", owner, Role.Admin, lifetime);
    }

    /// <summary>Turns a sign-in link's token into a session; null if it is not, or no longer, good.</summary>
    /// <param name="owner">Whom it signs in.</param>
    public string? Redeem(string token, out string owner)
    {
        var link = new { hash = Hash(token), now = Now };
        string? found = database.Write(c => c.QuerySingleOrDefault<string>(
            "DELETE FROM tokens WHERE hash = @hash AND kind = 'Link' AND expires_at > @now RETURNING owner", link));
        owner = found ?? "";
        return found is null ? null : CreateSession(found);
    }

    /// <summary>Signs a person in who has shown who he is.</summary>
    public string CreateSession(string owner) => Create(SecretKind.Session, "session", owner, Role.Admin, s_sessionLifetime);

    /// <summary>Whose token or session this is; null: it is not good.</summary>
    internal Caller? Find(string token)
    {
        var secret = new { hash = Hash(token), now = Now };
        Found? found = database.Read(c => c.QuerySingleOrDefault<Found>("""
            SELECT t.owner AS Owner, t.role AS Role, p.role AS OwnerRole, t.last_used_at AS LastUsedAt FROM tokens t JOIN people p ON p.name = t.owner
            WHERE t.hash = @hash AND t.kind <> 'Link' AND (t.expires_at IS NULL OR t.expires_at > @now)
            """, secret));
        if (found is null)
        {
            return null;
        }
        if (found.LastUsedAt is null || secret.now - found.LastUsedAt > s_usedPeriod.TotalMilliseconds)
        {
            database.Write(c => c.Execute("UPDATE tokens SET last_used_at = @now WHERE hash = @hash", secret));
        }
        Role own = Enum.Parse<Role>(found.Role), owners = Enum.Parse<Role>(found.OwnerRole);
        return new Caller(found.Owner, own < owners ? own : owners);
    }

    /// <summary>Programs' tokens, the newest first.</summary>
    /// <param name="owner">Those of this person alone; null: all.</param>
    public IReadOnlyList<TokenView> List(string? owner) => [.. database.Read(c => c.Query<(string Id, string Name, string Owner, string Role, long CreatedAt, long? ExpiresAt, long? LastUsedAt)>("""
        SELECT substr(hash, 1, 12), name, owner, role, created_at, expires_at, last_used_at FROM tokens
        WHERE kind = 'Token' AND (expires_at IS NULL OR expires_at > @now) AND (@owner IS NULL OR owner = @owner) ORDER BY created_at DESC
        """, new { owner, now = Now })).Select(t => new TokenView(t.Id, t.Name, t.Owner, Enum.Parse<Role>(t.Role), t.CreatedAt, t.ExpiresAt, t.LastUsedAt))];

    /// <summary>Ends a session or token by its secret.</summary>
    public void Revoke(string token) => database.Write(c => c.Execute("DELETE FROM tokens WHERE hash = @hash", new { hash = Hash(token) }));

    /// <summary>Ends a program's token.</summary>
    /// <param name="owner">If it is this person's; null: whosever it is.</param>
    /// <returns>False where there is no such token.</returns>
    public bool RevokeToken(string id, string? owner) => id.Length == 12 && database.Write(c =>
        c.Execute("DELETE FROM tokens WHERE substr(hash, 1, 12) = @id AND kind = 'Token' AND (@owner IS NULL OR owner = @owner)", new { id, owner })) > 0;

    /// <summary>Ends all of a person's sessions and links but one: his password may be known to others.</summary>
    public void EndSessions(string owner, string? but) => database.Write(c =>
        c.Execute("DELETE FROM tokens WHERE owner = @owner AND kind <> 'Token' AND hash <> @but", new { owner, but = but is null ? "" : Hash(but) }));

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    private string Create(SecretKind kind, string name, string owner, Role role, TimeSpan? lifetime)
    {
        string token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        long now = Now;
        database.Write(c =>
        {
            c.Execute("DELETE FROM tokens WHERE expires_at < @now", new { now });
            c.Execute("INSERT INTO tokens (hash, kind, name, owner, role, created_at, expires_at) VALUES (@hash, @kind, @name, @owner, @role, @now, @expires)",
                new { hash = Hash(token), kind = kind.ToString(), name, owner, role = role.ToString(), now, expires = now + (long?)lifetime?.TotalMilliseconds });
        });
        return token;
    }

    private static string Hash(string token) => Digest.Of(System.Text.Encoding.UTF8.GetBytes(token)).ToString();
}
