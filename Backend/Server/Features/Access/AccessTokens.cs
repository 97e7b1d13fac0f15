using System.Security.Cryptography;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Access;

/// <summary>What a secret is for.</summary>
public enum SecretKind
{
    /// <summary>A program's.</summary>
    Token,

    /// <summary>A person who is signed in, in a browser or on a command line.</summary>
    Session,

    /// <summary>Signs a person in, once.</summary>
    Link,

    /// <summary>Opens nothing: by it a browser is known in which this person has signed in before.</summary>
    Browser,

    /// <summary>Opens the images, as Raspberry Pi Imager reads them, and nothing else: it is part of an address.</summary>
    Imager,
}

/// <summary>A program's token, without the secret.</summary>
/// <param name="Id">The first digits of the secret's SHA-256.</param>
/// <param name="Owner">Name of the person for whom it speaks.</param>
/// <param name="Role">It may do what this role may, and its owner.</param>
/// <param name="CreatedAt">Unix milliseconds.</param>
/// <param name="ExpiresAt">Unix milliseconds; null: never.</param>
/// <param name="LastUsedAt">Unix milliseconds, to some seconds; null: never.</param>
public sealed record TokenView(string Id, string Name, string Owner, Role Role, long CreatedAt, long? ExpiresAt, long? LastUsedAt);

/// <summary>
/// Secrets that open the API: tokens for programs, sessions for people, and links that sign in once. Only their SHA-256 is
/// kept; they are 256 random bits, so that a plain hash is enough. None yields more than itself: what one makes has at most its role,
/// does not outlive it, and is deleted with it.
/// </summary>
public sealed class AccessTokens(Database database, TimeProvider clock)
{
    private const int IdDigits = 12;

    /// <summary>The browsers that one person is known in; the oldest is forgotten.</summary>
    private const int KnownBrowsers = 20;

    public static readonly TimeSpan SessionLifetime = TimeSpan.FromDays(7);

    /// <summary>How exactly the last use is kept: who asks many times a second does not cost a write each time.</summary>
    private static readonly TimeSpan s_usedPeriod = TimeSpan.FromSeconds(5);

    /// <summary>How long a link is good that somebody asked for himself.</summary>
    public static readonly TimeSpan LinkLifetime = TimeSpan.FromHours(1);

    /// <summary>How long an address for Raspberry Pi Imager is good, at most.</summary>
    public static readonly TimeSpan ImagerLifetime = TimeSpan.FromHours(24);

    /// <summary>How long a browser is known in which somebody has signed in.</summary>
    public static readonly TimeSpan BrowserLifetime = TimeSpan.FromDays(365);

    private sealed record Found(string Owner, string Role, string OwnerRole, string Kind, long? ExpiresAt, long? LastUsedAt);

    private sealed record Redeemed(string Owner, string Role, string? Parent);

    /// <summary>A row of the table as it is made.</summary>
    private sealed record Made(SecretKind Kind, string Name, string Owner, string Role, long? Expires, string? Parent = null,
        string? MadeBy = null);

    /// <summary>Makes an API token of a person's own; for those who stand at the machine itself.</summary>
    /// <param name="name">What people know it by.</param>
    /// <param name="owner">Name of a person.</param>
    /// <param name="role">What it may do, as far as its owner may.</param>
    /// <param name="lifetime">Null: for ever.</param>
    public string CreateToken(string name, string owner, Role role, TimeSpan? lifetime = null) =>
        database.Write(c => Insert(c, new Made(SecretKind.Token, name, owner, role.ToString(), After(lifetime))));

    /// <summary>Makes an API token for whoever asks. A token's token is its child, and ends with it at the latest.</summary>
    /// <param name="role">No more than the caller's.</param>
    /// <returns>Null where the caller's own credential has ended meanwhile.</returns>
    internal string? CreateToken(Caller caller, string name, Role role, TimeSpan? lifetime) => database.Write(c =>
    {
        bool child = caller.Kind == SecretKind.Token;
        long? expires = child ? Earlier(After(lifetime), caller.ExpiresAt) : After(lifetime);
        return Find(c, caller.Credential) is null ? null
            : Insert(c, new Made(SecretKind.Token, name, caller.Name, role.ToString(), expires, child ? caller.Credential : null));
    });

