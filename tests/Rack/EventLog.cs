using System.Text;
using System.Text.Json;

namespace Bootstrap.Rack;

/// <summary>Events as lines of JSON: <c>{"at":"2026-01-31T12:00:00.123Z","event":"power-on",…}</c>.</summary>
internal sealed class EventLog(TextWriter output, TimeProvider clock)
{
    private readonly Lock _lock = new();

    /// <summary>Writes an event with its details; null ones are left out.</summary>
    public void Write(string name, params ReadOnlySpan<(string Name, object? Value)> details)
    {
        using var line = new MemoryStream();
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteString("at", clock.GetUtcNow()
                .ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture));
            json.WriteString("event", name);
            foreach ((string key, object? value) in details)
            {
                switch (value)
                {
                    case null:
                        break;
                    case int or long:
                        json.WriteNumber(key, Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture));
                        break;
                    default:
                        json.WriteString(key, value.ToString());
                        break;
                }
            }
            json.WriteEndObject();
        }
        WriteLine(Encoding.UTF8.GetString(line.ToArray()));
    }

    /// <summary>Passes on a line that is an event already.</summary>
    public void WriteLine(string line)
    {
        lock (_lock)
        {
            output.WriteLine(line);
            output.Flush();
        }
    }
}
