using System.Text.RegularExpressions;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.AspNetCore.Identity;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Access;

/// <summary>Somebody who may sign in.</summary>
/// <param name="HasPassword">He can sign in by password; else by link alone.</param>
/// <param name="CreatedAt">Unix milliseconds.</param>
public sealed record Person(string Name, Role Role, bool HasPassword, long CreatedAt);

/// <summary>
/// Those who may sign in. There is an administrator from the start; nobody has a password before he chose one. Passwords are kept as
/// ASP.NET Core Identity hashes them (PBKDF2 with HMAC-SHA-512).
/// </summary>
internal sealed partial class People(Database database, TimeProvider clock)
{
    /// <summary>Characters of a password.</summary>
    public const int ShortestPassword = 10, LongestPassword = 256;

    /// <summary>Jobs are ordered by these too, and no person may pass for them.</summary>
    private static readonly string[] s_reserved = ["policy", "schedule"];

    private readonly PasswordHasher<string> _hasher = new();

    /// <summary>Stands for the password of those who have none: nobody knows it.</summary>
    private readonly string _nobodys = new PasswordHasher<string>().HashPassword("", Guid.NewGuid().ToString());

    private sealed record Row(string Name, string Role, string? Password, long CreatedAt)
    {
        public Person Person => new(Name, Enum.Parse<Role>(Role), Password is not null, CreatedAt);
    }

    /// <summary>All, by name.</summary>
    public IReadOnlyList<Person> All() => [.. database.Read(Rows).Select(r => r.Person)];

    public Person? Find(string name) => All().FirstOrDefault(p => p.Name == name);

    /// <summary>Who gets the link that the appliance prints when it starts.</summary>
    public string FirstAdmin => All().Where(p => p.Role == Role.Admin).MinBy(p => p.CreatedAt)!.Name;

    /// <returns>What is wrong, in one sentence; empty: done.</returns>
    public string Add(string name, Role role)
    {
        if (!Name().IsMatch(name) || s_reserved.Contains(name))
        {
            return $"'{name}' cannot be a user's name: use 1 to 32 of a-z, 0-9, '.', '_' and '-', beginning with a letter, "
                + $"and not {string.Join(" or ", s_reserved)}.";
        }
        return database.Write(c =>
            c.Execute("INSERT INTO people (name, role, created_at) VALUES (@name, @role, @now) ON CONFLICT DO NOTHING",
            new { name, role = role.ToString(), now = clock.GetUtcNow().ToUnixTimeMilliseconds() })) == 1 ? ""
                : $"There is a person '{name}' already.";
    }

    /// <summary>Gives a person another role, at once for all that he is signed in with.</summary>
    /// <returns>What is wrong, in one sentence; empty: done.</returns>
    public string SetRole(string name, Role role) => Change(name, role < Role.Admin, c =>
        c.Execute("UPDATE people SET role = @role WHERE name = @name", new { name, role = role.ToString() }));

    /// <summary>Removes a person with all that he is signed in with, and his tokens.</summary>
    /// <returns>What is wrong, in one sentence; empty: done.</returns>
    public string Remove(string name) => Change(name, true, c => c.Execute("DELETE FROM people WHERE name = @name", new { name }));

    /// <summary>Sets a password; null: he has none any more.</summary>
    /// <returns>What is wrong, in one sentence; empty: done.</returns>
    public string SetPassword(string name, string? password)
    {
        if (password?.Length is < ShortestPassword or > LongestPassword)
        {
            return $"A password has {ShortestPassword} to {LongestPassword} characters: nothing was changed.";
        }
        string? hash = password is null ? null : _hasher.HashPassword(name, password);
        database.Write(c => c.Execute("UPDATE people SET password = @hash WHERE name = @name", new { name, hash }));
        return "";
    }

    /// <summary>Whether this is his password. The answer takes as long for a name that nobody has, and for somebody without a
    /// password.</summary>
    public bool IsPassword(string name, string password)
    {
        if (password.Length > LongestPassword)
        {
            return false;
        }
        Row? row = database.Read(Rows).FirstOrDefault(r => r.Name == name);
        return _hasher.VerifyHashedPassword(name, row?.Password ?? _nobodys, password) != PasswordVerificationResult.Failed
            && row?.Password is not null;
    }

    private string Change(string name, bool takesAdmin, Action<SqliteConnection> change) => database.Write(c =>
    {
        Person[] all = [.. Rows(c).Select(r => r.Person)];
        if (all.FirstOrDefault(p => p.Name == name) is not { } person)
        {
            return $"There is no user '{name}'.";
        }
        if (takesAdmin && person.Role == Role.Admin && all.Count(p => p.Role == Role.Admin) == 1)
        {
            return $"'{name}' is the only administrator: make another one first.";
        }
        change(c);
        return "";
    });

    private static IEnumerable<Row> Rows(SqliteConnection c) =>
        c.Query<Row>("SELECT name AS Name, role AS Role, password AS Password, created_at AS CreatedAt FROM people ORDER BY name");

    [GeneratedRegex(@"\A[a-z][a-z0-9._-]{0,31}\z")]
    private static partial Regex Name();
}
