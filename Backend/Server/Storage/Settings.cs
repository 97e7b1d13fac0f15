using System.Text.Json;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Storage;

/// <summary>Settings that people change while the appliance runs, each a JSON value under a key.</summary>
public sealed class SettingsStore(Database database)
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>Looks at all of them: what is read on request only must not come to light then.</summary>
    /// <exception cref="InvalidDataException">One is damaged; the message says what to do.</exception>
    public void Verify()
    {
        foreach (string key in database.Read(c => c.Query<string>("SELECT key FROM settings").ToList()))
        {
            _ = Get<object>(key);
        }
    }

    /// <summary>A setting, or null where it was never set.</summary>
    /// <exception cref="InvalidDataException">It is damaged; the message says what to do.</exception>
    public T? Get<T>(string key)
        where T : class => database.Read(c => Get<T>(c, key));

    /// <summary>The same of a database, in a transaction of the caller's.</summary>
    /// <exception cref="InvalidDataException">It is damaged; the message says what to do.</exception>
    public static T? Get<T>(SqliteConnection c, string key)
        where T : class
    {
        string? json = c.QuerySingleOrDefault<string>("SELECT value FROM settings WHERE key = @key", new { key });
        try
        {
            return json is null ? null : JsonSerializer.Deserialize<T>(json, s_json);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException(
                $"the setting '{key}' in the appliance's database is damaged: put back a copy of the database from before", e);
        }
    }

    public void Set<T>(string key, T value) => database.Write(c => c.Execute("""
        INSERT INTO settings (key, value) VALUES (@key, @json)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value
        """, new { key, json = JsonSerializer.Serialize(value, s_json) }));
}