    /// <summary>Writes an administrator's token to a file of mode 0600, once in the appliance's life.</summary>
    /// <param name="settings">Where it is noted, so that one that was revoked never comes back.</param>
    public void WriteInitialToken(string path, string owner, SettingsStore settings)
    {
        const string Noted = "initial-token-written", Name = "initial";
        // Appliances from before have noted nothing, but have that token.
        if (settings.Get<string>(Noted) is null
            && database.Read(c => c.ExecuteScalar<long>("SELECT count(*) FROM tokens WHERE name = @Name", new { Name })) == 0)
        {
            PrivateFile.Write(path, CreateToken(Name, owner, Role.Admin) + "\n");
        }
        settings.Set(Noted, "yes");
    }

    /// <summary>
    /// Makes the token of a sign-in link: good once, and until the next one is made for that person. For those who stand at the machine
    /// itself.
    /// </summary>
    /// <param name="owner">Name of a person.</param>
    /// <param name="lifetime">How long it is good.</param>
    public string CreateSignInLink(string owner, TimeSpan lifetime) =>
        database.Write(c => InsertLink(c, new Made(SecretKind.Link, "link", owner, nameof(Role.Admin), After(lifetime))));

    /// <summary>
    /// Makes the token of a sign-in link. One's own is the child of the session that asks for it, and so is the session that it gives. One
    /// for
    /// another person is that person's, and good as long as its maker is an administrator.
    /// </summary>
    /// <returns>Null where the caller's own credential has ended meanwhile.</returns>
    internal string? CreateSignInLink(Caller caller, string owner, TimeSpan lifetime) => database.Write(c =>
    {
        if (Find(c, caller.Credential) is not { } maker)
        {
            return null;
        }
        return InsertLink(c, owner == caller.Name
            ? new Made(SecretKind.Link, "link", owner, maker.Role, Earlier(After(lifetime), maker.ExpiresAt), Parent: caller.Credential)
            : new Made(SecretKind.Link, "link", owner, nameof(Role.Admin), After(lifetime), MadeBy: caller.Name));
    });

    /// <summary>Turns a sign-in link's token into a session, which has the link's role; null if it is not, or no longer, good.</summary>
    /// <param name="owner">Whom it signs in.</param>
    public string? Redeem(string token, out string owner)
    {
        var link = new { hash = Hash(token), now = Now };
        const string Good = """
            FROM tokens WHERE hash = @hash AND kind = 'Link' AND expires_at > @now
                AND (made_by IS NULL OR made_by IN (SELECT name FROM people WHERE role = 'Admin'))
            """;
        // Strangers come here: they do not hold up those who write.
        if (database.Read(c => c.ExecuteScalar<long>("SELECT count(*) " + Good, link)) == 0)
        {
            owner = "";
            return null;
        }
        (owner, string? session) = database.Write(c =>
        {
            Redeemed? found = c.QuerySingleOrDefault<Redeemed>($"DELETE {Good} RETURNING owner AS Owner, role AS Role, parent AS Parent",
                link);
            if (found is null)
            {
                return ("", null);
            }
            long? parents = found.Parent is null ? null
                : c.ExecuteScalar<long?>("SELECT expires_at FROM tokens WHERE hash = @Parent", found);
            var made = new Made(SecretKind.Session, "session", found.Owner, found.Role, Earlier(After(SessionLifetime), parents),
                found.Parent);
            return (found.Owner, (string?)Insert(c, made));
        });
        return session;
    }

    /// <summary>Signs a person in who has shown who he is.</summary>
    public string CreateSession(string owner) =>
        database.Write(c => Insert(c, new Made(SecretKind.Session, "session", owner, nameof(Role.Admin), After(SessionLifetime))));

