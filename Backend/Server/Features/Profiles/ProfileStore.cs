using System.Text.Json;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Features.References;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Profiles;

/// <summary>Keeps profiles, with their secrets locked, and the values of groups and nodes.</summary>
internal sealed class ProfileStore(Database database, SecretBox box, EventHub events, IEnumerable<IReferences> references)
{
    private sealed record Row(string Name, string Body, string Secrets)
    {
        public Profile Profile => JsonSerializer.Deserialize<Profile>(Body, ApiJson.Options)!;
    }

    /// <summary>All, by name, as people see them.</summary>
    public IReadOnlyList<Profile> All() => [.. database.Read(c =>
        c.Query<Row>("SELECT name, body, secrets FROM profiles ORDER BY name").ToList())
            .Select(row => row.Profile.View(SecretsOf(row) ?? ProfileSecrets.None))];

    /// <summary>One as people see it; null: there is none of this name.</summary>
    public Profile? Find(string name) => FindRow(name) is { } row ? row.Profile.View(SecretsOf(row) ?? ProfileSecrets.None) : null;

    /// <summary>What a profile would be with what is kept already.</summary>
    /// <param name="wanted">As it came: with the secrets that are given anew.</param>
    /// <returns>What would be stored, and what is wrong with it.</returns>
    public (Profile Profile, ProfileSecrets Secrets, IReadOnlyList<ProfileFault> Faults) Consider(Profile wanted)
    {
        ProfileSecrets kept = FindRow(wanted.Name) is { } row ? SecretsOf(row) ?? ProfileSecrets.None : ProfileSecrets.None;
        ProfileSecrets secrets = kept.With(wanted);
        Profile profile = wanted.Settled();
        return (profile, secrets, ProfileRenderer.Check(profile, secrets));
    }

    /// <summary>Stores one in the place of one of its name.</summary>
    /// <param name="profile">Settled and without fault.</param>
    public void Put(Profile profile, ProfileSecrets secrets)
    {
        string locked = box.Lock(JsonSerializer.Serialize(secrets.Places), profile.Name);
        database.Write(c => c.Execute("""
            INSERT INTO profiles (name, body, secrets) VALUES (@Name, @body, @locked)
            ON CONFLICT (name) DO UPDATE SET body = excluded.body, secrets = excluded.secrets
            """, new { profile.Name, body = JsonSerializer.Serialize(profile, ApiJson.Options), locked }));
        events.Publish("profile", profile.View(secrets));
    }

    /// <summary>Forgets one.</summary>
    /// <param name="user">What still needs it, where it was not forgotten for that: "schedule 'nightly'".</param>
    /// <returns>False where there is none of this name, or it is needed.</returns>
    public bool Remove(string name, out string? user)
    {
        (bool removed, user) = database.Write(c => UserOf(c, name) is { } needed
            ? (false, needed)
            : (c.Execute("DELETE FROM profiles WHERE name = @name", new { name }) > 0, null));
        if (removed)
        {
            events.Publish("profile-removed", new { name });
        }
        return removed;
    }

    /// <summary>A profile for one node, from what is stored at this moment, with its secrets.</summary>
    /// <param name="fault">Why there is none, in sentences.</param>
    public RenderedProfile? Render(string name, NodeId node, out string fault)
    {
        Row? row = FindRow(name);
        if (row is null || ScopeOf(node) is not { } scope)
        {
            fault = row is null ? $"There is no profile '{name}'." : $"There is no node '{node}'.";
            return null;
        }
        if (SecretsOf(row) is not { } secrets)
        {
            fault = $"The secrets of the profile '{name}' cannot be unlocked: the key file is not the one that they were locked with; " +
                "give them again.";
            return null;
        }
        RenderedProfile? rendered = ProfileRenderer.Render(row.Profile, secrets, scope, out IReadOnlyList<ProfileFault> faults);
        fault = ProfileFault.Sentences(faults);
        return rendered;
    }

    /// <summary>What templates can know of a node; null: there is no such node.</summary>
    public ProfileScope? ScopeOf(NodeId node) => database.Read(c =>
    {
        if (NodeRow.Find(c, node) is not { } row)
        {
            return null;
        }
        var groups = row.Tags.ToDictionary(tag => tag, tag => ValuesIn(c, "SELECT body FROM group_values WHERE tag = @key", tag));
        return new ProfileScope(row, groups, ValuesIn(c, "SELECT body FROM node_values WHERE node_id = @key", row.Id));
    });

    /// <summary>Tag → values, of all groups that have some.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> GroupValues() =>
        All("SELECT tag, body FROM group_values ORDER BY tag");

    /// <summary>Id → values, of all nodes that have some.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> NodeValues() =>
        All("SELECT node_id, body FROM node_values ORDER BY node_id");

    /// <summary>Sets all values of a group; none: it is forgotten.</summary>
    public void PutGroup(string tag, IReadOnlyDictionary<string, string> values) => Put("group_values", "tag", tag, values);

    /// <summary>Sets all values of a node that there is.</summary>
    public void PutNode(NodeId node, IReadOnlyDictionary<string, string> values) => Put("node_values", "node_id", node.ToString(), values);

    private void Put(string table, string column, string key, IReadOnlyDictionary<string, string> values) =>
        database.Write(c => values.Count == 0
        ? c.Execute($"DELETE FROM {table} WHERE {column} = @key", new { key })
        : c.Execute($"INSERT INTO {table} ({column}, body) VALUES (@key, @body) ON CONFLICT ({column}) DO UPDATE SET body = excluded.body",
            new { key, body = JsonSerializer.Serialize(values) }));

    private IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> All(string query) => database.Read(c =>
        c.Query<(string Key, string Body)>(query).ToDictionary(row => row.Key, row => ReadValues(row.Body)));

    private static IReadOnlyDictionary<string, string> ValuesIn(SqliteConnection c, string query, string key) =>
        c.QuerySingleOrDefault<string>(query, new { key }) is { } body ? ReadValues(body) : new Dictionary<string, string>();

    private static IReadOnlyDictionary<string, string> ReadValues(string body) =>
        JsonSerializer.Deserialize<Dictionary<string, string>>(body)!;

    private Row? FindRow(string name) =>
        database.Read(c => c.QuerySingleOrDefault<Row>("SELECT name, body, secrets FROM profiles WHERE name = @name", new { name }));

    /// <summary>Null: the key is another one now.</summary>
    private ProfileSecrets? SecretsOf(Row row) =>
        box.Unlock(row.Secrets, row.Name) is { } text ? new ProfileSecrets(JsonSerializer.Deserialize<Dictionary<string, string>>(text)!)
            : null;

    private string? UserOf(SqliteConnection c, string name) =>
        references.SelectMany(feature => feature.To(c, Needed.Profile, name)).OrderByDescending(user => user.By == Needing.Schedule)
            .Select(user => user.By switch
            {
                Needing.Policy => "the policy for new boards",
                Needing.Schedule => $"schedule '{user.Name}'",
                _ => $"job {user.Name}",
            }).FirstOrDefault();
}
