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

    /// <summary>A plain table; where the output is no terminal it is as wide as it needs to be, else its last column is broken into
    /// lines.</summary>
    public static void Table(string[] columns, IEnumerable<string[]> rows)
    {
        var table = new Table().Border(TableBorder.None).Collapse();
        foreach (string column in columns)
        {
            table.AddColumn(new TableColumn(new Text(column, new Style(decoration: Decoration.Bold))) { NoWrap = column != columns[^1] });
        }
        foreach (string[] row in rows)
        {
            table.AddRow(row.Select(cell => new Text(PlainText.Line(cell))));
        }
        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = 400;
        }
        AnsiConsole.Write(table);
    }

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

    public static string Time(long unixMilliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds)
            .LocalDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>"22:00", for tables that name the day.</summary>
    public static string DayTime(long unixMilliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds).LocalDateTime.ToString("HH:mm", CultureInfo.InvariantCulture);
}
