using System.Globalization;
using System.Text.Json;
using Bootstrap.Cli.Api;
using Bootstrap.Protocol;
using Spectre.Console;

namespace Bootstrap.Cli;

/// <summary>What commands print: tables for people, JSON for programs.</summary>
internal static class Output
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private static readonly JsonSerializerOptions s_jsonLine = new(JsonSerializerDefaults.Web);

    /// <summary>Where progress is shown: beside the output, which may be for programs.</summary>
    public static IAnsiConsole Beside { get; } = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    public static void Json<T>(T value) => Console.WriteLine(JsonSerializer.Serialize(value, s_json));

    /// <summary>One line of JSON Lines: for what comes bit by bit.</summary>
    public static void JsonLine<T>(T value) => Console.WriteLine(JsonSerializer.Serialize(value, s_jsonLine));

    /// <summary>Compares what prints the same JSON: records that hold lists are never equal by themselves.</summary>
    public static IEqualityComparer<T> AsJson<T>() =>
        EqualityComparer<T>.Create((a, b) => JsonSerializer.Serialize(a, s_jsonLine) == JsonSerializer.Serialize(b, s_jsonLine));

    /// <summary>What comes next takes the place of what a terminal shows; elsewhere it follows.</summary>
    public static void Clear()
    {
        if (!Console.IsOutputRedirected)
        {
            AnsiConsole.Clear();
        }
    }

    /// <summary>A plain table (<see cref="TextTable"/>).</summary>
    public static void Table(IReadOnlyList<Column> columns, IEnumerable<string[]> rows, TableChoice? choice = null) =>
        new TextTable(columns, [.. rows.Select(row => row.Select(PlainText.Line).ToArray())]).Write(choice ?? new TableChoice());

    /// <summary>What is the matter, how that is known, what to do: a paragraph for each.</summary>
    public static void Findings(IEnumerable<Finding> findings)
    {
        string gap = "";
        foreach (Finding finding in findings)
        {
            string where = finding.Interface is { } name ? $", {name}" : "";
            Console.WriteLine($"{gap}{finding.Severity}{where}: {finding.Cause}\n  Seen: {finding.Evidence}");
            if (finding.Change is not null)
            {
                Console.WriteLine($"  Do:   {finding.Change}");
            }
            gap = "\n";
        }
    }

    /// <summary>"1.2 GB": powers of 1000, as cards are sold.</summary>
    public static string Bytes(double bytes)
    {
        string[] units = ["B", "kB", "MB", "GB", "TB"];
        int unit = 0;
        for (; bytes >= 1000 && unit < units.Length - 1; unit++)
        {
            bytes /= 1000;
        }
        return string.Create(CultureInfo.InvariantCulture,
            $"{(unit == 0 || bytes >= 100 ? Math.Round(bytes) : Math.Round(bytes, 1))} {units[unit]}");
    }

    /// <summary>"42 %"; 100 % is for what is over.</summary>
    public static string Percent(double fraction) => string.Create(CultureInfo.InvariantCulture,
        $"{Math.Min(99, Math.Floor(Math.Round(100 * fraction, 2)))} %");

    public static string Time(long unixMilliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds)
            .LocalDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>"2027-01-03 03:00:00 Europe/Berlin": by the clock of a zone that is not always this machine's.</summary>
    public static string ZonedTime(long unixMilliseconds, string zone)
    {
        TimeZoneInfo clock = TimeZoneInfo.TryFindSystemTimeZoneById(zone, out TimeZoneInfo? found) ? found : TimeZoneInfo.Local;
        DateTimeOffset at = TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds), clock);
        return $"{at.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)} {clock.Id}";
    }

    /// <summary>"22:00", for tables that name the day.</summary>
    public static string DayTime(long unixMilliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds).LocalDateTime.ToString("HH:mm", CultureInfo.InvariantCulture);
}