    /// <summary>Makes a mark by which a browser is known from now on: this person has signed in there.</summary>
    internal string CreateBrowser(string owner) => database.Write(c =>
    {
        string secret = Insert(c, new Made(SecretKind.Browser, "browser", owner, nameof(Role.Viewer), After(BrowserLifetime)));
        c.Execute("""
            DELETE FROM tokens WHERE owner = @owner AND kind = 'Browser' AND rowid NOT IN
                (SELECT rowid FROM tokens WHERE owner = @owner AND kind = 'Browser'
                    ORDER BY created_at DESC, rowid DESC LIMIT @KnownBrowsers)
            """, new { owner, KnownBrowsers });
        return secret;
    });

    /// <summary>True where this is the mark of a browser in which this person has signed in before.</summary>
    internal bool IsBrowserOf(string? secret, string owner) => secret is not null && database.Read(c => c.ExecuteScalar<long>(
        "SELECT count(*) FROM tokens WHERE hash = @hash AND kind = 'Browser' AND owner = @owner AND expires_at > @now",
        new { hash = Hash(secret), owner, now = Now })) == 1;

    /// <summary>Makes the secret part of an address at which Raspberry Pi Imager finds the images. It ends with what asks for it, at the
    /// latest.</summary>
    /// <returns>The secret, and when it ends in Unix milliseconds; null where the caller's own credential has ended meanwhile.</returns>
    internal (string Secret, long ExpiresAt)? CreateImagerKey(Caller caller, TimeSpan lifetime) => database.Write(c =>
    {
        long expires = Earlier(After(lifetime), caller.ExpiresAt)!.Value;
        return Find(c, caller.Credential) is null ? default((string, long)?)
            : (Insert(c, new Made(SecretKind.Imager, "imager", caller.Name, nameof(Role.Viewer), expires, caller.Credential)), expires);
    });

    /// <summary>Whether this is the secret part of such an address, and still good.</summary>
    internal bool OpensImages(string secret) => database.Read(c => c.ExecuteScalar<long>(
        "SELECT count(*) FROM tokens t JOIN people p ON p.name = t.owner WHERE t.hash = @hash AND t.kind = 'Imager' AND t.expires_at > " +
            "@now",
        new { hash = Hash(secret), now = Now })) == 1;

    /// <summary>Whose token or session this is; null: it is not good.</summary>
    internal Caller? Find(string token)
    {
        string hash = Hash(token);
        Found? found = database.Read(c => Find(c, hash));
        if (found is null)
        {
            return null;
        }
        long now = Now;
        if (found.LastUsedAt is null || now - found.LastUsedAt > s_usedPeriod.TotalMilliseconds)
        {
            try
            {
                database.Write(c => c.Execute("UPDATE tokens SET last_used_at = @now WHERE hash = @hash", new { hash, now }));
            }
            catch (SqliteException e) when (DataDisk.Says(e) is not null)
            {
                // Who only looks can look, on a full disk, too.
            }
        }
        return CallerOf(hash, found);
    }

    /// <summary>What each of these credentials is good for now; those that have ended are left out.</summary>
    /// <param name="credentials">As <see cref="Caller.Credential"/>.</param>
    internal IReadOnlyDictionary<string, Caller> Find(IEnumerable<string> credentials) => database.Read(c => credentials.Distinct()
        .Select(credential => (credential, found: Find(c, credential))).Where(f => f.found is not null)
        .ToDictionary(f => f.credential, f => CallerOf(f.credential, f.found!)));

    /// <summary>Programs' tokens, the newest first.</summary>
    /// <param name="owner">Those of this person alone; null: all.</param>
    public IReadOnlyList<TokenView> List(string? owner) =>
        [.. database.Read(c => c.Query<(string Id, string Name, string Owner, string Role, long CreatedAt, long? ExpiresAt,
        long? LastUsedAt)>("""
        SELECT substr(hash, 1, 12), name, owner, role, created_at, expires_at, last_used_at FROM tokens
        WHERE kind = 'Token' AND (expires_at IS NULL OR expires_at > @now) AND (@owner IS NULL OR owner = @owner) ORDER BY created_at DESC
        """, new { owner, now = Now }))
            .Select(t => new TokenView(t.Id, t.Name, t.Owner, Enum.Parse<Role>(t.Role), t.CreatedAt, t.ExpiresAt, t.LastUsedAt))];

