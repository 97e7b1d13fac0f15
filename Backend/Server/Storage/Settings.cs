using System.Text.Json;
using Dapper;

namespace Bootstrap.Server.Storage;

/// <summary>Settings that people change while the appliance runs, each a JSON value under a key.</summary>
public sealed class SettingsStore(Database database)
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>A setting, or null where it was never set.</summary>
    public T? Get<T>(string key)
        where T : class => database.Read(c =>
            c.QuerySingleOrDefault<string>("SELECT value FROM settings WHERE key = @key", new { key }) is { } json
                ? JsonSerializer.Deserialize<T>(json, s_json)
                : null);

    public void Set<T>(string key, T value) => database.Write(c => c.Execute("""
        INSERT INTO settings (key, value) VALUES (@key, @json)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value
        """, new { key, json = JsonSerializer.Serialize(value, s_json) }));
}