    /// <summary>Ends a session by its secret, and what it made.</summary>
    public void EndSession(string secret) =>
        database.Write(c => c.Execute("DELETE FROM tokens WHERE hash = @hash AND kind = 'Session'", new { hash = Hash(secret) }));

    /// <summary>
    /// Ends a program's token, and those that it made. A person ends his own, an administrator anybody's; a token itself and what it made.
    /// </summary>
    /// <param name="id">As it is listed.</param>
    /// <returns>False where there is no such token, or none that the caller may end.</returns>
    internal bool RevokeToken(string id, Caller caller) => id.Length == IdDigits && database.Write(c => c.Execute("""
        WITH RECURSIVE made (hash) AS (VALUES (@Credential) UNION ALL SELECT t.hash FROM tokens t JOIN made m ON t.parent = m.hash)
        DELETE FROM tokens WHERE substr(hash, 1, 12) = @id AND kind = 'Token'
            AND iif(@person, @everybody OR owner = @Name, hash IN (SELECT hash FROM made))
        """, new
    {
        id,
        caller.Credential,
        caller.Name,
        person = caller.Kind == SecretKind.Session,
        everybody = caller.Role == Role.Admin
    })) > 0;

    /// <summary>Ends all of a person's sessions and links but one, and forgets his browsers: his password may be known to others.</summary>
    /// <param name="owner">Name of the person.</param>
    /// <param name="but">This credential stays, and stands for itself from now on.</param>
    internal void EndSessions(string owner, string? but) => database.Write(c => c.Execute("""
        UPDATE tokens SET parent = NULL WHERE hash = @but;
        DELETE FROM tokens WHERE owner = @owner AND kind <> 'Token' AND hash IS NOT @but;
        """, new { owner, but }));

    /// <summary>Ends all sessions and links, for a database that was restored: who was signed out since would be in again.</summary>
    internal static void EndAllSessions(SqliteConnection c) => c.Execute("DELETE FROM tokens WHERE kind <> 'Token'");

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    private long? After(TimeSpan? lifetime) => Now + (long?)lifetime?.TotalMilliseconds;

    private static long? Earlier(long? a, long? b) => a is null ? b : b is null ? a : Math.Min(a.Value, b.Value);

    private Found? Find(SqliteConnection c, string hash) => c.QuerySingleOrDefault<Found>("""
        SELECT t.owner AS Owner, t.role AS Role, p.role AS OwnerRole, t.kind AS Kind, t.expires_at AS ExpiresAt,
            t.last_used_at AS LastUsedAt
        FROM tokens t JOIN people p ON p.name = t.owner
        WHERE t.hash = @hash AND t.kind IN ('Token', 'Session') AND (t.expires_at IS NULL OR t.expires_at > @now)
        """, new { hash, now = Now });

    private static Caller CallerOf(string hash, Found found)
    {
        Role own = Enum.Parse<Role>(found.Role), owners = Enum.Parse<Role>(found.OwnerRole);
        return new Caller(found.Owner, own < owners ? own : owners, Enum.Parse<SecretKind>(found.Kind), hash, found.ExpiresAt);
    }

    private string InsertLink(SqliteConnection c, Made link)
    {
        c.Execute("DELETE FROM tokens WHERE owner = @Owner AND kind = 'Link'", link);
        return Insert(c, link);
    }

    private string Insert(SqliteConnection c, Made made)
    {
        string secret = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        long now = Now;
        c.Execute("DELETE FROM tokens WHERE expires_at <= @now", new { now });
        c.Execute("""
            INSERT INTO tokens (hash, kind, name, owner, role, created_at, expires_at, parent, made_by)
            VALUES (@hash, @kind, @Name, @Owner, @Role, @now, @Expires, @Parent, @MadeBy)
            """, new
        {
            hash = Hash(secret),
            kind = made.Kind.ToString(),
            made.Name,
            made.Owner,
            made.Role,
            now,
            made.Expires,
            made.Parent,
            made.MadeBy,
        });
        return secret;
    }

    private static string Hash(string token) => Digest.Of(System.Text.Encoding.UTF8.GetBytes(token)).ToString();
}
